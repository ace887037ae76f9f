//! The machine's clock jumps, under a running service and between two.

use std::collections::BTreeMap;

use conversion_core::Timestamp;
use platform_sandbox::{Platform, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{BOTH, Counts, Faults, Platforms, Program, booked, ids, many, signalbox, until};

const HOUR: i64 = 3_600;

struct Ground {
    platforms: Platforms,
    faults: Faults,
    environment: BTreeMap<String, String>,
    _folder: TempDir,
}

impl Ground {
    async fn new() -> Self {
        let platforms = Platforms::start().await;
        let folder = tempfile::tempdir().unwrap();
        let faults = Faults::new(folder.path(), folder.path());
        let mut environment = platforms.environment();
        environment.extend(faults.environment());
        let store = folder.path().join("signalbox.db");
        environment.insert("SIGNALBOX_STORE".to_owned(), format!("sqlite://{}", store.display()));
        Self { platforms, faults, environment, _folder: folder }
    }

    async fn serve(&self) -> Program {
        Program::serve(&self.environment).await
    }

    /// Both platforms answer 503 until both sinks are held for it; `events` wait for that to end.
    async fn hold_both(&self, program: &Program, events: &[Value]) {
        self.platforms.all(&Settings { down: true, ..Settings::default() });
        for event in events {
            program.api.report(std::slice::from_ref(event)).await;
            for sink in self.platforms.sinks() {
                let id = event["eventId"].as_str().unwrap();
                until(&format!("{id} to fail at {sink}, or to be held"), async || {
                    let delivery = program.api.delivery(sink, id).await;
                    let held = program.api.sink(sink).await["state"] == "HELD";
                    if held || delivery["reason"] == "unavailable" {
                        Ok(())
                    } else {
                        Err(delivery.to_string())
                    }
                })
                .await;
            }
        }
        for sink in self.platforms.sinks() {
            let held = program.api.until_state(sink, "HELD").await;
            assert_eq!(held["holdReason"], "unavailable", "{held}");
        }
    }

    /// Everything is delivered at both, once, and the account says so.
    async fn assert_account(&self, program: &Program, events: &[Value]) {
        for sink in self.platforms.sinks() {
            program.api.until_counts(sink, Counts::delivered(events.len() as u64)).await;
        }
        self.platforms.assert_counted_once(&ids(events));
        assert_eq!(program.api.audit().await["accepted"], events.len());
    }
}

/// A booking, so many seconds after the test's own present.
fn booked_in(id: &str, seconds: i64) -> Value {
    #[expect(clippy::disallowed_methods, reason = "the event happens in the test's own present")]
    let now = Timestamp::now();
    let at = Timestamp::from_second(now.as_second() + seconds).unwrap();
    let mut event = booked(id);
    event["eventTime"] = json!(at.to_string());
    event
}

/// Its holds, backoff and leases go by a clock that does not jump.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_under_a_running_service_changes_nothing() {
    let ground = Ground::new().await;
    let program = ground.serve().await;
    let mut events = many("first", 10);
    program.api.report(&events).await;
    for (jump, prefix) in [(HOUR, "ahead"), (-HOUR, "behind")] {
        let waiting = many(prefix, 5);
        ground.hold_both(&program, &waiting).await;
        events.extend(waiting);
        ground.faults.set_clock_ahead(jump);
        ground.platforms.all(&Settings::default());
        let more = many(&format!("{prefix}-after"), 10);
        program.api.report(&more).await;
        events.extend(more);
        ground.assert_account(&program, &events).await;
    }
    for platform in BOTH {
        assert_eq!(ground.platforms.of(*platform).deduplicated, 0, "nothing was sent again");
    }
}

/// A clock that was slow when the service started and has been set right since: what happens now does not wait for the
/// service's clock to come to it, and what is reported for later still waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_now_does_not_wait_where_the_clock_was_slow_at_the_start() {
    let ground = Ground::new().await;
    ground.faults.set_clock_ahead(-25 * HOUR);
    let program = ground.serve().await;
    ground.faults.set_clock_ahead(0);
    let (now, later) = (booked_in("now", 0), booked_in("later", HOUR));
    program.api.report(&[now.clone(), later]).await;
    for sink in ground.platforms.sinks() {
        let counts = Counts { delivered: 1, pending: 1, ..Counts::default() };
        program.api.until_counts(sink, counts).await;
    }
    ground.platforms.assert_counted_once(&ids(&[now]));
}

/// What a clock that was a day ahead dated is no bad event once that is mended: it waits for its time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_a_fast_clock_waits_for_its_time_after_that_was_put_back() {
    let ground = Ground::new().await;
    ground.faults.set_clock_ahead(25 * HOUR);
    let mut program = ground.serve().await;
    ground.platforms.all(&Settings { latency_ms: 60_000, ..Settings::default() });
    let (dated, other) = (booked_in("dated", 25 * HOUR), booked("other"));
    program.api.report(&[dated, other.clone()]).await;
    program.kill();

    ground.faults.set_clock_ahead(0);
    ground.platforms.all(&Settings::default());
    let program = ground.serve().await;
    for sink in ground.platforms.sinks() {
        let counts = Counts { delivered: 1, pending: 1, ..Counts::default() };
        program.api.until_counts(sink, counts).await;
        assert_eq!(program.api.delivery(sink, "dated").await["status"], "PENDING");
    }
    ground.platforms.assert_counted_once(&ids(&[other]));
}

/// A machine that slept finds its clock ahead when it wakes. What TikTok perhaps received before, it has forgotten by
/// now: to send it again would count it twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_platform_has_forgotten_while_the_machine_slept_is_not_sent_again() {
    let ground = Ground::new().await;
    let program = ground.serve().await;
    ground.platforms.all(&Settings { p_lost_reply: 1.0, ..Settings::default() });
    let events = many("e", 1);
    program.api.report(&events).await;
    for sink in ground.platforms.sinks() {
        until("the answer to be lost", async || {
            let delivery = program.api.delivery(sink, "e-0").await;
            if delivery["reason"] == "interrupted" { Ok(()) } else { Err(delivery.to_string()) }
        })
        .await;
    }
    ground.faults.set_clock_ahead(49 * HOUR);
    // A try that began before the jump teaches nothing either.
    ground.platforms.sandbox.configure(Platform::GoogleAds, Settings::default());
    let forgotten = program.api.settled("tiktok", "e-0").await;
    assert_eq!((&forgotten["status"], &forgotten["reason"]), (&json!("FAILED"), &json!("dedup_window_over")));
    // Google never forgets.
    program.api.until_counts("google-ads", Counts::delivered(1)).await;
    ground.platforms.assert_counted_once(&ids(&events));
    program.api.audit().await;
}

/// How the service ends before the clock is put.
#[derive(Clone, Copy, Debug)]
enum End {
    Killed,
    Asked,
}

/// Starts anew with the clock put by so many seconds: what waited for a hold, for a retry or for a worker goes on at
/// once, and nothing goes twice.
async fn goes_on_after(end: End, put: i64) {
    let ground = Ground::new().await;
    // Ahead or behind the present before, and right after.
    ground.faults.set_clock_ahead(-put);
    let mut program = ground.serve().await;
    let waiting = many("waiting", 5);
    ground.hold_both(&program, &waiting).await;
    let held = many("held", 10);
    program.api.report(&held).await;
    match end {
        End::Killed => program.kill(),
        End::Asked => {
            program.terminate();
            assert_eq!(program.ended().await.code(), Some(0));
        }
    }
    ground.faults.set_clock_ahead(0);
    ground.platforms.all(&Settings::default());
    let mut program = ground.serve().await;
    let after = many("after", 5);
    program.api.report(&after).await;
    ground.assert_account(&program, &[waiting, held, after].concat()).await;
    for platform in BOTH {
        assert_eq!(ground.platforms.of(*platform).deduplicated, 0, "{end:?}: nothing was sent again");
    }
    program.kill();
    assert_eq!(signalbox(&["audit"], &ground.environment).output().unwrap().status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_goes_on_after_the_clock_was_put_back_an_hour() {
    goes_on_after(End::Killed, -HOUR).await;
    goes_on_after(End::Asked, -HOUR).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_goes_on_after_the_clock_was_put_forward_an_hour() {
    goes_on_after(End::Killed, HOUR).await;
    goes_on_after(End::Asked, HOUR).await;
}
