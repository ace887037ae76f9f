//! Sinks that are not leased from.

use conversion_store::{Admission, Change, Hold, HoldPeriod, ItemSettlement, SinkRegistration};

use super::Backend;
use super::fixture::{Fixture, admission, at, item, parked, registration, settlement};

pub(super) fn hold(event_name: Option<&str>) -> Hold {
    Hold {
        event_name: event_name.map(str::to_owned),
        reason: "unauthorized".to_owned(),
        message: "The token was refused".to_owned(),
        since: at(10),
        until: Some(at(910)),
        failures: 1,
    }
}

pub(crate) async fn a_hold_outlives_the_process(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let until_resumed = Hold { until: None, ..hold(None) };
    fixture.store.hold(fixture.tiktok, &until_resumed).await.unwrap();
    fixture.store.hold(fixture.tiktok, &hold(Some("PURCHASE"))).await.unwrap();
    fixture.store.hold(fixture.google, &hold(None)).await.unwrap();
    fixture.store.resume(fixture.google, None, at(20)).await.unwrap();
    drop(fixture);

    let store = backend.open();
    let sinks = store.register_sinks(&[registration("google-ads"), registration("tiktok")]).await.unwrap();
    assert_eq!(sinks[0].holds, []);
    assert_eq!(sinks[0].past, [HoldPeriod { from: at(10), to: at(20) }]);
    assert_eq!(sinks[1].holds, [until_resumed, hold(Some("PURCHASE"))]);
    assert_eq!(sinks[1].past, []);
    assert_eq!(store.sinks().await.unwrap()[0].holds, sinks[1].holds);
}

pub(crate) async fn a_hold_replaces_the_one_of_its_scope(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    fixture.store.hold(fixture.tiktok, &hold(None)).await.unwrap();
    let renewed = Hold { until: Some(at(2000)), failures: 2, ..hold(None) };
    fixture.store.hold(fixture.tiktok, &renewed).await.unwrap();
    assert_eq!(fixture.store.sinks().await.unwrap()[0].holds, [renewed]);

    for n in 0..1010 {
        let again = Hold { since: at(n), ..hold(None) };
        fixture.store.hold(fixture.tiktok, &again).await.unwrap();
        fixture.store.resume(fixture.tiktok, None, at(n + 1)).await.unwrap();
    }
    let past = fixture.store.register_sinks(&[registration("tiktok")]).await.unwrap().remove(0).past;
    assert_eq!(past.len(), 1000);
    assert_eq!(past[0], HoldPeriod { from: at(1009), to: at(1010) });
}

pub(crate) async fn what_was_parked_is_due_after_resuming(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    fixture.store.hold(fixture.tiktok, &hold(None)).await.unwrap();
    fixture.store.hold(fixture.tiktok, &hold(Some("PURCHASE"))).await.unwrap();
    let trial = fixture.settled("a", parked()).await;
    fixture.accept(Admission { name: "PURCHASE".into(), ..admission("a", &[fixture.tiktok]) }).await;
    let purchase = fixture.lease(0, 1).await.remove(0);
    fixture.settle(&purchase, parked(), 1).await;
    let retried = Change { reason: Some("unavailable".to_owned()), ..parked() };
    fixture.settled("backoff", retried).await;
    assert!(fixture.lease(100, 10).await.is_empty());

    fixture.store.resume(fixture.tiktok, None, at(100)).await.unwrap();
    let leases = fixture.lease(100, 10).await;
    assert_eq!(leases.iter().map(|lease| lease.id).collect::<Vec<_>>(), [trial]);
    fixture.store.resume(fixture.tiktok, Some("PURCHASE"), at(200)).await.unwrap();
    assert_eq!(fixture.lease(200, 10).await[0].id, purchase.id);
    fixture.assert_balanced().await;
}

pub(crate) async fn a_great_deal_that_was_parked_is_released_in_parts(backend: &impl Backend) {
    const MANY: usize = 5_000;
    let fixture = Fixture::new(backend).await;
    let admissions: Vec<_> = (0..MANY).map(|n| admission(&n.to_string(), &[fixture.tiktok])).collect();
    fixture.store.accept(&admissions, at(0)).await.unwrap();
    let leases = fixture.lease(0, MANY).await;
    // What waits for another reason stands among them, and goes on waiting.
    let change = |n: usize| match n % 10 {
        0 => Change { reason: Some("unavailable".to_owned()), ..parked() },
        _ => parked(),
    };
    let items = leases.iter().enumerate();
    let items = items.map(|(n, lease)| ItemSettlement {
        attempts: Vec::new(),
        change: Some(change(n)),
        ..item(lease, 0)
    });
    fixture.store.settle(&[settlement(Vec::new(), items.collect())], at(1)).await.unwrap();

    let mut rest = fixture.store.resume(fixture.tiktok, None, at(100)).await.unwrap();
    let mut due = fixture.lease(100, MANY).await.len();
    assert!((1..MANY / 2).contains(&due), "{due} at once");
    while let Some(parked) = rest {
        rest = fixture.store.release(parked).await.unwrap();
        due += fixture.lease(100, MANY).await.len();
    }
    assert_eq!(due, MANY / 10 * 9);
    fixture.assert_balanced().await;
}

pub(crate) async fn resuming_one_event_name_leaves_the_others(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    fixture.settled("a", parked()).await;
    fixture.store.resume(fixture.tiktok, Some("PURCHASE"), at(100)).await.unwrap();
    fixture.store.resume(fixture.google, None, at(100)).await.unwrap();
    assert!(fixture.lease(100, 10).await.is_empty());
    fixture.store.resume(fixture.tiktok, Some("TRIAL_BOOKED"), at(100)).await.unwrap();
    assert_eq!(fixture.lease(100, 10).await.len(), 1);
}

pub(crate) async fn changed_settings_are_noticed(backend: &impl Backend) {
    let fixture = Fixture::new(backend).await;
    let changed = SinkRegistration { fingerprint: [8; 16], ..registration("tiktok") };
    let sinks = [changed.clone(), registration("google-ads"), registration("another")];
    let registered = fixture.store.register_sinks(&sinks).await.unwrap();
    let seen: Vec<_> = registered.iter().map(|sink| sink.settings_changed).collect();
    assert_eq!(seen, [true, false, false]);
    assert_eq!((registered[0].id, registered[1].id), (fixture.tiktok, fixture.google));
    assert!(!fixture.store.register_sinks(&[changed]).await.unwrap()[0].settings_changed);
}
