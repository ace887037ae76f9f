//! Acuity over the sandbox's own paths.

use serde_json::{Value, json};

use crate::harness::{Running, read};
use crate::receiver::Receiver;

async fn act(running: &Running, name: &str, body: Value) -> (u16, Value) {
    read(running.post(&format!("/__acuity/{name}")).body(body.to_string())).await
}

#[tokio::test]
async fn a_booking_and_what_becomes_of_it() {
    let running = Running::start().await;
    let mut receiver = Receiver::start(&[]).await;
    let settings = json!({"acuity": {"webhook_target": receiver.url, "twins": "before", "user_id": "5"}});
    assert_eq!(read(running.post("/__config").body(settings.to_string())).await.0, 200);
    let body = json!({"datetime": "2026-12-01T10:15:00-0500", "type_id": 88, "fields": {"9": "Ab-1"}});
    let (status, booked) = act(&running, "book", body).await;
    assert_eq!((status, &booked["forms"][0]["values"][0]["fieldID"]), (200, &json!(9)));
    let id = &booked["id"];
    let (_, moved) = act(&running, "reschedule", json!({"id": id, "datetime": "2026-12-02T10:15:00Z"})).await;
    assert_eq!(moved["datetime"], "2026-12-02T10:15:00+0000");
    let (_, edited) = act(&running, "edit", json!({"id": id, "email": "ann@example.com"})).await;
    assert_eq!((&edited["email"], &edited["datetime"]), (&json!("ann@example.com"), &moved["datetime"]));
    let (_, canceled) = act(&running, "cancel", json!({"id": id})).await;
    assert_eq!((&canceled["id"], &canceled["canceled"]), (id, &json!(true)));
    let told = receiver.take(7).await;
    let actions: Vec<&str> = told.iter().map(|told| told.action()).collect();
    assert_eq!(actions, ["changed", "scheduled", "changed", "rescheduled", "changed", "changed", "canceled"]);
    let (_, report) = read(running.get("/__report")).await;
    assert_eq!([&report["acuity"]["bookings"], &report["acuity"]["edits"]], [1, 1]);
}

#[tokio::test]
async fn refused_acts_name_the_field() {
    let running = Running::start().await;
    let (_, booked) = act(&running, "book", json!({"datetime": "2026-12-01T10:15:00Z"})).await;
    let (id, time) = (&booked["id"], "2026-12-01T10:15:00Z");
    act(&running, "cancel", json!({"id": id})).await;
    let cases = [
        ("book", json!({}), 400, "datetime: \"\" is not a time with an offset"),
        ("book", json!({"datetime": "2026-12-01T10:15:00"}), 400, "datetime: "),
        ("book", json!({"datetime": time, "datetime_created": "x"}), 400, "datetime_created: "),
        ("book", json!({"datetime": time, "type_id": "88"}), 400, "type_id: invalid type: string"),
        ("book", json!({"datetime": time, "fields": {"x": "y"}}), 400, "fields"),
        ("book", json!({"datetime": time, "mail": "x"}), 400, "unknown field `mail`"),
        ("book", json!({"datetime": time, "notes": "x".repeat(70_000)}), 413, "larger than"),
        ("book", json!([]), 400, "not a JSON object"),
        ("reschedule", json!({"datetime": time}), 400, "missing field `id`"),
        ("reschedule", json!({"id": 1, "datetime": time}), 404, "id: there is no appointment 1"),
        ("reschedule", json!({"id": id, "datetime": time}), 400, "is cancelled"),
        ("reschedule", json!({"id": id, "datetime": "soon"}), 400, "datetime: \"soon\""),
        ("cancel", json!({"id": id}), 400, "is cancelled"),
        ("cancel", json!({"id": id, "why": "x"}), 400, "unknown field `why`"),
        ("edit", json!({"email": "x"}), 400, "missing field `id`"),
        ("edit", json!({"id": "1", "email": "x"}), 400, "id: invalid type: string"),
        ("edit", json!({"id": id, "datetime": time}), 400, "unknown field `datetime`"),
        ("edit", json!({"id": id, "labels": "x"}), 400, "labels: "),
        ("destroy", json!({}), 404, "there is no act \"destroy\"; there are book"),
    ];
    for (name, body, expected, words) in cases {
        let (status, answer) = act(&running, name, body).await;
        let error = answer["error"].as_str().unwrap();
        assert_eq!(status, expected, "{error}");
        assert!(error.contains(words), "{error} | {words}");
    }
    assert_eq!(read(running.get("/__acuity/book")).await.0, 405);
    assert_eq!(running.report().acuity.bookings, 1);
}

#[tokio::test]
async fn refused_settings_change_nothing() {
    let running = Running::start().await;
    let cases = [
        (json!({"acuity": {"p_503": 1.5}}), "acuity: p_503 is a probability"),
        (json!({"acuity": {"user_id": "me"}}), "acuity: user_id must consist of digits"),
        (json!({"acuity": {"webhook_target": "https://example.com/"}}), "acuity: webhook_target must be"),
        (json!({"acuity": {"webhook_target": "/api"}}), "acuity: webhook_target must be"),
        (json!({"acuity": {"twins": "both"}}), "acuity: unknown variant `both`"),
        (json!({"acuity": {"p_500": 1}}), "acuity: unknown field `p_500`"),
        (
            json!({"acuity": {"down": true}, "nowhere": {}}),
            "there are tiktok, google-ads, google-data-manager, meta, acuity",
        ),
    ];
    for (body, words) in cases {
        let (status, answer) = read(running.post("/__config").body(body.to_string())).await;
        let error = answer["error"].as_str().unwrap();
        assert_eq!(status, 400, "{error}");
        assert!(error.contains(words), "{error} | {words}");
    }
    let meta = running.get("/api/v1/meta").basic_auth("1", Some("sandbox-acuity-key"));
    assert_eq!(read(meta).await.0, 200);
}

#[tokio::test]
async fn reset_forgets_appointments_and_never_gives_an_id_again() {
    let running = Running::start().await;
    let body = || json!({"datetime": "2026-12-01T10:15:00Z"});
    let (_, first) = act(&running, "book", body()).await;
    assert_eq!(read(running.post("/__reset")).await.0, 200);
    let request = running.get(&format!("/api/v1/appointments/{}", first["id"]));
    assert_eq!(read(request.basic_auth("1", Some("sandbox-acuity-key"))).await.0, 404);
    let (_, second) = act(&running, "book", body()).await;
    assert!(second["id"].as_u64() > first["id"].as_u64());
}
