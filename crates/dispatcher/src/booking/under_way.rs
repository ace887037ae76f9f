//! Notices that are being worked on.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use conversion_store::{Notice, NoticeId};

/// Notices whose appointment is being fetched, or may be by now: it need not show what comes from here on.
#[derive(Debug, Default)]
pub struct UnderWay(Mutex<BTreeSet<NoticeId>>);

impl UnderWay {
    /// Begins work on `notices`, until the result is dropped.
    pub(super) fn begin<'u>(&'u self, notices: &'u [Notice]) -> Begun<'u> {
        self.lock().extend(notices.iter().map(|notice| notice.id));
        Begun { under_way: self, notices }
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<NoticeId> {
        self.lock().iter().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<NoticeId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Work on notices, for as long as it lives.
#[derive(Debug)]
pub(super) struct Begun<'u> {
    under_way: &'u UnderWay,
    notices: &'u [Notice],
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        let mut under_way = self.under_way.lock();
        for notice in self.notices {
            under_way.remove(&notice.id);
        }
    }
}
