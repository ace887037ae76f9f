//! Meta's answers: nothing is delivered but what Meta says it received.
#![no_main]

use conversion_core::failure::{Blame, FailureClass};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use signalbox_fuzz::Answered;

fuzz_target!(|input: &str| {
    let Some(answered) = Answered::read(input) else { return };
    let Answered { reply, items, .. } = &answered;
    let Err(failure) = sink_meta::verdict(reply, *items) else {
        assert!(answered.is_success(), "delivered by HTTP {}", reply.status);
        let took = |json: Value| *items == 0 || json["events_received"].as_u64() == Some(*items as u64);
        assert!(answered.json().is_none_or(took), "delivered without their number");
        return;
    };
    assert!(failure.message.starts_with("Meta") && failure.message.chars().count() < 1700);
    assert_ne!(failure.class, FailureClass::Unreachable, "what is answered was sent");
    assert!(failure.blame == Blame::Batch || (failure.blame == Blame::Unknown && *items > 1));
    if let FailureClass::RateLimited { retry_after } | FailureClass::Unavailable { retry_after } =
        failure.class
    {
        assert_eq!(retry_after, reply.retry_after);
    }
});
