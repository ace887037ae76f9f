//! Waiting for something that can be seen, never for a time.

use std::time::Duration;

use tokio::time::Instant;

/// Far more than anything takes, so that only what never comes is given up.
const PATIENCE: Duration = Duration::from_secs(180);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Looks again and again until it is there; what is seen instead goes into the complaint.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) => assert!(Instant::now() < deadline, "waited in vain for {what}; there is {seen}"),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
