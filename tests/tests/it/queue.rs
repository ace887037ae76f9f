//! Deliveries that QStash drives: each once, whatever becomes of the calls, the platforms and the service.

use std::net::TcpListener;
use std::time::Duration;

use platform_sandbox::{QstashReport, QstashSettings, Settings};
use serde_json::{Value, json};

use crate::harness::{Counts, Platforms, Program, Setup, TIKTOK, World, booked, ids, many, until};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const PROBE_EVERY: Duration = Duration::from_secs(15 * 60);
/// Three retries wait 12.2 s, 148.4 s and 1808.0 s; four calls take a minute each; ten minutes are waited besides.
const LOST_AFTER: Duration = Duration::from_secs(1_969 + 4 * 60 + 600);

/// QStash, a thousand times as fast.
fn fast() -> QstashSettings {
    QstashSettings { time_scale: 0.001, ..QstashSettings::default() }
}

fn report(world: &World) -> QstashReport {
    world.platforms.sandbox.qstash().report()
}

/// Returns what QStash has done once it has nothing left to do.
async fn at_rest(world: &World) -> QstashReport {
    until("QStash to be at rest", async || {
        let report = report(world);
        let callbacks = report.callbacks_delivered + report.callbacks_failed;
        if report.waiting == 0 && callbacks == report.callbacks {
            Ok(report)
        } else {
            Err(format!("{report:?}"))
        }
    })
    .await
}

async fn thousand(settings: QstashSettings) -> QstashReport {
    let world = Setup::queued().start().await;
    world.platforms.sandbox.qstash().configure(settings);
    let events = many("e", 1_000);
    world.report(&events).await;
    for sink in ["tiktok", "google-ads"] {
        world.until_counts(sink, Counts::delivered(1_000)).await;
    }
    world.platforms.assert_counted_once(&ids(&events));
    let audit = world.audit().await;
    for sink in ["tiktok", "google-ads"] {
        assert_eq!(
            (&audit["sinks"][sink]["delivered"], &audit["sinks"][sink]["pending"]),
            (&json!(1_000), &json!(0))
        );
    }
    let report = at_rest(&world).await;
    assert_eq!((report.dead, report.callbacks, report.refused), (0, 0, 0), "{report:?}");
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_events_are_delivered_once_each_though_a_tenth_of_the_calls_fail() {
    let report = thousand(QstashSettings { p_fail_once: 0.1, ..fast() }).await;
    assert!((100..=300).contains(&report.failed_attempts), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_come_twice_or_whose_answers_are_lost_count_once() {
    let report = thousand(QstashSettings { p_answer_lost: 0.1, p_duplicate: 0.1, ..fast() }).await;
    assert!(report.duplicates > 100 && report.failed_attempts > 100, "{report:?}");
}

#[tokio::test]
async fn what_qstash_loses_is_published_again_when_its_schedule_is_over() {
    let world = Setup::queued().with("SIGNALBOX_SINKS", "tiktok").start().await;
    world.platforms.sandbox.qstash().configure(QstashSettings { p_lost: 1.0, ..fast() });
    world.report(&many("lost", 5)).await;
    until("QStash to lose them", async || {
        let due = world.delivery("tiktok", "lost-4").await["nextAttemptAt"].clone();
        // In the store as well: 12.182 + 148.413 + 1808.042 + 240 + 600.
        let is_put_off =
            due.as_str().is_some_and(|due| due > world.time_in(LOST_AFTER - 2 * SECOND).as_str());
        if report(&world).lost == 5 && is_put_off {
            Ok(())
        } else {
            Err(format!("{due} {:?}", report(&world)))
        }
    })
    .await;
    world.platforms.sandbox.qstash().configure(fast());
    world.advance(LOST_AFTER - 2 * SECOND).await;
    // Whatever is handed over goes by its time: this one would have gone after them.
    world.report(&[booked("later")]).await;
    world.until_counts("tiktok", Counts { delivered: 1, pending: 5, ..Counts::default() }).await;
    assert_eq!(at_rest(&world).await.published, 6);
    world.advance(2 * SECOND).await;
    world.until_counts("tiktok", Counts::delivered(6)).await;
    let report = at_rest(&world).await;
    assert_eq!((report.published, report.deduplicated), (11, 0), "{report:?}");
}

#[tokio::test]
async fn a_hold_uses_up_no_retries_and_is_probed_with_one_message() {
    let world = Setup::queued().start().await;
    world.platforms.sandbox.qstash().configure(fast());
    let wrong = Settings { tokens: vec!["another".to_owned()], ..Settings::default() };
    world.platforms.sandbox.configure(TIKTOK, wrong);
    let events = many("e", 150);
    world.report(&events).await;
    let sink = world.until_state("tiktok", "HELD").await;
    assert_eq!(
        (&sink["holdReason"], &sink["heldUntil"]),
        (&json!("unauthorized"), &json!(world.time_in(PROBE_EVERY)))
    );
    world.until_counts("google-ads", Counts::delivered(150)).await;
    world.until_counts("tiktok", Counts::pending(150)).await;
    let before = at_rest(&world).await;
    assert_eq!((before.failed_attempts, before.dead, before.callbacks), (0, 0, 0), "{before:?}");

    for probes in 1..=2 {
        world.advance(PROBE_EVERY).await;
        until("a probe", async || {
            let held = world.sink("tiktok").await["heldUntil"].clone();
            if held == world.time_in(PROBE_EVERY) { Ok(()) } else { Err(held.to_string()) }
        })
        .await;
        let report = at_rest(&world).await;
        assert_eq!(report.published, before.published + probes, "one message each time");
        assert_eq!(report.failed_attempts, 0, "{report:?}");
    }
    world.platforms.sandbox.configure(TIKTOK, Settings::default());
    world.advance(PROBE_EVERY).await;
    world.until_counts("tiktok", Counts::delivered(150)).await;
    assert_eq!(world.sink("tiktok").await["state"], "ACTIVE");
    world.platforms.assert_counted_once(&ids(&events));
    assert_eq!(at_rest(&world).await.failed_attempts, 0);
}

/// The worker's own probe, woken by an event that is not due, finds nothing to send: that says nothing of QStash's.
#[tokio::test]
async fn a_probe_that_qstash_brings_late_still_ends_the_hold() {
    let world = Setup::queued().with("SIGNALBOX_SINKS", "tiktok").start().await;
    let qstash = world.platforms.sandbox.qstash();
    qstash.configure(fast());
    let wrong = Settings { tokens: vec!["another".to_owned()], ..Settings::default() };
    world.platforms.sandbox.configure(TIKTOK, wrong);
    world.report(&many("e", 3)).await;
    world.until_state("tiktok", "HELD").await;
    world.until_counts("tiktok", Counts::pending(3)).await;
    let before = at_rest(&world).await.published;
    world.platforms.sandbox.configure(TIKTOK, Settings::default());
    // The probe's first call fails on its way; the second comes a second later.
    qstash.configure(QstashSettings { time_scale: 0.1, p_fail_once: 1.0, ..fast() });
    world.advance(PROBE_EVERY).await;
    until("the probe to be handed over", async || {
        let report = report(&world);
        if report.failed_attempts >= 1 && report.published == before + 1 {
            Ok(())
        } else {
            Err(format!("{report:?}"))
        }
    })
    .await;
    let mut tomorrow = booked("tomorrow");
    tomorrow["eventTime"] = json!(world.time_in(60 * MINUTE));
    world.report(&[tomorrow]).await;
    world.until_counts("tiktok", Counts { delivered: 3, pending: 1, ..Counts::default() }).await;
    assert_eq!(world.sink("tiktok").await["state"], "ACTIVE");
}

/// A call that waits too long for its turn is taken back and published again, and QStash bills each message.
#[tokio::test]
async fn however_slow_the_platform_a_backlog_is_published_once() {
    const EVENTS: u64 = 80;
    let world = Setup::queued().with("SIGNALBOX_SINKS", "tiktok").start().await;
    world.platforms.sandbox.qstash().configure(QstashSettings { concurrency: 2_000, ..fast() });
    // Four at once, they take twenty seconds; a call gives up its turn after fifteen.
    world.platforms.sandbox.configure(TIKTOK, Settings { latency_ms: 1_000, ..Settings::default() });
    world.report(&many("e", 80)).await;
    world.until_counts("tiktok", Counts::delivered(EVENTS)).await;
    let report = at_rest(&world).await;
    assert_eq!((report.published, report.delivered), (EVENTS, EVENTS), "{report:?}");
    // Two calls for each request, and those of which the end has not been counted yet.
    assert!(report.max_in_flight <= 16, "the rest waits at QStash: {report:?}");
}

#[tokio::test]
async fn a_platform_that_fails_in_passing_is_tried_again_by_qstash_alone() {
    let world = Setup::queued().with("SIGNALBOX_SINKS", "tiktok").start().await;
    // The first retry after half a second, so that the platform is well by then.
    world.platforms.sandbox.qstash().configure(QstashSettings { time_scale: 0.04, ..fast() });
    world.platforms.sandbox.configure(TIKTOK, Settings { down: true, ..Settings::default() });
    world.report(&[booked("e")]).await;
    until("the first call to fail", async || {
        let report = report(&world);
        if report.failed_attempts >= 1 { Ok(()) } else { Err(format!("{report:?}")) }
    })
    .await;
    let waiting = world.delivery("tiktok", "e").await;
    assert_eq!((&waiting["status"], &waiting["reason"]), (&json!("PENDING"), &json!("unavailable")));
    // The service's own backoff would be over long before.
    world.advance(10 * MINUTE).await;
    world.platforms.sandbox.configure(TIKTOK, Settings::default());
    assert_eq!(world.settled("tiktok", "e").await["status"], "DELIVERED");
    let report = at_rest(&world).await;
    assert_eq!((report.published, report.delivered, report.dead), (1, 1, 0), "{report:?}");
}

#[tokio::test]
async fn when_qstash_gives_up_the_delivery_has_failed_and_can_be_retried() {
    let world = Setup::queued().with("SIGNALBOX_SINKS", "tiktok").start().await;
    world.platforms.sandbox.qstash().configure(fast());
    world.platforms.sandbox.configure(TIKTOK, Settings { down: true, ..Settings::default() });
    world.report(&[booked("e")]).await;
    let failed = world.settled("tiktok", "e").await;
    assert_eq!((&failed["status"], &failed["reason"]), (&json!("FAILED"), &json!("queue_gave_up")));
    assert_eq!(failed["attempts"], 4, "a call and three retries");
    assert!(failed["message"].as_str().unwrap().contains("status 503"), "{failed}");
    assert_eq!(world.sink("tiktok").await["state"], "ACTIVE", "four failures hold nothing");
    world.audit().await;

    world.platforms.sandbox.configure(TIKTOK, Settings::default());
    let retry = format!("/api/deliveries/{}/retry", failed["id"].as_str().unwrap());
    assert_eq!(world.post(&retry, "").await.status, 202);
    assert_eq!(world.settled("tiktok", "e").await["status"], "DELIVERED");
    assert_eq!(at_rest(&world).await.published, 2);
}

#[tokio::test]
async fn an_outage_holds_the_sink_and_costs_no_delivery() {
    let world = Setup::queued().with("SIGNALBOX_SINKS", "tiktok").start().await;
    world.platforms.sandbox.qstash().configure(fast());
    world.platforms.sandbox.configure(TIKTOK, Settings { down: true, ..Settings::default() });
    let events = many("e", 50);
    world.report(&events).await;
    world.until_state("tiktok", "HELD").await;
    let report = at_rest(&world).await;
    assert_eq!((report.dead, report.callbacks), (0, 0), "{report:?}");
    world.until_counts("tiktok", Counts::pending(50)).await;
    world.platforms.sandbox.configure(TIKTOK, Settings::default());
    world.advance(5 * MINUTE).await;
    world.until_counts("tiktok", Counts::delivered(50)).await;
    assert_eq!(world.platforms.of(TIKTOK).counted_twice, 0);
}

#[tokio::test]
async fn while_qstash_takes_nothing_deliveries_wait_in_the_store() {
    let world = Setup::queued().start().await;
    let up = fast();
    for (trouble, said, wait) in [
        (QstashSettings { down: true, ..up.clone() }, "503", 5 * SECOND),
        (QstashSettings { token: "another".to_owned(), ..up.clone() }, "401", PROBE_EVERY),
    ] {
        world.platforms.sandbox.qstash().configure(trouble);
        let id = format!("e-{said}");
        world.report(&[booked(&id)]).await;
        // At both: one that sees it only after the clock was put forward would wait from then on.
        until("the trouble to be seen", async || {
            let troubles = [world.sink("tiktok").await, world.sink("google-ads").await]
                .map(|sink| sink["queueTrouble"].as_str().unwrap_or_default().to_owned());
            let are_seen = troubles.iter().all(|trouble| trouble.contains(said));
            if are_seen { Ok(()) } else { Err(format!("{troubles:?}")) }
        })
        .await;
        world.platforms.sandbox.qstash().configure(up.clone());
        world.advance(wait).await;
        assert_eq!(world.settled("tiktok", &id).await["status"], "DELIVERED");
        assert_eq!(world.settled("google-ads", &id).await["status"], "DELIVERED");
        assert_eq!(world.sink("tiktok").await["queueTrouble"], Value::Null);
    }
}

#[tokio::test]
async fn the_driver_is_fixed_at_acceptance_whatever_is_configured_later() {
    let world = Setup::queued().with("SIGNALBOX_SINKS", "tiktok").start().await;
    let qstash = world.platforms.sandbox.qstash();
    qstash.configure(QstashSettings { down: true, ..fast() });
    world.report(&[booked("queued")]).await;
    until("QStash to be asked", async || {
        if report(&world).refused > 0 { Ok(()) } else { Err(format!("{:?}", report(&world))) }
    })
    .await;
    let world = world.restart(&[("SIGNALBOX_QUEUE", "builtin")]).await;
    world.report(&[booked("builtin")]).await;
    assert_eq!(world.settled("tiktok", "builtin").await["status"], "DELIVERED");
    world.until_counts("tiktok", Counts { delivered: 1, pending: 1, ..Counts::default() }).await;
    assert_eq!(report(&world).published, 0);
    qstash.configure(fast());
    world.advance(MINUTE).await;
    assert_eq!(world.settled("tiktok", "queued").await["status"], "DELIVERED");
    assert_eq!(at_rest(&world).await.published, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_it_is_killed_among_the_calls() {
    const EVENTS: usize = 600;
    let platforms = Platforms::start().await;
    // Retries after 0.6, 7.4 and 90 seconds: at least one finds the service back.
    platforms.sandbox.qstash().configure(QstashSettings { time_scale: 0.05, ..QstashSettings::default() });
    platforms.all(&Settings { latency_ms: 20, jitter_ms: 20, ..Settings::default() });
    let folder = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut environment = platforms.environment();
    let store = format!("sqlite://{}", folder.path().join("signalbox.db").display());
    let own = format!("http://{address}");
    for (name, value) in
        [("SIGNALBOX_STORE", &*store), ("SIGNALBOX_QUEUE", "qstash"), ("SIGNALBOX_PUBLIC_URL", &own)]
    {
        environment.insert(name.to_owned(), value.to_owned());
    }
    let mut program = Program::serve_at(&address, &environment).await;
    let events = many("e", EVENTS);
    program.api.report(&events).await;
    for moment in [50, 250] {
        until(&format!("{moment} to be received"), async || {
            let received = platforms.of(TIKTOK).received;
            if received >= moment { Ok(()) } else { Err(format!("{received}")) }
        })
        .await;
        program.kill();
        let received = platforms.of(TIKTOK).received;
        assert!(received < EVENTS as u64, "it was killed too late to tell anything");
        program = Program::serve_at(&address, &environment).await;
    }
    for sink in ["tiktok", "google-ads"] {
        program.api.until_counts(sink, Counts::delivered(EVENTS as u64)).await;
    }
    platforms.assert_counted_once(&ids(&events));
    program.api.audit().await;
}
