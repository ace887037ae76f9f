//! What strangers can cause at any rate, and what is said of it at most once a second.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use conversion_core::Timestamp;

use crate::clock::after;

const GAP: Duration = Duration::from_secs(1);

/// When something was last said.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<Option<Timestamp>>);

impl Seldom {
    /// Whether it may be said now. Then it has been.
    pub fn may_say(&self, now: Timestamp) -> bool {
        let mut said_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let may = said_at.is_none_or(|said_at| now < said_at || now >= after(said_at, GAP));
        if may {
            *said_at = Some(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_second_also_where_the_clock_was_put_back() {
        let seldom = Seldom::default();
        let at = |milliseconds| Timestamp::from_millisecond(milliseconds).unwrap();
        let may = [0, 1, 999, 1000, 1999, 5000, 4000, 4999].map(|time| seldom.may_say(at(time)));
        assert_eq!(may, [true, false, false, true, false, true, true, false]);
    }
}
