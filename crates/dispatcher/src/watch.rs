//! Watching over the tasks that the service stands on: one that breaks must not go unnoticed.

use tokio_util::sync::CancellationToken;

/// Notices when a task that it is over panics. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Watch(CancellationToken);

impl Watch {
    /// `task`, watched over.
    pub fn over<F: Future>(&self, task: F) -> impl Future<Output = F::Output> + use<F> {
        let guard = Guard(self.0.clone());
        async move {
            let done = task.await;
            drop(guard);
            done
        }
    }

    /// Returns when a task has panicked.
    pub async fn broken(&self) {
        self.0.cancelled().await;
    }
}

struct Guard(CancellationToken);

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "a task that panics needs a task of its own")]
    async fn a_panic_is_noticed_and_an_end_is_not() {
        let watch = Watch::default();
        watch.over(async {}).await;
        assert!(!watch.0.is_cancelled());
        let broken = tokio::spawn(watch.over(async { panic!("on purpose") }));
        assert!(broken.await.is_err());
        watch.broken().await;
    }
}
