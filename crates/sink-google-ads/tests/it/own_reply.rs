//! A delivery sees its own part of a recorded answer.

use serde_json::{Value, json};

fn own(body: &str, position: usize) -> Option<String> {
    (conversion_core::registry::find("google-ads").unwrap().own_reply)(body, position)
}

fn error(row: Option<usize>, secret: &str) -> Value {
    error_in("conversions", row, secret)
}

fn error_in(rows: &str, row: Option<usize>, secret: &str) -> Value {
    let path = row.map(|row| json!([{"fieldName": rows, "index": row}])).unwrap_or(json!([]));
    json!({
        "errorCode": {"fieldError": "REQUIRED"}, "message": secret, "trigger": {"stringValue": secret},
        "location": {"fieldPathElements": path},
    })
}

fn answer(errors: &[Value]) -> String {
    let details = json!([{"@type": "t/google.ads.googleads.v26.errors.GoogleAdsFailure", "errors": errors, "requestId": "R"}]);
    json!({
        "partialFailureError": {"code": 3, "message": "Multiple errors. First error: of-0, at conversions[0].gclid", "details": details},
        "results": [{}, {"gclid": "result-1"}, {}, {"gclid": "result-3"}],
        "jobId": "644",
    })
    .to_string()
}

#[test]
fn shows_the_rows_own_errors_verbatim_and_no_neighbour() {
    let body = answer(&[error(Some(0), "of-0"), error(Some(2), "of-2")]);
    let own_of = |row| serde_json::from_str::<Value>(&own(&body, row).unwrap()).unwrap();
    let first = own_of(0);
    assert_eq!(
        first["partialFailureError"]["message"],
        "Multiple errors. First error: of-0, at conversions[0].gclid"
    );
    assert_eq!(first["partialFailureError"]["details"][0]["errors"], json!([error(Some(0), "of-0")]));
    assert_eq!(first["partialFailureError"]["details"][0]["requestId"], "R");
    assert_eq!((&first["results"], &first["jobId"]), (&json!([{}]), &json!("644")));
    assert_eq!(own_of(1), json!({"results": [{"gclid": "result-1"}], "jobId": "644"}));
    // The message names the first error, which is a neighbour's.
    let third = own_of(2);
    assert_eq!(third["partialFailureError"].get("message"), None);
    assert_eq!(third["partialFailureError"]["details"][0]["errors"], json!([error(Some(2), "of-2")]));
    for row in 0..5 {
        let text = own(&body, row).unwrap();
        for other in (0..5).filter(|other| *other != row) {
            assert!(
                !text.contains(&format!("of-{other}")) && !text.contains(&format!("result-{other}")),
                "{text}"
            );
        }
    }
}

#[test]
fn an_answer_to_adjustments_is_taken_apart_alike() {
    for rows in ["conversion_adjustments", "conversionAdjustments"] {
        let errors = [error_in(rows, Some(0), "of-0"), error_in(rows, Some(2), "of-2")];
        let body = answer(&errors).replace("at conversions[0].gclid", &format!("at {rows}[0].order_id"));
        let shown = |row| own(&body, row).unwrap();
        assert!(shown(0).contains("First error: of-0") && !shown(0).contains("of-2"), "{}", shown(0));
        assert_eq!(shown(1), r#"{"results":[{"gclid":"result-1"}],"jobId":"644"}"#);
        assert!(shown(2).contains("of-2") && !shown(2).contains("of-0"), "{}", shown(2));
        let refused =
            format!(r#"{{"error":{{"code":400,"message":"Invalid value at '{rows}[1]', \"of-1\""}}}}"#);
        assert_eq!(own(&refused, 0).unwrap(), r#"{"error":{"code":400}}"#);
        assert_eq!(own(&refused, 1).unwrap(), refused);
    }
}

#[test]
fn an_error_of_no_row_is_everyones() {
    let body = answer(&[error(None, "quota"), error(Some(0), "of-0")]);
    let text = own(&body, 2).unwrap();
    assert!(text.contains("quota") && !text.contains("of-0"), "{text}");
}

#[test]
fn a_refused_request_is_taken_apart_alike() {
    let details = json!([
        {"@type": "t/google.ads.googleads.v26.errors.GoogleAdsFailure", "errors": [error(Some(0), "of-0")]},
        {"@type": "t/google.rpc.BadRequest", "fieldViolations": [{"field": "conversions[0]", "description": "of-0"}]},
    ]);
    let body =
        json!({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "of-0", "details": details}});
    assert!(own(&body.to_string(), 0).unwrap().contains("of-0"));
    let neighbours = own(&body.to_string(), 1).unwrap();
    assert_eq!(neighbours, r#"{"error":{"code":400,"status":"INVALID_ARGUMENT"}}"#);
    let plain =
        r#"{"error":{"code":401,"message":"Request had invalid credentials.","status":"UNAUTHENTICATED"}}"#;
    assert_eq!(own(plain, 3).unwrap(), plain);
    let naming = r#"{"error":{"code":400,"message":"Invalid value at 'conversions[1].gclid', \"of-1\""}}"#;
    assert_eq!(own(naming, 0).unwrap(), r#"{"error":{"code":400}}"#);
    for message in [r"conversions\u005b1].gclid", r"c\u006fnversions[1]", r"\udfb9"] {
        let escaped = format!(r#"{{"error":{{"code":400,"message":"{message}"}}}}"#);
        assert_eq!(own(&escaped, 0).unwrap(), r#"{"error":{"code":400}}"#, "{message}");
    }
}

#[test]
fn what_is_cut_or_foreign_is_not_shown() {
    for body in [
        "",
        "<html>",
        r#"{"results":[{"gclid":"of-0"}"#,
        "[]",
        r#"[null,null,[{"gclid":"of-0"}]]"#,
        r#""text""#,
    ] {
        assert_eq!(own(body, 0), None, "{body}");
    }
}
