//! TikTok's verdicts, over real sockets: what its messages say beside the codes (platforms/tiktok.md, section 9.3).

use std::time::Duration;

use conversion_core::failure::{Blame, Failure, FailureClass, HoldScope};
use conversion_core::report::Outcome;

use crate::kit::http;
use crate::send::send;

const REJECTED: FailureClass = FailureClass::Rejected;
const HOLD: FailureClass = FailureClass::Unauthorized { scope: HoldScope::Sink };
const LIMITED: FailureClass = FailureClass::RateLimited { retry_after: None };
const DOWN: FailureClass = FailureClass::Unavailable { retry_after: None };
const UNCLEAR: FailureClass = FailureClass::Interrupted;

async fn failure(reply: &str, items: usize) -> Failure {
    send(reply, items).await.0.into_parts().1.unwrap_err()
}

/// Which items an answer is about.
#[derive(Debug, PartialEq)]
enum Meant {
    All,
    Some,
    Item(usize),
}

async fn meant(reply: &str, items: usize) -> Meant {
    match send(reply, items).await.0.into_parts().1 {
        Err(failure) if failure.blame == Blame::Unknown => Meant::Some,
        Err(_) => Meant::All,
        Ok(outcomes) => {
            let is_bad = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
            assert_eq!(outcomes.iter().filter(|outcome| is_bad(outcome)).count(), 1, "{outcomes:?}");
            Meant::Item(outcomes.iter().position(is_bad).unwrap())
        }
    }
}

fn coded(code: i64, message: &str) -> String {
    http(200, "", &serde_json::json!({"code": code, "message": message, "request_id": "R1"}).to_string())
}

#[tokio::test]
async fn messages_decide_where_numbers_do_not() {
    for (code, message, class) in [
        // The specification's meanings, and TikTok's own of the same numbers.
        (40001, "Invalid access token", HOLD),
        (
            40001,
            "no permission to operate pixel code CXXX; must be admin or operator of the advertiser account",
            HOLD,
        ),
        (40002, "Rate limit exceeded", LIMITED),
        (40002, "Invalid parameter", REJECTED),
        (40100, "Pixel ID not found", HOLD),
        (40100, "Requests made too frequently for this pixel", LIMITED),
        (40100, "Not found", LIMITED),
        (40100, "Too many requests: app reached the QPS limit", LIMITED),
        (40105, "Access token is incorrect or has been revoked", HOLD),
        // Fields of the request: a setting is wrong, not an event.
        (40002, "invalid value for `event_source_id`: not a valid string", HOLD),
        (40002, "invalid value for `event_source`: must be one of web, app or offline", HOLD),
        (40002, "Pixel does not exist", HOLD),
        (40000, "test_event_code: invalid", HOLD),
        (40002, "partner_name is not registered", HOLD),
        // Fields of an event, some with names that hold those of the request.
        (40002, "invalid value for `event_id`: not a valid string", REJECTED),
        (40002, "invalid value for `lead.lead_event_source`: not a valid string", REJECTED),
        (40002, "data.0.event_source: unknown field", REJECTED),
        (40000, "invalid price field", REJECTED),
    ] {
        assert_eq!(failure(&coded(code, message), 1).await.class, class, "{code} {message}");
    }
}

#[tokio::test]
async fn in_a_batch_the_one_that_is_named_is_to_blame() {
    for (code, message, expected) in [
        (40002, "invalid value for `data.2.user.email`: not hashed", Meant::Item(2)),
        (40002, "Batch.0.properties.contents.1.content_id: not a valid string", Meant::Item(0)),
        (40062, "DATA.1.user.phone", Meant::Item(1)),
        (40002, "data.1: not a valid object", Meant::Item(1)),
        (40002, "data.3.event_id", Meant::Some),
        (40002, "data.99999999999999999999.event_id", Meant::Some),
        (40002, "metadata.1.x", Meant::Some),
        (40002, "data.x.event_id", Meant::Some),
        (40002, "", Meant::Some),
        (40062, "PII not hashed", Meant::Some),
        (20001, "partial success", Meant::Some),
        (29999, "data.1.event", Meant::Some),
        (40105, "data.1.event", Meant::All),
        (40061, "invalid batch size", Meant::All),
        (40100, "", Meant::All),
        (50000, "", Meant::All),
        (40002, "invalid value for `event_source_id`: not a valid string", Meant::All),
    ] {
        assert_eq!(meant(&coded(code, message), 3).await, expected, "{code} {message}");
    }
    for (code, message) in [(40002, "data.0.event"), (40002, ""), (20001, "partial success"), (29999, "")] {
        assert_eq!(meant(&coded(code, message), 1).await, Meant::All, "{code} {message}");
    }
}

#[tokio::test]
async fn without_a_readable_code_the_status_decides() {
    for (status, body, class) in [
        (200, "{}", UNCLEAR),
        (200, r#"{"code":"0"}"#, UNCLEAR),
        (200, r#"{"code":0.5}"#, UNCLEAR),
        (200, r#"[0,"OK","R1"]"#, UNCLEAR),
        (408, "", DOWN),
        (400, "<html>", REJECTED),
    ] {
        let failure = failure(&http(status, "", body), 1).await;
        assert_eq!((failure.class, failure.code), (class, None), "{status} {body}");
        assert_eq!(failure.message, format!("TikTok answered HTTP {status} without a code that says more"));
    }
    assert_eq!(failure(&http(400, "", "<html>"), 2).await.blame, Blame::Unknown);
    assert_eq!(failure(&http(400, "", "<html>"), 1).await.blame, Blame::Batch);
    assert_eq!(failure(&http(502, "", "<html>"), 2).await.blame, Blame::Batch);
}

#[tokio::test]
async fn code_zero_counts_with_a_good_status_alone_and_a_code_beats_the_status() {
    for (status, code, class) in [
        (500, 0, DOWN),
        (403, 0, HOLD),
        (400, 0, REJECTED),
        (500, 40002, REJECTED),
        (401, 40100, LIMITED),
        (400, 50000, DOWN),
        (429, 40105, HOLD),
    ] {
        let reply = http(status, "", &format!(r#"{{"code":{code}}}"#));
        assert_eq!(failure(&reply, 1).await.class, class, "HTTP {status}, code {code}");
    }
    for status in [200, 201, 202] {
        let reply = http(status, "", r#"{"code":0,"message":null,"data":null}"#);
        assert!(send(&reply, 1).await.0.verdict().is_ok(), "{status}");
    }
}

#[tokio::test]
async fn the_wait_that_tiktok_names_is_kept() {
    let wait = Some(Duration::from_secs(7));
    for (status, body, class) in [
        (200, r#"{"code":40100}"#, FailureClass::RateLimited { retry_after: wait }),
        (200, r#"{"code":60001}"#, FailureClass::Unavailable { retry_after: wait }),
    ] {
        let reply = http(status, "Retry-After: 7\r\n", body);
        assert_eq!(failure(&reply, 1).await.class, class, "{status} {body}");
    }
}

#[tokio::test]
async fn messages_are_short_and_hold_no_token() {
    let long = failure(&coded(40002, &"ü".repeat(2000)), 1).await;
    assert_eq!(long.message.chars().count(), "TikTok 40002:  (request_id R1)".len() + 500);
    let token = failure(&coded(40105, "token hunter2 is wrong"), 1).await;
    assert_eq!(token.message, "TikTok 40105: token [redacted] is wrong (request_id R1)");
    let bare = failure(&http(200, "", r#"{"code":40105}"#), 1).await;
    assert_eq!(bare.message, "TikTok 40105");
}
