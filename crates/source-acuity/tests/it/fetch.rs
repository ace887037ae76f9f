//! One appointment over real sockets: what is asked, and what each answer means.

use std::time::Duration;

use conversion_core::failure::{FailureClass, HoldScope};
use conversion_core::source::BookingSource as _;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::support::{KEY, Server, http, source};

const HOLD: FailureClass = FailureClass::Unauthorized { scope: HoldScope::Sink };
const LEAST: &str = r#"{"id":12345,"datetime":"2026-01-12T10:15:00-0500"}"#;

#[tokio::test]
async fn the_appointment_is_asked_for_with_the_accounts_credentials() {
    let server = Server::answering(http(200, "", LEAST)).await;
    let appointment = server.source("").fetch("12345").await.unwrap();
    assert_eq!(appointment.id, "12345");
    let [request] = &server.seen()[..] else { panic!("{:?}", server.seen()) };
    assert!(request.starts_with("GET /prefix/api/v1/appointments/12345 HTTP/1.1\r\n"), "{request}");
    // printf 12345:test-api-key | base64
    assert!(request.contains("\r\nauthorization: Basic MTIzNDU6dGVzdC1hcGkta2V5\r\n"), "{request}");
}

#[tokio::test]
async fn each_answer_has_its_class() {
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    for (status, headers, body, class, code) in [
        (401, "", r#"{"status_code":401,"message":"x","error":"unauthorized"}"#, HOLD, "401"),
        (403, "", "", HOLD, "403"),
        (302, "Location: /\r\n", "", HOLD, "302"),
        (404, "", r#"{"status_code":404,"message":"x","error":"not_found"}"#, FailureClass::Rejected, "404"),
        (400, "", r#"{"status_code":400,"message":"x","error":"bad"}"#, FailureClass::Rejected, "400"),
        (429, "", "", FailureClass::RateLimited { retry_after: None }, "429"),
        (429, "Retry-After: 7\r\n", "x", FailureClass::RateLimited { retry_after: seconds(7) }, "429"),
        (500, "", "<html>", FailureClass::Unavailable { retry_after: None }, "500"),
        (503, "Retry-After: 30\r\n", "", FailureClass::Unavailable { retry_after: seconds(30) }, "503"),
    ] {
        let server = Server::answering(http(status, headers, body)).await;
        let failure = server.source("").fetch("12345").await.unwrap_err();
        assert_eq!((failure.class, failure.code.as_deref()), (class, Some(code)), "{status}: {failure:?}");
        assert!(failure.message.contains("Acuity"), "{}", failure.message);
    }
}

#[tokio::test]
async fn failures_name_the_mend() {
    for (status, body, message) in [
        (
            401,
            r#"{"error":"unauthorized"}"#,
            "Acuity answered 401 (unauthorized); check `user_id` and `api_key`",
        ),
        (403, "", "Acuity answered 403; check `user_id` and `api_key`"),
        (405, "", "Acuity answered 405; check `base_url`"),
        (404, "", "Acuity has no appointment 12345"),
        (429, r#"{"error":"too_many_requests"}"#, "Acuity answered 429 (too_many_requests)"),
    ] {
        let server = Server::answering(http(status, "", body)).await;
        assert_eq!(server.source("").fetch("12345").await.unwrap_err().message, message);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_asked_for_again() {
    for reply in [
        http(200, "", ""),
        http(200, "", "<html>"),
        http(200, "", r#"{"id":12345,"#),
        http(200, "", "[]"),
        http(200, "", "null"),
        http(204, "", ""),
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":1".to_owned(),
        String::new(),
    ] {
        let server = Server::answering(reply.clone()).await;
        let failure = server.source("").fetch("12345").await.unwrap_err();
        assert_eq!(failure.class, FailureClass::Interrupted, "{reply}");
    }
}

#[tokio::test]
async fn what_can_be_read_and_not_used_is_refused_for_good() {
    let datetime = r#""datetime":"2026-01-12T10:15:00-0500""#;
    for (body, complaint) in [
        (format!("{{{datetime}}}"), "its `id` is not a number of 1 to 19 digits"),
        (format!(r#"{{"id":null,{datetime}}}"#), "its `id` is not a number"),
        (format!(r#"{{"id":"x",{datetime}}}"#), "its `id` is not a number"),
        (format!(r#"{{"id":1.5,{datetime}}}"#), "its `id` is not a number"),
        (format!(r#"{{"id":12346,{datetime}}}"#), "it has another `id`"),
        (r#"{"id":12345}"#.to_owned(), "its `datetime` is no time with an offset"),
        (r#"{"id":12345,"datetime":"2026-01-12T10:15:00"}"#.to_owned(), "its `datetime` is no time"),
        (r#"{"id":12345,"datetime":"January 12, 2026"}"#.to_owned(), "its `datetime` is no time"),
        (r#"{"id":12345,"datetime":{}}"#.to_owned(), "its `datetime` is no time"),
        (r#"{"id":12345,"id":12345}"#.to_owned(), "it is not one JSON object"),
    ] {
        let server = Server::answering(http(200, "", &body)).await;
        let failure = server.source("").fetch("12345").await.unwrap_err();
        assert_eq!(failure.class, FailureClass::Rejected, "{body}");
        assert_eq!(failure.code.as_deref(), Some("unreadable_appointment"), "{body}");
        assert!(failure.message.contains(complaint), "{}", failure.message);
    }
}

#[tokio::test]
async fn nothing_but_an_id_gets_into_the_address() {
    let server = Server::answering(http(200, "", LEAST)).await;
    for id in ["", "../me", "1?x=1", "12345678901234567890", "1 2", "-1"] {
        let failure = server.source("").fetch(id).await.unwrap_err();
        assert_eq!((failure.class, failure.code.as_deref()), (FailureClass::Rejected, Some("unusable_id")));
    }
    assert_eq!(server.seen(), [] as [String; 0]);
}

#[tokio::test]
async fn failures_repeat_neither_credentials_nor_persons() {
    let echo = r#"{"status_code":401,"message":"Zelda Lovelace test-api-key MTIzNDU6dGVzdC1hcGkta2V5",
        "error":"Zelda Lovelace test-api-key","firstName":"Zelda"}"#;
    let broken = r#"{"id":1,"firstName":"Zelda","email":"zelda@example.com","datetime":"Zelda"}"#;
    for reply in [http(401, "", echo), http(500, "", echo), http(200, "", broken), http(200, "", "Zelda")] {
        let server = Server::answering(reply).await;
        let failure = format!("{:?}", server.source("").fetch("1").await.unwrap_err());
        for word in ["Zelda", "zelda", KEY, "MTIz"] {
            assert!(!failure.contains(word), "{failure}");
        }
    }
    let known =
        r#"{"id":1,"firstName":"Zelda","email":"zelda@example.com","datetime":"2026-01-12T10:15:00Z"}"#;
    let server = Server::answering(http(200, "", known)).await;
    let appointment = server.source("").fetch("1").await.unwrap();
    assert_eq!(appointment.details.first_name.as_deref(), Some("Zelda"));
    let printed = format!("{appointment:?}");
    assert!(!printed.to_lowercase().contains("zelda"), "{printed}");
}

#[tokio::test]
async fn what_was_never_sent_is_unreachable() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let gone = source(&format!("base_url = 'http://{address}'"));
    assert_eq!(gone.fetch("1").await.unwrap_err().class, FailureClass::Unreachable);
    assert_eq!(gone.check().await.unwrap_err().class, FailureClass::Unreachable);
}

/// Nobody listens, so that no request takes time of its own.
#[tokio::test(start_paused = true)]
async fn fetches_and_lists_together_stay_within_ten_a_second() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let gone = source(&format!("base_url = 'http://{address}'"));
    let start = Instant::now();
    let day = "2026-01-12".parse().unwrap();
    for id in ["1", "2", "3", "4", "5", "6", "7", "8"] {
        gone.fetch(id).await.unwrap_err();
    }
    // The timer rounds each wait up to a millisecond.
    assert!((1000..1010).contains(&start.elapsed().as_millis()), "after seven");
    let start = Instant::now();
    let (a, b, c) = tokio::join!(gone.list(day, day), gone.check(), gone.list(day, day));
    assert!(a.is_err() && b.is_err() && c.is_err());
    gone.check().await.unwrap_err();
    assert!((1000..1010).contains(&start.elapsed().as_millis()), "after three");
}

#[tokio::test]
async fn a_check_tells_good_from_bad_credentials_and_forgets_what_it_saw() {
    let person = r#"[{"id":1,"firstName":"Ada","email":"ada@example.com"}]"#;
    for (settings, summary) in [
        (
            "",
            "Acuity showed user 12345 the account's appointments; `trial_types` is empty, so no booking is a trial",
        ),
        (
            "trial_types = 88",
            "Acuity showed user 12345 the account's appointments; 1 appointment type is a trial",
        ),
        (
            "trial_types = [88, 89]",
            "Acuity showed user 12345 the account's appointments; 2 appointment types are trials",
        ),
    ] {
        let server = Server::answering(http(200, "", person)).await;
        assert_eq!(server.source(settings).check().await.unwrap().summary, summary);
        let request = &server.seen()[0];
        assert!(request.starts_with("GET /prefix/api/v1/appointments?max=1&excludeForms=true "), "{request}");
    }
    for (status, body, class) in [
        (401, r#"{"error":"unauthorized"}"#, HOLD),
        (404, "", HOLD),
        (200, "{}", FailureClass::Interrupted),
        (200, "<html>", FailureClass::Interrupted),
        (500, "", FailureClass::Unavailable { retry_after: None }),
    ] {
        let server = Server::answering(http(status, "", body)).await;
        assert_eq!(server.source("").check().await.unwrap_err().class, class, "{status} {body}");
    }
}
