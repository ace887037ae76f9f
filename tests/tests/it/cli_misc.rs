//! The other commands, and the program as the README starts it.

use std::collections::BTreeMap;
use std::process::Output;

use serde_json::Value;

use crate::harness::{Api, Counts, Program, SPEC_EVENT, World, event, many, signalbox};

fn run(arguments: &[&str], environment: &BTreeMap<String, String>) -> Output {
    signalbox(arguments, environment).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn deliveries_and_audit_read_the_store() {
    let world = World::start().await;
    world.report(&many("e", 30)).await;
    world.report(&[event("TRIAL_CANCELED", "canceled")]).await;
    for sink in ["tiktok", "google-ads"] {
        world.until_counts(sink, Counts { delivered: 30, skipped: 1, ..Counts::default() }).await;
    }
    let none = BTreeMap::new();
    let store = ["--store", world.store()];

    for (filters, count) in [
        (&[][..], 20),
        (&["--limit", "500"], 62),
        (&["--status", "skipped"], 2),
        (&["--sink", "tiktok", "--limit", "100"], 31),
        (&["--reason", "no_event_mapping", "--sink", "tiktok"], 1),
        (&["--event-id", "e-7"], 2),
        (&["--since", "2999-01-01T00:00:00Z"], 0),
    ] {
        let output = run(&[&["deliveries", "--json"], &store[..], filters].concat(), &none);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let items: Vec<Value> =
            text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(items.len(), count, "{filters:?}");
    }
    let output = run(
        &[&["deliveries", "--json", "--event-id", "e-7", "--sink", "tiktok"], &store[..]].concat(),
        &none,
    );
    let item: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(item, world.delivery("tiktok", "e-7").await, "the command and the API show the same");

    let table = text(&run(&[&["deliveries"], &store[..]].concat(), &none).stdout);
    assert!(
        table.contains("TRIAL_CANCELED") && table.contains("SKIPPED") && table.contains("and more"),
        "{table}"
    );

    let output = run(&[&["audit"], &store[..]].concat(), &none);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("31 events accepted; balanced"), "{}", text(&output.stdout));
    let output = run(&[&["audit", "--json"], &store[..]].concat(), &none);
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), world.audit().await);
}

/// A delivery that vanished is what the audit is there to find.
#[tokio::test]
async fn an_account_that_does_not_add_up_is_told_by_the_exit_code() {
    let world = World::start().await;
    world.report(&many("e", 10)).await;
    world.until_counts("tiktok", Counts::delivered(10)).await;
    world.until_counts("google-ads", Counts::delivered(10)).await;
    let path = world.store().strip_prefix("sqlite://").unwrap();
    let intruder = rusqlite::Connection::open(path).unwrap();
    assert_eq!(intruder.execute("DELETE FROM delivery WHERE event = 3 AND sink = 1", []), Ok(1));
    let output = run(&["audit", "--store", world.store()], &BTreeMap::new());
    assert_eq!(output.status.code(), Some(1));
    let table = text(&output.stdout);
    assert!(table.contains("NOT BALANCED"), "{table}");
    assert!(table.contains("tiktok: 10 counted as delivered, 9 found"), "{table}");
    assert_eq!(world.read("/api/audit").await["balanced"], false);
}

#[test]
fn mistakes_on_the_command_line_are_answered_with_what_would_be_right() {
    let none = BTreeMap::new();
    for (arguments, said) in [
        (&["check", "--ofline"][..], "'--offline'"),
        (&["sned", "file"], "'send'"),
        (&["deliveries", "--status", "done"], "must be PENDING, DELIVERED, SKIPPED or FAILED"),
        (&["notices", "--status", "delivered"], "must be PENDING, DONE, IGNORED or FAILED"),
        (&["deliveries", "--since", "yesterday"], "--since"),
        (&["demo", "--bookings", "5000"], "100"),
        (&["serve", "--listen", "8080"], "--listen"),
        (&["send"], "FILE"),
        (&["audit", "--store", "postgres://db/x"], "postgres:// is not supported"),
        (&["audit", "--store", "sqlite:///no/such/file.db"], "/no/such"),
        (&["--config", "no-such.toml", "check"], "cannot read no-such.toml"),
        (&["sandbox", "--listen", "0.0.0.0:0"], "loopback only"),
        (&[], "Usage"),
    ] {
        let output = run(arguments, &none);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(said), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn completions_for_every_shell() {
    for (shell, said) in
        [("bash", "_signalbox()"), ("zsh", "#compdef signalbox"), ("fish", "complete -c signalbox")]
    {
        let output = run(&["completions", shell], &BTreeMap::new());
        assert_eq!(output.status.code(), Some(0));
        let script = text(&output.stdout);
        assert!(script.contains(said) && script.contains("deliveries"), "{shell}");
    }
}

#[test]
fn the_demo_ends_with_an_account_that_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    let environment = [("TMPDIR".to_owned(), folder.path().display().to_string())].into();
    let output = run(&["demo", "--bookings", "20"], &environment);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    for said in [
        "20 of 20 booked",
        // Of each ten people one moves the booking, two cancel it and one edits it. Each booking, move and cancellation is
        // told by four webhooks, each edit by two.
        "20 bookings, 2 moved, 4 canceled → 108 webhooks → 26 events → 104 deliveries",
        "26 events accepted; balanced",
        "counted twice by a platform: 0",
        "taken back at Google Ads: 2",
        // Of what Data Manager took it refuses one two hours later.
        "later verdicts       awaited  confirmed  refused  unconfirmed\ngoogle-data-manager  0        11         1        0",
        "Google Data Manager refused it later: CLICK_NOT_FOUND",
        "No TikTok event mapping for: TRIAL_CANCELED",
        "Canceled before the conversion was sent",
        "a click that is less than 6 hours old",
    ] {
        assert!(shown.contains(said), "{said} is not in\n{shown}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it leaves nothing behind");
}

/// The specification's curl, with a sandbox and a service that are processes of their own.
#[tokio::test]
async fn sandbox_and_service_as_two_processes() {
    let sandbox = Program::sandbox().await;
    let base = sandbox.api.base.as_str();
    // The greeting says how to point a service at it; that is what is set here.
    let greeting = sandbox.printed().join("\n");
    let words = greeting.split_whitespace().filter_map(|word| word.split_once('='));
    let mut environment: BTreeMap<String, String> =
        words.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(environment["TIKTOK_BASE_URL"], base);
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("signalbox.db");
    environment.insert("SIGNALBOX_STORE".to_owned(), format!("sqlite://{}", store.display()));
    environment.insert("TIKTOK_TEST_SECRET".to_owned(), "YOUR_TEST_SECRET".to_owned());
    let mut service = Program::serve(&environment).await;

    let reply = service.api.with_key("YOUR_TEST_SECRET").post("/api/test/tiktok", SPEC_EVENT).await;
    assert_eq!((reply.status, &reply.json["ok"]), (200, &Value::Bool(true)), "{}", reply.text);
    let live = SPEC_EVENT.replace("test-123", "live-123");
    assert_eq!(service.api.post("/api/events", live).await.status, 202);
    for sink in ["tiktok", "google-ads"] {
        assert_eq!(service.api.settled(sink, "live-123").await["status"], "DELIVERED");
    }
    let report = Api::new(base).read("/__report").await;
    assert_eq!(
        (&report["sinks"]["tiktok"]["received"], &report["sinks"]["google-ads"]["received"]),
        (&2.into(), &1.into())
    );
    let logged = service.whole_log().await;
    for private in ["test@example.com", "4155551234", "YOUR_TEST_SECRET"] {
        assert!(!logged.contains(private), "{logged}");
    }
}
