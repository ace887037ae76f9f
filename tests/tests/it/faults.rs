//! A network that loses answers, cuts connections and puts gateways in between: in the end everything is delivered, and
//! nothing is counted twice.

use std::collections::BTreeSet;
use std::time::Duration;

use platform_sandbox::Settings;

use crate::harness::{
    Counts, GOOGLE, Setup, TIKTOK, World, google_verdict, ids, many, tiktok_verdict, until,
};

#[tokio::test]
async fn everything_gets_through_a_bad_network_once() {
    // Few in a request, so that there are many requests for things to happen to.
    let file = "[[sinks]]\nkind = 'tiktok'\nmax_batch = 5\n[[sinks]]\nkind = 'google-ads'\nmax_batch = 5";
    let world = Setup::new().file(file).start().await;
    world.platforms.all(&Settings {
        p_lost_reply: 0.2,
        p_cut: 0.05,
        p_500: 0.05,
        p_html: 0.05,
        p_429: 0.02,
        ..Settings::default()
    });
    let events = many("e", 500);
    for part in events.chunks(20) {
        world.report(part).await;
    }
    until("all to be delivered", async || {
        let counts = [world.counts("tiktok").await, world.counts("google-ads").await];
        world.advance(Duration::from_secs(15)).await;
        if counts == [Counts::delivered(500); 2] { Ok(()) } else { Err(format!("{counts:?}")) }
    })
    .await;
    for platform in [TIKTOK, GOOGLE] {
        let report = world.platforms.of(platform);
        for fault in ["lost_reply", "cut", "500/", "502"] {
            let struck = report.by_outcome.iter().any(|(outcome, _)| outcome.starts_with(fault));
            assert!(struck, "{fault} must have happened: {report:?}");
        }
        assert!(report.deduplicated > 0, "a lost reply is found out by sending again: {report:?}");
    }
    world.platforms.assert_counted_once(&ids(&events));
    world.audit().await;
}

/// Each fault alone, struck on the first request: what the delivery says meanwhile, and that it gets through.
#[tokio::test]
async fn each_fault_has_its_name() {
    for (settings, reason, code) in [
        (Settings { p_lost_reply: 1.0, ..Settings::default() }, "interrupted", None),
        (Settings { p_cut: 1.0, ..Settings::default() }, "interrupted", None),
        (Settings { p_500: 1.0, ..Settings::default() }, "unavailable", Some(500)),
        (Settings { p_503: 1.0, ..Settings::default() }, "unavailable", Some(503)),
        (Settings { p_html: 1.0, ..Settings::default() }, "unavailable", Some(502)),
        (Settings { p_429: 1.0, retry_after_s: Some(4), ..Settings::default() }, "rate_limited", Some(429)),
    ] {
        let world = World::start().await;
        world.platforms.all(&settings);
        let events = many("e", 2);
        world.report(&events).await;
        for sink in ["tiktok", "google-ads"] {
            for id in ids(&events) {
                let waiting = until("the first try", async || {
                    let delivery = world.delivery(sink, &id).await;
                    if delivery["reason"].is_null() { Err(delivery.to_string()) } else { Ok(delivery) }
                })
                .await;
                let seen = (waiting["status"].as_str().unwrap(), waiting["reason"].as_str().unwrap());
                assert_eq!(seen, ("PENDING", reason), "{sink}: {waiting}");
                assert_eq!(waiting["responseCode"].as_u64(), code, "{sink}: {waiting}");
            }
        }
        world.platforms.all(&Settings::default());
        world.advance(Duration::from_secs(4)).await;
        world.until_counts("tiktok", Counts::delivered(2)).await;
        world.until_counts("google-ads", Counts::delivered(2)).await;
        world.platforms.assert_counted_once(&ids(&events));
    }
}

/// A platform that cannot be reached at all has nothing of it.
#[tokio::test]
async fn an_address_where_nobody_listens() {
    // Bound and closed: nobody answers there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let setup = Setup::new().with("TIKTOK_BASE_URL", &format!("http://{closed}"));
    let world = setup.start().await;
    world.report(&many("e", 3)).await;
    world.until_counts("google-ads", Counts::delivered(3)).await;
    let waiting = until("the first try", async || {
        let delivery = world.delivery("tiktok", "e-0").await;
        if delivery["reason"].is_null() { Err(delivery.to_string()) } else { Ok(delivery) }
    })
    .await;
    assert_eq!(waiting["reason"], "unreachable");
    assert!(waiting["message"].as_str().unwrap().contains("cannot connect"), "{waiting}");
    let base = world.platforms.base.clone();
    let world = world.restart(&[("TIKTOK_BASE_URL", &base)]).await;
    world.advance(Duration::from_secs(4)).await;
    world.until_counts("tiktok", Counts::delivered(3)).await;
    assert_eq!(world.platforms.ids(TIKTOK), BTreeSet::from(["e-0", "e-1", "e-2"].map(str::to_owned)));
}

/// What is refused for good is found out among what the network does to all: it alone fails.
#[tokio::test]
async fn bad_events_are_told_from_a_bad_network() {
    let file = "[[sinks]]\nkind = 'tiktok'\nmax_batch = 20\n[[sinks]]\nkind = 'google-ads'\nmax_batch = 20";
    let world = Setup::new().file(file).start().await;
    let bad: BTreeSet<String> = [7, 8, 90, 123, 199].map(|number| format!("e-{number}")).into();
    let network = Settings {
        p_lost_reply: 0.1,
        p_cut: 0.05,
        p_503: 0.1,
        p_429: 0.1,
        p_html: 0.05,
        ..Settings::default()
    };
    let refused = bad.iter().map(|id| tiktok_verdict(id, 40002, "not a valid event")).collect();
    let tiktok = Settings { verdicts: refused, name_index: false, ..network.clone() };
    world.platforms.sandbox.configure(TIKTOK, tiktok);
    let unparseable =
        bad.iter().map(|id| google_verdict(id, "UNPARSEABLE_GCLID", "It cannot be read.")).collect();
    world.platforms.sandbox.configure(GOOGLE, Settings { verdicts: unparseable, ..network });
    let events = many("e", 200);
    world.report(&events).await;
    let expected = Counts { delivered: 195, failed: 5, ..Counts::default() };
    until("all to be settled", async || {
        let counts = [world.counts("tiktok").await, world.counts("google-ads").await];
        world.advance(Duration::from_secs(15)).await;
        if counts == [expected; 2] { Ok(()) } else { Err(format!("{counts:?}")) }
    })
    .await;
    for sink in ["tiktok", "google-ads"] {
        let failed = world.deliveries(&format!("sink={sink}&status=FAILED")).await;
        let failed: BTreeSet<String> =
            failed.iter().map(|delivery| delivery["eventId"].as_str().unwrap().to_owned()).collect();
        assert_eq!(failed, bad, "{sink}");
    }
    let good: BTreeSet<String> = ids(&events).difference(&bad).cloned().collect();
    world.platforms.assert_counted_once(&good);
    world.audit().await;
}
