//! A start after a crash crashes, too: what was under way is freed, registered and taken up once more.

use conversion_store::crash::Point;
use platform_sandbox::Settings;

use super::{ANYWHERE, commits, crash, restart};
use crate::harness::{Ground, Outcome, SMALL_BATCHES, ids, many, until};

pub(super) fn points() -> Vec<Point> {
    commits(&["start a run", "register sinks", "lease deliveries"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_start_after_a_crash() {
    for point in points() {
        let ground = Ground::start(SMALL_BATCHES).await;
        let mut program = ground.serve().await;
        let events = many("e", 200);
        let (answered, unanswered) = events.split_at(20);
        program.api.report(answered).await;
        let received = || ground.platforms.each(|report| report.received);
        until("all to have some", async || {
            if received().contains(&0) { Err(format!("{:?}", received())) } else { Ok(()) }
        })
        .await;
        // The rest is in flight, in memory or in the store alone: all kinds of leases are left behind.
        ground.platforms.all(&Settings { hang: true, ..Settings::default() });
        program.api.report(unanswered).await;
        until("all to be asked in vain", async || {
            let under_way = ground.platforms.each(|report| report.in_flight);
            if under_way.contains(&0) { Err(format!("{under_way:?}")) } else { Ok(()) }
        })
        .await;
        program.kill();
        ground.platforms.all(&Settings::default());
        let resends = crash(&ground, ANYWHERE, (point, 1), async |_| {}).await;
        let program = restart(&ground, ANYWHERE).await;
        ground
            .assert_outcome(program, &Outcome { delivered: ids(&events), resends, ..Outcome::default() })
            .await;
    }
}
