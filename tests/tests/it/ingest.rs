//! `POST /api/events`: what is accepted, what is refused, and how.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Counts, Reply, Setup, World, booked, many};

async fn post_as(world: &World, content_type: Option<&str>, body: impl Into<reqwest::Body>) -> Reply {
    let request = world.request(Method::POST, "/api/events").body(body);
    let request = match content_type {
        Some(value) => request.header("content-type", value),
        None => request,
    };
    Reply::of(request).await.unwrap()
}

#[tokio::test]
async fn one_object_an_array_or_lines() {
    let world = World::start().await;
    let [a, b, c, d, e, f] = ["a", "b", "c", "d", "e", "f"].map(|id| booked(id).to_string());
    for (content_type, body, ids) in [
        (Some("application/json"), a.clone(), vec!["a"]),
        (Some("application/json; charset=utf-8"), format!("[{b},{c}]"), vec!["b", "c"]),
        (Some("application/x-ndjson"), format!("{d}\n\n{e}\r\n"), vec!["d", "e"]),
        (None, f.clone(), vec!["f"]),
    ] {
        let reply = post_as(&world, content_type, body).await;
        assert_eq!(reply.status, 202, "{}", reply.text);
        let results = reply.json["results"].as_array().unwrap();
        assert_eq!(results.len(), ids.len());
        for (index, id) in ids.into_iter().enumerate() {
            let expected = json!({
                "index": index, "eventId": id, "eventName": "TRIAL_BOOKED", "status": "accepted", "errors": [],
            });
            assert_eq!(results[index], expected);
        }
    }
    world.until_counts("tiktok", Counts::delivered(6)).await;
}

#[tokio::test]
async fn what_is_no_request_for_events() {
    let world = Setup::new().file("[server]\nmax_body = 2000\nmax_events = 3").start().await;
    let event = booked("a").to_string();
    for (content_type, body, status, said) in [
        (Some("application/json"), String::new(), 400, "no event"),
        (Some("application/json"), "[]".to_owned(), 400, "no event"),
        (Some("application/json"), "{\"eventId\":".to_owned(), 400, "cut off"),
        (Some("application/json"), "hello".to_owned(), 400, "neither"),
        (Some("application/json"), format!("[{event},]"), 400, "neither"),
        (Some("text/plain"), event.clone(), 415, "application/json"),
        (Some("application/x-www-form-urlencoded"), event.clone(), 415, "application/x-ndjson"),
        (Some("application/json"), "[1,2,3,4]".to_owned(), 413, "at most 3"),
        (Some("application/json"), " ".repeat(2001), 413, "2000 bytes"),
    ] {
        let reply = post_as(&world, content_type, body.clone()).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.text);
        let error = reply.json["error"].as_str().unwrap();
        assert!(error.contains(said), "{body}: {error}");
    }
    assert_eq!(post_as(&world, None, vec![0xff, 0xfe]).await.status, 400, "not UTF-8");
    assert_eq!(world.get("/api/events").await.status, 405);
    assert_eq!(world.get("/api/event").await.status, 404);
    assert_eq!(world.audit().await["accepted"], 0);
}

#[tokio::test]
async fn a_bad_event_does_not_cost_the_good_ones() {
    let world = World::start().await;
    let (good, other) = (booked("good").to_string(), booked("other").to_string());
    let bad = r#"{"eventId":"bad","eventName":"TRIAL_BOOKED","eventTime":"yesterday","value":"12,50"}"#;
    for (body, statuses) in [
        (format!("[{good},{bad},7]"), ["accepted", "rejected", "rejected"]),
        // In lines, a broken one does not hide what follows it.
        (format!("{bad}\n{{broken\n{other}"), ["rejected", "rejected", "accepted"]),
    ] {
        let reply = world.post("/api/events", body).await;
        assert_eq!((reply.status, reply.statuses()), (202, statuses.to_vec()), "{}", reply.text);
        let rejected =
            reply.json["results"].as_array().unwrap().iter().find(|r| r["eventId"] == "bad").unwrap();
        let fields: Vec<&str> = rejected["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["field"].as_str().unwrap())
            .collect();
        assert_eq!(fields, ["eventTime", "value"], "all that is wrong is named at once");
    }
    let reply = world.post("/api/events", format!("[{bad},7]")).await;
    assert_eq!((reply.status, reply.statuses()), (422, vec!["rejected", "rejected"]));
    assert_eq!(world.audit().await["accepted"], 2);
}

#[tokio::test]
async fn the_first_of_a_kind_stands() {
    let world = World::start().await;
    let first = booked("a");
    let mut other = first.clone();
    other["value"] = 75.into();
    // Same content in another order and form: not a difference.
    let reordered = {
        let members: Vec<(String, Value)> = first.as_object().unwrap().clone().into_iter().rev().collect();
        let text: Vec<String> =
            members.iter().map(|(name, value)| format!("{}: {value}", json!(name))).collect();
        format!("{{{}}}", text.join(", ")).replace("\"2026-01-10T12:00:00Z\"", "1768046400")
    };
    let mut renamed = first.clone();
    renamed["eventName"] = "APPOINTMENT_UPDATED".into();
    for (body, status, differs) in [
        (first.to_string(), "accepted", None),
        (first.to_string(), "duplicate", Some(false)),
        (reordered, "duplicate", Some(false)),
        (other.to_string(), "duplicate", Some(true)),
        (renamed.to_string(), "accepted", None),
    ] {
        let reply = world.post("/api/events", body.clone()).await;
        assert_eq!(reply.status, 202);
        let result = &reply.json["results"][0];
        assert_eq!(result["status"], status, "{body}");
        assert_eq!(result.get("differs").and_then(Value::as_bool), differs, "{body}");
    }
    let twice = format!("[{},{}]", booked("b"), booked("b"));
    assert_eq!(world.post("/api/events", twice).await.statuses(), ["accepted", "duplicate"]);

    let audit = world.audit().await;
    assert_eq!((&audit["accepted"], &audit["sinks"]["tiktok"]["routed"]), (&json!(3), &json!(3)));
    let stored = world.read("/api/events/TRIAL_BOOKED/a").await;
    assert_eq!(stored["event"].get("value"), None, "the first stands");
}

#[tokio::test]
async fn of_many_callers_at_once_one_is_first() {
    let world = World::start().await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let api = world.with_key("none is asked for");
        callers.spawn(async move { api.post("/api/events", Value::from(many("same", 5)).to_string()).await });
    }
    let replies = callers.join_all().await;
    let statuses: Vec<&str> = replies.iter().flat_map(Reply::statuses).collect();
    let accepted = statuses.iter().filter(|status| **status == "accepted").count();
    assert_eq!((statuses.len(), accepted), (100, 5));
    assert!(replies.iter().all(|reply| reply.status == 202));
    world.until_counts("tiktok", Counts::delivered(5)).await;
    assert_eq!(world.platforms.sandbox.report().sinks.tiktok.received, 5);
}

/// Each is wrong in one field, whose value is a person's own.
#[tokio::test]
async fn mistakes_are_named_without_repeating_personal_values() {
    let world = World::start().await;
    let valid = json!({ "eventId": "x", "eventName": "TRIAL_BOOKED", "eventTime": 1_768_046_400 });
    for (field, value, named, said) in [
        ("eventTime", json!("1979-private"), "eventTime", "RFC 3339"),
        ("eventTime", json!(1_768_046_400_000_u64), "eventTime", "milliseconds"),
        ("emial", json!("ada@private.example"), "emial", "did you mean `email`?"),
        ("e_mail", json!("ada@private.example"), "e_mail", "did you mean `email`?"),
        ("phones", json!("private"), "phones", "did you mean `phone`?"),
        ("favouriteColour", json!("private"), "favouriteColour", "`properties` takes"),
        ("email", json!(["ada@private.example"]), "email", "must be a string, not an array"),
        ("email", json!("private".repeat(50)), "email", "at most 320 characters, not 350"),
        ("phone", json!({ "private": 1 }), "phone", "must be a string, not an object"),
        ("ip", json!("private address"), "ip", "one IPv4 or IPv6 address, not a string of 15 characters"),
        ("eventId", json!("ada@private.example"), "eventId", "`@`"),
        ("pageUrl", json!("private.example/ada"), "pageUrl", "https://"),
        ("currency", json!("PRIVATE"), "currency", "ISO 4217"),
        ("value", json!("private"), "value", "must be a number, not a string of 7 characters"),
        ("value", json!(-1), "value", ""),
        ("consent", json!({ "adUserData": "private" }), "consent.adUserData", "GRANTED or DENIED"),
        ("consent", json!({ "adUserdata": "GRANTED" }), "consent.adUserdata", "did you mean `adUserData`?"),
        ("address", json!({ "country": "private" }), "address.country", "ISO 3166-1"),
        ("contents", json!([{ "quantity": -3 }]), "contents[0].quantity", "not a negative number"),
        ("clickIds", json!({ "x1": "private" }), "clickIds.x1", "letters and underscores"),
    ] {
        let mut event = valid.clone();
        event[field] = value.clone();
        let reply = world.post("/api/events", event.to_string()).await;
        assert_eq!(reply.status, 422, "{field} {value}: {}", reply.text);
        let error = &reply.json["results"][0]["errors"][0];
        assert_eq!(error["field"], named);
        assert!(error["message"].as_str().unwrap().contains(said), "{field} {value}: {error}");
        assert!(!reply.text.contains("private"), "{field}: {}", reply.text);
    }
    for missing in ["eventId", "eventName", "eventTime"] {
        let mut event = valid.clone();
        event.as_object_mut().unwrap().remove(missing);
        let reply = world.post("/api/events", event.to_string()).await;
        let errors = json!([{ "field": missing, "message": "is required" }]);
        assert_eq!(reply.json["results"][0]["errors"], errors);
    }
}

/// Another process that writes to the same file stands for a disk that takes nothing.
#[tokio::test]
async fn nothing_is_accepted_while_the_store_cannot_commit() {
    let world = World::start().await;
    assert_eq!(world.get("/readyz").await.status, 200);
    let path = world.store().strip_prefix("sqlite://").unwrap();
    let intruder = rusqlite::Connection::open(path).unwrap();
    intruder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (ready, report) =
        tokio::join!(world.get("/readyz"), world.post("/api/events", booked("a").to_string()));
    for reply in [ready, report] {
        assert_eq!(reply.status, 503, "{}", reply.text);
        assert!(reply.json["error"].as_str().unwrap().contains("store"), "{}", reply.text);
    }
    assert_eq!(world.get("/healthz").await.status, 200, "the process itself is well");
    intruder.execute_batch("ROLLBACK").unwrap();
    assert_eq!(world.get("/readyz").await.status, 200);
    let again = world.post("/api/events", booked("a").to_string()).await;
    assert_eq!(again.statuses(), ["accepted"], "a refused event was not kept half");
    world.until_counts("tiktok", Counts::delivered(1)).await;
}

/// Writes raw bytes, perhaps hangs up, and reads what comes back until the service closes the connection.
async fn raw(world: &World, request: String, hangs_up: bool) -> String {
    let address = world.base.strip_prefix("http://").unwrap().to_owned();
    let exchange = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        if hangs_up {
            stream.shutdown(Shutdown::Write).unwrap();
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    tokio::task::spawn_blocking(exchange).await.unwrap()
}

/// What came of a body before it broke off may be whole events; the caller meant more, and will send all of it again.
#[tokio::test]
async fn of_a_body_that_breaks_off_nothing_is_taken() {
    let world = World::start().await;
    let lines = format!("{}\n{}\n", booked("a"), booked("b"));
    let head = "POST /api/events HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: application/x-ndjson\r\n";
    for request in [
        format!("{head}content-length: {}\r\n\r\n{lines}", lines.len() + 1),
        format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{lines}\r\n", lines.len()),
    ] {
        let answer = raw(&world, request, true).await;
        assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
        assert_eq!(world.audit().await["accepted"], 0);
    }
    // The same, complete.
    let complete =
        format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{lines}\r\n0\r\n\r\n", lines.len());
    let answer = raw(&world, complete, false).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert_eq!(world.audit().await["accepted"], 2);
}

/// The limit holds also where the length is not announced.
#[tokio::test]
async fn an_endless_body_is_refused_at_the_limit() {
    let world = Setup::new().file("[server]\nmax_body = 2000").start().await;
    let head = "POST /api/events HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{}\r\n", 500, " ".repeat(500));
    let answer = raw(&world, format!("{head}{}0\r\n\r\n", chunk.repeat(5)), false).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}
