//! The rules that every sink keeps, one test each.

use std::time::Duration;

use conformance_kit::{Profile, Recorded, Reply, TestMode, Told};
use conversion_core::failure::FailureClass::{
    self, NotYet, RateLimited, Rejected, TooLarge, Unauthorized, Unavailable,
};
use conversion_core::failure::HoldScope;
use serde_json::{Value, json};
use sink_google_data_manager as _;

conformance_kit::conformance!(DataManager);

struct DataManager;

const SETTINGS: &str = "
    client_id = 'kit-client'
    client_secret = 'kit-client-secret'
    refresh_token = '1//kit-refresh-token'
    operating_account = '123-456-7890'
    login_account = '999-888-7776'
    base_url = '{url}/prefix'
    token_url = '{token_url}'
    timeout_seconds = 60
    events = { TRIAL_BOOKED = '987654321', TRIAL_RESCHEDULED = 987654321, APPOINTMENT_UPDATED = 55, ORDER_PAID = 66 }
";

const SINK: FailureClass = Unauthorized { scope: HoldScope::Sink };
const EVENT_NAME: FailureClass = Unauthorized { scope: HoldScope::EventName };
const LATER: FailureClass = NotYet { wait: Duration::from_secs(6 * 3600) };

/// Reasons of violated fields (section 7.3).
const REASONS: [(&str, FailureClass); 24] = [
    ("EVENT_TIME_INVALID", Rejected),
    ("INVALID_EVENT", Rejected),
    ("NO_IDENTIFIERS_PROVIDED", Rejected),
    ("REQUIRED_FIELD_MISSING", Rejected),
    ("INVALID_FORMAT", Rejected),
    ("INVALID_HEX_ENCODING", Rejected),
    ("INVALID_SHA256_FORMAT", Rejected),
    ("INVALID_CURRENCY_CODE", Rejected),
    ("INVALID_REGION_CODE", Rejected),
    ("INVALID_POSTAL_CODE", Rejected),
    ("TOO_MANY_USER_IDENTIFIERS", Rejected),
    ("FIELD_VALUE_TOO_LONG", Rejected),
    ("INVALID_AD_IDENTIFIER_FOR_ACCOUNT", Rejected),
    ("CUSTOM_VARIABLE_NOT_FOUND", Rejected),
    ("INVALID_SOMETHING_NEW", Rejected),
    ("CONVERSION_ACTION_TOO_RECENTLY_CREATED", LATER),
    ("TOO_MANY_EVENTS", TooLarge),
    ("NOT_ALLOWLISTED", SINK),
    ("TERMS_AND_CONDITIONS_NOT_SIGNED", SINK),
    ("DESTINATION_ACCOUNT_NOT_FOUND", SINK),
    ("DESTINATION_ACCOUNT_TYPE_MISMATCH", SINK),
    ("INVALID_DESTINATION", SINK),
    ("INVALID_CONVERSION_ACTION_ID", EVENT_NAME),
    ("INVALID_CONVERSION_ACTION_TYPE", EVENT_NAME),
];

/// Statuses of refused requests (section 7.3).
const STATUSES: [(u16, &str, FailureClass); 7] = [
    (401, "UNAUTHENTICATED", SINK),
    (403, "PERMISSION_DENIED", SINK),
    (408, "CANCELLED", Unavailable { retry_after: None }),
    (429, "RESOURCE_EXHAUSTED", RateLimited { retry_after: None }),
    (500, "INTERNAL", Unavailable { retry_after: None }),
    (503, "UNAVAILABLE", Unavailable { retry_after: None }),
    (504, "DEADLINE_EXCEEDED", Unavailable { retry_after: None }),
];

/// A request that was refused for one field of one event.
fn violation(item: usize, reason: &str) -> Reply {
    let field = format!("events.events[{item}].user_data.user_identifiers[1]");
    let violations = json!([{"field": field, "reason": reason, "description": "said"}]);
    let details: Value = json!([
        {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations},
        {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "r"},
    ]);
    let error = json!({"code": 400, "message": "There was a problem", "status": "INVALID_ARGUMENT", "details": details});
    Reply::json(400, &json!({"error": error}))
}

fn status(http: u16, name: &str) -> Reply {
    Reply::json(http, &json!({"error": {"code": http, "message": "said", "status": name, "details": []}}))
}

impl Profile for DataManager {
    fn kind(&self) -> &'static str {
        "google-data-manager"
    }

    fn folder(&self) -> &str {
        env!("CARGO_MANIFEST_DIR")
    }

    fn settings(&self) -> &str {
        SETTINGS
    }

    fn credentials(&self) -> &[&str] {
        &["client_id", "client_secret", "refresh_token", "operating_account"]
    }

    fn secrets(&self) -> &[&str] {
        &["client_secret", "refresh_token"]
    }

    fn variations(&self) -> &[&str] {
        &["send_ip = true", "event_source = 'phone'"]
    }

    fn conversion_id(&self) -> &str {
        "/transactionId"
    }

    fn conversion_id_prefix(&self) -> &str {
        "sb-"
    }

    fn test_mode(&self) -> TestMode {
        TestMode::InBody { value: "true", at: "/validateOnly", shows: json!(true) }
    }

    fn skipped(&self) -> &[(&str, &str)] {
        &[("booking_by_nobody", "no_identifiers"), ("booking_canceled", "no_event_mapping")]
    }

    fn taken(&self, _items: usize) -> Reply {
        Reply::json(200, &json!({"requestId": "7f3a", "fieldWarnings": []}))
    }

    fn refusing(&self, _items: usize, position: usize) -> Reply {
        violation(position, "INVALID_SHA256_FORMAT")
    }

    fn unauthorized(&self) -> Reply {
        status(401, "UNAUTHENTICATED")
    }

    fn codes(&self) -> Vec<Recorded> {
        let recorded =
            |code: &str, reply, class| Recorded { code: code.to_owned(), reply, told: Told::Failed(class) };
        let reasons = REASONS.iter().map(|(reason, class)| recorded(reason, violation(0, reason), *class));
        let statuses = STATUSES.iter().map(|(http, name, class)| recorded(name, status(*http, name), *class));
        reasons.chain(statuses).collect()
    }

    fn grant(&self, token: &str) -> Option<Reply> {
        Some(Reply::json(200, &json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})))
    }
}
