//! Replay with intent: what a mistake cost is looked at first, and then sent after all, each conversion once.

use std::collections::BTreeSet;
use std::process::Output;
use std::time::Duration;

use platform_sandbox::{QstashSettings, Settings};
use serde_json::{Value, json};

use crate::harness::{
    Counts, GOOGLE, Platforms, Program, Setup, TIKTOK, World, booked, event, google_verdict, ids, many,
    signalbox, tiktok_verdict, until,
};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// `signalbox replay` beside the service in this process.
async fn command(world: &World, arguments: &[&str]) -> Output {
    let environment = world.environment();
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let run = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        signalbox(&arguments, &environment).output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn said(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The answer to `POST /api/replays`, which must account for all that it found.
async fn ask(world: &World, request: Value) -> Value {
    let reply = world.post("/api/replays", request.to_string()).await;
    assert_eq!(reply.status, 200, "{request}: {}", reply.text);
    let answer = reply.json;
    let left =
        ["tooOld", "skippedAgain", "failedAgain", "couldCountTwice", "purged", "notConfigured", "changed"];
    for counts in answer["groups"].as_array().unwrap().iter().chain([&answer]) {
        let count = |name: &str| counts[name].as_u64().unwrap();
        let accounted = count("replayed") + left.into_iter().map(count).sum::<u64>();
        assert_eq!(count("matched"), accounted, "{answer}");
    }
    answer
}

/// The same without anything being changed.
async fn preview(world: &World, mut request: Value) -> Value {
    request["dryRun"] = true.into();
    ask(world, request).await
}

/// What of an answer is not nothing.
fn counts(answer: &Value) -> Value {
    let all = ["matched", "replayed", "deduplicated", "waiting", "tooOld", "skippedAgain", "failedAgain"];
    let all = all.into_iter().chain(["couldCountTwice", "purged", "notConfigured", "changed", "removed"]);
    let counts = all.filter(|name| answer[name] != 0).map(|name| (name.to_owned(), answer[name].clone()));
    Value::Object(counts.collect())
}

/// Events of which every fourth is good, so that no request is refused whole: then the sink would be held.
fn mostly_bad(count: usize) -> (Vec<Value>, Vec<Value>) {
    let events = many("e", count);
    let (bad, good): (Vec<_>, Vec<_>) = events.into_iter().enumerate().partition(|(n, _)| n % 4 != 3);
    let values = |events: Vec<(usize, Value)>| events.into_iter().map(|(_, event)| event).collect();
    (values(bad), values(good))
}

/// What a wrong setting at the platform made fail is looked at, mended, and replayed.
#[tokio::test]
async fn a_thousand_failed_deliveries_are_previewed_replayed_and_delivered() {
    let world = World::start().await;
    let (bad, good) = mostly_bad(1_333);
    assert_eq!((bad.len(), good.len()), (1_000, 333));
    let refuse = |id| google_verdict(id, "UNPARSEABLE_GCLID", "The gclid could not be parsed.");
    let verdicts = ids(&bad).iter().map(|id| refuse(id)).collect();
    world.platforms.sandbox.configure(GOOGLE, Settings { verdicts, ..Settings::default() });
    let all = many("e", 1_333);
    for part in all.chunks(200) {
        world.report(part).await;
    }
    let failed = Counts { delivered: 333, failed: 1_000, ..Counts::default() };
    world.until_counts("google-ads", failed).await;
    world.until_counts("tiktok", Counts::delivered(1_333)).await;
    world.platforms.sandbox.configure(GOOGLE, Settings::default());
    world.advance(SECOND).await;
    let before = world.deliveries("").await;

    let selection = ["replay", "--sink", "google-ads", "--reason", "rejected"];
    let text = said(&command(&world, &[&selection[..], &["--dry-run"]].concat()).await);
    let expected = "\
        sink        status  reason    match  go    stay\n\
        google-ads  FAILED  rejected  1000   1000  0\n\
        1000 match, 1000 would be replayed: at most 50 a second at each sink, in about 20 s\n";
    assert_eq!(text, expected);
    let output = command(&world, &selection).await;
    assert_eq!(output.status.code(), Some(2), "there is no terminal to ask at");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("nothing was changed") && error.contains("--yes"), "{error}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "the preview comes first");
    assert_eq!(world.deliveries("").await, before);

    let text = said(&command(&world, &[&selection[..], &["--yes", "--rate", "250"]].concat()).await);
    let done = "1000 match, 1000 are replayed: at most 250 a second at each sink, in about 4 s\n";
    assert!(text.ends_with(done), "{text}");
    for _ in 0..4 {
        world.advance(SECOND).await;
    }
    world.until_counts("google-ads", Counts::delivered(1_333)).await;
    world.platforms.assert_counted_once(&ids(&all));
    world.audit().await;

    let after = world.deliveries("sink=google-ads").await;
    let bad = ids(&bad);
    for delivery in &after {
        let is_bad = bad.contains(delivery["eventId"].as_str().unwrap());
        assert_eq!(delivery["attempts"], if is_bad { 2 } else { 1 }, "{delivery}");
    }
    // Both lives, and the same on the wire in each: order id, time, value.
    let lives = after.iter().filter(|delivery| delivery["attempts"] == 2).step_by(50);
    for delivery in lives {
        let detail = world.detail(delivery, "").await;
        let [first, second] = &detail["exchanges"].as_array().unwrap()[..] else { panic!("{detail}") };
        let seen = [first, second].map(|life| (life["number"].clone(), life["result"].clone()));
        assert_eq!(seen, [(1, "rejected"), (2, "delivered")].map(|(n, result)| (n.into(), result.into())));
        assert_eq!(first["requestBody"], second["requestBody"]);
        let id = delivery["eventId"].as_str().unwrap();
        let body: Value = serde_json::from_str(second["requestBody"].as_str().unwrap()).unwrap();
        assert_eq!(body["conversions"][0]["orderId"], id);
        let time = booked(id)["eventTime"].as_str().unwrap().replace('T', " ").replace('Z', "+00:00");
        assert_eq!(body["conversions"][0]["conversionDateTime"], time);
    }
    let id = after.iter().find(|delivery| delivery["attempts"] == 2).unwrap();
    let shown = ["deliveries", "--store", world.store(), "--id", id["id"].as_str().unwrap()];
    let json: Value =
        serde_json::from_str(&said(&command(&world, &[&shown[..], &["--json"]].concat()).await)).unwrap();
    assert_eq!(json, world.detail(id, "").await, "the command and the API show the same");
    let text = said(&command(&world, &shown).await);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[4].starts_with("1 ") && lines[4].contains("rejected"), "{text}");
    assert!(lines[5].starts_with("2 ") && lines[5].contains("delivered"), "{text}");

    let again = said(&command(&world, &[&selection[..], &["--yes"]].concat()).await);
    assert_eq!(again, "0 match, 0 would be replayed\n", "asked twice");
}

#[tokio::test]
async fn each_selector_selects_and_a_wrong_one_is_named() {
    let world = World::start().await;
    let began = world.time_in(Duration::ZERO);
    let verdicts = ["a", "b"].map(|id| tiktok_verdict(id, 40002, "not a valid event"));
    world.platforms.sandbox.configure(TIKTOK, Settings { verdicts: verdicts.into(), ..Settings::default() });
    world.report(&[booked("a")]).await;
    world.settled("tiktok", "a").await;
    world.settled("google-ads", "a").await;
    world.advance(HOUR).await;
    let later = world.time_in(Duration::ZERO);
    world.report(&[booked("b"), event("TRIAL_CANCELED", "c")]).await;
    for (sink, id) in [("tiktok", "b"), ("tiktok", "c"), ("google-ads", "b"), ("google-ads", "c")] {
        world.settled(sink, id).await;
    }
    for (selection, matched) in [
        (json!({ "status": "FAILED" }), 2),
        (json!({ "status": "skipped" }), 2),
        (json!({ "sink": "tiktok" }), 3),
        (json!({ "sink": "google-ads" }), 1),
        (json!({ "reason": "rejected" }), 2),
        (json!({ "reason": "no_event_mapping", "sink": "tiktok" }), 1),
        (json!({ "eventName": "TRIAL_CANCELED" }), 2),
        (json!({ "eventName": "TRIAL_BOOKED", "status": "SKIPPED" }), 0),
        (json!({ "eventId": "b" }), 1),
        (json!({ "since": began }), 4),
        (json!({ "since": later }), 3),
        (json!({ "until": later }), 1),
        (json!({ "until": began }), 0),
        (json!({ "since": began, "until": later, "sink": "tiktok" }), 1),
        (json!({ "settledSince": later }), 3),
        (json!({ "settledUntil": later }), 1),
    ] {
        assert_eq!(preview(&world, selection.clone()).await["matched"], matched, "{selection}");
    }
    let grouped = preview(&world, json!({ "sink": "tiktok" })).await;
    let groups = grouped["groups"].as_array().unwrap();
    let seen: BTreeSet<String> = groups
        .iter()
        .map(|group| format!("{} {} {}", group["status"], group["reason"], group["matched"]))
        .collect();
    assert_eq!(
        seen,
        [r#""FAILED" "rejected" 2"#, r#""SKIPPED" "no_event_mapping" 1"#].map(str::to_owned).into()
    );

    for (request, named) in [
        ("{}", "at least one of sink, status"),
        (r#"{"dryRun": true}"#, "at least one of sink, status"),
        (r#"{"sinks": "tiktok"}"#, "unknown field `sinks`"),
        (r#"{"status": "DELIVERED"}"#, "status: must be SKIPPED or FAILED"),
        (r#"{"status": "PENDING"}"#, "status: must be SKIPPED or FAILED"),
        (r#"{"since": "yesterday"}"#, "since: must be a time as RFC 3339"),
        (r#"{"settledUntil": "9"}"#, "settledUntil: must be a time as RFC 3339"),
        (
            r#"{"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}"#,
            "until: must lie after since",
        ),
        (r#"{"sink": "tiktok", "rate": 0}"#, "rate: must lie between 1 and 10000"),
        (r#"{"sink": "tiktok", "rate": 10001}"#, "rate: must lie between 1 and 10000"),
        (r#"{"sink": "tiktok", "cursor": "x"}"#, "cursor: must be a nextCursor"),
        ("[]", "JSON object"),
        (r#"["tiktok"]"#, "JSON object"),
        ("sink=tiktok", "JSON object"),
    ] {
        let reply = world.post("/api/replays", request).await;
        let error = reply.json["error"].as_str().unwrap_or_default();
        assert_eq!(reply.status, 400, "{request}: {}", reply.text);
        assert!(error.contains(named), "{request}: {error}");
    }
    let unknown = world.post("/api/replays", json!({ "sink": "meta" }).to_string()).await;
    assert_eq!((unknown.status, &unknown.json["error"]), (404, &json!("sink: there is no sink meta")));
    let long = json!({ "reason": "r".repeat(20_000) }).to_string();
    assert_eq!(world.post("/api/replays", long).await.status, 413);
    let output = command(&world, &["replay", "--dry-run"]).await;
    assert_eq!(output.status.code(), Some(2), "the command wants to be told what, too");
}

/// What today's settings would skip again stays, and goes once they are mended.
#[tokio::test]
async fn what_would_be_skipped_again_stays_until_the_settings_are_mended() {
    let world = Setup::new().with("SIGNALBOX_SINKS", "tiktok").start().await;
    world.report(&[event("TRIAL_CANCELED", "c"), event("ORDER_PAID", "o")]).await;
    world.until_counts("tiktok", Counts { skipped: 2, ..Counts::default() }).await;
    let selection = json!({ "status": "SKIPPED" });
    let seen = preview(&world, selection.clone()).await;
    assert_eq!(counts(&seen), json!({ "matched": 2, "skippedAgain": 2 }));
    assert_eq!(seen["reasonsToday"], json!({ "no_event_mapping": 2 }));
    let before = world.deliveries("").await;
    assert_eq!(counts(&ask(&world, selection.clone()).await), counts(&seen));
    assert_eq!(world.deliveries("").await, before);

    let world = world
        .restart(&[("TIKTOK_EVENT_ACTIONS", "ORDER_PAID=CompletePayment"), ("OUTBOUND_MODE", "mock")])
        .await;
    let seen = preview(&world, selection.clone()).await;
    assert_eq!(seen["reasonsToday"], json!({ "mock_mode": 2 }));
    let world = world.restart(&[("OUTBOUND_MODE", "")]).await;
    let done = ask(&world, selection).await;
    assert_eq!(counts(&done), json!({ "matched": 2, "replayed": 1, "skippedAgain": 1 }));
    assert_eq!(world.settled("tiktok", "o").await["status"], "DELIVERED");
    assert_eq!(world.delivery("tiktok", "c").await["status"], "SKIPPED");
    world.audit().await;
}

/// The platform's own rules are told before it is asked: what is too old, and what is no longer at hand.
#[tokio::test]
async fn what_cannot_be_sent_any_more_is_told() {
    let file = "[[sinks]]\nkind = 'tiktok'\nmax_event_age = '${AGE:-3650d}'\n[[sinks]]\nkind = 'google-ads'";
    let world = Setup::new().file(file).start().await;
    let verdicts = ["old", "purged"].map(|id| tiktok_verdict(id, 40002, "not a valid event"));
    world.platforms.sandbox.configure(TIKTOK, Settings { verdicts: verdicts.into(), ..Settings::default() });
    let mut old = booked("old");
    old["eventTime"] = "2026-01-10T12:00:00Z".into();
    world.report(&[old]).await;
    world.settled("tiktok", "old").await;
    let mut fresh = booked("purged");
    fresh["eventTime"] = world.time_in(Duration::ZERO).into();
    world.report(&[fresh]).await;
    world.settled("tiktok", "purged").await;
    let intruder = rusqlite::Connection::open(world.store().strip_prefix("sqlite://").unwrap()).unwrap();
    let purge = "DELETE FROM body WHERE event = (SELECT seq FROM event WHERE id = 'purged')";
    assert_eq!(intruder.execute(purge, []), Ok(1));

    let selection = json!({ "sink": "tiktok" });
    let seen = preview(&world, selection.clone()).await;
    assert_eq!(counts(&seen), json!({ "matched": 2, "replayed": 1, "purged": 1 }));
    let world = world.restart(&[("AGE", "30d")]).await;
    let seen = ask(&world, selection.clone()).await;
    assert_eq!(counts(&seen), json!({ "matched": 2, "tooOld": 1, "purged": 1 }));
    world.until_counts("tiktok", Counts { failed: 2, ..Counts::default() }).await;
    world.audit().await;
}

#[tokio::test]
async fn what_belongs_to_a_sink_that_is_no_longer_configured_stays() {
    let world = World::start().await;
    world.report(&[event("TRIAL_CANCELED", "c")]).await;
    for sink in ["tiktok", "google-ads"] {
        world.settled(sink, "c").await;
    }
    let world = world.restart(&[("SIGNALBOX_SINKS", "google-ads")]).await;
    let seen = ask(&world, json!({ "status": "SKIPPED" })).await;
    assert_eq!(counts(&seen), json!({ "matched": 2, "notConfigured": 1, "skippedAgain": 1 }));
}

/// A delivery that TikTok took without saying so, given up after a minute.
async fn perhaps_received() -> World {
    let setup = Setup::new().with("SIGNALBOX_SINKS", "tiktok").file("[delivery]\nretry_for = '1m'");
    let world = setup.start().await;
    world.platforms.sandbox.configure(TIKTOK, Settings { p_lost_reply: 1.0, ..Settings::default() });
    world.report(&[booked("e")]).await;
    until("the first try", async || {
        let delivery = world.delivery("tiktok", "e").await;
        if delivery["reason"] == "interrupted" { Ok(()) } else { Err(delivery.to_string()) }
    })
    .await;
    world.platforms.sandbox.configure(TIKTOK, Settings::default());
    world.advance(2 * Duration::from_secs(60)).await;
    let delivery = world.settled("tiktok", "e").await;
    assert_eq!((&delivery["status"], &delivery["reason"]), (&json!("FAILED"), &json!("retry_period_over")));
    world
}

#[tokio::test]
async fn what_was_perhaps_received_goes_again_while_the_platform_recognises_it() {
    let world = perhaps_received().await;
    let selection = json!({ "reason": "retry_period_over" });
    let seen = preview(&world, selection.clone()).await;
    assert_eq!(counts(&seen), json!({ "matched": 1, "replayed": 1, "deduplicated": 1 }));
    ask(&world, selection).await;
    assert_eq!(world.settled("tiktok", "e").await["status"], "DELIVERED");
    let report = world.platforms.of(TIKTOK);
    assert_eq!((report.received, report.deduplicated, report.counted_twice), (2, 1, 0), "{report:?}");
}

#[tokio::test]
async fn what_was_perhaps_received_stays_where_it_could_count_twice() {
    let selection = json!({ "sink": "tiktok" });
    let counted_twice = json!({ "matched": 1, "couldCountTwice": 1 });
    let world = perhaps_received().await;
    let world = world.restart(&[("TIKTOK_EVENT_ACTIONS", "TRIAL_BOOKED=CompleteRegistration")]).await;
    assert_eq!(counts(&ask(&world, selection.clone()).await), counted_twice, "under another name");
    let world = world.restart(&[("TIKTOK_EVENT_ACTIONS", "")]).await;
    world.advance(48 * HOUR).await;
    assert_eq!(counts(&ask(&world, selection).await), counted_twice, "after TikTok's 48 hours");
    assert_eq!(world.delivery("tiktok", "e").await["reason"], "retry_period_over", "it stands as it did");
    let report = world.platforms.of(TIKTOK);
    assert_eq!((report.received, report.counted_twice), (1, 0), "{report:?}");
}

/// A conversion that the platform has from another event of the same booking.
#[tokio::test]
async fn a_conversion_that_was_delivered_by_another_event_is_recognised_or_stays() {
    let world = World::start().await;
    let verdicts = [google_verdict("moved", "UNPARSEABLE_GCLID", "The gclid could not be parsed.")];
    world.platforms.sandbox.configure(GOOGLE, Settings { verdicts: verdicts.into(), ..Settings::default() });
    let verdicts = [tiktok_verdict("first", 40002, "not a valid event")];
    world.platforms.sandbox.configure(TIKTOK, Settings { verdicts: verdicts.into(), ..Settings::default() });
    // TikTok refuses the first event of the conversion, and takes the second; what Google has is its order id.
    world.report(&[booked("first")]).await;
    assert_eq!(world.settled("tiktok", "first").await["status"], "FAILED");
    world.platforms.sandbox.configure(TIKTOK, Settings::default());
    let mut moved = event("TRIAL_RESCHEDULED", "moved");
    moved["conversionId"] = "first".into();
    world.report(&[moved]).await;
    assert_eq!(world.settled("tiktok", "moved").await["status"], "DELIVERED");

    let selection = json!({ "sink": "tiktok", "status": "FAILED" });
    let seen = preview(&world, selection.clone()).await;
    assert_eq!(counts(&seen), json!({ "matched": 1, "replayed": 1, "deduplicated": 1 }));
    world.advance(49 * HOUR).await;
    let seen = ask(&world, selection).await;
    assert_eq!(counts(&seen), json!({ "matched": 1, "couldCountTwice": 1 }));
    assert_eq!(world.platforms.of(TIKTOK).counted_twice, 0);
}

/// A world with thirty skipped deliveries at TikTok that would now be sent.
async fn thirty(setup: Setup) -> World {
    let world = setup.with("SIGNALBOX_SINKS", "tiktok").with("TIKTOK_ACCESS_TOKEN", "").start().await;
    world
        .platforms
        .sandbox
        .qstash()
        .configure(QstashSettings { time_scale: 0.001, ..QstashSettings::default() });
    world.report(&many("e", 30)).await;
    world.until_counts("tiktok", Counts { skipped: 30, ..Counts::default() }).await;
    world.restart(&[("TIKTOK_ACCESS_TOKEN", "tiktok-token")]).await
}

async fn no_more_than_the_rate(setup: Setup) {
    let world = thirty(setup).await;
    let selection = json!({ "reason": "missing_credentials", "rate": 10 });
    let done = ask(&world, selection.clone()).await;
    assert_eq!(counts(&done), json!({ "matched": 30, "replayed": 30 }));
    assert_eq!(done["lastDueAt"], world.time_in(2 * SECOND));
    assert_eq!(counts(&ask(&world, selection.clone()).await), json!({}), "asked twice");
    let after = |delivered| Counts { delivered, pending: 30 - delivered, ..Counts::default() };
    world.until_counts("tiktok", after(10)).await;
    let due: BTreeSet<String> = world
        .deliveries("status=PENDING")
        .await
        .iter()
        .map(|delivery| delivery["nextAttemptAt"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(due, [world.time_in(SECOND), world.time_in(2 * SECOND)].into());

    // The schedule is in the store: no loop has to survive.
    let world = world.restart(&[]).await;
    assert_eq!(preview(&world, json!({ "sink": "tiktok" })).await["busyUntil"], world.time_in(3 * SECOND));
    world.advance(SECOND).await;
    world.until_counts("tiktok", after(20)).await;
    assert_eq!(world.platforms.of(TIKTOK).received, 20);
    world.advance(SECOND).await;
    world.until_counts("tiktok", after(30)).await;
    world.platforms.sandbox.ids(TIKTOK);
    let report = world.platforms.of(TIKTOK);
    assert_eq!((report.received, report.deduplicated, report.counted_twice), (30, 0, 0), "{report:?}");
    world.audit().await;
}

#[tokio::test]
async fn a_replay_is_no_faster_than_it_may_be() {
    no_more_than_the_rate(Setup::new()).await;
}

#[tokio::test]
async fn a_replay_by_the_queue_is_no_faster_either() {
    no_more_than_the_rate(Setup::queued()).await;
}

/// What is more than one call looks through is gone on with.
#[tokio::test]
async fn a_long_replay_goes_on_from_call_to_call() {
    let setup = Setup::new().with("SIGNALBOX_SINKS", "tiktok").with("TIKTOK_ACCESS_TOKEN", "");
    let world = setup.start().await;
    for part in many("e", 6_000).chunks(1_000) {
        world.report(part).await;
    }
    world.until_counts("tiktok", Counts { skipped: 6_000, ..Counts::default() }).await;
    let world = world.restart(&[("TIKTOK_ACCESS_TOKEN", "tiktok-token")]).await;
    world.advance(SECOND).await;
    let first = preview(&world, json!({ "sink": "tiktok" })).await;
    assert_eq!(counts(&first), json!({ "matched": 5_000, "replayed": 5_000 }));
    let rest = preview(&world, json!({ "sink": "tiktok", "cursor": first["nextCursor"] })).await;
    assert_eq!(
        (counts(&rest), &rest["nextCursor"]),
        (json!({ "matched": 1_000, "replayed": 1_000 }), &json!(null))
    );

    let output = command(&world, &["replay", "--sink", "tiktok", "--rate", "10000", "--yes", "--json"]).await;
    let done: Value = serde_json::from_str(&said(&output)).unwrap();
    assert_eq!(counts(&done), json!({ "matched": 6_000, "replayed": 6_000 }));
    assert_eq!((&done["dryRun"], &done["nextCursor"]), (&json!(false), &json!(null)));
    world.advance(SECOND).await;
    world.until_counts("tiktok", Counts::delivered(6_000)).await;
    assert_eq!(world.platforms.of(TIKTOK).counted_twice, 0);
}

/// `kill -9` while a replay is under way: what went goes, what did not is found when it is asked for again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_that_is_killed_midway_is_asked_for_again() {
    const EVENTS: u64 = 2_000;
    let platforms = Platforms::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("signalbox.db");
    let mut environment = platforms.environment();
    environment.insert("SIGNALBOX_STORE".to_owned(), format!("sqlite://{}", path.display()));
    environment.insert("SIGNALBOX_SINKS".to_owned(), "tiktok".to_owned());
    let token = environment.remove("TIKTOK_ACCESS_TOKEN").unwrap();
    let events = many("e", usize::try_from(EVENTS).unwrap());
    let mut program = Program::serve(&environment).await;
    program.api.report(&events).await;
    program.api.until_counts("tiktok", Counts { skipped: EVENTS, ..Counts::default() }).await;
    program.kill();

    environment.insert("TIKTOK_ACCESS_TOKEN".to_owned(), token);
    let mut program = Program::serve(&environment).await;
    let api = program.api.clone();
    let request = json!({ "sink": "tiktok", "rate": 1_000 }).to_string();
    let mut asking = tokio::task::JoinSet::new();
    let asked = request.clone();
    asking.spawn(async move { api.try_post("/api/replays", asked).await.is_ok() });
    let store = rusqlite::Connection::open(&path).unwrap();
    until("the first to be replayed", async || {
        let sql = "SELECT count(*) FROM delivery WHERE status = 2";
        let skipped: u32 = store.query_row(sql, [], |row| row.get(0)).unwrap();
        if u64::from(skipped) < EVENTS { Ok(()) } else { Err(format!("{skipped} skipped")) }
    })
    .await;
    program.kill();
    drop(store);
    asking.join_next().await.unwrap().unwrap();

    let program = Program::serve(&environment).await;
    let reply = program.api.post("/api/replays", request).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    program.api.until_counts("tiktok", Counts::delivered(EVENTS)).await;
    program.api.audit().await;
    let (lost, report) = (&ids(&events) - &platforms.ids(TIKTOK), platforms.of(TIKTOK));
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(report.counted_twice, 0, "{report:?}");
}
