//! What is logged while a rule is tried.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use tracing_subscriber::fmt;

use crate::rule::{Verdict, ensure};

thread_local! {
    /// Each rule is tried on a thread of its own.
    static CAPTURED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// One subscriber for the whole process: one for each test would miss what another test's thread has seen first.
static SUBSCRIBER: Once = Once::new();

/// Captures what this thread logs, at every level, until it is read.
pub(crate) struct Capture;

impl Capture {
    pub(crate) fn start() -> Verdict<Self> {
        SUBSCRIBER.call_once(|| {
            let subscriber =
                fmt().with_max_level(tracing::Level::TRACE).with_ansi(false).with_writer(|| Thread);
            // Whether it is ours is seen by what is captured.
            drop(tracing::subscriber::set_global_default(subscriber.finish()));
        });
        CAPTURED.set(Some(Vec::new()));
        tracing::trace!("captured");
        let text = CAPTURED.with_borrow(|text| text.clone().unwrap_or_default());
        ensure!(!text.is_empty(), "logs cannot be captured: this test's process has a subscriber of its own");
        Ok(Self)
    }

    pub(crate) fn read(&self) -> String {
        CAPTURED.with_borrow(|text| String::from_utf8_lossy(text.as_deref().unwrap_or_default()).into_owned())
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        CAPTURED.set(None);
    }
}

struct Thread;

impl io::Write for Thread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        CAPTURED.with_borrow_mut(|text| text.iter_mut().for_each(|text| text.extend_from_slice(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
