//! Who may do what.

use std::collections::BTreeMap;

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
    let program = Program::serve(&environment).await;
    assert_eq!(program.api.get("/api/sinks").await.status, 401);
    assert_eq!(program.api.with_key("the-key").get("/api/sinks").await.status, 200);
    let printed = program.printed().join("\n");
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
