//! Who may do what.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;

use crate::harness::{Program, Reply, Setup, booked, many, signalbox};

// printf %s ingest-key | sha256sum, and so on.
const KEYS: &str = "
[[keys]]
name = 'shop'
sha256 = 'facd3991f687d349439575a49727ad88f56fdb0043b36744314bd2e15511c01e'
scopes = ['ingest']
[[keys]]
name = 'dashboard'
sha256 = '8578df6c579d44d3bf7caeada69ed9cbca30b318a50a0e60216b46760edf5477'
scopes = ['read']
[[keys]]
name = 'operator'
sha256 = '69A5265506C94C77B787A7D7377B7685A0EFF82E33920A71E7EE22CD6154953E'
scopes = ['admin']
";

#[tokio::test]
async fn each_scope_opens_its_own_doors() {
    let world = Setup::new().file(KEYS).with("SIGNALBOX_API_KEY", "environment-key").start().await;
    let event = booked("a").to_string();
    let reading = [
        "/api/deliveries",
        "/api/deliveries/1-1",
        "/api/events/TRIAL_BOOKED/a",
        "/api/sinks",
        "/api/audit",
        "/api/sources",
        "/api/notices",
    ];
    let routes = [(Method::POST, "/api/events", "ingest")]
        .into_iter()
        .chain(reading.map(|path| (Method::GET, path, "read")))
        .chain([
            (Method::POST, "/api/graphql", "read"),
            (Method::POST, "/api/sinks/tiktok/resume", "admin"),
            (Method::POST, "/api/deliveries/999-1/retry", "admin"),
            (Method::POST, "/api/sources/acuity/resume", "admin"),
            (Method::POST, "/api/sources/acuity/reconcile", "admin"),
            (Method::POST, "/api/notices/999/retry", "admin"),
            (Method::POST, "/api/replays", "admin"),
        ]);
    for (method, path, scope) in routes {
        for (key, scopes) in [
            (None, None),
            (Some("nobody"), None),
            (Some("ingest-key "), Some("ingest")),
            (Some("ingest-key"), Some("ingest")),
            (Some("read-key"), Some("read")),
            (Some("admin-key"), Some("ingest read admin")),
            (Some("environment-key"), Some("ingest read admin")),
        ] {
            let request = world.request(method.clone(), path).body(event.clone());
            let request = match key {
                Some(key) => request.header("authorization", format!("Bearer {key}")),
                None => request,
            };
            let reply = Reply::of(request).await.unwrap();
            let expected = match scopes {
                None => "401",
                Some(scopes) if scopes.contains(scope) => "through",
                Some(_) => "403",
            };
            let seen = match reply.status {
                401 => "401",
                403 => "403",
                _ => "through",
            };
            assert_eq!(seen, expected, "{method} {path} with {key:?}: {}", reply.text);
        }
    }
    for open in ["/healthz", "/readyz"] {
        assert_eq!(world.get(open).await.status, 200, "{open}");
    }
}

#[tokio::test]
async fn neighbours_of_a_batch_are_shown_to_admins_alone() {
    let world = Setup::new().file(KEYS).start().await;
    let (shop, reader, admin) =
        (world.with_key("ingest-key"), world.with_key("read-key"), world.with_key("admin-key"));
    shop.report(&many("n", 3)).await;
    let delivery = reader.settled("tiktok", "n-1").await;
    let path = format!("/api/deliveries/{}", delivery["id"].as_str().unwrap());
    assert_eq!(reader.get(&format!("{path}?whole=true")).await.status, 403);
    for (api, query, sees_neighbours) in
        [(&reader, "", false), (&admin, "", false), (&admin, "?whole=true", true)]
    {
        let text = api.read(&format!("{path}{query}")).await.to_string();
        assert!(text.contains("ttclid-n-1"));
        assert_eq!(text.contains("ttclid-n-0"), sees_neighbours, "{query}");
    }
}

/// Whoever guesses is told to wait; whoever shares the address and has the right key is not.
#[tokio::test]
async fn an_address_that_guesses_keys_has_to_wait() {
    let world = Setup::new().file(KEYS).with("TIKTOK_TEST_SECRET", "test-secret").start().await;
    let guess = async |path: &str| world.with_key("guess").post(path, "{}").await.status;
    for number in 0..30 {
        let path = if number % 2 == 0 { "/api/sinks/tiktok/resume" } else { "/api/test/tiktok" };
        assert_eq!(guess(path).await, 401, "{number}");
    }
    for path in ["/api/sinks/tiktok/resume", "/api/test/tiktok", "/api/events"] {
        let answer = world.with_key("guess").request(Method::POST, path).send().await.unwrap();
        assert_eq!(answer.status(), 429, "{path}");
        // Thirty in a minute.
        assert_eq!(answer.headers()["retry-after"], "2", "{path}");
        assert!(
            answer.text().await.unwrap().contains("too many wrong keys came from this address"),
            "{path}"
        );
    }
    assert_eq!(world.get("/api/sinks").await.status, 401, "no key is no guess");
    assert_eq!(world.with_key("read-key").get("/api/sinks").await.status, 200);
    assert_eq!(world.with_key("ingest-key").get("/api/sinks").await.status, 403, "a known key is no guess");
    let test = world.with_key("test-secret").post("/api/test/tiktok", booked("t").to_string()).await;
    assert_eq!(test.status, 200, "{}", test.text);
    world.advance(Duration::from_secs(2)).await;
    assert_eq!(guess("/api/events").await, 401);
    assert_eq!(guess("/api/events").await, 429);
}

#[tokio::test]
async fn a_new_key_opens_what_its_scopes_say() {
    let new = |arguments: &[&str]| {
        let output = signalbox(&[&["keys", "new"], arguments].concat(), &BTreeMap::new()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let (first, second) =
        (new(&["the \"shop\"", "--scopes", "ingest"]), new(&["board", "--scopes", "read,ingest"]));
    let (first_key, first_table) = first.split_once("\n\n").unwrap();
    let (second_key, second_table) = second.split_once("\n\n").unwrap();
    assert_ne!(first_key, second_key);
    assert!(first_key.starts_with("signalbox_") && !first_table.contains(first_key));
    let world = Setup::new().file(first_table).file(second_table).start().await;
    for (key, reads) in [(first_key, 403), (second_key, 200)] {
        let api = world.with_key(key);
        assert_eq!(api.get("/api/sinks").await.status, reads);
        assert_eq!(api.post("/api/events", booked("e").to_string()).await.status, 202);
    }
    let output = signalbox(&["keys", "new", "x", "--scopes", "write"], &BTreeMap::new()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("must be ingest, read or admin"));
}

#[test]
fn without_keys_only_loopback_is_listened_on() {
    let sentence = "refusing to listen on 0.0.0.0:0 without API keys: set SIGNALBOX_API_KEY or [[keys]], or listen on \
                    127.0.0.1";
    let by_variable = [("SIGNALBOX_LISTEN".to_owned(), "0.0.0.0:0".to_owned())].into();
    for (arguments, environment) in
        [(&["serve", "--listen", "0.0.0.0:0"][..], BTreeMap::new()), (&["serve"][..], by_variable)]
    {
        let folder = tempfile::tempdir().unwrap();
        let output = signalbox(arguments, &environment).current_dir(folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.matches(sentence).count(), 1, "{said}");
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "it refuses before it writes anything"
        );
    }
}

#[tokio::test]
async fn a_key_from_the_environment_guards_a_running_service() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite://{}", folder.path().join("signalbox.db").display());
    let variables = [("SIGNALBOX_STORE", store.as_str()), ("SIGNALBOX_API_KEY", "the-key")];
    let environment = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let mut program = Program::serve(&environment).await;
    assert_eq!(program.api.get("/api/sinks").await.status, 401);
    assert_eq!(program.api.with_key("the-key").get("/api/sinks").await.status, 200);
    let printed = program.whole_log().await;
    assert!(printed.contains("a request was refused: send an API key"), "{printed}");
    assert!(!printed.contains("the-key"), "{printed}");
}

/// A browser on the same machine reaches loopback addresses as well; a page in it must not report or read events.
#[tokio::test]
async fn without_keys_no_web_page_is_served() {
    let world = Setup::new().start().await;
    let foreign = [("origin", "https://evil.example"), ("host", "rebound.example")];
    for (name, value) in foreign {
        for (method, path) in [(Method::POST, "/api/events"), (Method::GET, "/api/deliveries")] {
            let request = world.request(method, path).header(name, value).body(booked("a").to_string());
            let reply = Reply::of(request).await.unwrap();
            assert_eq!(reply.status, 403, "{name} {path}: {}", reply.text);
        }
    }
    assert_eq!(world.audit().await["accepted"], 0);
    // With a key, what a page can know no longer matters.
    let world = Setup::new().with("SIGNALBOX_API_KEY", "the-key").start().await;
    for (name, value) in foreign {
        let request = world.with_key("the-key").request(Method::GET, "/api/sinks").header(name, value);
        assert_eq!(Reply::of(request).await.unwrap().status, 200, "{name}");
    }
}
