//! Visits of landing pages: who may report them, what is kept of them, and the events that take from them.

use std::path::Path;
use std::time::Duration;

use conversion_core::Timestamp;
use conversion_core::attribution::Attribution;
use conversion_core::consent::ConsentStatus;
use conversion_store::Access;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::harness::{
    BROWSER, Counts, HASHED_VISITOR, Platforms, Program, Reply, SITE, SITE_SETTINGS, Setup, VISITOR, World,
    booked, until,
};

const DAY: Duration = Duration::from_secs(86_400);

async fn world() -> World {
    Setup::new().file(SITE_SETTINGS).start().await
}

fn header<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

async fn kept(world: &World, id: &str) -> Option<Attribution> {
    let store = conversion_store::open(world.store(), Access::ReadOnly).unwrap();
    store.attributions(&[id.to_owned()]).await.unwrap().pop()
}

#[tokio::test]
async fn an_event_takes_what_it_lacks_from_the_visit_that_it_names() {
    let world = world().await;
    world.visited(
                json!({
            "id": VISITOR, "clickIds": { "gclid": "Cj0abc" }, "ttclid": "E.C.P.abc", "consent": { "adUserData": "GRANTED" },
            "pageUrl": "https://academy.example/?ttclid=E.C.P.abc", "pageReferrer": "https://www.tiktok.com/",
        }),
    )
    .await;
    // A day later: Google takes no click that is younger than six hours.
    world.advance(DAY).await;
    let event = |id: &str, more: Value| {
        let mut event =
            json!({ "eventId": id, "eventName": "TRIAL_BOOKED", "eventTime": world.time_in(Duration::ZERO) });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    };
    let own = json!({
        "attributionId": VISITOR, "externalId": "customer-7", "ttclid": "E.C.P.own", "ip": "1.1.1.1",
        "userAgent": "Own/1.0", "pageUrl": "https://academy.example/booked",
    });
    world
        .report(&[
            event("by-attribution", json!({ "attributionId": VISITOR })),
            event("by-person", json!({ "externalId": VISITOR })),
            event("own", own),
            event("unknown", json!({ "attributionId": "f".repeat(32), "email": "ada@example.com" })),
        ])
        .await;

    for id in ["by-attribution", "by-person"] {
        let body = world.sent("tiktok", id).await;
        let user = json!({ "ttclid": "E.C.P.abc", "external_id": HASHED_VISITOR, "ip": "8.8.8.8", "user_agent": BROWSER });
        let page = json!({ "url": "https://academy.example/?ttclid=E.C.P.abc", "referrer": "https://www.tiktok.com/" });
        assert_eq!(body["data"][0]["user"], user, "{id}");
        assert_eq!(body["data"][0]["page"], page, "{id}");
    }
    let google = world.sent("google-ads", "by-attribution").await;
    assert_eq!(google["conversions"][0]["gclid"], "Cj0abc");
    assert_eq!(google["conversions"][0]["consent"]["adUserData"], "GRANTED");

    let body = world.sent("tiktok", "own").await;
    // printf %s customer-7 | sha256sum
    let external_id = "acade5fe58d0b5a805a02b8b3a546d8edd170eb78b8ec7b2cbfe0b9ebef2e6e1";
    let user = json!({ "ttclid": "E.C.P.own", "external_id": external_id, "ip": "1.1.1.1", "user_agent": "Own/1.0" });
    assert_eq!(body["data"][0]["user"], user);
    assert_eq!(body["data"][0]["page"]["url"], "https://academy.example/booked");
    let body = world.sent("tiktok", "unknown").await;
    assert!(body["data"][0]["user"].get("ttclid").is_none());
}

#[tokio::test]
async fn google_waits_for_a_click_of_known_age() {
    let world = world().await;
    world.visited(json!({ "id": VISITOR, "gclid": "Cj0abc", "ttclid": "E.C.P.abc" })).await;
    let clicked_at = world.clock.now();
    let event = json!({ "eventId": "e", "eventName": "TRIAL_BOOKED", "eventTime": world.time_in(Duration::ZERO), "attributionId": VISITOR });
    world.report(&[event]).await;
    world.until_counts("tiktok", Counts::delivered(1)).await;
    let waiting = until("Google's delivery to wait", async || {
        let delivery = world.delivery("google-ads", "e").await;
        if delivery["reason"] == "click_too_recent" { Ok(delivery) } else { Err(delivery.to_string()) }
    })
    .await;
    let due: Timestamp = waiting["nextAttemptAt"].as_str().unwrap().parse().unwrap();
    let minutes = due.duration_since(clicked_at).as_mins();
    assert!((360..=370).contains(&minutes), "{minutes}");
    world.advance(Duration::from_secs(371 * 60)).await;
    world.sent("google-ads", "e").await;
}

/// What waits for Google is not tried in vain.
#[tokio::test]
async fn the_wait_for_a_click_s_age_uses_up_no_patience() {
    let world = Setup::new().file(SITE_SETTINGS).file("[delivery]\nretry_for = '4h'\n").start().await;
    world.visited(json!({ "id": VISITOR, "gclid": "Cj0abc" })).await;
    let event = json!({ "eventId": "e", "eventName": "TRIAL_BOOKED", "eventTime": world.time_in(Duration::ZERO), "attributionId": VISITOR });
    world.report(&[event]).await;
    until("the delivery to wait", async || {
        let delivery = world.delivery("google-ads", "e").await;
        if delivery["reason"] == "click_too_recent" { Ok(()) } else { Err(delivery.to_string()) }
    })
    .await;
    world.advance(Duration::from_secs(371 * 60)).await;
    world.sent("google-ads", "e").await;
}

/// Whoever knows an address can work out its digest and report a visit under it.
#[tokio::test]
async fn a_digest_names_no_visit_unless_it_is_called_an_attribution() {
    let world = world().await;
    // printf %s ada@example.com | sha256sum
    let digest = "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72";
    world.visited(json!({ "id": digest, "ttclid": "E.C.P.foreign" })).await;
    let event = |id: &str, by: &str| {
        let mut event = booked(id);
        event.as_object_mut().unwrap().remove("ttclid");
        event[by] = digest.into();
        event
    };
    world.report(&[event("by-person", "externalId"), event("by-attribution", "attributionId")]).await;
    for (id, ttclid) in [("by-person", Value::Null), ("by-attribution", json!("E.C.P.foreign"))] {
        let body = world.sent("tiktok", id).await;
        assert_eq!(body["data"][0]["user"]["ttclid"], ttclid, "{id}");
    }
}

#[tokio::test]
async fn the_first_write_of_a_click_id_stands_and_a_refusal_is_heard() {
    let world = world().await;
    world
        .visited(json!({ "id": VISITOR, "ttclid": "first", "pageUrl": "https://academy.example/first" }))
        .await;
    world.visited(
                json!({ "id": VISITOR, "ttclid": "second", "gclid": "Cj0", "pageUrl": "https://academy.example/2" }),
    )
    .await;
    let clicks = |attribution: &Attribution| -> Vec<(String, String)> {
        attribution.clicks.iter().map(|(name, click)| (name.clone(), click.value.clone())).collect()
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let attribution = kept(&world, VISITOR).await.unwrap();
    assert_eq!(clicks(&attribution), [pair("gclid", "Cj0"), pair("ttclid", "first")]);
    assert_eq!(attribution.page_url.as_deref(), Some("https://academy.example/first"));

    let refusal =
        |id: &str| json!({ "id": id, "clickIds": { "msclkid": "x" }, "consent": { "adUserData": "DENIED" } });
    world.visited(refusal("unknown-visitor-1")).await;
    assert!(kept(&world, "unknown-visitor-1").await.is_none(), "nothing is kept of who refuses");
    world.visited(refusal(VISITOR)).await;
    let after = kept(&world, VISITOR).await.unwrap();
    assert_eq!(clicks(&after), clicks(&attribution), "what the refusal brought is not kept either");
    assert_eq!(after.consent.ad_user_data, Some(ConsentStatus::Denied));
    let event = json!({ "eventId": "e", "eventName": "TRIAL_BOOKED", "eventTime": 1_768_046_400, "attributionId": VISITOR });
    world.report(&[event]).await;
    assert_eq!(world.settled("tiktok", "e").await["reason"], "consent_denied");
}

#[tokio::test]
async fn only_pages_of_configured_sites_may_report() {
    let world = world().await;
    for (origin, status) in [
        (Some(SITE), 204),
        (None, 204),
        (Some("https://academy.example.evil.example"), 403),
        (Some("http://academy.example"), 403),
        (Some("https://academy.example:8443"), 403),
        (Some("null"), 403),
    ] {
        let id = format!("visitor-of-{:03}-{status}", origin.map_or(0, str::len));
        let ask = |method| {
            let request = world.request(method, "/api/attributions").body(json!({ "id": id }).to_string());
            origin.into_iter().fold(request, |request, origin| request.header("origin", origin))
        };
        let response = ask(Method::POST).send().await.unwrap();
        assert_eq!(response.status(), status, "{origin:?}");
        assert_eq!(kept(&world, &id).await.is_some(), status == 204, "{origin:?}");
        let preflight = ask(Method::OPTIONS).send().await.unwrap();
        assert_eq!(preflight.status(), status, "{origin:?}");
        let shared = origin.filter(|_| status == 204);
        for response in [&response, &preflight] {
            assert_eq!(header(response, "access-control-allow-origin"), shared, "{origin:?}");
            assert_eq!(header(response, "access-control-allow-credentials"), shared.map(|_| "true"));
            assert_eq!(header(response, "vary"), Some("Origin"));
        }
        if shared.is_some() {
            assert_eq!(header(&preflight, "access-control-allow-methods"), Some("POST"));
            assert_eq!(header(&preflight, "access-control-allow-headers"), Some("content-type"));
            assert_eq!(header(&preflight, "access-control-max-age"), Some("86400"));
        }
    }
    // A page may read what is wrong, too.
    let response = world.visit("{}").send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), header(&response, "access-control-allow-origin")),
        (422, Some(SITE))
    );
}

#[tokio::test]
async fn what_is_no_visit_is_refused_by_name() {
    let world = world().await;
    let too_long =
        format!("{{\"id\":\"{VISITOR}\",\"pageUrl\":\"https://a.test/{}\"}}", "a".repeat(8 * 1024));
    for (body, status, error) in [
        ("{\"id\":\"ada@example.com\"}", 422, "must be 16 to 64 letters, digits, hyphens and underscores"),
        ("{\"ip\":\"1.2.3.4\"}", 422, "is not a field"),
        ("", 422, "the visit is cut off at line 1, column 0"),
        (
            too_long.as_str(),
            413,
            "the body is longer than 8192 bytes; send click ids and addresses of pages alone",
        ),
    ] {
        let reply = Reply::of(world.visit(body)).await.unwrap();
        assert_eq!(reply.status, status, "{}", reply.text);
        assert!(reply.text.contains(error), "{}", reply.text);
        assert!(!reply.text.contains("ada@"), "{}", reply.text);
    }
    let form = world.request(Method::POST, "/api/attributions");
    let form = form.header("content-type", "application/x-www-form-urlencoded").body("id=1");
    assert_eq!(form.send().await.unwrap().status(), 415);
    assert_eq!(world.get("/api/attributions").await.status, 405);
}

#[tokio::test]
async fn an_address_may_report_so_many_visits_in_a_minute() {
    let file = format!("{SITE_SETTINGS}visits_per_minute = 2\n");
    let world = Setup::new().file(&file).start().await;
    let from = async |forwarded: &str| {
        let request = world.request(Method::POST, "/api/attributions").header("x-forwarded-for", forwarded);
        request.body(json!({ "id": VISITOR }).to_string()).send().await.unwrap()
    };
    assert_eq!(from("8.8.8.8").await.status(), 204);
    assert_eq!(from("6.6.6.6, 8.8.8.8").await.status(), 204, "what a visitor claims is not believed");
    let refused = from("8.8.8.8").await;
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (429, Some("30")));
    assert_eq!(from("2001:db8::1").await.status(), 204, "another visitor");
    world.advance(Duration::from_secs(30)).await;
    assert_eq!(from("8.8.8.8").await.status(), 204);

    // Without a trusted proxy the connection's own address counts.
    let world = Setup::new().file("[attribution]\nvisits_per_minute = 1\n").start().await;
    let statuses = async |forwarded: &str| {
        let request = world.request(Method::POST, "/api/attributions").header("x-forwarded-for", forwarded);
        Reply::of(request.body(json!({ "id": VISITOR }).to_string())).await.unwrap().status
    };
    assert_eq!((statuses("8.8.8.8").await, statuses("8.8.4.4").await), (204, 429));
    assert_eq!(kept(&world, VISITOR).await.unwrap().ip.unwrap().to_string(), "127.0.0.1");
}

#[tokio::test]
async fn the_answer_sets_the_cookie_where_a_domain_is_configured() {
    let cookie = |attributes: &str| Some(format!("va_attrib={VISITOR}; {attributes}"));
    for (settings, expected) in [
        ("", None),
        (
            "cookie_domain = 'academy.example'\nkeep_for = '30d'",
            cookie("Path=/; Max-Age=2592000; SameSite=Lax; Domain=academy.example; Secure"),
        ),
        (
            "cookie_domain = 'academy.example'\n[server]\npublic_url = 'http://signals.academy.example'",
            cookie("Path=/; Max-Age=7776000; SameSite=Lax; Domain=academy.example"),
        ),
    ] {
        let file = format!("[attribution]\norigins = ['{SITE}']\n{settings}");
        let world = Setup::new().file(&file).start().await;
        let set_cookie = async |body: Value| {
            let response = world.visit(body.to_string()).send().await.unwrap();
            header(&response, "set-cookie").map(str::to_owned)
        };
        assert_eq!(set_cookie(json!({ "id": VISITOR })).await, expected, "{settings}");
        assert_eq!(set_cookie(json!({ "id": VISITOR, "consent": { "adUserData": "DENIED" } })).await, None);
        assert_eq!(set_cookie(json!({})).await, None);
    }
}

#[tokio::test]
async fn an_attribution_is_forgotten_when_its_time_is_over() {
    let world = Setup::new().file(&format!("{SITE_SETTINGS}keep_for = '2d'\n")).start().await;
    let early = "early-visitor-01";
    world.visited(json!({ "id": early, "ttclid": "a" })).await;
    world.visited(json!({ "id": VISITOR, "ttclid": "b" })).await;
    world.advance(DAY).await;
    world.visited(json!({ "id": VISITOR })).await;
    world.advance(DAY + Duration::from_secs(2 * 3600)).await;
    until("the early one to be forgotten", async || match kept(&world, early).await {
        None => Ok(()),
        Some(attribution) => Err(format!("{attribution:?}")),
    })
    .await;
    assert!(kept(&world, VISITOR).await.is_some(), "it was written to after that");
}

#[tokio::test]
async fn the_script_may_be_cached_until_it_changes() {
    let world = world().await;
    let response = world.request(Method::GET, "/signalbox.js").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(header(&response, "content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(header(&response, "cache-control"), Some("public, max-age=3600"));
    let etag = header(&response, "etag").unwrap().to_owned();
    let text = response.text().await.unwrap();
    for part in
        ["[\"gclid\"]", "[\"ttp\",\"_ttp\"]", "[\"va_attrib\"]", "; Path=/; Max-Age=7776000; SameSite=Lax"]
    {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    for known in [etag.clone(), format!("\"other\", W/{etag}")] {
        let request = world.request(Method::GET, "/signalbox.js").header("if-none-match", known);
        assert_eq!(request.send().await.unwrap().status(), 304);
    }
}

#[tokio::test]
async fn a_proxy_that_nobody_named_is_noticed_once() {
    for (settings, times) in [("", 1), (SITE_SETTINGS, 0)] {
        let platforms = Platforms::start().await;
        let folder = tempfile::tempdir().unwrap();
        let mut program = serve(&platforms, folder.path(), settings, "info").await;
        for visitor in ["8.8.8.8", "8.8.4.4"] {
            let request = program.api.request(Method::POST, "/api/attributions");
            let request =
                request.header("x-forwarded-for", visitor).body(json!({ "id": VISITOR }).to_string());
            assert_eq!(Reply::of(request).await.unwrap().status, 204);
        }
        let log = program.whole_log().await;
        assert_eq!(log.matches("add it to [server] trusted_proxies").count(), times, "{log}");
        assert!(!log.contains("8.8."), "{log}");
    }
}

/// A program with these settings and this log level, with all that it needs in a folder.
async fn serve(platforms: &Platforms, folder: &Path, settings: &str, log: &str) -> Program {
    let mut environment = platforms.environment();
    let file = folder.join("signalbox.toml");
    std::fs::write(&file, settings).unwrap();
    let variables = [
        ("SIGNALBOX_STORE", format!("sqlite://{}", folder.join("signalbox.db").display())),
        ("SIGNALBOX_CONFIG", file.display().to_string()),
        ("SIGNALBOX_LOG", log.to_owned()),
    ];
    environment.extend(variables.map(|(name, value)| (name.to_owned(), value)));
    Program::serve(&environment).await
}

/// What reports of visits hold is about a person, and so is where they come from.
#[tokio::test]
async fn logs_tell_nothing_of_a_visitor() {
    let platforms = Platforms::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut program = serve(&platforms, folder.path(), SITE_SETTINGS, "trace").await;
    let body = json!({ "id": VISITOR, "ttclid": "click-of-ada", "pageUrl": "https://academy.example/?name=Augusta" });
    for (body, status) in [(body.to_string(), 204), (body.to_string().replace("id", "di"), 422)] {
        let request = program
            .api
            .request(Method::POST, "/api/attributions")
            .header("x-forwarded-for", "198.51.100.77")
            .header("user-agent", "Browser-of-Ada/1.0")
            .body(body);
        assert_eq!(Reply::of(request).await.unwrap().status, status);
    }
    let event = json!({ "eventId": "e", "eventName": "TRIAL_BOOKED", "eventTime": 1_768_046_400, "attributionId": VISITOR });
    program.api.report(&[event]).await;
    program.api.until_counts("tiktok", Counts::delivered(1)).await;
    let log = program.whole_log().await;
    for private in ["click-of-ada", "Augusta", "198.51.100.77", "Browser-of-Ada", VISITOR] {
        assert!(!log.contains(private), "{private} is in the log:\n{log}");
    }
}
