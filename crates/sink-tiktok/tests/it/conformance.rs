//! The rules that every sink keeps, one test each.

use conformance_kit::{Profile, Recorded, Reply, TestMode, Told};
use conversion_core::failure::{FailureClass, HoldScope};
use serde_json::json;
use sink_tiktok as _;

conformance_kit::conformance!(TikTok);

struct TikTok;

const SETTINGS: &str = "
    pixel_id = 'CXXX'
    access_token = 'kit-access-token-of-tiktok'
    base_url = '{url}/prefix/'
    timeout_seconds = 60
    events = { TRIAL_BOOKED = 'SubmitForm', ORDER_PAID = 'Purchase' }
";

const HOLD: Told = Told::Failed(FailureClass::Unauthorized { scope: HoldScope::Sink });
const REJECTED: Told = Told::Failed(FailureClass::Rejected);
const LIMITED: Told = Told::Failed(FailureClass::RateLimited { retry_after: None });
const DOWN: Told = Told::Failed(FailureClass::Unavailable { retry_after: None });
const UNCLEAR: Told = Told::Failed(FailureClass::Interrupted);

/// Every code of platforms/tiktok.md, section 9.2, and the edges of its ranges.
const CODES: &[(&[i64], Told)] = &[
    (&[20001, 20002, 29999], UNCLEAR),
    (&[40000, 40002, 40050, 40062, 40700], REJECTED),
    (&[40001, 40003, 40006, 40051, 40007, 40008, 40010, 40400, 40063, 40101], HOLD),
    (&[40102, 40103, 40104, 40105, 40106, 40107, 40113, 40119, 40124, 40131], HOLD),
    (&[40300, 40305, 40309, 40900, 41000, 41001, 41002, 70001], HOLD),
    (&[40061], Told::Failed(FailureClass::TooLarge)),
    (&[40100, 40132, 40133, 61000], LIMITED),
    (&[40200, 40201, 40202, 50000, 50002, 51000, 51010, 51012, 51099, 52001, 53001, 60001], DOWN),
    (&[40004, 40123, 40310, 41003, 42000, 49999, 70000, 79999], REJECTED),
    (&[50001, 59999, 60000, 69999], DOWN),
    (&[-1, 1, 30000, 80000, i64::MAX], UNCLEAR),
];

/// TikTok answers so with HTTP 200.
fn coded(code: i64, message: &str) -> Reply {
    Reply::json(200, &json!({"code": code, "message": message, "request_id": "R1", "data": {}}))
}

impl Profile for TikTok {
    fn kind(&self) -> &'static str {
        "tiktok"
    }

    fn folder(&self) -> &str {
        env!("CARGO_MANIFEST_DIR")
    }

    fn settings(&self) -> &str {
        SETTINGS
    }

    fn credentials(&self) -> &[&str] {
        &["pixel_id", "access_token"]
    }

    fn secrets(&self) -> &[&str] {
        &["access_token"]
    }

    fn variations(&self) -> &[&str] {
        &[
            "reschedules = 'once'",
            "event_source = 'offline'\nreschedules = 'once'",
            "event_source = 'crm'\ncrm_name = 'HubSpot'",
            "event_source = 'app'\napp_id = '1'",
        ]
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

    fn taken(&self, _items: usize) -> Reply {
        coded(0, "OK")
    }

    fn refusing(&self, _items: usize, position: usize) -> Reply {
        coded(40002, &format!("invalid value for `data.{position}.user.email`: not hashed"))
    }

    fn unauthorized(&self) -> Reply {
        coded(40105, "Access token is incorrect or has been revoked")
    }

    fn codes(&self) -> Vec<Recorded> {
        let each = CODES.iter().flat_map(|(codes, told)| codes.iter().map(move |code| (*code, *told)));
        let recorded = |(code, told): (i64, Told)| Recorded {
            code: code.to_string(),
            reply: coded(code, "words"),
            told,
        };
        each.map(recorded).collect()
    }
}
