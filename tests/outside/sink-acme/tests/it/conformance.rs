//! The rules that every sink keeps, one test each.

use conformance_kit::{Profile, Recorded, Reply, TestMode, Told};
use conversion_core::failure::{FailureClass, HoldScope};
use serde_json::json;
use sink_acme as _;

conformance_kit::conformance!(Acme);

struct Acme;

const SETTINGS: &str = "
    account_id = '1234567890'
    access_token = 'kit-access-token'
    base_url = '{url}/prefix/'
    timeout_seconds = 60
    events = { TRIAL_BOOKED = 'schedule', TRIAL_RESCHEDULED = 'schedule' }
";

impl Profile for Acme {
    fn kind(&self) -> &'static str {
        "acme"
    }

    fn folder(&self) -> &str {
        env!("CARGO_MANIFEST_DIR")
    }

    fn settings(&self) -> &str {
        SETTINGS
    }

    fn credentials(&self) -> &[&str] {
        &["account_id", "access_token"]
    }

    fn secrets(&self) -> &[&str] {
        &["access_token"]
    }

    fn conversion_id(&self) -> &str {
        "/event_id"
    }

    fn test_mode(&self) -> TestMode {
        TestMode::InBody { value: "'TEST1'", at: "/test_code", shows: json!("TEST1") }
    }

    fn skipped(&self) -> &[(&str, &str)] {
        &[
            ("booking_by_click", "no_identifiers"),
            ("booking_by_nobody", "no_identifiers"),
            ("booking_by_phone", "no_identifiers"),
            ("booking_refused", "consent_denied"),
            ("booking_canceled", "no_event_mapping"),
            ("order_paid", "no_event_mapping"),
        ]
    }

    fn taken(&self, items: usize) -> Reply {
        Reply::json(200, &json!({"received": items}))
    }

    fn refusing(&self, _items: usize, _position: usize) -> Reply {
        Reply::json(400, &json!({"code": "invalid"}))
    }

    fn unauthorized(&self) -> Reply {
        Reply::json(401, &json!({"code": "unauthorized"}))
    }

    fn codes(&self) -> Vec<Recorded> {
        let code = |http, code: &str, class| Recorded {
            code: code.to_owned(),
            reply: Reply::json(http, &json!({"code": code})),
            told: Told::Failed(class),
        };
        vec![
            code(400, "invalid", FailureClass::Rejected),
            code(401, "unauthorized", FailureClass::Unauthorized { scope: HoldScope::Sink }),
            code(429, "slow_down", FailureClass::RateLimited { retry_after: None }),
            code(503, "closed", FailureClass::Unavailable { retry_after: None }),
        ]
    }
}
