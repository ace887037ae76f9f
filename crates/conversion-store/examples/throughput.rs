//! How many whole lives of events a store carries: accepted with two deliveries, sent in batches, settled.
//!
//! `cargo run --release -p conversion-store --example throughput -- FOLDER [EVENTS]`

#![expect(clippy::print_stdout, reason = "it reports to a terminal")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use conversion_core::exchange::{Body, Exchange, Header, Reply, Request};
use conversion_core::{CanonicalEvent, Timestamp};
use conversion_store::{
    Acceptance, Access, Admission, Attempt, Change, DeliveryId, ItemSettlement, NewDelivery, Origin, RunId,
    Settlement, SinkId, SinkRegistration, Status, Store, StoreError, open,
};
use serde_json::value::RawValue;

const BATCH: usize = 100;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("name a folder on the disk to measure")?;
    let events: usize = arguments.next().as_deref().unwrap_or("100000").parse()?;
    let file = std::path::Path::new(&folder).join("throughput.db");
    let store = open(&format!("sqlite://{}", file.display()), Access::ReadWrite)?;
    let (run, sinks) = prepare(&*store).await?;

    let start = Instant::now();
    let (mut accepting, mut settling) = (Duration::ZERO, Duration::ZERO);
    for group in 0..events / BATCH {
        let admissions: Vec<_> = (0..BATCH).map(|n| admission(group * BATCH + n, run, &sinks)).collect();
        let before = Instant::now();
        let acceptances = store.accept(&admissions, Timestamp::UNIX_EPOCH).await?;
        accepting += before.elapsed();
        let settlements: Vec<_> =
            sinks.iter().map(|sink| settlement(&admissions, &acceptances, *sink)).collect();
        let before = Instant::now();
        store.settle(&settlements, Timestamp::UNIX_EPOCH).await?;
        settling += before.elapsed();
    }
    println!(
        "{events} events in {:.1?}: accepting {accepting:.1?}, settling {settling:.1?}",
        start.elapsed()
    );
    let before = Instant::now();
    let audit = store.audit().await?;
    println!("balanced: {} (audited in {:.1?})", audit.balanced, before.elapsed());
    println!("file: {} bytes an event", std::fs::metadata(&file)?.len() / audit.accepted);
    Ok(())
}

async fn prepare(store: &dyn Store) -> Result<(RunId, Vec<SinkId>), StoreError> {
    let sinks = ["tiktok", "google-ads"].map(|name| SinkRegistration {
        name: name.to_owned(),
        kind: name.to_owned(),
        platform: name.to_owned(),
        fingerprint: [0; 16],
        targets: BTreeMap::new(),
    });
    let run = store.start_run(Timestamp::UNIX_EPOCH, Timestamp::MAX).await?;
    let sinks = store.register_sinks(&sinks).await?.iter().map(|sink| sink.id).collect();
    Ok((run, sinks))
}

// Digits that look random and are the same in every run.
fn noise(n: usize, salt: u64) -> String {
    format!("{:016x}", (u64::try_from(n).unwrap_or_default() ^ salt).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn admission(n: usize, run: RunId, sinks: &[SinkId]) -> Admission {
    let id = noise(n, 1);
    let json = format!(
        r#"{{"eventId":"{id}","eventName":"TRIAL_BOOKED","eventTime":"2027-01-15T08:00:00Z","email":"{}@example.com","phone":"+4366412345{:05}","ip":"203.0.113.7","userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36","clickIds":{{"gclid":"{}{}","ttclid":"{}{}"}},"pageUrl":"https://school.example/trial?utm_source=tiktok&utm_campaign=spring","value":"49.00","currency":"EUR"}}"#,
        noise(n, 2),
        n % 100_000,
        noise(n, 3),
        noise(n, 4),
        noise(n, 5),
        noise(n, 6),
    );
    let new = |sink: &SinkId| NewDelivery {
        sink: *sink,
        due_at: Timestamp::UNIX_EPOCH,
        leased_to: Some(run),
        driver: conversion_store::Driver::Builtin,
    };
    Admission {
        appointment: None,
        name: "TRIAL_BOOKED".into(),
        id: id.into(),
        conversion_id: None,
        fingerprint: CanonicalEvent::fingerprint(&json),
        json: json.into(),
        origin: Origin::Live,
        deliveries: sinks.iter().map(new).collect(),
    }
}

fn settlement(admissions: &[Admission], acceptances: &[Acceptance], sink: SinkId) -> Settlement {
    let items: Vec<_> =
        admissions.iter().filter_map(|one| RawValue::from_string(one.json.to_string()).ok()).collect();
    let body = Body::compose(r#"{"data":["#, items.iter().map(AsRef::as_ref), "]}");
    let url = "https://business-api.tiktok.com/open_api/v1.3/event/track/".to_owned();
    let request = Arc::new(Request { url, headers: vec![Header::json()], body });
    let reply =
        Some(Reply { status: 200, body: r#"{"code":0,"message":"OK"}"#.to_owned(), truncated: false });
    let settled = acceptances.iter().enumerate().filter_map(|(position, acceptance)| match acceptance {
        Acceptance::Accepted { event } => Some(item(DeliveryId { event: *event, sink }, position)),
        Acceptance::Duplicate { .. } => None,
    });
    Settlement {
        exchanges: vec![Exchange { request, reply, duration: Duration::from_millis(80) }],
        sent_at: Timestamp::UNIX_EPOCH,
        items: settled.collect(),
        receipt: None,
    }
}

fn item(id: DeliveryId, position: usize) -> ItemSettlement {
    let change = Change {
        status: Status::Delivered,
        reason: None,
        message: None,
        due_at: None,
        waiting_since: None,
        tries: 0,
        uncertain: None,
        response_code: Some(200),
        consent: None,
    };
    let attempts = vec![Attempt { exchange: 0, position, result: "delivered", note: None }];
    ItemSettlement { id, fence: 1, attempts, change: Some(change) }
}
