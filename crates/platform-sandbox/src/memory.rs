//! What a platform remembers for its own deduplication.

use std::collections::HashMap;

use crate::report::SeenId;

/// What an arrival was to the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Counted, and rightly so.
    Counted,
    /// Absorbed by the platform's own dedup.
    Deduplicated,
    /// Counted although the conversion had been counted before: the dedup window was over, or the key was another.
    CountedTwice,
}

/// Who an id belongs to and what it stands for: pixel and event name, or customer and conversion action.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a> {
    pub(crate) id: &'a str,
    pub(crate) scope: &'a str,
    pub(crate) name: &'a str,
}

/// Every key ever accepted, found by its id.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    ids: HashMap<Box<str>, Seen>,
    numbers: Numbers,
    keys: u64,
    /// Keys opened under an older generation no longer deduplicate.
    generation: u32,
}

#[derive(Debug)]
struct Seen {
    first_us: u64,
    count: u64,
    keys: Vec<Opened>,
}

impl Seen {
    fn under(&self, id: &str) -> SeenId {
        let retracted = self.keys.iter().any(|opened| opened.conversion.retracted);
        SeenId { id: id.to_owned(), count: self.count, first_us: self.first_us, retracted }
    }
}

#[derive(Debug)]
struct Opened {
    scope: u32,
    name: u32,
    generation: u32,
    opened_us: u64,
    conversion: Conversion,
}

/// What may happen to a conversion after it was counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Conversion {
    /// When it happened, in seconds since 1970, where the platform minds.
    pub(crate) happened_s: i64,
    pub(crate) retracted: bool,
    /// When its value was last restated, in seconds since 1970.
    pub(crate) restated_s: Option<i64>,
}

impl Memory {
    /// How many different keys were counted.
    pub(crate) fn keys(&self) -> u64 {
        self.keys
    }

    /// The platform no longer deduplicates against what it has seen; the account of what was counted stays.
    pub(crate) fn forget(&mut self) {
        self.generation += 1;
    }

    /// Remembers one arrival. Without a window a key deduplicates forever.
    pub(crate) fn arrive(&mut self, key: Key<'_>, at_us: u64, window_us: Option<u64>) -> Arrival {
        let (scope, name) = (self.numbers.of(key.scope), self.numbers.of(key.name));
        let (generation, conversion) = (self.generation, Conversion::default());
        let opened = Opened { scope, name, generation, opened_us: at_us, conversion };
        let Some(seen) = self.ids.get_mut(key.id) else {
            self.keys += 1;
            self.ids.insert(key.id.into(), Seen { first_us: at_us, count: 1, keys: vec![opened] });
            return Arrival::Counted;
        };
        seen.count += 1;
        if let Some(known) = seen.keys.iter_mut().find(|known| known.scope == scope && known.name == name) {
            if known.generation == self.generation && within(window_us, known.opened_us, at_us) {
                return Arrival::Deduplicated;
            }
            *known = opened;
            return Arrival::CountedTwice;
        }
        let same_conversion = seen.keys.iter().any(|known| known.scope == scope);
        self.keys += 1;
        seen.keys.push(opened);
        if same_conversion { Arrival::CountedTwice } else { Arrival::Counted }
    }

    /// The conversion that was counted under a key, if one was.
    pub(crate) fn conversion(&mut self, key: Key<'_>) -> Option<&mut Conversion> {
        let (scope, name) = (self.numbers.known(key.scope)?, self.numbers.known(key.name)?);
        let keys = &mut self.ids.get_mut(key.id)?.keys;
        let opened = keys.iter_mut().find(|known| known.scope == scope && known.name == name)?;
        Some(&mut opened.conversion)
    }

    pub(crate) fn ids(&self) -> Vec<SeenId> {
        self.ids.iter().map(|(id, seen)| seen.under(id)).collect()
    }
}

fn within(window_us: Option<u64>, opened_us: u64, at_us: u64) -> bool {
    window_us.is_none_or(|window| at_us.saturating_sub(opened_us) < window)
}

/// Short stand-ins for the few texts that a hundred thousand keys share.
#[derive(Debug, Default)]
struct Numbers(HashMap<Box<str>, u32>);

impl Numbers {
    fn known(&self, text: &str) -> Option<u32> {
        self.0.get(text).copied()
    }

    fn of(&mut self, text: &str) -> u32 {
        if let Some(number) = self.known(text) {
            return number;
        }
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.insert(text.into(), next);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::Arrival::{Counted, CountedTwice, Deduplicated};
    use super::{Arrival, Key, Memory};

    const HOUR: u64 = 3_600_000_000;

    /// (scope, name, id, hour) of each arrival, and what it should be.
    type Step = (&'static str, &'static str, &'static str, u64, Arrival);

    fn check(window_h: Option<u64>, steps: &[Step], keys: u64) {
        let mut memory = Memory::default();
        for (scope, name, id, hour, expected) in steps {
            let arrival = memory.arrive(Key { id, scope, name }, hour * HOUR, window_h.map(|h| h * HOUR));
            assert_eq!(arrival, *expected, "{scope} {name} {id} at hour {hour}");
        }
        assert_eq!(memory.keys(), keys);
    }

    #[test]
    fn a_window_runs_from_the_first_that_was_counted() {
        let steps = [
            ("p", "Lead", "1", 0, Counted),
            ("p", "Lead", "1", 47, Deduplicated),
            ("p", "Lead", "1", 48, CountedTwice),
            ("p", "Lead", "1", 95, Deduplicated),
            ("p", "Lead", "1", 96, CountedTwice),
        ];
        check(Some(48), &steps, 1);
    }

    #[test]
    fn without_a_window_a_key_counts_once() {
        check(None, &[("c", "1", "o", 0, Counted), ("c", "1", "o", 90_000, Deduplicated)], 1);
    }

    #[test]
    fn the_same_conversion_under_another_name_is_counted_twice() {
        let steps = [
            ("p", "Lead", "1", 0, Counted),
            ("p", "Purchase", "1", 1, CountedTwice),
            ("p", "Purchase", "1", 2, Deduplicated),
            ("p", "Purchase", "2", 2, Counted),
            ("q", "Lead", "1", 3, Counted),
        ];
        check(Some(48), &steps, 4);
    }

    #[test]
    fn forgetting_ends_dedup_but_not_the_account() {
        let mut memory = Memory::default();
        let key = Key { id: "1", scope: "p", name: "Lead" };
        assert_eq!(memory.arrive(key, 0, None), Counted);
        memory.forget();
        assert_eq!(memory.arrive(key, 0, None), CountedTwice);
        assert_eq!(memory.arrive(key, 0, None), Deduplicated);
        assert_eq!(memory.ids()[0].count, 3);
    }
}
