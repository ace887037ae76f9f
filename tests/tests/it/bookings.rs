//! Bookings: what Acuity tells becomes one event for each thing that happened, whatever happens on the way.

use std::collections::BTreeSet;
use std::process::Output;
use std::time::Duration;

use platform_sandbox::{AcuitySettings, Edit, Twins};
use reqwest::Method;
use serde_json::json;

use crate::harness::{
    Counts, Platforms, Program, Reply, Setup, TIKTOK, TRIAL, WEBHOOKS, World, signalbox, trial, until,
};

const DAY: Duration = Duration::from_secs(86_400);
const MINUTE: Duration = Duration::from_secs(60);

/// Acuity's own: `platforms/acuity.md`, section 2.
const KEY: &str = "test-api-key";
const BODY: &str = "action=scheduled&id=12345&calendarID=77&appointmentTypeID=88";
const SIGNATURE: &str = "om0Auwu2ujJGE20HGdATONQ+ffz1eS5VsC1LJUeYeT0=";

async fn post(world: &World, path: &str, signature: Option<&str>, body: &str) -> Reply {
    let mut request = world.request(Method::POST, path).body(body.to_owned());
    if let Some(signature) = signature {
        request = request.header("x-acuity-signature", signature);
    }
    Reply::of(request).await.unwrap()
}

/// `text` with one bit of one character changed, for every character.
fn altered(text: &str) -> Vec<String> {
    let flip = |at: usize| {
        let bytes = text.bytes().enumerate().map(|(index, byte)| if index == at { byte ^ 1 } else { byte });
        String::from_utf8(bytes.collect()).unwrap()
    };
    (0..text.len()).map(flip).collect()
}

#[tokio::test]
async fn only_what_acuity_signed_is_taken() {
    let setup = Setup::new().with("SIGNALBOX_API_KEY", "operator").with_acuity().with("ACUITY_API_KEY", KEY);
    let world =
        setup.start_with(|platforms| vec![("ACUITY_BASE_URL".to_owned(), platforms.base.clone())]).await;
    world.acuity_is(AcuitySettings { api_key: KEY.to_owned(), ..AcuitySettings::default() });
    let operator = world.with_key("operator");
    for body in altered(BODY) {
        assert_eq!(post(&world, WEBHOOKS, Some(SIGNATURE), &body).await.status, 401, "{body}");
    }
    for signature in altered(SIGNATURE) {
        assert_eq!(post(&world, WEBHOOKS, Some(&signature), BODY).await.status, 401, "{signature}");
    }
    let long = "x".repeat(16 * 1024 + 1);
    for (path, signature, body, status) in [
        (WEBHOOKS, None, BODY, 401),
        (WEBHOOKS, Some(""), BODY, 401),
        (WEBHOOKS, Some(SIGNATURE), &long, 413),
        ("/api/webhooks/acuity/another", Some(SIGNATURE), BODY, 404),
        ("/api/webhooks/calendly/acuity", Some(SIGNATURE), BODY, 404),
    ] {
        let reply = post(&world, path, signature, body).await;
        assert_eq!(reply.status, status, "{path} {signature:?}: {}", reply.text);
    }
    assert_eq!(operator.notices("").await, [json!(null); 0], "nothing is stored of what is refused");

    // No key is asked for: the signature is the proof.
    let reply = post(&world, WEBHOOKS, Some(SIGNATURE), BODY).await;
    assert_eq!((reply.status, reply.json), (200, json!({})));
    let failed = until("the notice to fail", async || {
        let mut notices = operator.notices("status=FAILED&source=acuity&appointmentId=12345").await;
        notices.pop().ok_or_else(|| "it waits".to_owned())
    })
    .await;
    // Acuity has no such appointment.
    assert_eq!([&failed["action"], &failed["reason"]], ["scheduled", "rejected"], "{failed}");
    let fix = "mend what the message says; if the mend is a setting or in the account, retry";
    assert_eq!([&failed["fix"], &failed["actor"]], [fix, "OPERATOR"]);
    let listed = signalbox(&["notices", "--store", world.store()], &world.environment()).output().unwrap();
    assert!(String::from_utf8(listed.stdout).unwrap().contains(fix));
    assert_eq!(operator.source("acuity").await["failed"], 1);

    let retry = format!("/api/notices/{}/retry", failed["id"].as_str().unwrap());
    assert_eq!(world.post(&retry, "").await.status, 401);
    assert_eq!(operator.post(&retry, "").await.status, 202);
    assert_eq!(operator.post("/api/notices/4711/retry", "").await.status, 404);
    until("another fetch", async || {
        let requests = world.acuity_report().api_requests;
        if requests == 2 { Ok(()) } else { Err(requests.to_string()) }
    })
    .await;
}

/// Each act is told four times, by two words, in any order.
#[tokio::test]
async fn one_act_told_many_times_in_any_order_makes_one_event() {
    for twins in [Twins::Before, Twins::After, Twins::Either] {
        let settings = AcuitySettings { twins, repeats: 1, shuffle_ms: 30, ..AcuitySettings::default() };
        let world = Setup::new().start_with_acuity(settings).await;
        let acuity = world.acuity();
        let id = acuity.book(trial("ada", world.time_in(DAY))).unwrap();
        world.until_told(4).await;
        acuity.reschedule(id, &world.time_in(2 * DAY)).unwrap();
        world.until_told(8).await;
        // Two webhooks: that nothing else is told needs no twin. Of a trial, a new price is none of the platforms' business.
        acuity
            .edit(
                id,
                Edit { phone: Some("4155550101".into()), price: Some("59.00".into()), ..Edit::default() },
            )
            .unwrap();
        world.until_told(10).await;
        let conversion = format!("appt-{id}");
        let event =
            |name: &str, suffix: &str| [name.to_owned(), format!("{conversion}{suffix}"), conversion.clone()];
        let expected = [event("TRIAL_BOOKED", ""), event("TRIAL_RESCHEDULED", "-1")];
        for sink in ["tiktok", "google-ads"] {
            world.settled(sink, &format!("{conversion}-1")).await;
            assert_eq!(world.told(sink).await, expected, "{twins:?}");
        }
        for notice in world.notices("").await {
            match notice["status"].as_str().unwrap() {
                "DONE" => assert!(notice["eventId"].as_str().unwrap().starts_with(&conversion), "{notice}"),
                _ => assert_eq!([&notice["status"], &notice["reason"]], ["IGNORED", "no_change"], "{notice}"),
            }
        }
        assert_eq!(world.platforms.ids(TIKTOK), BTreeSet::from([conversion]));
        world.audit().await;
    }
}

#[tokio::test]
async fn a_cancellation_told_as_a_change_is_one_and_tiktok_is_not_told() {
    let settings = AcuitySettings { only_changed: true, repeats: 2, ..AcuitySettings::default() };
    let world = Setup::new().start_with_acuity(settings).await;
    let id = world.acuity().book(trial("ada", world.time_in(DAY))).unwrap();
    world.until_told(3).await;
    world.acuity().cancel(id).unwrap();
    world.until_told(6).await;
    let skipped = world.settled("tiktok", &format!("appt-{id}-1")).await;
    assert_eq!([&skipped["eventName"], &skipped["status"]], ["TRIAL_CANCELED", "SKIPPED"]);
    assert_eq!(skipped["message"], "No TikTok event mapping for: TRIAL_CANCELED");
    assert_eq!(skipped["conversionId"], format!("appt-{id}"));
    assert_eq!(world.told("tiktok").await.len(), 2);
}

#[tokio::test]
async fn the_event_says_what_the_appointment_says() {
    let setup = Setup::new().with("ACUITY_CURRENCY", "EUR");
    let world = setup.start_with_acuity(AcuitySettings::default()).await;
    let made_at = world.time_in(Duration::ZERO);
    let mut booking = trial("ada", world.time_in(DAY));
    booking.datetime_created = Some(made_at.clone());
    let trial = world.acuity().book(booking.clone()).unwrap();
    let lesson = world.acuity().book(platform_sandbox::Booking { type_id: TRIAL + 1, ..booking }).unwrap();
    world.until_told(2).await;
    let event = world.read(&format!("/api/events/TRIAL_BOOKED/appt-{trial}")).await;
    let said = &event["event"];
    assert_eq!([&said["email"], &said["firstName"]], ["ada@example.com", "ada"]);
    assert_eq!([&said["value"], &said["currency"]], [&json!(49.00), &json!("EUR")]);
    assert_eq!([&said["eventTime"], &said["appointmentId"]], [&json!(made_at), &json!(trial.to_string())]);
    world.read(&format!("/api/events/APPOINTMENT_UPDATED/appt-{lesson}")).await;
}

#[tokio::test]
async fn while_acuity_is_down_webhooks_are_taken_and_later_all_is_told() {
    let world =
        Setup::new().start_with_acuity(AcuitySettings { down: true, ..AcuitySettings::default() }).await;
    for number in 0..20 {
        world.acuity().book(trial(&format!("v{number}"), world.time_in(DAY))).unwrap();
    }
    let held = world.until_source("acuity", "HELD").await;
    assert_eq!(held["holdReason"], "unavailable");
    until("all webhooks to be answered", async || {
        let report = world.acuity_report();
        if report.webhooks_accepted == 20 { Ok(()) } else { Err(format!("{report:?}")) }
    })
    .await;
    assert_eq!(world.acuity_report().webhooks_refused, 0);
    world.advance(DAY).await;
    assert_eq!(world.source("acuity").await["pending"], 20);

    world.acuity_is(AcuitySettings::default());
    until("all to be fetched", async || {
        // Hold and backoff are over within hours, each at its time.
        world.advance(10 * MINUTE).await;
        let source = world.source("acuity").await;
        if source["pending"] == 0 { Ok(()) } else { Err(source.to_string()) }
    })
    .await;
    world.until_counts("tiktok", Counts::delivered(20)).await;
    assert_eq!(world.source("acuity").await["state"], "ACTIVE");
}

#[tokio::test]
async fn a_refused_key_holds_the_source_until_it_is_mended() {
    let ours = AcuitySettings::default().api_key;
    let wrong = AcuitySettings {
        api_key: "changed".to_owned(),
        signing_key: Some(ours),
        ..AcuitySettings::default()
    };
    let world = Setup::new().start_with_acuity(wrong).await;
    world.acuity().book(trial("ada", world.time_in(DAY))).unwrap();
    let held = world.until_source("acuity", "HELD").await;
    assert_eq!(held["holdReason"], "unauthorized");
    assert_eq!(held["heldUntil"], world.time_in(15 * MINUTE));
    for name in ["ben", "cleo"] {
        world.acuity().book(trial(name, world.time_in(DAY))).unwrap();
    }
    until("the webhooks to be taken", async || {
        let source = world.source("acuity").await;
        if source["pending"] == 3 { Ok(()) } else { Err(source.to_string()) }
    })
    .await;
    let asked = world.acuity_report().api_requests;
    assert_eq!(asked, 1, "a held source asks nothing");
    // Three weeks: longer than any notice is tried. Held time does not count.
    world.advance(21 * DAY).await;
    until("a probe", async || {
        let requests = world.acuity_report().api_requests;
        if requests == asked + 1 { Ok(()) } else { Err(requests.to_string()) }
    })
    .await;
    let still = world.until_source("acuity", "HELD").await;
    assert_eq!([&still["pending"], &still["failed"]], [3, 0]);
    let waiting = world.notices("status=PENDING&source=acuity").await;
    assert!(waiting.iter().any(|notice| notice["reason"] == "unauthorized"), "{waiting:?}");

    world.acuity_is(AcuitySettings::default());
    let resumed = world.post("/api/sources/acuity/resume", "").await;
    assert_eq!((resumed.status, resumed.json), (200, json!({ "name": "acuity", "state": "ACTIVE" })));
    assert_eq!(world.post("/api/sources/another/resume", "").await.status, 404);
    world.until_told(3).await;
    world.until_counts("tiktok", Counts::delivered(3)).await;
    assert_eq!(world.source("acuity").await["state"], "ACTIVE");
}

#[tokio::test]
async fn asked_to_slow_down_the_source_pauses_and_loses_no_try() {
    let world =
        Setup::new().start_with_acuity(AcuitySettings { p_429: 1.0, ..AcuitySettings::default() }).await;
    world.acuity().book(trial("ada", world.time_in(DAY))).unwrap();
    let held = world.until_source("acuity", "HELD").await;
    // `Retry-After: 1`
    assert_eq!(
        [&held["holdReason"], &held["heldUntil"]],
        [&json!("rate_limited"), &json!(world.time_in(Duration::from_secs(1)))]
    );
    world.acuity_is(AcuitySettings::default());
    world.advance(Duration::from_secs(1)).await;
    world.until_told(1).await;
    assert_eq!(world.notices("status=DONE").await[0]["tries"], 0);
}

/// The service is killed after it has answered a webhook and before it has the appointment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_it_is_killed_between_a_webhook_and_its_fetch() {
    let platforms = Platforms::start().await;
    let folder = tempfile::tempdir().unwrap();
    let AcuitySettings { user_id, api_key, .. } = AcuitySettings::default();
    let store = format!("sqlite://{}", folder.path().join("signalbox.db").display());
    let mut environment = platforms.environment();
    let own = [
        ("SIGNALBOX_STORE", store),
        ("SIGNALBOX_SOURCES", "acuity".to_owned()),
        ("ACUITY_BASE_URL", platforms.base.clone()),
        ("ACUITY_USER_ID", user_id),
        ("ACUITY_API_KEY", api_key),
        ("ACUITY_TRIAL_TYPES", TRIAL.to_string()),
    ];
    environment.extend(own.map(|(name, value)| (name.to_owned(), value)));
    let mut program = Program::serve(&environment).await;
    let acuity = platforms.sandbox.acuity();
    let webhook_target = Some(format!("{}{WEBHOOKS}", program.api.base));
    // It is asked, and does not answer while the service lives.
    let settings = AcuitySettings { webhook_target, latency_ms: 8_000, ..AcuitySettings::default() };
    acuity.configure(settings.clone());
    let datetime = "2027-03-01T10:15:00Z";
    let ids: Vec<u64> = (0..10).map(|n| acuity.book(trial(&format!("v{n}"), datetime)).unwrap()).collect();
    until("the webhooks to be answered", async || {
        let report = platforms.sandbox.report().acuity;
        if report.webhooks_accepted == 10 { Ok(()) } else { Err(format!("{report:?}")) }
    })
    .await;
    program.kill();
    acuity.configure(AcuitySettings { webhook_target: None, latency_ms: 0, ..settings });

    let listed = signalbox(&["notices", "--status", "pending", "--json"], &environment).output().unwrap();
    assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().count(), 10);
    let program = Program::serve(&environment).await;
    program.api.until_counts("tiktok", Counts::delivered(10)).await;
    program.api.until_counts("google-ads", Counts::delivered(10)).await;
    platforms.assert_counted_once(&ids.iter().map(|id| format!("appt-{id}")).collect());
}

/// Runs the program beside the service in this process, with the world's settings.
async fn run(world: &World, arguments: &str) -> Output {
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let mut command = signalbox(&arguments, &world.environment());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// The day of a time.
fn day(time: &str) -> &str {
    time.split('T').next().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missed_is_taken_up_by_a_comparison() {
    // The service's clock stands: were it told to slow down once, it would pause for ever.
    let unlimited = AcuitySettings { max_rps: 0, ..AcuitySettings::default() };
    let world = Setup::new().start_with_acuity(unlimited.clone()).await;
    world.acuity().book(trial("known", world.time_in(DAY))).unwrap();
    world.until_told(1).await;
    // From now on Acuity tells nothing.
    world.acuity_is(AcuitySettings { webhooks: false, ..unlimited });
    let booked = world.acuity().book(trial("ada", world.time_in(2 * DAY))).unwrap();
    let moved = world.acuity().book(trial("ben", world.time_in(20 * DAY))).unwrap();
    let canceled = world.acuity().book(trial("cleo", world.time_in(40 * DAY))).unwrap();
    world.acuity().cancel(canceled).unwrap();
    let table = |events: &[(&str, String)]| {
        events
            .iter()
            .map(|(name, ids)| format!("{name} {} {ids}", ids.split(", ").count()))
            .collect::<Vec<_>>()
    };
    let missed =
        table(&[("TRIAL_BOOKED", format!("{booked}, {moved}")), ("TRIAL_CANCELED", canceled.to_string())]);
    let (since, until) = (world.time_in(Duration::ZERO), world.time_in(45 * DAY));
    let sync = format!("acuity sync --since {} --until {}", day(&since), day(&until));
    let dry = format!("{sync} --dry-run");
    let all_known = "0 appointments would be fetched anew, 4 need nothing, 0 cannot be used";
    for (arguments, rows, last) in [
        (&dry, &missed[..], "3 appointments would be fetched anew, 1 need nothing, 0 cannot be used"),
        (&sync, &missed[..], "3 appointments are fetched anew, 1 need nothing, 0 cannot be used"),
        (&dry, &[][..], all_known),
    ] {
        let before = world.notices("").await.len();
        let output = run(&world, arguments).await;
        let said = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), error.as_str()), (Some(0), ""), "{said}");
        let mut lines: Vec<String> =
            said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(lines.pop().as_deref(), Some(last));
        assert_eq!(lines.iter().skip(1).cloned().collect::<Vec<_>>(), rows);
        let queued = if *arguments == sync { 3 } else { 0 };
        let notices = world.notices("").await;
        assert_eq!(notices.len() - before, queued, "{notices:?}");
        assert!(notices.iter().take(queued).all(|notice| notice["action"] == "reconcile"));
        world.until_told(1).await;
    }
    let told: BTreeSet<String> = world.told("tiktok").await.into_iter().map(|[name, ..]| name).collect();
    assert_eq!(told, ["TRIAL_BOOKED", "TRIAL_CANCELED"].map(str::to_owned).into());
    assert_eq!(world.told("tiktok").await.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comparison_says_what_cannot_be_used_and_which_source_is_meant() {
    let source = |name: &str| {
        format!(
            "[[sources]]\nkind = 'acuity'\nname = '{name}'\nuser_id = '1'\napi_key = 'sandbox-acuity-key'\ntrial_types = [{TRIAL}]\nbase_url = '${{ACUITY_BASE_URL}}'\n"
        )
    };
    let setup = Setup::new().file(&format!("{}{}", source("acuity"), source("second")));
    let world = setup.start_with_acuity(AcuitySettings { max_rps: 0, ..AcuitySettings::default() }).await;
    let id = world.acuity().book(trial("ada", world.time_in(DAY))).unwrap();
    world.until_told(1).await;
    let error = format!("appointment {id}: the source acuity tells of this appointment, and it alone");
    let since = world.time_in(Duration::ZERO);
    let sync = format!("acuity sync --since {} --until {}", day(&since), day(&world.time_in(2 * DAY)));
    for (arguments, code, said) in [
        (sync.clone(), 2, "say which with --source: acuity, second"),
        (format!("{sync} --source third"), 2, "configured are acuity, second"),
        ("acuity sync --since 2026-01-02 --until 2026-01-01 --source second".to_owned(), 2, "lies before"),
        (format!("{sync} --source second"), 1, &error),
        (format!("{sync} --source acuity"), 0, "1 need nothing"),
        ("notices --source acuity".to_owned(), 0, "TRIAL_BOOKED"),
        ("check".to_owned(), 0, "webhooks come to /api/webhooks/acuity/second"),
    ] {
        let output = run(&world, &arguments).await;
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
    let unreadable = world.post("/api/sources/second/reconcile", r#"[{"id":"x"}]"#).await;
    assert_eq!(unreadable.status, 200, "{}", unreadable.text);
    let result = &unreadable.json["results"][0];
    assert_eq!([&result["appointmentId"], &result["eventName"]], [&json!(null), &json!(null)]);
    assert!(result["error"].is_string(), "{result}");
    assert_eq!(world.post("/api/sources/second/reconcile", "{}").await.status, 400);
}
