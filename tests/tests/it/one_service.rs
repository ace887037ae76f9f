//! One service works on a store; any number of commands look at it.

use conversion_store::{Access, StoreError};
use serde_json::Value;

use crate::harness::{Counts, Platforms, Program, World, booked, signalbox};

#[tokio::test]
async fn a_second_service_on_the_same_store_refuses_to_start() {
    let platforms = Platforms::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut environment = platforms.environment();
    let store = folder.path().join("signalbox.db");
    environment.insert("SIGNALBOX_STORE".to_owned(), format!("sqlite://{}", store.display()));
    let first = Program::serve(&environment).await;
    first.api.report(&[booked("e")]).await;
    first.api.until_counts("tiktok", Counts::delivered(1)).await;
    first.api.until_counts("google-ads", Counts::delivered(1)).await;

    // Another name of the same file is the same store.
    let indirect = folder.path().join(".").join("signalbox.db");
    for path in [&store, &indirect] {
        environment.insert("SIGNALBOX_STORE".to_owned(), format!("sqlite://{}", path.display()));
        let output = signalbox(&["serve", "--listen", "127.0.0.1:0"], &environment).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("is in use by another running service; stop that one first"), "{said}");
    }

    // What only reads works beside it.
    let audit = signalbox(&["audit", "--json"], &environment).output().unwrap();
    assert_eq!(audit.status.code(), Some(0));
    let audit: Value = serde_json::from_slice(&audit.stdout).unwrap();
    assert_eq!(audit, first.api.audit().await, "the command and the endpoint tell the same");
    let listed = signalbox(&["deliveries", "--json"], &environment).output().unwrap();
    assert_eq!(listed.status.code(), Some(0));
    assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().count(), 2);
    // And the first has not noticed.
    first.api.report(&[booked("f")]).await;
    first.api.until_counts("tiktok", Counts::delivered(2)).await;
}

#[tokio::test]
async fn a_reader_changes_nothing() {
    let world = World::start().await;
    let reader = conversion_store::open(world.store(), Access::ReadOnly).unwrap();
    let now = world.clock.now();
    let refused = reader.start_run(now, now).await;
    assert!(matches!(refused, Err(StoreError::Database { .. })), "{refused:?}");
}
