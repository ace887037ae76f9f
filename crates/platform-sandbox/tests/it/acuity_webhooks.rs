//! Acuity's webhooks: what they say, who signs them, and what happens when nobody takes them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use platform_sandbox::{AcuityReport, AcuitySettings, Booking, Edit, Sandbox, Twins};
use sha2::Sha256;

use crate::harness::Running;
use crate::receiver::{Receiver, Told};

fn booking() -> Booking {
    let datetime = "2026-12-01T10:15:00-0500".to_owned();
    Booking { datetime, type_id: 88, calendar_id: 77, ..Booking::default() }
}

/// A sandbox that tells a receiver.
async fn telling(receiver: &Receiver, settings: AcuitySettings) -> Running {
    let running = Running::start().await;
    configure(&running, receiver, settings);
    running
}

fn configure(running: &Running, receiver: &Receiver, settings: AcuitySettings) {
    let settings = AcuitySettings { webhook_target: Some(receiver.url.clone()), retry_ms: 1, ..settings };
    running.sandbox.acuity().configure(settings);
}

/// The report once nothing waits and so many webhooks were sent.
async fn settled(sandbox: &Sandbox, sent: u64) -> AcuityReport {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let report = sandbox.report().acuity;
        if report.webhooks_sent >= sent && report.webhooks_waiting == 0 {
            return report;
        }
        assert!(Instant::now() < deadline, "{report:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn actions(told: &[Told]) -> Vec<&str> {
    told.iter().map(Told::action).collect()
}

fn signed(key: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[tokio::test]
async fn each_act_is_told_and_signed() {
    let mut receiver = Receiver::start(&[]).await;
    let running = telling(&receiver, AcuitySettings::default()).await;
    let acuity = running.sandbox.acuity();
    let id = acuity.book(booking()).unwrap();
    acuity.reschedule(id, "2026-12-02T10:15:00-0500").unwrap();
    acuity.edit(id, Edit { notes: Some("x".to_owned()), ..Edit::default() }).unwrap();
    acuity.cancel(id).unwrap();
    let told = receiver.take(4).await;
    // Those of one appointment keep their order.
    for (told, action) in told.iter().zip(["scheduled", "rescheduled", "changed", "canceled"]) {
        assert_eq!(told.body, format!("action={action}&id={id}&calendarID=77&appointmentTypeID=88"));
        assert_eq!(told.content_type, "application/x-www-form-urlencoded");
        assert_eq!(told.signature, signed("sandbox-acuity-key", &told.body));
    }
    let report = settled(&running.sandbox, 4).await;
    assert_eq!([report.webhooks_accepted, report.webhooks_refused], [4, 0]);

    configure(
        &running,
        &receiver,
        AcuitySettings {
            signing_key: Some("another".to_owned()),
            prefixed_actions: true,
            ..AcuitySettings::default()
        },
    );
    acuity.book(booking()).unwrap();
    let told = receiver.take(1).await;
    assert_eq!(told[0].action(), "appointment.scheduled");
    assert_eq!(told[0].signature, signed("another", &told[0].body));
}

#[tokio::test]
async fn twins_repeats_and_changed_alone() {
    let default = AcuitySettings::default;
    let cases = [
        (
            AcuitySettings { twins: Twins::Before, ..default() },
            vec!["changed", "scheduled", "changed", "canceled"],
        ),
        (
            AcuitySettings { twins: Twins::After, ..default() },
            vec!["scheduled", "changed", "canceled", "changed"],
        ),
        (AcuitySettings { only_changed: true, twins: Twins::After, ..default() }, vec!["changed", "changed"]),
        (
            AcuitySettings { repeats: 1, twins: Twins::After, ..default() },
            vec![
                "scheduled",
                "changed",
                "scheduled",
                "changed",
                "canceled",
                "changed",
                "canceled",
                "changed",
            ],
        ),
        (AcuitySettings { webhooks: false, ..default() }, vec![]),
    ];
    for (settings, expected) in cases {
        let mut receiver = Receiver::start(&[]).await;
        let running = telling(&receiver, settings.clone()).await;
        let id = running.sandbox.acuity().book(booking()).unwrap();
        running.sandbox.acuity().cancel(id).unwrap();
        assert_eq!(actions(&receiver.take(expected.len()).await), expected, "{settings:?}");
        assert_eq!(
            settled(&running.sandbox, expected.len() as u64).await.webhooks_accepted,
            expected.len() as u64
        );
    }
}

#[tokio::test]
async fn chance_decides_the_order_and_the_seed_decides_chance() {
    let settings = [
        AcuitySettings { twins: Twins::Either, ..AcuitySettings::default() },
        AcuitySettings { twins: Twins::After, shuffle_ms: 100, ..AcuitySettings::default() },
    ];
    for settings in settings {
        let mut runs = Vec::new();
        let mut receiver = Receiver::start(&[]).await;
        let running = telling(&receiver, settings).await;
        for _ in 0..2 {
            running.sandbox.reset();
            let ids: Vec<u64> = (0..12).map(|_| running.sandbox.acuity().book(booking()).unwrap()).collect();
            let told = receiver.take(24).await;
            let first = |id: &u64| told.iter().find(|told| told.id() == *id).unwrap().action().to_owned();
            runs.push(ids.iter().map(first).collect::<Vec<_>>());
        }
        assert!(runs[0].iter().any(|action| action == "changed"), "{runs:?}");
        assert!(runs[0].iter().any(|action| action == "scheduled"), "{runs:?}");
        assert_eq!(runs[0], runs[1]);
    }
}

#[tokio::test]
async fn what_is_not_taken_comes_again() {
    let mut receiver = Receiver::start(&[500, 404, 302, 401]).await;
    let running = telling(&receiver, AcuitySettings::default()).await;
    running.sandbox.acuity().book(booking()).unwrap();
    let told = receiver.take(5).await;
    assert!(told.iter().all(|one| one.body == told[0].body && one.signature == told[0].signature));
    let report = settled(&running.sandbox, 5).await;
    assert_eq!([report.webhooks_accepted, report.webhooks_refused, report.webhooks_given_up], [1, 4, 0]);
}

#[tokio::test]
async fn nobody_there_at_first() {
    let running = Running::start().await;
    let mut receiver = Receiver::start(&[]).await;
    let nobody = AcuitySettings {
        webhook_target: Some("http://127.0.0.1:1/".to_owned()),
        retry_ms: 1,
        ..AcuitySettings::default()
    };
    running.sandbox.acuity().configure(nobody);
    let id = running.sandbox.acuity().book(booking()).unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    while running.report().acuity.webhooks_refused < 3 {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // A retry goes where webhooks go by then.
    configure(&running, &receiver, AcuitySettings::default());
    assert_eq!(receiver.take(1).await[0].id(), id);
}

#[tokio::test]
async fn given_up_after_twenty_tries() {
    let running = Running::start().await;
    let receiver = Receiver::start(&[500; 30]).await;
    configure(&running, &receiver, AcuitySettings::default());
    let settings = AcuitySettings {
        webhook_target: Some(receiver.url.clone()),
        retry_ms: 0,
        ..AcuitySettings::default()
    };
    running.sandbox.acuity().configure(settings);
    running.sandbox.acuity().book(booking()).unwrap();
    let report = settled(&running.sandbox, 20).await;
    assert_eq!([report.webhooks_sent, report.webhooks_refused, report.webhooks_given_up], [20, 20, 1]);
}

#[tokio::test]
async fn one_appointment_never_overtakes_itself() {
    let mut receiver = Receiver::start(&[]).await;
    let running = telling(&receiver, AcuitySettings::default()).await;
    let acuity = running.sandbox.acuity();
    let ids: Vec<u64> = (0..40).map(|_| acuity.book(booking()).unwrap()).collect();
    for id in &ids {
        acuity.reschedule(*id, "2026-12-02T10:15:00-0500").unwrap();
        acuity.cancel(*id).unwrap();
    }
    let mut by_id: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for told in receiver.take(120).await {
        assert!(told.alone, "{told:?}");
        by_id.entry(told.id()).or_default().push(told.action().to_owned());
    }
    assert_eq!(by_id.len(), 40);
    assert!(by_id.values().all(|actions| *actions == ["scheduled", "rescheduled", "canceled"]), "{by_id:?}");
}

#[tokio::test]
async fn nothing_is_sent_after_the_sandbox_stopped() {
    let mut receiver = Receiver::start(&[]).await;
    let running = telling(&receiver, AcuitySettings::default()).await;
    let sandbox = running.sandbox.clone();
    sandbox.acuity().book(booking()).unwrap();
    receiver.take(1).await;
    drop(running);
    sandbox.acuity().book(booking()).unwrap();
    assert!(!receiver.hears_within(Duration::from_millis(100)).await);
    assert_eq!(sandbox.report().acuity.webhooks_waiting, 1);
}
