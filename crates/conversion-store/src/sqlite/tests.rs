//! What no other store has: a file that can fill a disk.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use rusqlite::Connection;

use super::SqliteStore;
use super::read::due::QUEUE_DUE;
use super::write::dedup::LEASED;
use super::write::hold::WAITING;
use super::write::lease::FREE;
use super::write::notice::MERGE;
use super::writer::Work;
use crate::admission::{Admission, Origin};
use crate::error::StoreError;
use crate::lease::SinkId;
use crate::{
    Acceptance, Candidate, Driver, NewDelivery, ReplaySelection, ReplayStore as _, SinkRegistration,
    Store as _,
};
use conversion_core::Timestamp;

fn admission(id: &str) -> Admission {
    let json: String = (0..2000u32).map(|n| char::from_u32(0x4E00 + n * 7919 % 20000).unwrap()).collect();
    Admission {
        name: "TRIAL_BOOKED".into(),
        id: id.into(),
        conversion_id: None,
        // Nothing that compresses.
        json: json.into(),
        fingerprint: [0; 16],
        origin: Origin::Live,
        appointment: None,
        deliveries: Vec::new(),
    }
}

async fn limit_pages(store: &SqliteStore, pages: u32) {
    let limit = move |connection: &Connection| connection.pragma_update(None, "max_page_count", pages);
    store.write("set a limit", move |work| limit(&work.transaction)).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_not_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("signalbox.db").display().to_string();
    let store = SqliteStore::open(&path).unwrap();
    limit_pages(&store, 1).await; // Never fewer than there are.
    let mut kept = 0;
    let error = loop {
        match store.accept(&[admission(&kept.to_string())], Timestamp::UNIX_EPOCH).await {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Database { action: "accept events", .. }), "{error}");
    assert_eq!(store.audit().await.unwrap().accepted, kept);
    assert!(store.audit().await.unwrap().balanced);

    limit_pages(&store, 100_000).await;
    let acceptance = store.accept(&[admission("after")], Timestamp::UNIX_EPOCH).await.unwrap();
    assert!(matches!(acceptance[..], [Acceptance::Accepted { .. }]));
    assert_eq!(store.audit().await.unwrap().accepted, kept + 1);
}

#[tokio::test]
async fn what_retention_has_removed_is_told_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("signalbox.db").display().to_string()).unwrap();
    let now = Timestamp::UNIX_EPOCH;
    let [kind, name, platform] = ["k", "n", "P"].map(str::to_owned);
    let sink = SinkRegistration { kind, name, platform, fingerprint: [0; 16], targets: BTreeMap::new() };
    let sink = store.register_sinks(&[sink]).await.unwrap()[0].id;
    let delivery = NewDelivery { sink, due_at: now, leased_to: None, driver: Driver::Builtin };
    let admissions = ["kept", "removed"].map(|id| Admission { deliveries: vec![delivery], ..admission(id) });
    store.accept(&admissions, now).await.unwrap();
    // There is no retention yet: so that its rows are no longer there, they are taken away.
    let fail = "UPDATE delivery SET status = 3, settled_at = 0;
        UPDATE counter SET kind = 3 WHERE kind = 0;
        DELETE FROM body WHERE event = (SELECT seq FROM event WHERE id = 'removed')";
    store.write("remove", move |work| work.transaction.execute_batch(fail)).await.unwrap();

    let found = store.replayable(&ReplaySelection::default(), None).await.unwrap().items;
    assert_eq!(found.iter().map(|found| found.event.is_some()).collect::<Vec<_>>(), [true, false]);
    let items: Vec<_> = found.iter().map(Candidate::item).collect();
    let due = store.replay(&items, Driver::Builtin, NonZeroU32::MIN, now).await.unwrap();
    assert_eq!(due, [Some(now), None]);
    let account = store.audit().await.unwrap();
    assert!(account.balanced, "{:?}", account.differences);
    assert_eq!((account.sinks["n"].pending, account.sinks["n"].failed), (1, 1));
}

async fn plan(store: &SqliteStore, sql: &'static str) -> Vec<String> {
    let explain = move |work: &mut Work<'_>| {
        let mut statement = work.transaction.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        statement.raw_query().mapped(|row| row.get(3)).collect()
    };
    store.write("explain a statement", explain).await.unwrap()
}

#[tokio::test]
async fn what_is_to_be_sent_waits_for_no_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("signalbox.db").display().to_string();
    let store = SqliteStore::open(&path).unwrap();
    let readers = &store.readers;
    let (ends, end) = std::sync::mpsc::channel::<()>();
    let end = std::sync::Arc::new(std::sync::Mutex::new(end));
    let long = || {
        let end = std::sync::Arc::clone(&end);
        let wait = move |_: &Connection| Ok(end.lock().unwrap().recv().is_err());
        readers.list("list", wait)
    };
    let due = async {
        let due = tokio::time::timeout(Duration::from_secs(120), store.next_due(SinkId(1))).await;
        drop(ends);
        due
    };
    let (first, second, third, due) = tokio::join!(biased; long(), long(), long(), due);
    assert!([first, second, third].into_iter().all(|ended| ended.unwrap()));
    assert_eq!(due.unwrap().unwrap(), None);
}

#[tokio::test]
async fn pending_deliveries_are_found_in_the_order_of_their_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("signalbox.db").display().to_string();
    let store = SqliteStore::open(&path).unwrap();
    for (statement, table, due_at) in
        [(FREE, "d", "due_at<?"), (QUEUE_DUE, "delivery", "due_at<?"), (WAITING, "d", "(due_at,event)>(?,?)")]
    {
        let plan = plan(&store, statement).await;
        let by = format!(
            "SEARCH {table} USING INDEX delivery_pending (sink=? AND owner=? AND driver=? AND {due_at})"
        );
        assert_eq!(plan[0], by);
        assert!(!plan.iter().any(|step| step.contains("ORDER BY")), "{plan:?}");
    }
}

#[tokio::test]
async fn a_start_looks_at_leased_deliveries_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("signalbox.db").display().to_string()).unwrap();
    let plan = plan(&store, LEASED).await;
    let by = "SEARCH d USING INDEX delivery_pending (sink=? AND owner>?)";
    assert!(plan.iter().any(|step| step == by), "{plan:?}");
    assert!(!plan.iter().any(|step| step.starts_with("SCAN d") || step.starts_with("SCAN e")), "{plan:?}");
}

#[tokio::test]
async fn a_notice_that_is_told_again_is_found_among_the_pending_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("signalbox.db").display().to_string()).unwrap();
    let by = "SEARCH notice USING INDEX notice_waiting (appointment=?)";
    assert_eq!(plan(&store, MERGE).await[0], by);
}
