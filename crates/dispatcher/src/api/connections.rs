//! Which connections wait for their caller, and which of them goes when there is no more room.
//!
//! Many that say nothing must not keep out one that does: where there are as many as may be, a new one takes the place
//! of that which has waited longest.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// All connections that wait for a request, or for an answer to be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Connections(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    /// By the order in which they began to wait.
    since: BTreeMap<u64, CancellationToken>,
    next: u64,
    /// Places that are wanted for new ones, while none waits.
    wanted: usize,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    all: Connections,
    /// Cancelled when it must go.
    pub(super) gives_way: CancellationToken,
    place: Mutex<Option<u64>>,
    was_asked: AtomicBool,
}

impl Connections {
    /// A new one, which waits for its first request.
    pub(super) fn enter(&self) -> Connection {
        let connection = Connection {
            all: self.clone(),
            gives_way: CancellationToken::new(),
            place: Mutex::new(None),
            was_asked: AtomicBool::new(false),
        };
        connection.waits();
        connection
    }

    /// Closes the one that has waited longest; where none waits, the next that will.
    pub(super) fn make_room(&self) {
        let mut waiting = lock(&self.0);
        match waiting.since.pop_first() {
            Some((_, longest)) => longest.cancel(),
            None => waiting.wanted += 1,
        }
    }
}

impl Connection {
    /// It has been answered, or is new: what comes next is the caller's.
    pub(super) fn waits(&self) {
        let mut waiting = lock(&self.all.0);
        if waiting.wanted > 0 {
            waiting.wanted -= 1;
            return self.gives_way.cancel();
        }
        let place = waiting.next;
        waiting.next += 1;
        waiting.since.insert(place, self.gives_way.clone());
        *lock(&self.place) = Some(place);
    }

    /// A request has come: it is worked on.
    pub(super) fn works(&self) {
        self.was_asked.store(true, Ordering::Relaxed);
        self.waits_no_longer();
    }

    /// Whether a request ever came.
    pub(super) fn was_asked(&self) -> bool {
        self.was_asked.load(Ordering::Relaxed)
    }

    fn waits_no_longer(&self) {
        if let Some(place) = lock(&self.place).take() {
            lock(&self.all.0).since.remove(&place);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.waits_no_longer();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_has_waited_longest_gives_way() {
        let all = Connections::default();
        let [first, second, third] = [(); 3].map(|()| all.enter());
        first.works();
        first.waits();
        third.works();
        let gone = || [&first, &second, &third].map(|connection| connection.gives_way.is_cancelled());
        assert_eq!(gone(), [false; 3]);
        all.make_room();
        assert_eq!(gone(), [false, true, false], "it waits since it came");
        all.make_room();
        assert_eq!(gone(), [true, true, false], "it was answered later");
        all.make_room();
        assert_eq!(gone(), [true, true, false], "what is worked on stays");
        third.waits();
        assert_eq!(gone(), [true, true, true], "until it is answered");
    }

    #[test]
    fn what_has_gone_is_forgotten() {
        let all = Connections::default();
        drop(all.enter());
        let other = all.enter();
        all.make_room();
        assert!(other.gives_way.is_cancelled());
    }
}
