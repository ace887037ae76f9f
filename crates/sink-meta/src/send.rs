//! One request, one exchange.

use std::sync::Arc;

use conversion_core::exchange::{Body, Header, Request};
use conversion_core::failure::{Failure, FailureClass, HoldScope};
use conversion_core::report::SendReport;
use conversion_core::secret::Secret;
use conversion_core::sink::{CheckReport, Payload};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_exchange::Answer;
use sha2::Sha256;

use crate::Meta;
use crate::classify::{refuses_emptiness, verdict};
use crate::wire::{HEAD, tail};

/// All that a request without events can find out.
const CHECKED: &str = "Meta took token and dataset; an event is tried by a real one alone (POST /api/test/…)";

impl Meta {
    /// Credentials stand in the body, never in the address (platforms/meta.md, section 1).
    pub(crate) fn request(&self, payloads: &[&Payload]) -> Request {
        let tail = tail(self.config.test_event_code.as_deref());
        let mut body = Body::compose(HEAD, payloads.iter().map(|payload| &*payload.item), &tail);
        if let Some(token) = &self.config.access_token {
            body = body.with_secret("access_token", token.clone());
            if let Some(app_secret) = &self.config.app_secret {
                body = body.with_secret("appsecret_proof", proof(app_secret, token));
            }
        }
        Request { url: format!("{}/events", self.config.dataset_url()), headers: vec![Header::json()], body }
    }

    pub(crate) async fn exchange(&self, request: Arc<Request>) -> SendReport {
        let Answer { exchange, result } = self.client.exchange(&request, None).await;
        match result.and_then(|reply| verdict(&reply, request.body.len())) {
            Ok(()) => SendReport::all_delivered(vec![exchange]),
            Err(failure) => SendReport::failed(vec![exchange], failure),
        }
    }

    /// Sends a request without events, which cannot count anything: Meta has no call that validates alone
    /// (platforms/meta.md, section 6). That it refuses the emptiness, and neither token nor dataset, is the sign.
    pub(crate) async fn try_credentials(&self) -> Result<CheckReport, Failure> {
        if let Some(sentence) = &self.missing {
            return Err(Failure::new(
                FailureClass::Unauthorized { scope: HoldScope::Sink },
                sentence.as_str(),
            ));
        }
        let reply = self.client.exchange(&Arc::new(self.request(&[])), None).await.result?;
        match verdict(&reply, 0) {
            Err(failure) if !refuses_emptiness(&failure) => Err(failure),
            _ => Ok(CheckReport { summary: CHECKED.to_owned() }),
        }
    }
}

/// `appsecret_proof`: HMAC-SHA256 of the token under the app's secret, in lower-case hex.
fn proof(app_secret: &Secret, token: &Secret) -> Secret {
    // A key of any length is taken: it cannot fail.
    let mac = Hmac::<Sha256>::new_from_slice(app_secret.expose().as_bytes());
    let digest = mac.map(|mac| mac.chain_update(token.expose()).finalize().into_bytes());
    Secret::new(digest.map(hex::encode).unwrap_or_default())
}
