//! The rules that every sink keeps, one test each.

use conformance_kit::{Profile, Recorded, Reply, TestMode, Told};
use conversion_core::failure::{FailureClass, HoldScope};
use serde_json::{Value, json};
use sink_meta as _;

conformance_kit::conformance!(Meta);

struct Meta;

const SETTINGS: &str = "
    dataset_id = '1234567890'
    access_token = 'kit-access-token-of-meta'
    app_secret = 'kit-app-secret-of-meta'
    base_url = '{url}/prefix/'
    timeout_seconds = 60
    events = { TRIAL_BOOKED = 'Schedule', TRIAL_RESCHEDULED = 'Schedule', ORDER_PAID = 'Purchase' }
";

const HOLD: Told = Told::Failed(FailureClass::Unauthorized { scope: HoldScope::Sink });
const REJECTED: Told = Told::Failed(FailureClass::Rejected);
const LIMITED: Told = Told::Failed(FailureClass::RateLimited { retry_after: None });
const DOWN: Told = Told::Failed(FailureClass::Unavailable { retry_after: None });

/// Code and subcode.
type Code = (i64, Option<i64>);

/// Every code of platforms/meta.md, section 7, and the edges of its ranges.
const CODES: &[(&[Code], Told)] = &[
    (&[(1, None), (2, None), (2, Some(1))], DOWN),
    (&[(4, None), (17, None), (32, None), (341, None), (613, None), (80000, None), (80014, None)], LIMITED),
    (&[(3, None), (10, None), (200, None), (299, None), (368, None)], HOLD),
    (&[(190, None), (190, Some(460)), (190, Some(463)), (190, Some(467)), (100, Some(33))], HOLD),
    (&[(100, None), (100, Some(2_804_003)), (100, Some(2_804_001)), (100, Some(2_804_048))], REJECTED),
    (&[(80015, None), (300, None), (9999, None)], REJECTED),
];

fn error(http: u16, code: i64, subcode: Option<i64>, more: &Value) -> Reply {
    let mut error = json!({"message": "words", "type": "OAuthException", "code": code, "fbtrace_id": "A1"});
    if let Some(subcode) = subcode {
        error["error_subcode"] = json!(subcode);
    }
    if let (Some(error), Some(more)) = (error.as_object_mut(), more.as_object()) {
        error.extend(more.clone());
    }
    Reply::json(http, &json!({"error": error}))
}

impl Profile for Meta {
    fn kind(&self) -> &'static str {
        "meta"
    }

    fn folder(&self) -> &str {
        env!("CARGO_MANIFEST_DIR")
    }

    fn settings(&self) -> &str {
        SETTINGS
    }

    fn credentials(&self) -> &[&str] {
        &["dataset_id", "access_token"]
    }

    fn secrets(&self) -> &[&str] {
        &["access_token", "app_secret"]
    }

    fn variations(&self) -> &[&str] {
        &["limited_data_use = true", "action_source = 'phone_call'"]
    }

    fn conversion_id(&self) -> &str {
        "/event_id"
    }

    fn test_mode(&self) -> TestMode {
        TestMode::InBody { value: "'TEST1'", at: "/test_event_code", shows: json!("TEST1") }
    }

    fn skipped(&self) -> &[(&str, &str)] {
        &[
            ("booking_by_nobody", "no_identifiers"),
            ("booking_refused", "consent_denied"),
            ("booking_canceled", "no_event_mapping"),
        ]
    }

    fn taken(&self, items: usize) -> Reply {
        Reply::json(200, &json!({"events_received": items, "messages": [], "fbtrace_id": "A1"}))
    }

    fn refusing(&self, _items: usize, _position: usize) -> Reply {
        error(400, 100, Some(2_804_003), &json!({"error_user_msg": "The event is odd."}))
    }

    fn unauthorized(&self) -> Reply {
        error(400, 190, Some(463), &json!({}))
    }

    fn codes(&self) -> Vec<Recorded> {
        let each = CODES.iter().flat_map(|(codes, told)| codes.iter().map(move |code| (*code, *told)));
        let recorded = each.map(|((code, subcode), told)| Recorded {
            code: subcode.map_or(code.to_string(), |subcode| format!("{code}/{subcode}")),
            reply: error(400, code, subcode, &json!({})),
            told,
        });
        let passing = Recorded {
            code: "100".to_owned(),
            reply: error(400, 100, None, &json!({"is_transient": true})),
            told: DOWN,
        };
        recorded.chain([passing]).collect()
    }
}
