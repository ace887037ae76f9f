//! One request, one exchange.

use std::sync::Arc;

use conversion_core::exchange::{Body, Header, HeaderValue, Request};
use conversion_core::failure::Failure;
use conversion_core::report::SendReport;
use conversion_core::sink::{CheckReport, Payload};
use http_exchange::Answer;

use crate::classify::verdict;
use crate::wire::{HEAD, TAIL};
use crate::{Sink};

impl {Sink} {
    /// Where do requests go, where do the credentials stand, and what makes a request a test?
    pub(crate) fn request(&self, payloads: &[&Payload]) -> Request {
        let account = self.config.account_id.as_deref().unwrap_or_default();
        let token = self.config.access_token.clone().map(HeaderValue::Secret);
        let token = token.map(|value| Header { name: "access-token", value });
        Request {
            url: format!("{}/accounts/{account}/events", self.config.base_url),
            headers: [Header::json()].into_iter().chain(token).collect(),
            body: Body::compose(HEAD, payloads.iter().map(|payload| &*payload.item), TAIL),
        }
    }

    pub(crate) async fn exchange(&self, request: Arc<Request>) -> SendReport {
        let Answer { exchange, result } = self.client.exchange(&request, None).await;
        match result.and_then(|reply| verdict(&reply, request.body.len())) {
            Ok(outcomes) => SendReport::per_item(vec![exchange], outcomes),
            Err(failure) => SendReport::failed(vec![exchange], failure),
        }
    }

    /// Which request tries the credentials without reporting a conversion?
    #[expect(clippy::unused_async, reason = "nothing is asked yet")]
    pub(crate) async fn try_credentials(&self) -> Result<CheckReport, Failure> {
        Ok(CheckReport { summary: "nothing was asked".to_owned() })
    }
}
