//! TikTok's answers: nothing is delivered but what TikTok says it took.
#![no_main]

use conversion_core::failure::{Blame, FailureClass};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use signalbox_fuzz::Answered;

fuzz_target!(|input: &str| {
    let Some(answered) = Answered::read(input) else { return };
    let Answered { reply, items, .. } = &answered;
    let verdict = sink_tiktok::verdict(reply, *items);
    let Err(failure) = verdict else {
        assert!(answered.is_success(), "delivered by HTTP {}", reply.status);
        let took = |json: Value| json["code"].as_i64() == Some(0);
        assert!(answered.json().is_none_or(took), "delivered without code 0");
        return;
    };
    assert!(failure.message.starts_with("TikTok") && failure.message.chars().count() < 1100);
    assert_ne!(failure.code.as_deref(), Some("0"));
    assert_ne!(failure.class, FailureClass::Unreachable, "what is answered was sent");
    match failure.blame {
        Blame::Item(index) => assert!(*items > 1 && index < *items, "item {index} of {items}"),
        Blame::Unknown => assert!(*items > 1),
        Blame::Batch => {}
    }
    if let FailureClass::RateLimited { retry_after } | FailureClass::Unavailable { retry_after } =
        failure.class
    {
        assert_eq!(retry_after, reply.retry_after);
    }
    let alone = sink_tiktok::verdict(reply, 1).map_err(|failure| failure.class);
    assert_eq!(alone, Err(failure.class), "how many were sent does not change what is wrong");
});
