//! Why a delivery, a hold or a notice stands as it does: one registry of names, sentences and mends.
//!
//! A [`Reason`] is made by [`reasons!`](crate::reasons) alone, which registers it: a name that is not on record cannot be
//! written down. Each crate has its own in one place; [`all`] has those of every linked crate.

mod shared;

pub(crate) use shared::*;
pub use shared::{HELD, MISSING_CREDENTIALS};

#[doc(hidden)]
pub use inventory;

/// One entry of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// Stable name, the API's `reason`. Those of the same name are of different places.
    pub name: &'static str,
    /// Where it may stand.
    pub places: &'static [Place],
    /// What it means. Also the message, with `{…}` for what differs from case to case, unless the case has words of its
    /// own, such as the platform's.
    pub sentence: &'static str,
    /// Who can do something about it.
    pub actor: Actor,
    /// What to do.
    pub fix: &'static str,
}

/// Where a reason may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A delivery of which nothing was sent.
    Skipped,
    /// A delivery that waits.
    Pending,
    /// A delivery that was given up.
    Failed,
    /// The hold of a sink, of an event name at it, or of a source.
    Held,
    /// A notice that led to no event.
    NoticeIgnored,
    /// A notice that waits.
    NoticePending,
    /// A notice that was given up.
    NoticeFailed,
}

impl Place {
    /// Every place.
    pub const ALL: [Self; 7] = [
        Self::Skipped,
        Self::Pending,
        Self::Failed,
        Self::Held,
        Self::NoticeIgnored,
        Self::NoticePending,
        Self::NoticeFailed,
    ];

    /// Its name, as the API shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Skipped => "SKIPPED",
            Self::Pending => "PENDING",
            Self::Failed => "FAILED",
            Self::Held => "HELD",
            Self::NoticeIgnored => "NOTICE_IGNORED",
            Self::NoticePending => "NOTICE_PENDING",
            Self::NoticeFailed => "NOTICE_FAILED",
        }
    }
}

/// Who can do something about a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Whoever reports the events.
    Sender,
    /// Whoever runs Signalbox and has the accounts.
    Operator,
    /// The platform or booking system: it passes.
    Platform,
    /// Nobody needs to.
    Nobody,
}

impl Actor {
    /// Its name, as the API shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sender => "SENDER",
            Self::Operator => "OPERATOR",
            Self::Platform => "PLATFORM",
            Self::Nobody => "NOBODY",
        }
    }
}

impl Reason {
    /// For [`reasons!`](crate::reasons), which registers what it makes.
    #[doc(hidden)]
    pub const fn registered(
        name: &'static str,
        places: &'static [Place],
        sentence: &'static str,
        actor: Actor,
        fix: &'static str,
    ) -> Self {
        Self { name, places, sentence, actor, fix }
    }

    /// The name, to be written down in that place, which must be one of [`Self::places`].
    pub fn name_in(&self, place: Place) -> &'static str {
        debug_assert!(self.places.contains(&place), "{} is no reason of {}", self.name, place.name());
        self.name
    }

    /// The sentence, with these words for its `{…}`, in order.
    pub fn tell(&self, words: &[&str]) -> String {
        let mut words = words.iter();
        let mut parts = self.sentence.split('{');
        let mut told = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let rest = part.split_once('}').map_or(part, |(_, rest)| rest);
            told.push_str(words.next().copied().unwrap_or_default());
            told.push_str(rest);
        }
        told
    }
}

/// The reasons of one [`reasons!`](crate::reasons).
#[doc(hidden)]
#[derive(Debug)]
pub struct Reasons(pub &'static [&'static Reason]);

inventory::collect!(Reasons);

fn registered() -> impl Iterator<Item = &'static Reason> {
    inventory::iter::<Reasons>.into_iter().flat_map(|reasons| reasons.0).copied()
}

/// Every reason of every linked crate, by name.
pub fn all() -> Vec<&'static Reason> {
    let mut all: Vec<&Reason> = registered().collect();
    all.sort_by_key(|reason| (reason.name, reason.places.first()));
    all
}

/// The reason of this name in this place; nothing for one that is no longer known, such as an old row's.
pub fn find(place: Place, name: &str) -> Option<&'static Reason> {
    let found = |place| registered().find(|reason| reason.name == name && reason.places.contains(&place));
    // What would have to wait is skipped where nothing can: at test endpoints.
    found(place).or_else(|| if place == Place::Skipped { found(Place::Pending) } else { None })
}

/// Defines reasons and registers them. Each becomes a constant of type `&'static Reason`.
///
/// ```
/// conversion_core::reasons! {
///     pub const TOO_FAR: "too_far" of [Skipped] = "The appointment is more than {days} days away";
///     Operator: "raise max_days";
/// }
/// assert_eq!(TOO_FAR.tell(&["90"]), "The appointment is more than 90 days away");
/// ```
#[macro_export]
macro_rules! reasons {
    ($(
        $visibility:vis const $constant:ident: $name:literal of [$($place:ident),+] = $sentence:literal;
        $actor:ident: $fix:literal;
    )+) => {
        $(
            #[doc = $sentence]
            $visibility const $constant: &$crate::reason::Reason = &$crate::reason::Reason::registered(
                $name,
                &[$($crate::reason::Place::$place),+],
                $sentence,
                $crate::reason::Actor::$actor,
                $fix,
            );
        )+
        $crate::reason::inventory::submit! {
            $crate::reason::Reasons(&[$($constant),+])
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_takes_its_words_in_order_and_reads_nothing_into_them() {
        let reason = Reason { sentence: "No {platform} event mapping for: {event}", ..*HELD };
        assert_eq!(reason.tell(&["{event}", "A{B}"]), "No {event} event mapping for: A{B}");
        assert_eq!(HELD.tell(&[]), HELD.sentence);
    }

    #[test]
    fn a_name_has_one_meaning_in_each_place() {
        assert_eq!(find(Place::Pending, "held"), Some(HELD));
        assert_eq!(find(Place::Failed, "held"), None);
        assert_eq!(find(Place::Pending, "of_an_older_version"), None);
        let waiting = find(Place::Pending, "interrupted").unwrap();
        let failed = find(Place::Failed, "interrupted").unwrap();
        assert_ne!(waiting.fix, failed.fix);
    }

    #[test]
    fn what_would_have_to_wait_can_stand_as_a_skip() {
        assert_eq!(find(Place::Skipped, "not_yet"), find(Place::Pending, "not_yet"));
        assert_eq!(find(Place::Skipped, "missing_credentials"), Some(MISSING_CREDENTIALS));
    }

    #[test]
    fn every_reason_is_listed_by_name_and_found_in_each_of_its_places() {
        let all = all();
        for own in [HELD, MISSING_CREDENTIALS, NOT_YET, NOT_YET_FINALLY] {
            assert_eq!(all.iter().filter(|reason| **reason == own).count(), 1, "{}", own.name);
        }
        assert!(all.is_sorted_by_key(|reason| (reason.name, reason.places.first())));
        for reason in all {
            for place in reason.places {
                assert_eq!(find(*place, reason.name), Some(reason));
            }
        }
    }

    #[test]
    fn places_and_actors_have_the_names_of_the_api() {
        assert_eq!(
            Place::ALL.map(Place::name),
            ["SKIPPED", "PENDING", "FAILED", "HELD", "NOTICE_IGNORED", "NOTICE_PENDING", "NOTICE_FAILED"]
        );
        let actors = [Actor::Sender, Actor::Operator, Actor::Platform, Actor::Nobody];
        assert_eq!(actors.map(Actor::name), ["SENDER", "OPERATOR", "PLATFORM", "NOBODY"]);
    }
}
