//! What an answer means.

use conformance_kit::Told;
use conversion_core::exchange::Exchange;
use conversion_core::failure::{Blame, Failure, FailureClass, HoldScope};
use conversion_core::report::{Outcome, SendReport};
use http_exchange::{FullReply, by_status};
use serde::Deserialize;

use super::{Acme, Defect};

pub(super) const CODES: [(&str, Told); 3] = [
    ("E_BAD", Told::Failed(FailureClass::Rejected)),
    ("E_PIXEL", Told::Failed(FailureClass::Unauthorized { scope: HoldScope::EventName })),
    ("E_THERE", Told::Delivered),
];

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Each { results: Vec<String> },
    All { taken: usize },
    Refused { error: String, at: Option<usize> },
}

impl Acme {
    pub(super) fn report(&self, exchange: Exchange, reply: &FullReply) -> SendReport {
        let items = exchange.request.body.len();
        let is_success = reply.status < 300;
        if is_success && self.has(Defect::StatusBelieved) {
            return SendReport::all_delivered(vec![exchange]);
        }
        match serde_json::from_str(&reply.body) {
            Ok(Answer::Each { results }) if is_success => {
                let mut outcomes: Vec<Outcome> = results.iter().map(|code| self.outcome(code)).collect();
                if self.has(Defect::OutcomesReversed) {
                    outcomes.reverse();
                }
                SendReport::per_item(vec![exchange], outcomes)
            }
            Ok(Answer::All { taken }) if is_success && taken == items => {
                SendReport::all_delivered(vec![exchange])
            }
            Ok(Answer::Refused { error, at }) => self.refused(exchange, reply, &error, at),
            _ if is_success && self.has(Defect::RubbishBelieved) && !reply.body.starts_with('<') => {
                SendReport::all_delivered(vec![exchange])
            }
            _ => SendReport::failed(vec![exchange], self.by_status(reply)),
        }
    }

    fn outcome(&self, code: &str) -> Outcome {
        if code == "OK" {
            Outcome::DELIVERED
        } else {
            Outcome::Failed(self.failure(code, FailureClass::Rejected))
        }
    }

    fn refused(&self, exchange: Exchange, reply: &FullReply, code: &str, at: Option<usize>) -> SendReport {
        let items = exchange.request.body.len();
        let known = CODES.iter().find(|(known, _)| *known == code);
        let class = match known {
            Some((_, Told::Delivered)) if items == 1 => return SendReport::all_delivered(vec![exchange]),
            Some((_, Told::Failed(_))) if self.has(Defect::CodesUnread) => FailureClass::Interrupted,
            Some((_, Told::Failed(class))) => *class,
            _ => self.by_status(reply).class,
        };
        if self.has(Defect::AtomicDelivered) && items > 1 {
            return SendReport::all_delivered(vec![exchange]);
        }
        let failure = self.failure(code, class);
        match at {
            _ if items == 1 || self.has(Defect::BlameAll) => SendReport::failed(vec![exchange], failure),
            Some(at) if at < items => {
                SendReport::per_item(vec![exchange], Outcome::refused_for(at, &failure, items))
            }
            _ => SendReport::failed(vec![exchange], failure.blaming(Blame::Unknown)),
        }
    }

    fn failure(&self, code: &str, class: FailureClass) -> Failure {
        let failure = Failure::new(class, format!("Specimen {code}"));
        if self.has(Defect::CodesUntold) { failure } else { failure.with_code(code) }
    }

    fn by_status(&self, reply: &FullReply) -> Failure {
        let class = match (self.config.defect, by_status(reply)) {
            (Defect::RefusalsFinal, FailureClass::Unauthorized { .. }) => FailureClass::Rejected,
            (Defect::WaitForgotten, FailureClass::RateLimited { .. }) => {
                FailureClass::RateLimited { retry_after: None }
            }
            (Defect::LimitsFinal, FailureClass::RateLimited { .. }) => FailureClass::Rejected,
            (Defect::ServerErrorsFinal, FailureClass::Unavailable { .. }) => FailureClass::Rejected,
            (Defect::PagesFinal, _) if reply.body.starts_with('<') => FailureClass::Rejected,
            (_, class) => class,
        };
        let said = if self.has(Defect::SecretInFailure) { self.config.exposed() } else { "" };
        Failure::new(class, format!("Specimen answered HTTP {} {said}", reply.status))
    }
}
