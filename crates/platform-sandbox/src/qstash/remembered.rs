//! What deduplication goes by.

use std::collections::{HashMap, VecDeque};

/// So many keys are remembered at most; beyond it the oldest goes before its time.
const MAX: usize = 500_000;

/// Keys with the message that each came with first, oldest first.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    messages: HashMap<String, String>,
    since: VecDeque<(u64, String)>,
}

impl Remembered {
    /// The message that came with this key within the window.
    pub(super) fn earlier(&mut self, key: &str, now_us: u64, window_us: u64) -> Option<&str> {
        while self.since.front().is_some_and(|(since_us, _)| since_us.saturating_add(window_us) <= now_us) {
            self.forget_oldest();
        }
        self.messages.get(key).map(String::as_str)
    }

    /// Notes a key that [`earlier`](Self::earlier) did not know.
    pub(super) fn note(&mut self, key: String, message: &str, now_us: u64) {
        if self.since.len() >= MAX {
            self.forget_oldest();
        }
        self.messages.insert(key.clone(), message.to_owned());
        self.since.push_back((now_us, key));
    }

    fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.since.pop_front() {
            self.messages.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Remembered;

    #[test]
    fn a_window_runs_from_the_first() {
        let mut remembered = Remembered::default();
        assert_eq!(remembered.earlier("a", 0, 10), None);
        remembered.note("a".to_owned(), "m1", 0);
        assert_eq!(remembered.earlier("b", 9, 10), None);
        assert_eq!(remembered.earlier("a", 9, 10), Some("m1"));
        assert_eq!(remembered.earlier("a", 10, 10), None);
        remembered.note("a".to_owned(), "m2", 10);
        assert_eq!(remembered.earlier("a", 19, 10), Some("m2"));
    }
}
