//! The rules that every sink keeps, one test each.

use conformance_kit::{Profile, Recorded, Reply, TestMode};
use serde_json::json;
use sink_{module} as _;

conformance_kit::conformance!({Sink});

struct {Sink};

const SETTINGS: &str = "
    account_id = '1234567890'
    access_token = 'kit-access-token'
    base_url = '{url}/prefix/'
    timeout_seconds = 60
    events = { TRIAL_BOOKED = 'schedule', TRIAL_RESCHEDULED = 'schedule' }
";

impl Profile for {Sink} {
    fn kind(&self) -> &'static str {
        "{kind}"
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

    /// Which of the shared events is nothing sent of, and why?
    fn skipped(&self) -> &[(&str, &str)] {
        &[]
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

    /// Which answers does the documentation show, or were recorded?
    fn codes(&self) -> Vec<Recorded> {
        Vec::new()
    }
}
