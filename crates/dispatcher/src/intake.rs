//! The way from ingest to a worker through memory: bounded, so that what does not fit stays in the store.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use conversion_core::CanonicalEvent;
use conversion_store::Lease;
use tokio::sync::{Semaphore, mpsc};

/// Most deliveries of one sink that wait in memory, beside those that its worker has taken.
const CAPACITY: usize = 10_000;

/// A leased delivery with its event, read.
#[derive(Clone, Debug)]
pub struct Work {
    /// The lease.
    pub lease: Lease,
    /// The event.
    pub event: Arc<CanonicalEvent>,
    /// The wait before the next try, where another than the store decides it.
    pub retry_in: Option<Duration>,
}

/// Ingest's end.
#[derive(Debug)]
pub struct Intake {
    free: Arc<Semaphore>,
    sender: mpsc::UnboundedSender<Vec<Work>>,
}

/// The worker's end.
#[derive(Debug)]
pub struct Outlet {
    free: Arc<Semaphore>,
    receiver: mpsc::UnboundedReceiver<Vec<Work>>,
}

/// Both ends of a way.
pub fn way() -> (Intake, Outlet) {
    let free = Arc::new(Semaphore::new(CAPACITY));
    let (sender, receiver) = mpsc::unbounded_channel();
    (Intake { free: Arc::clone(&free), sender }, Outlet { free, receiver })
}

impl Intake {
    /// Sets room aside; returns for how many of `wanted` there is.
    pub fn reserve(&self, wanted: usize) -> usize {
        let count = wanted.min(self.free.available_permits());
        let permits = u32::try_from(count).ok().and_then(|count| self.free.try_acquire_many(count).ok());
        permits.map_or(0, |permits| {
            permits.forget();
            count
        })
    }

    /// Gives back room that was set aside in vain.
    pub fn release(&self, count: usize) {
        self.free.add_permits(count);
    }

    /// Hands over what room was set aside for. A worker that has ended leaves it leased: the next run takes it up.
    pub fn send(&self, work: Vec<Work>) {
        drop(self.sender.send(work));
    }
}

impl Outlet {
    /// Takes what is there until the buffer holds `enough`: what it does not take keeps its room.
    pub fn drain_into(&mut self, buffer: &mut VecDeque<Work>, enough: usize) {
        while buffer.len() < enough
            && let Ok(work) = self.receiver.try_recv()
        {
            self.take(work, buffer);
        }
    }

    /// Waits for more.
    pub async fn wait_into(&mut self, buffer: &mut VecDeque<Work>) {
        match self.receiver.recv().await {
            Some(work) => self.take(work, buffer),
            // Ingest has ended before its workers: nothing more will come.
            None => std::future::pending().await,
        }
    }

    fn take(&self, work: Vec<Work>, buffer: &mut VecDeque<Work>) {
        self.free.add_permits(work.len());
        buffer.extend(work);
    }
}
