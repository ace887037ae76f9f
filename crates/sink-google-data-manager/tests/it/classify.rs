//! What answers to `events:ingest` mean.

use conversion_core::failure::{Blame, FailureClass, HoldScope};
use conversion_core::report::Outcome;
use conversion_core::sink::ConversionSink as _;
use serde_json::{Value, json};

use crate::support::{Google, send};

/// A refusal for these fields.
fn refusal(violations: &[(&str, &str)]) -> String {
    let violations: Vec<Value> = violations
        .iter()
        .map(|(field, reason)| json!({"field": field, "reason": reason, "description": "said"}))
        .collect();
    let details =
        json!([{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}]);
    json!({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "m", "details": details}})
        .to_string()
}

/// What became of each: its code, `-` for those refused with others, `+` for those delivered.
fn told(outcomes: &[Outcome]) -> Vec<String> {
    let told = |outcome: &Outcome| match outcome {
        Outcome::Delivered { .. } => "+".to_owned(),
        Outcome::Failed(failure) => failure.code.clone().unwrap_or_default(),
        Outcome::RefusedWithOthers => "-".to_owned(),
    };
    outcomes.iter().map(told).collect()
}

#[tokio::test]
async fn what_is_taken_has_a_receipt() {
    let google = Google::answering(200, r#"{"requestId":"request-7"}"#);
    let report = send(&google.sink(""), 2).await;
    assert_eq!(told(report.verdict().unwrap()), ["+", "+"]);
    assert_eq!(report.receipt(), Some("request-7"));

    let report = send(&google.sink("validate_only = true"), 1).await;
    assert_eq!(report.receipt(), None, "what is only checked is never judged");
    let note = Some("validate_only".to_owned());
    assert_eq!(report.verdict().unwrap(), [Outcome::Delivered { note }]);
}

#[tokio::test]
async fn a_warning_is_a_note() {
    let warning = r#"{"field":"events.events[1].cart_data","reason":"WARNING_REASON_X","description":"d"}"#;
    let google = Google::answering(200, format!(r#"{{"requestId":"r","fieldWarnings":[{warning}]}}"#));
    let report = send(&google.sink(""), 2).await;
    let note = Some("WARNING_REASON_X".to_owned());
    assert_eq!(report.verdict().unwrap(), [Outcome::DELIVERED, Outcome::Delivered { note }]);
}

#[tokio::test]
async fn success_without_a_request_id_delivers_nothing() {
    for body in ["{}", r#"{"requestId":""}"#, "[]", ""] {
        let report = send(&Google::answering(200, body).sink(""), 2).await;
        assert_eq!(report.verdict().unwrap_err().class, FailureClass::Interrupted, "{body}");
        assert_eq!(report.receipt(), None);
    }
}

#[tokio::test]
async fn every_event_that_is_named_fails_and_the_others_go_again() {
    for (violations, expected) in [
        (&[("events.events[1].user_data", "INVALID_EVENT")][..], ["-", "INVALID_EVENT", "-", "-"]),
        (&[("events[3]", "EVENT_TIME_INVALID")], ["-", "-", "-", "EVENT_TIME_INVALID"]),
        (
            &[("events.events[0].x", "A"), ("events.events[2].y", "B"), ("events.events[2].z", "C")],
            ["A", "-", "B", "-"],
        ),
        (&[("events.events[0].x", "A"), ("encoding", "B")], ["A", "-", "-", "-"]),
    ] {
        let report = send(&Google::answering(400, refusal(violations)).sink(""), 4).await;
        assert_eq!(told(report.verdict().unwrap()), expected);
    }
}

#[tokio::test]
async fn a_message_names_the_field_and_not_the_index() {
    let body = refusal(&[("events.events[1].user_data.user_identifiers[0]", "INVALID_SHA256_FORMAT")]);
    let report = send(&Google::answering(400, body).sink(""), 2).await;
    let Outcome::Failed(failure) = &report.verdict().unwrap()[1] else { panic!("it was named") };
    let said = "Google Data Manager INVALID_SHA256_FORMAT: said (at user_data.user_identifiers[0])";
    assert_eq!(failure.message, said);
}

#[tokio::test]
async fn a_request_that_names_nobody_is_taken_apart() {
    for violations in
        [&[][..], &[("encoding", "INVALID_FORMAT")], &[("events.events[9].x", "INVALID_FORMAT")]]
    {
        let google = Google::answering(400, refusal(violations));
        let several = send(&google.sink(""), 2).await;
        let failure = several.verdict().unwrap_err();
        assert_eq!(
            (failure.class, failure.blame),
            (FailureClass::Rejected, Blame::Unknown),
            "{violations:?}"
        );
        let alone = send(&google.sink(""), 1).await;
        assert_eq!(alone.verdict().unwrap_err().blame, Blame::Batch, "{violations:?}");
    }
}

#[tokio::test]
async fn a_wrong_action_holds_no_more_than_it_must() {
    let body = refusal(&[("destinations[0].product_destination_id", "INVALID_CONVERSION_ACTION_ID")]);
    let google = Google::answering(400, body);
    let several_actions = send(&google.sink(""), 2).await;
    let class = several_actions.verdict().unwrap_err().class;
    assert_eq!(class, FailureClass::Unauthorized { scope: HoldScope::EventName });
    let one_action = send(&google.sink("events = { TRIAL_BOOKED = '1' }"), 2).await;
    let class = one_action.verdict().unwrap_err().class;
    assert_eq!(class, FailureClass::Unauthorized { scope: HoldScope::Sink });
}

#[tokio::test]
async fn a_token_of_another_scope_says_what_to_do() {
    let info = json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"});
    let body =
        json!({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "m", "details": [info]}});
    let google = Google::answering(403, body.to_string());
    let report = send(&google.sink(""), 1).await;
    let failure = report.verdict().unwrap_err();
    assert_eq!(failure.class, FailureClass::Unauthorized { scope: HoldScope::Sink });
    assert!(failure.message.contains("https://www.googleapis.com/auth/datamanager"), "{}", failure.message);
    let checked = google.sink("").check().await.unwrap_err();
    assert!(checked.message.contains("authorise again"), "{}", checked.message);
}

#[tokio::test]
async fn the_check_only_checks_and_names_each_action() {
    let body = refusal(&[("events.events[0].ad_identifiers.gclid", "INVALID_AD_IDENTIFIER_FOR_ACCOUNT")]);
    let google = Google::answering(400, body);
    let summary = google.sink("").check().await.unwrap().summary;
    for part in ["account 1234567890", "action 55: found", "action 987654321: found", "refused as expected"] {
        assert!(summary.contains(part), "{summary}");
    }
    assert!(google.seen().iter().all(|(_, body)| body.contains(r#""validateOnly":true"#)));
}
