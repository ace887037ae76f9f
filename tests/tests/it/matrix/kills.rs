//! `kill -9` at random instants, while callers report and deliveries are under way.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use platform_sandbox::{PlatformReport, Settings};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::watch;

use super::callers::{Callers, IN_ONE_REQUEST};
use crate::harness::{Api, Ground, Outcome, Program, SMALL_BATCHES, figure, is_long, until};

/// Requests that callers may make in one life of the service.
const REQUESTS: usize = 6;
/// One life in so many ends before the service listens.
const STILLBORN: u32 = 5;

/// The instants at which services are killed, by a seed that is printed: `SIGNALBOX_SEED` repeats them, though not what
/// the machine does at each.
fn instants() -> StdRng {
    let given = std::env::var("SIGNALBOX_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = given.unwrap_or_else(rand::random);
    #[expect(clippy::print_stderr, reason = "a failed test shows what it printed")]
    {
        eprintln!("SIGNALBOX_SEED={seed}");
    }
    StdRng::seed_from_u64(seed)
}

/// What is refused gathers over the kills, and a batch of nothing else is taken for a wrong setting: whoever runs the
/// service ends such a hold.
async fn end_holds(ground: &Ground, api: &Api) {
    for sink in ground.platforms.sinks() {
        let found = api.sink(sink).await;
        if found["holdReason"] == "all_refused" {
            let reply = api.post(&format!("/api/sinks/{sink}/resume"), "").await;
            assert_eq!(reply.status, 200, "{}", reply.text);
        }
    }
}

/// One life of the service, from start to kill.
async fn live(ground: &Ground, random: &mut StdRng, start: Duration, service: &watch::Sender<Option<Api>>) {
    let mut program = Program::spawn("127.0.0.1:0", &ground.environment);
    if random.random_ratio(1, STILLBORN) {
        tokio::time::sleep(start.mul_f64(random.random())).await;
        return program.kill();
    }
    let api = until("the service to listen", async || {
        program.look_for_api().ok_or_else(|| format!("{:?}", program.printed()))
    })
    .await;
    end_holds(ground, &api).await;
    service.send(Some(api)).unwrap();
    // By how much has been done, not by time, so that a slow machine kills in the midst of work, too: fewer than what
    // callers add to a life for all platforms.
    let received = |report: &PlatformReport| report.received;
    let enough = ground.sum(received) + random.random_range(0..(REQUESTS * IN_ONE_REQUEST) as u64);
    until("some deliveries", async || {
        let so_far = ground.sum(received);
        if so_far >= enough { Ok(()) } else { Err(format!("{so_far} of {enough}")) }
    })
    .await;
    tokio::time::sleep(Duration::from_micros(random.random_range(0..20_000))).await;
    program.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_random_instants() {
    let kills = if is_long() { 1_000 } else { 50 };
    let mut random = instants();
    let ground = Ground::start(SMALL_BATCHES).await;
    // Some are refused for good: batches are taken apart, too, when the service is killed.
    let bad: BTreeSet<String> =
        (0..kills * REQUESTS).map(|number| format!("0-{}", number * 23 + 7)).collect();
    // A little slow, so that there is always something under way.
    ground.refuse(&bad, &Settings { latency_ms: 5, jitter_ms: 20, ..Settings::default() });

    let begun = Instant::now();
    ground.serve().await.kill();
    let start = begun.elapsed();
    let (announce, service) = watch::channel(None);
    let callers = Callers::start(&service);
    let mut outcome = Outcome::default();
    let (mut amid_work, mut most_resent, mut resent) = (0, 0, 0);
    for kill in 0..kills {
        callers.allow(REQUESTS);
        live(&ground, &mut random, start, &announce).await;
        let in_doubt = ground.in_doubt().await;
        amid_work += u32::from(in_doubt > 0);
        // Of what this life sent, no more was sent before than was in flight when the last one ended.
        let before = std::mem::replace(&mut resent, ground.resent());
        assert!(resent <= outcome.resends, "kill {kill}: {resent} were sent again, of {outcome:?}");
        most_resent = most_resent.max(resent - before);
        outcome.resends = resent + in_doubt;
    }
    let program = ground.serve().await;
    announce.send(Some(program.api.clone())).unwrap();
    let accepted = callers.finish().await;
    assert_eq!(accepted.len(), kills * REQUESTS * IN_ONE_REQUEST);
    assert!(amid_work > 0, "no kill left anything in doubt: nothing was tested");
    until("nothing to wait", async || {
        end_holds(&ground, &program.api).await;
        let mut pending = 0;
        for sink in ground.platforms.sinks() {
            pending += program.api.counts(sink).await.pending;
        }
        if pending == 0 { Ok(()) } else { Err(format!("{pending} deliveries")) }
    })
    .await;
    (outcome.failed, outcome.delivered) = accepted.into_iter().partition(|id| bad.contains(id));
    ground.assert_outcome(program, &outcome).await;

    figure("kills survived", kills);
    figure("kills with deliveries in flight", amid_work);
    figure("events accepted over the kills", kills * REQUESTS * IN_ONE_REQUEST);
    figure("events lost by kills", 0);
    figure("events counted twice by kills", 0);
    figure("deliveries sent again after kills", ground.resent());
    figure("deliveries sent again after kills, most after one", most_resent.max(ground.resent() - resent));
}
