//! Access tokens: fetched once for all who wait, renewed before they end.

use std::sync::Arc;
use std::time::Duration;

use conversion_core::secret::Secret;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A token is renewed this long before it ends.
const RENEW_EARLY: Duration = Duration::from_secs(60);

/// A short-lived access token.
#[derive(Debug)]
pub struct Token {
    /// The token.
    pub secret: Secret,
    /// When it stops being handed out.
    stale_at: Instant,
}

impl Token {
    /// A token that ends after `expires_in`.
    pub fn new(secret: Secret, expires_in: Duration) -> Self {
        Self { secret, stale_at: Instant::now() + expires_in.saturating_sub(RENEW_EARLY) }
    }
}

/// Holds one credential's token. However many ask at once, one request is made; the others wait for it.
#[derive(Debug, Default)]
pub struct TokenCache {
    current: Mutex<Option<Arc<Token>>>,
}

impl TokenCache {
    /// The current token, or what `fetch` brings.
    pub async fn get<E>(&self, fetch: impl Future<Output = Result<Token, E>>) -> Result<Arc<Token>, E> {
        self.get_unless(|token| token.stale_at <= Instant::now(), fetch).await
    }

    /// A token other than `refused`: the current one if another caller has renewed it already, else what `fetch`
    /// brings.
    pub async fn renew<E>(
        &self,
        refused: &Arc<Token>,
        fetch: impl Future<Output = Result<Token, E>>,
    ) -> Result<Arc<Token>, E> {
        self.get_unless(|token| Arc::ptr_eq(token, refused), fetch).await
    }

    async fn get_unless<E>(
        &self,
        unusable: impl Fn(&Arc<Token>) -> bool,
        fetch: impl Future<Output = Result<Token, E>>,
    ) -> Result<Arc<Token>, E> {
        // Held while fetching: that is what makes it one request for all.
        let mut current = self.current.lock().await;
        if let Some(token) = current.as_ref().filter(|token| !unusable(token)) {
            return Ok(Arc::clone(token));
        }
        let token = Arc::new(fetch.await?);
        *current = Some(Arc::clone(&token));
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    async fn fetch(count: &AtomicU32) -> Result<Token, ()> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let number = count.fetch_add(1, Ordering::Relaxed);
        Ok(Token::new(Secret::new(number.to_string()), Duration::from_secs(3599)))
    }

    #[tokio::test(start_paused = true)]
    async fn many_callers_make_one_request() {
        let (cache, count) = (TokenCache::default(), AtomicU32::new(0));
        let (a, b, c) =
            tokio::join!(cache.get(fetch(&count)), cache.get(fetch(&count)), cache.get(fetch(&count)));
        assert!(Arc::ptr_eq(&a.unwrap(), &b.unwrap()));
        c.unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn is_renewed_a_minute_early_and_after_a_refusal() {
        let (cache, count) = (TokenCache::default(), AtomicU32::new(0));
        let first = cache.get(fetch(&count)).await.unwrap();
        tokio::time::advance(Duration::from_secs(3538)).await;
        assert!(Arc::ptr_eq(&first, &cache.get(fetch(&count)).await.unwrap()));
        tokio::time::advance(Duration::from_secs(2)).await;
        let second = cache.get(fetch(&count)).await.unwrap();
        assert_eq!(second.secret.expose(), "1");
        let third = cache.renew(&second, fetch(&count)).await.unwrap();
        assert_eq!(third.secret.expose(), "2");
        let same = cache.renew(&second, fetch(&count)).await.unwrap();
        assert!(Arc::ptr_eq(&third, &same));
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_gives_up_blocks_nobody() {
        let (cache, count) = (TokenCache::default(), AtomicU32::new(0));
        let gave_up = tokio::time::timeout(Duration::from_millis(1), cache.get(fetch(&count))).await;
        assert!(gave_up.is_err());
        cache.get(fetch(&count)).await.unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }
}
