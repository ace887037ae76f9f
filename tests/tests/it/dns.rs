//! Names cannot be resolved for a while.

use crate::harness::{ALL, Counts, Faults, Platforms, Program, booked, ids, many, signalbox, until};

/// So many failures in a row hold a sink.
const STREAK: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_dns_deliveries_are_held_and_go_out_once_it_is_back() {
    let mut platforms = Platforms::telling(ALL).await;
    let folder = tempfile::tempdir().unwrap();
    let faults = Faults::new(folder.path(), folder.path());
    let mut environment = platforms.environment();
    // By a name that must be looked up.
    for value in environment.values_mut() {
        *value = value.replace("http://127.0.0.1:", "http://localhost:");
    }
    environment.extend(faults.environment());
    let store = folder.path().join("signalbox.db");
    environment.insert("SIGNALBOX_STORE".to_owned(), format!("sqlite://{}", store.display()));

    let mut program = Program::serve(&environment).await;
    let before = many("before", 10);
    program.api.report(&before).await;
    for sink in platforms.sinks() {
        program.api.until_counts(sink, Counts::delivered(10)).await;
    }

    faults.set_dns_gone(true);
    // Open connections would need no names.
    platforms.drop_connections().await;
    let during: Vec<_> = (0..STREAK).map(|number| booked(&format!("during-{number}"))).collect();
    for (number, event) in during.iter().enumerate() {
        // Each fails by itself, unless tries of those before it were enough.
        program.api.report(std::slice::from_ref(event)).await;
        for sink in platforms.sinks() {
            until(&format!("{sink} to fail, or to be held"), async || {
                let delivery = program.api.delivery(sink, &format!("during-{number}")).await;
                let held = program.api.sink(sink).await["state"] == "HELD";
                if held || delivery["reason"] == "unreachable" { Ok(()) } else { Err(delivery.to_string()) }
            })
            .await;
        }
    }
    for sink in platforms.sinks() {
        let held = program.api.until_state(sink, "HELD").await;
        assert_eq!(held["holdReason"], "unreachable", "{held}");
    }
    let held = many("held", 10);
    program.api.report(&held).await;
    for sink in platforms.sinks() {
        let expected = Counts { delivered: 10, pending: 15, ..Counts::default() };
        program.api.until_counts(sink, expected).await;
    }

    faults.set_dns_gone(false);
    for sink in platforms.sinks() {
        program.api.until_counts(sink, Counts::delivered(25)).await;
    }
    platforms.assert_counted_once(&ids(&[before, during, held].concat()));
    for platform in ALL {
        assert_eq!(platforms.of(*platform).deduplicated, 0, "nothing had left");
    }
    program.api.audit().await;
    program.kill();
    assert_eq!(signalbox(&["audit"], &environment).output().unwrap().status.code(), Some(0));
}
