//! One request, one exchange.

use std::sync::Arc;

use conversion_core::exchange::{Body, Header, HeaderValue, Request};
use conversion_core::failure::{Failure, FailureClass, HoldScope};
use conversion_core::report::SendReport;
use conversion_core::sink::{CheckReport, Payload};
use http_exchange::Answer;

use crate::Acme;
use crate::classify::verdict;
use crate::wire::{HEAD, tail};

impl Acme {
    pub(crate) fn request(&self, payloads: &[&Payload]) -> Request {
        let account = self.config.account_id.as_deref().unwrap_or_default();
        let tail = tail(self.config.test_code.as_deref());
        let token = self.config.access_token.clone().map(HeaderValue::Secret);
        let token = token.map(|value| Header { name: "access-token", value });
        Request {
            url: format!("{}/accounts/{account}/events", self.config.base_url),
            headers: [Header::json()].into_iter().chain(token).collect(),
            body: Body::compose(HEAD, payloads.iter().map(|payload| &*payload.item), &tail),
        }
    }

    pub(crate) async fn exchange(&self, request: Arc<Request>) -> SendReport {
        let Answer { exchange, result } = self.client.exchange(&request, None).await;
        match result.and_then(|reply| verdict(&reply, request.body.len())) {
            Ok(outcomes) => SendReport::per_item(vec![exchange], outcomes),
            Err(failure) => SendReport::failed(vec![exchange], failure),
        }
    }

    /// A request without events is answered as any other.
    pub(crate) async fn try_credentials(&self) -> Result<CheckReport, Failure> {
        if let Some(sentence) = &self.missing {
            let class = FailureClass::Unauthorized { scope: HoldScope::Sink };
            return Err(Failure::new(class, sentence.as_str()));
        }
        let reply = self.client.exchange(&Arc::new(self.request(&[])), None).await.result?;
        let is_taken = (200..300).contains(&reply.status);
        match verdict(&reply, 0) {
            Err(failure) if !is_taken => Err(failure),
            _ => Ok(CheckReport { summary: "Acme took token and account".to_owned() }),
        }
    }
}
