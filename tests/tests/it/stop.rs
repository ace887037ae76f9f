//! Asked to stop, it finishes what is under way and hands back the rest.

use platform_sandbox::Settings;
use serde_json::Value;

use crate::harness::{
    Counts, GOOGLE, Platforms, Program, SMALL_BATCHES, TIKTOK, ids, many, signalbox, until,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_twice_when_it_is_stopped_in_order() {
    let platforms = Platforms::start().await;
    // Slow, and each request differently so: at any moment some are under way.
    let slow = Settings { latency_ms: 200, jitter_ms: 200, ..Settings::default() };
    platforms.all(&slow);
    let folder = tempfile::tempdir().unwrap();
    let mut environment = platforms.environment();
    let store = folder.path().join("signalbox.db");
    environment.insert("SIGNALBOX_STORE".to_owned(), format!("sqlite://{}", store.display()));
    // So many requests that it takes long, however slow the machine that stops it.
    let config = folder.path().join("signalbox.toml");
    std::fs::write(&config, SMALL_BATCHES).unwrap();
    environment.insert("SIGNALBOX_CONFIG".to_owned(), config.display().to_string());

    let mut program = Program::serve(&environment).await;
    let events = many("e", 2_000);
    program.api.report(&events).await;
    until("deliveries to be under way", async || {
        let received = [TIKTOK, GOOGLE].map(|platform| platforms.of(platform).received);
        if received.iter().all(|received| *received > 0) { Ok(()) } else { Err(format!("{received:?}")) }
    })
    .await;
    program.terminate();
    assert_eq!(program.ended().await.code(), Some(0));
    let printed = program.printed().join("\n");
    assert!(printed.contains("\"stopped\""), "{printed}");

    // Nothing was left under way, finished or handed back: what the platforms received is what the account says.
    let database = rusqlite::Connection::open(&store).unwrap();
    let sql = "SELECT count(*) FROM delivery WHERE owner IS NOT NULL AND status = 0";
    assert_eq!(database.query_row(sql, [], |row| row.get::<_, i64>(0)), Ok(0));
    let audit = signalbox(&["audit", "--json"], &environment).output().unwrap();
    assert_eq!(audit.status.code(), Some(0));
    let audit: Value = serde_json::from_slice(&audit.stdout).unwrap();
    for (sink, platform) in [("tiktok", TIKTOK), ("google-ads", GOOGLE)] {
        let account = &audit["sinks"][sink];
        let received = platforms.of(platform).received;
        assert!(received < 2_000, "it was stopped too late to tell anything");
        assert_eq!(account["delivered"], received, "{sink}");
        assert_eq!(account["pending"], 2_000 - received, "{sink}");
    }

    platforms.all(&Settings::default());
    let program = Program::serve(&environment).await;
    for sink in ["tiktok", "google-ads"] {
        program.api.until_counts(sink, Counts::delivered(2_000)).await;
    }
    platforms.assert_counted_once(&ids(&events));
    let deduplicated = [TIKTOK, GOOGLE].map(|platform| platforms.of(platform).deduplicated);
    assert_eq!(deduplicated, [0, 0], "what was handed back had not been sent");
}

/// A restart within this process, on the manual clock: leases of the former run are taken up at once.
#[tokio::test]
async fn what_waits_outlives_a_restart() {
    let world = crate::harness::World::start().await;
    let down = Settings { down: true, ..Settings::default() };
    world.platforms.all(&down);
    let events = many("e", 250);
    world.report(&events).await;
    world.until_counts("tiktok", Counts::pending(250)).await;
    let world = world.restart(&[]).await;
    world.until_counts("google-ads", Counts::pending(250)).await;
    world.platforms.all(&Settings::default());
    until("all to be delivered", async || {
        let counts = [world.counts("tiktok").await, world.counts("google-ads").await];
        world.advance(std::time::Duration::from_secs(5)).await;
        if counts == [Counts::delivered(250); 2] { Ok(()) } else { Err(format!("{counts:?}")) }
    })
    .await;
    world.platforms.assert_counted_once(&ids(&events));
}
