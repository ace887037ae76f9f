//! Click ids: which one of an event is sent, and when Google takes it.

use std::time::Duration;

use conversion_core::sink::{NotSent, Subject};
use conversion_core::{CanonicalEvent, Timestamp};

conversion_core::reasons! {
    const CLICK_TOO_RECENT: "click_too_recent" of [Pending] =
        "Google Ads refuses conversions of a click that is less than 6 hours old";
    Nobody: "nothing: it is sent when the click is 6 hours old, and up to 10 minutes more";
}

/// Google refuses younger clicks (`platforms/google-ads.md`, sections 3.7 and 7.4).
const CLICK_AGE: Duration = Duration::from_secs(6 * 3600);

/// The one click id of a row.
#[derive(Clone, Copy, Debug)]
pub struct Click<'a> {
    /// Which.
    pub kind: ClickKind,
    /// The id.
    pub id: &'a str,
}

/// Google's click ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClickKind {
    /// `gclid`.
    Gclid,
    /// `gbraid`.
    Gbraid,
    /// `wbraid`.
    Wbraid,
}

impl ClickKind {
    /// As `clickIds` names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gclid => "gclid",
            Self::Gbraid => "gbraid",
            Self::Wbraid => "wbraid",
        }
    }
}

impl<'a> Click<'a> {
    /// Google takes one click id per row: the first of these (section 3.4).
    const PRECEDENCE: [ClickKind; 3] = [ClickKind::Gclid, ClickKind::Gbraid, ClickKind::Wbraid];

    /// That of an event, with a note where it has others.
    pub fn of(event: &'a CanonicalEvent, notes: &mut Vec<&'static str>) -> Option<Self> {
        let mut clicks = Self::PRECEDENCE
            .into_iter()
            .filter_map(|kind| Some(Self { kind, id: event.click_id(kind.name())? }));
        let first = clicks.next()?;
        if clicks.next().is_some() {
            notes.push("other_click_ids_dropped");
        }
        Some(first)
    }

    /// Where it is known when the visitor came, waits until Google takes the click.
    ///
    /// # Errors
    ///
    /// If that time is still to come.
    pub fn wait_for_age(self, subject: &Subject<'_>, now: Timestamp) -> Result<(), NotSent> {
        let clicked_at = subject.clicked_at(self.kind.name(), self.id);
        match clicked_at.and_then(|at| at.checked_add(CLICK_AGE).ok()) {
            Some(at) if now < at => {
                Err(NotSent::WaitUntil { at, reason: CLICK_TOO_RECENT, message: CLICK_TOO_RECENT.tell(&[]) })
            }
            _ => Ok(()),
        }
    }
}
