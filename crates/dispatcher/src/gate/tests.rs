use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn gate() -> Gate {
    Gate::restored(Vec::new(), Vec::new())
}

fn failure(class: FailureClass) -> Failure {
    Failure::new(class, "what the platform said")
}

fn held_until(change: Option<GateChange>) -> Option<Timestamp> {
    match change {
        Some(GateChange::Held(hold)) => hold.until,
        _ => None,
    }
}

const UNAUTHORIZED: FailureClass = FailureClass::Unauthorized { scope: HoldScope::Sink };
const WRONG_ACTION: FailureClass = FailureClass::Unauthorized { scope: HoldScope::EventName };

#[test]
fn bad_credentials_hold_until_a_probe_passes() {
    let gate = gate();
    assert_eq!(held_until(gate.failed(&failure(UNAUTHORIZED), None, at(0), at(1))), Some(at(901)));
    assert_eq!(gate.passage(at(900)), Passage::Closed(Some(at(901))));
    assert_eq!(gate.passage(at(901)), Passage::Probe);
    assert_eq!(gate.passage(at(901)), Passage::Closed(None), "one probe at a time");
    assert_eq!(held_until(gate.failed(&failure(UNAUTHORIZED), None, at(901), at(902))), Some(at(1802)));
    assert_eq!(gate.passage(at(1802)), Passage::Probe);
    assert_eq!(gate.answered(at(1802), at(1803)), Some(GateChange::Resumed));
    assert_eq!(gate.passage(at(1803)), Passage::Open);
}

#[test]
fn a_human_ends_every_hold() {
    let gate = gate();
    gate.failed(&failure(UNAUTHORIZED), None, at(0), at(1));
    gate.failed(&failure(WRONG_ACTION), Some("TRIAL_BOOKED"), at(0), at(1));
    let changes = gate.resume(at(5));
    assert_eq!(changes, [GateChange::Resumed, GateChange::EventNameResumed("TRIAL_BOOKED".into())]);
    assert_eq!(gate.passage(at(5)), Passage::Open);
    assert_eq!(gate.event_name_hold("TRIAL_BOOKED", at(5)), None);
}

#[test]
fn five_failures_in_a_row_hold_and_the_wait_doubles_up_to_five_minutes() {
    let gate = gate();
    for _ in 0..4 {
        assert_eq!(gate.failed(&failure(FailureClass::Unreachable), None, at(0), at(0)), None);
    }
    let mut now = at(0);
    let mut waits = Vec::new();
    for _ in 0..8 {
        let until = held_until(gate.failed(&failure(FailureClass::Unreachable), None, now, now)).unwrap();
        waits.push(until.duration_since(now).as_secs());
        now = until;
        assert_eq!(gate.passage(now), Passage::Probe);
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
}

#[test]
fn an_answer_in_between_breaks_the_row() {
    let gate = gate();
    for _ in 0..3 {
        for _ in 0..4 {
            let class = FailureClass::Unavailable { retry_after: None };
            assert_eq!(gate.failed(&failure(class), None, at(0), at(0)), None);
        }
        gate.answered(at(0), at(0));
    }
}

#[test]
fn what_was_sent_before_the_hold_neither_renews_nor_ends_it() {
    let gate = gate();
    let limited = failure(FailureClass::RateLimited { retry_after: Some(Duration::from_secs(30)) });
    assert_eq!(held_until(gate.failed(&limited, None, at(0), at(1))), Some(at(31)));
    assert_eq!(gate.failed(&limited, None, at(0), at(2)), None);
    assert_eq!(gate.answered(at(0), at(3)), None);
    assert_eq!(gate.passage(at(30)), Passage::Closed(Some(at(31))));
}

#[test]
fn a_wrong_conversion_action_holds_its_event_name_alone() {
    let gate = gate();
    gate.failed(&failure(WRONG_ACTION), Some("TRIAL_BOOKED"), at(0), at(0));
    assert_eq!(gate.passage(at(1)), Passage::Open);
    assert_eq!(gate.event_name_hold("OTHER", at(1)), None);
    assert!(gate.event_name_hold("TRIAL_BOOKED", at(899)).is_some());
    assert_eq!(gate.event_name_hold("TRIAL_BOOKED", at(900)), None, "one passes as a probe");
    assert!(gate.event_name_hold("TRIAL_BOOKED", at(900)).is_some(), "and one alone");
    assert_eq!(
        gate.event_name_delivered("TRIAL_BOOKED"),
        Some(GateChange::EventNameResumed("TRIAL_BOOKED".into()))
    );
    assert_eq!(gate.event_name_hold("TRIAL_BOOKED", at(901)), None);
}

#[test]
fn a_probe_that_finds_nothing_to_send_ends_what_passes_by_itself() {
    let limited = FailureClass::RateLimited { retry_after: Some(Duration::from_secs(9)) };
    for (class, expected) in [(limited, Passage::Open), (UNAUTHORIZED, Passage::Closed(Some(at(10_900))))] {
        let gate = gate();
        gate.failed(&failure(class), None, at(0), at(0));
        assert_eq!(gate.passage(at(10_000)), Passage::Probe);
        assert!(gate.probe_over(at(10_000)).is_some());
        assert_eq!(gate.passage(at(10_000)), expected);
    }
}

#[test]
fn time_held_is_counted_once() {
    let gate = Gate::restored(Vec::new(), vec![HoldPeriod { from: at(0), to: at(100) }]);
    gate.failed(&failure(UNAUTHORIZED), None, at(200), at(200));
    let held = |from, to| gate.history().held_between(at(from), at(to)).as_secs();
    assert_eq!(held(0, 150), 100);
    assert_eq!(held(50, 250), 50 + 50);
    assert_eq!(held(120, 180), 0);
    gate.resume(at(300));
    assert_eq!(held(0, 1000), 200);
}

#[test]
fn a_hold_outlives_the_process() {
    let gate = gate();
    let Some(GateChange::Held(hold)) = gate.failed(&failure(UNAUTHORIZED), None, at(0), at(0)) else {
        panic!()
    };
    let restored = Gate::restored(vec![hold], Vec::new());
    assert_eq!(restored.passage(at(10)), Passage::Closed(Some(at(900))));
    assert_eq!(restored.history().held_between(at(0), at(10)).as_secs(), 10);
}

/// An external queue is handed one delivery when the probe is due, and another only once that one must be lost, has
/// taught nothing, or what is known of the hold has changed.
#[test]
fn an_external_queue_is_asked_for_one_probe_at_a_time() {
    let gate = gate();
    assert_eq!(gate.passage_by_queue(at(0)), Passage::Open);
    gate.failed(&failure(UNAUTHORIZED), None, at(0), at(0));
    let due = at(15 * 60);
    assert_eq!(gate.passage_by_queue(at(1)), Passage::Closed(Some(due)));
    let later = |seconds: i64| at(15 * 60 + seconds);
    assert_eq!(gate.passage_by_queue(due), Passage::Probe);
    assert_eq!(gate.passage_by_queue(later(59)), Passage::Closed(Some(later(60))), "it may come yet");
    assert_eq!(gate.passage_by_queue(later(60)), Passage::Probe, "it is lost");

    // The worker finds nothing of its own: that says nothing of the one that was asked for.
    assert_eq!(gate.passage(later(61)), Passage::Probe);
    assert_eq!(gate.passage_by_queue(later(61)), Passage::Closed(None), "somebody has the probe");
    assert!(gate.is_asked_for(later(119)) && !gate.is_asked_for(later(120)), "until it is lost");
    gate.return_probe();
    assert!(!gate.is_asked_for(later(61)), "whoever has no probe has none to return");
    assert_eq!(gate.passage_by_queue(later(61)), Passage::Closed(Some(later(120))));

    // The one that was asked for comes, and is skipped.
    assert_eq!(gate.passage(later(62)), Passage::Probe);
    gate.ask_for_another();
    assert_eq!(gate.passage_by_queue(later(62)), Passage::Probe);

    // That one is refused: the next is asked for when the hold is due again, not before and not later.
    assert_eq!(gate.passage(later(63)), Passage::Probe);
    gate.failed(&failure(UNAUTHORIZED), None, later(63), later(63));
    let due = later(63 + 15 * 60);
    assert_eq!(gate.passage_by_queue(later(64)), Passage::Closed(Some(due)));
    assert_eq!(gate.passage_by_queue(due), Passage::Probe);
    // There is nothing that could be it: the worker's own finding decides.
    gate.asked_in_vain();
    assert_eq!(gate.passage(due), Passage::Probe);
    assert!(!gate.is_asked_for(due));
    gate.resume(due);
    assert_eq!(gate.passage_by_queue(due), Passage::Open);
}

#[tokio::test]
async fn a_probe_that_the_queue_brings_has_its_turn_after_one_that_was_looked_for_in_vain() {
    let gate = gate();
    gate.failed(&failure(UNAUTHORIZED), None, at(0), at(1));
    assert_eq!(gate.passage(at(901)), Passage::Probe, "the worker's, which has nothing to send");
    gate.return_probe();
    assert_eq!(gate.passage_by_queue(at(901)), Passage::Probe);
    assert_eq!(gate.passage(at(901)), Passage::Probe, "the worker looks again");
    assert_eq!(gate.passage(at(901)), Passage::Closed(None));
    assert!(gate.is_asked_for(at(901)), "what the queue brings waits");
    let (brought, ()) = tokio::join!(
        async {
            gate.probe_is_back().await;
            gate.passage(at(901))
        },
        async { gate.return_probe() }
    );
    assert_eq!(brought, Passage::Probe);
}
