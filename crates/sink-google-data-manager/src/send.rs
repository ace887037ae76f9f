//! The request and its way (section 7.1), and what Google is asked later (section 7.4).

use std::sync::Arc;

use conversion_core::Timestamp;
use conversion_core::confirmation::Confirmation;
use conversion_core::exchange::{Body, Header, HeaderValue, Request};
use conversion_core::failure::{Failure, FailureClass, HoldScope};
use conversion_core::report::{Outcome, SendReport};
use conversion_core::sink::CheckReport;
use google_platform::{Authorised, get_authorised, send_authorised};
use serde_json::value::{RawValue, to_raw_value};

use crate::wire::{
    AFTER_CHECKED_EVENTS, AFTER_EVENTS, Account, AdIdentifiers, ConsentFlags, Destination, Event, UserData,
};
use crate::{DataManager, classify, confirm};

/// When the check's trial conversion is said to have happened: bodies hold no clock.
const TRIAL_TIME: Timestamp = Timestamp::constant(1_768_046_400, 0);

impl DataManager {
    /// Events of one conversion action: so a wrong one costs no other action anything.
    pub(crate) fn request<'a>(
        &self,
        action: &str,
        events: impl IntoIterator<Item = &'a RawValue>,
        validate_only: bool,
    ) -> Request {
        let destination = Destination {
            reference: action,
            operating_account: Account::new(self.config.account()),
            login_account: self.config.login_account.as_deref().map(Account::new),
            product_destination_id: action,
        };
        // Digits cannot fail to serialise.
        let destination = serde_json::to_string(&destination).unwrap_or_default();
        let before = format!(r#"{{"destinations":[{destination}],"events":["#);
        let after = if validate_only { AFTER_CHECKED_EVENTS } else { AFTER_EVENTS };
        Request {
            url: self.config.url("events:ingest"),
            headers: vec![Header::json(), Header { name: "authorization", value: HeaderValue::AccessToken }],
            body: Body::compose(&before, events, after),
        }
    }

    pub(crate) async fn ingest(&self, request: Arc<Request>) -> SendReport {
        let Authorised { exchanges, result } = send_authorised(&self.client, &request, &self.tokens).await;
        let (items, validate_only) = (request.body.len(), self.config.validate_only);
        let has_others = self.config.actions().len() > 1;
        match result.and_then(|reply| classify::verdict(&reply, items, validate_only, has_others)) {
            Ok(classify::Verdict { outcomes, receipt }) => {
                let report = SendReport::per_item(exchanges, outcomes);
                match receipt {
                    Some(receipt) => report.with_receipt(receipt),
                    None => report,
                }
            }
            Err(failure) => SendReport::failed(exchanges, failure),
        }
    }

    /// Asks by a `requestId`.
    pub(crate) async fn ask(&self, receipt: &str, items: usize) -> Result<Confirmation, Failure> {
        let query =
            form_urlencoded::Serializer::new(String::new()).append_pair("requestId", receipt).finish();
        let url = format!("{}?{query}", self.config.url("requestStatus:retrieve"));
        let reply = get_authorised(&self.client, &url, &self.tokens).await?;
        confirm::read(&reply, items)
    }

    /// Asks for a token, then has Google check one made-up conversion of each mapped action, which it never counts.
    pub(crate) async fn try_credentials(&self) -> Result<CheckReport, Failure> {
        if let Some(missing) = &self.missing {
            return Err(Failure::new(FailureClass::Unauthorized { scope: HoldScope::Sink }, missing));
        }
        let account = self.config.account();
        let actions = self.config.actions();
        if actions.is_empty() {
            self.tokens.get(&self.client).await?;
            let summary = format!(
                "Google issued an access token; account {account} was not tried, because no event is mapped to a \
                 conversion action"
            );
            return Ok(CheckReport { summary });
        }
        let mut found = Vec::new();
        for action in actions {
            found.push(format!("conversion action {action}: {}", self.try_action(action).await?));
        }
        let summary = format!("account {account} takes events; {}", found.join("; "));
        Ok(CheckReport { summary })
    }

    async fn try_action(&self, action: &str) -> Result<String, Failure> {
        let event = to_raw_value(&self.trial(action)).unwrap_or_else(|_| RawValue::NULL.to_owned());
        let request = Arc::new(self.request(action, [event.as_ref()], true));
        let Authorised { result, .. } = send_authorised(&self.client, &request, &self.tokens).await;
        let verdict = result.and_then(|reply| classify::verdict(&reply, 1, true, true));
        let failure = match verdict.map(|verdict| verdict.outcomes.into_iter().next()) {
            Ok(Some(Outcome::Failed(failure))) | Err(failure) => failure,
            Ok(_) => return Ok("found".to_owned()),
        };
        // That the made-up click is refused, or the action still too new, is an answer about nothing else.
        match failure.class {
            FailureClass::Rejected | FailureClass::NotYet { .. } => Ok(format!(
                "found; the trial click was refused as expected ({})",
                failure.code.unwrap_or_default()
            )),
            _ => Err(failure),
        }
    }

    fn trial<'a>(&self, action: &'a str) -> Event<'a> {
        Event {
            destination_references: [action],
            transaction_id: format!("{}signalbox-check", self.config.transaction_prefix),
            event_timestamp: TRIAL_TIME,
            event_source: self.config.event_source,
            currency: None,
            conversion_value: None,
            ad_identifiers: AdIdentifiers { gclid: Some("signalbox-check"), ..AdIdentifiers::default() },
            user_data: UserData { user_identifiers: Vec::new() },
            consent: ConsentFlags { ad_user_data: None, ad_personalization: None },
        }
    }
}
