//! Access tokens from a refresh token.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use conversion_core::failure::{Failure, FailureClass};
use conversion_core::secret::Secret;
use http_exchange::{Client, Token, TokenCache};

use crate::grant::{self, Grant};

/// What an OAuth client shows to get an access token.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The OAuth client's id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// What the account's owner granted to it.
    pub refresh_token: Secret,
}

/// The access tokens of one credential: fetched once for all who wait, renewed a minute before they end.
#[derive(Debug)]
pub struct AccessTokens {
    token_url: String,
    client_id: String,
    client_secret: Secret,
    cache: TokenCache,
    memory: Mutex<Memory>,
}

/// What the answers of the token endpoint left behind.
#[derive(Debug)]
struct Memory {
    /// The configured one, until Google hands out another; that one lasts for this run.
    refresh_token: Secret,
    last_failure: Option<(Instant, Failure)>,
}

impl AccessTokens {
    /// Tokens for `credentials` from the endpoint at `token_url`.
    pub fn new(token_url: impl Into<String>, credentials: Credentials) -> Self {
        let Credentials { client_id, client_secret, refresh_token } = credentials;
        let memory = Mutex::new(Memory { refresh_token, last_failure: None });
        Self { token_url: token_url.into(), client_id, client_secret, cache: TokenCache::default(), memory }
    }

    /// The current token.
    pub async fn get(&self, client: &Client) -> Result<Arc<Token>, Failure> {
        self.cache.get(self.fetch(client, Instant::now())).await
    }

    /// A token other than the `refused` one.
    pub async fn renew(&self, client: &Client, refused: &Arc<Token>) -> Result<Arc<Token>, Failure> {
        self.cache.renew(refused, self.fetch(client, Instant::now())).await
    }

    /// Whoever was waiting while a request failed shares its failure: else each would wait in turn for a dead
    /// endpoint's time limit, or show Google a revoked token again.
    async fn fetch(&self, client: &Client, asked_at: Instant) -> Result<Token, Failure> {
        if let Some((_, failure)) = self.memory().last_failure.as_ref().filter(|(at, _)| *at >= asked_at) {
            return Err(failure.clone());
        }
        let granted = self.request(client).await;
        let mut memory = self.memory();
        match granted {
            Ok(Grant { token, refresh_token }) => {
                if let Some(rotated) = refresh_token {
                    memory.refresh_token = rotated;
                }
                Ok(token)
            }
            Err(failure) => {
                memory.last_failure = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    async fn request(&self, client: &Client) -> Result<Grant, Failure> {
        let refresh_token = self.memory().refresh_token.clone();
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.expose()),
            ("refresh_token", refresh_token.expose()),
        ];
        match client.post_form(&self.token_url, &form).await {
            Ok(reply) => grant::read(&reply),
            // However far the token request got, no conversion was sent.
            Err(cause) => {
                let message = format!("no access token from Google: {}", cause.message);
                Err(Failure::new(FailureClass::Unreachable, message))
            }
        }
    }

    /// A panic elsewhere leaves nothing half-written here.
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
