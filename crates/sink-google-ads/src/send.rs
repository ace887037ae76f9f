//! The request and its way (sections 3.1 and 3.2).

use std::sync::Arc;

use conversion_core::Timestamp;
use conversion_core::exchange::{Body, Exchange, Header, HeaderValue, Request};
use conversion_core::failure::{Failure, FailureClass, HoldScope};
use conversion_core::report::{Outcome, SendReport};
use conversion_core::sink::CheckReport;
use google_platform::{Authorised, send_authorised};
use serde_json::value::{RawValue, to_raw_value};

use crate::wire::{AFTER_CHECKED_ROWS, AFTER_ROWS, ClickConversion, DateTime, Service};
use crate::{Action, GoogleAds, classify};

/// When the check's trial conversion is said to have happened: bodies hold no clock.
const TRIAL_TIME: Timestamp = Timestamp::constant(1_768_046_400, 0);

impl GoogleAds {
    pub(crate) fn request<'a>(
        &self,
        service: Service,
        rows: impl IntoIterator<Item = &'a RawValue>,
        validate_only: bool,
    ) -> Request {
        let after = if validate_only { AFTER_CHECKED_ROWS } else { AFTER_ROWS };
        Request {
            url: self.config.url(service),
            headers: self.headers(),
            body: Body::compose(service.before_rows(), rows, after),
        }
    }

    fn headers(&self) -> Vec<Header> {
        let mut headers =
            vec![Header::json(), Header { name: "authorization", value: HeaderValue::AccessToken }];
        if let Some(manager) = &self.config.login_customer_id {
            headers.push(Header::plain("login-customer-id", manager.clone()));
        }
        if let Some(token) = &self.config.developer_token {
            headers.push(Header { name: "developer-token", value: HeaderValue::Secret(token.clone()) });
        }
        headers
    }

    pub(crate) async fn upload(&self, request: Arc<Request>) -> SendReport {
        let (exchanges, verdict) = self.exchange(&request, self.config.validate_only).await;
        match verdict {
            Ok(outcomes) => SendReport::per_item(exchanges, outcomes),
            Err(failure) => SendReport::failed(exchanges, failure),
        }
    }

    async fn exchange(
        &self,
        request: &Arc<Request>,
        validate_only: bool,
    ) -> (Vec<Exchange>, Result<Vec<Outcome>, Failure>) {
        let Authorised { exchanges, result } = send_authorised(&self.client, request, &self.tokens).await;
        let verdict = result.and_then(|reply| classify::verdict(&reply, request.body.len(), validate_only));
        (exchanges, verdict)
    }

    /// Asks for a token, then has Google check one made-up conversion of the first mapped action, which it never
    /// counts.
    pub(crate) async fn try_credentials(&self) -> Result<CheckReport, Failure> {
        if let Some(missing) = &self.missing {
            return Err(Failure::new(FailureClass::Unauthorized { scope: HoldScope::Sink }, missing));
        }
        let account = self.config.customer();
        let Some(action) = self.actions.values().next() else {
            self.tokens.get(&self.client).await?;
            let summary = format!(
                "Google issued an access token; account {account} was not tried, because no event is mapped to a \
                 conversion action"
            );
            return Ok(CheckReport { summary });
        };
        let found = self.try_action(action).await?;
        let summary = format!("account {account} takes uploads; conversion action {}: {found}", action.id);
        Ok(CheckReport { summary })
    }

    async fn try_action(&self, action: &Action) -> Result<String, Failure> {
        let row = to_raw_value(&trial(action)).unwrap_or_else(|_| RawValue::NULL.to_owned());
        let request = Arc::new(self.request(Service::Conversions, [row.as_ref()], true));
        let (_, verdict) = self.exchange(&request, true).await;
        match verdict?.into_iter().next() {
            // That the made-up click is refused, or the action still too new, is an answer about nothing else.
            Some(Outcome::Failed(failure)) if is_about_the_row(&failure) => Ok(format!(
                "found; the trial click was refused as expected ({})",
                failure.code.unwrap_or_default()
            )),
            Some(Outcome::Failed(failure)) => Err(failure),
            Some(Outcome::Delivered { .. } | Outcome::RefusedWithOthers) | None => Ok("found".to_owned()),
        }
    }
}

fn is_about_the_row(failure: &Failure) -> bool {
    matches!(failure.class, FailureClass::Rejected | FailureClass::NotYet { .. })
}

fn trial(action: &Action) -> ClickConversion<'_> {
    ClickConversion {
        gclid: Some("signalbox-check"),
        gbraid: None,
        wbraid: None,
        conversion_action: &action.resource_name,
        conversion_date_time: DateTime(TRIAL_TIME),
        conversion_value: None,
        currency_code: None,
        order_id: "signalbox-check",
        user_identifiers: Vec::new(),
        consent: None,
        user_ip_address: None,
    }
}
