//! One request, one exchange.

use std::sync::Arc;

use conversion_core::exchange::{Body, Header, HeaderValue, Request};
use conversion_core::failure::{Failure, FailureClass, HoldScope};
use conversion_core::report::SendReport;
use conversion_core::sink::{CheckReport, Payload};
use http_exchange::Answer;

use crate::TikTok;
use crate::classify::{refuses_emptiness, verdict};
use crate::wire::TAIL;

/// All that a request without events can find out.
const CHECKED: &str =
    "TikTok did not refuse the token; the pixel is tried by a real event alone (POST /api/test/…)";

impl TikTok {
    pub(crate) fn request(&self, payloads: &[&Payload]) -> Request {
        let token = self.config.access_token.clone().map(HeaderValue::Secret);
        let access_token = token.map(|value| Header { name: "access-token", value });
        Request {
            url: self.config.url(),
            headers: [Header::json()].into_iter().chain(access_token).collect(),
            body: Body::compose(&self.head, payloads.iter().map(|payload| &*payload.item), TAIL),
        }
    }

    pub(crate) async fn exchange(&self, request: Arc<Request>) -> SendReport {
        let Answer { exchange, result } = self.client.exchange(&request, None).await;
        match result.and_then(|reply| verdict(&reply, request.body.len())) {
            Ok(outcomes) => SendReport::per_item(vec![exchange], outcomes),
            Err(failure) => SendReport::failed(vec![exchange], failure),
        }
    }

    /// Sends a request without events, which cannot count anything.
    ///
    /// TikTok documents no call that tries credentials alone, nor whether it looks at the token before it looks at
    /// `data`: a refusal of the emptiness is taken for a sign that the token was read and not refused, no more.
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
