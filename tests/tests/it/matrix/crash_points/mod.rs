//! The process ends beside each await between a request and the settled account that follows from it. Each test takes the
//! points of one way through the program; `every_point_is_on_a_way` holds them against the list of all.

mod bookings;
mod events;
mod holds;
mod queue;
mod starts;
mod verdicts;

use std::fs;
use std::os::unix::process::ExitStatusExt as _;

use conversion_store::crash::{Point, Room, WRITES};

use crate::harness::{Api, Ground, Program, until};

/// Signal number of `abort`.
const ABORTED: i32 = 6;

/// Both points of these writes.
fn commits(writes: &[&'static str]) -> Vec<Point> {
    writes.iter().flat_map(|write| [Point::Written(write), Point::Committed(write)]).collect()
}

/// A service that crashes at `point`, once `act` has led it there; `act` begins when it listens, if it ever does, and
/// may be cut off. Returns how many deliveries may be received twice in the end.
async fn crash(
    ground: &Ground,
    address: &str,
    (point, nth): (Point, u32),
    act: impl AsyncFnOnce(&Api),
) -> u64 {
    let mut program = ground.serve_until(address, point, nth);
    let api = until("the program to listen or to crash", async || match program.look_for_api() {
        Some(api) => Ok(Some(api)),
        None if program.has_ended() => Ok(None),
        None => Err(format!("{:?}", program.printed())),
    })
    .await;
    if let Some(api) = api {
        act(&api).await;
    }
    let name = point.name();
    until(&format!("the crash at {name}, pass {nth}"), async || {
        if program.has_ended() { Ok(()) } else { Err("it runs".to_owned()) }
    })
    .await;
    let status = program.ended().await;
    assert_eq!(status.signal(), Some(ABORTED), "{name}: {status}, {:?}", program.printed());
    ground.may_be_resent().await
}

/// The service after the crash.
async fn restart(ground: &Ground, address: &str) -> Program {
    Program::serve_at(address, &ground.environment).await
}

/// Any port.
const ANYWHERE: &str = "127.0.0.1:0";

#[test]
fn every_point_is_on_a_way() {
    let on_ways = [
        events::points(),
        starts::points(),
        holds::points(),
        bookings::points(),
        queue::points(),
        verdicts::points(),
    ]
    .concat();
    for point in Point::all() {
        let count = on_ways.iter().filter(|other| **other == point).count();
        assert_eq!(count, 1, "{} is crashed at {count} times", point.name());
    }
    assert_eq!(on_ways.len(), 2 * WRITES.len() + Room::ALL.len());
}

/// Not on the way of an event: a write that is added is either a point, or named here with its reason.
const ELSEWHERE: [&str; 6] = [
    // Repeats what was true.
    "renew a run",
    // What stays parked is due at its own time.
    "release what was parked",
    // Writes nothing that anyone relies on.
    "write",
    // A notice by hand, like a delivery by hand.
    "retry a notice",
    // Visits: no event hangs on one.
    "keep attributions",
    "forget attributions",
];

#[test]
fn every_write_of_the_store_is_a_point() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/conversion-store/src/sqlite");
    let mut found = Vec::new();
    for file in ["mod.rs", "bookings.rs", "queue.rs", "confirmations.rs", "attributions.rs"] {
        let source = fs::read_to_string(format!("{folder}/{file}")).unwrap();
        for method in source.split("    async fn ").filter(|method| method.contains("self.write(")) {
            let action = ["let action = \"", "self.write(\""].into_iter().find_map(|before| {
                let (_, rest) = method.split_once(before)?;
                Some(rest.split('"').next().unwrap().to_owned())
            });
            found.push(action.unwrap_or_else(|| panic!("{file}: no action in {method}")));
        }
    }
    assert!(found.len() >= WRITES.len(), "{found:?}");
    for action in found {
        let listed = WRITES.iter().chain(&ELSEWHERE).filter(|known| **known == action).count();
        assert_eq!(listed, 1, "{action}: list it in crash::WRITES and crash there, or say here why not");
    }
}
