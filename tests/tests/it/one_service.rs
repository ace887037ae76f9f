//! One service works on a store; any number of commands look at it.

use conversion_store::{Access, StoreError};
use serde_json::Value;

use crate::harness::{ALL, Counts, Platforms, Program, World, booked, many, signalbox};

#[tokio::test]
async fn a_second_service_on_the_same_store_refuses_to_start() {
    let platforms = Platforms::telling(ALL).await;
    let folder = tempfile::tempdir().unwrap();
    let mut environment = platforms.environment();
    let store = folder.path().join("signalbox.db");
    environment.insert("SIGNALBOX_STORE".to_owned(), format!("sqlite://{}", store.display()));
    let first = Program::serve(&environment).await;
    first.api.report(&[booked("e")]).await;
    for sink in platforms.sinks() {
        first.api.until_counts(sink, Counts::delivered(1)).await;
    }

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
    assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().count(), ALL.len());
    // And the first has not noticed.
    first.api.report(&[booked("f")]).await;
    first.api.until_counts("tiktok", Counts::delivered(2)).await;
}

/// Commands that read see a whole account at any moment, and the service does not notice them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_read_beside_a_service_that_is_at_work() {
    let platforms = Platforms::telling(ALL).await;
    let folder = tempfile::tempdir().unwrap();
    let mut environment = platforms.environment();
    let store = folder.path().join("signalbox.db");
    environment.insert("SIGNALBOX_STORE".to_owned(), format!("sqlite://{}", store.display()));
    let mut program = Program::serve(&environment).await;
    let mut expected = 0;
    for round in 0..5 {
        let events = many(&format!("round-{round}"), 200);
        program.api.report(&events).await;
        expected += 200;
        for arguments in [
            &["audit", "--json"][..],
            &["audit"],
            &["deliveries", "--json", "--limit", "50"],
            &["deliveries", "--sink", "tiktok"],
            &["notices", "--json"],
        ] {
            let output = signalbox(arguments, &environment).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
            assert_eq!(said, "", "{arguments:?}");
        }
        let refused = signalbox(&["serve", "--listen", "127.0.0.1:0"], &environment).output().unwrap();
        assert_eq!(refused.status.code(), Some(2));
    }
    for sink in platforms.sinks() {
        program.api.until_counts(sink, Counts::delivered(expected)).await;
    }
    for platform in ALL {
        let report = platforms.of(*platform);
        assert_eq!((report.received, report.deduplicated, report.counted_twice), (expected, 0, 0));
    }
    assert_eq!(program.api.audit().await["accepted"], expected);

    // The lock goes with the process, however that ends.
    program.kill();
    let next = Program::serve(&environment).await;
    assert_eq!(next.api.audit().await["accepted"], expected);
}

#[tokio::test]
async fn a_reader_changes_nothing() {
    let world = World::start().await;
    let reader = conversion_store::open(world.store(), Access::ReadOnly).unwrap();
    let now = world.clock.now();
    let refused = reader.start_run(now, now).await;
    assert!(matches!(refused, Err(StoreError::Database { .. })), "{refused:?}");
}
