//! TikTok's answers: nothing is delivered but what TikTok says it took.
#![no_main]

use conversion_core::failure::{Blame, Failure, FailureClass};
use conversion_core::report::Outcome;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use signalbox_fuzz::Answered;

fuzz_target!(|input: &str| {
    let Some(answered) = Answered::read(input) else { return };
    let Answered { reply, items, .. } = &answered;
    let failure = match sink_tiktok::verdict(reply, *items) {
        Ok(outcomes) => {
            assert_eq!(outcomes.len(), *items);
            match refused_for(&outcomes) {
                Some(failure) => failure.clone(),
                None => return delivered(&answered, &outcomes),
            }
        }
        Err(failure) => failure,
    };
    assert!(failure.message.starts_with("TikTok") && failure.message.chars().count() < 1100);
    assert_ne!(failure.code.as_deref(), Some("0"));
    assert_ne!(failure.class, FailureClass::Unreachable, "what is answered was sent");
    assert!(failure.blame == Blame::Batch || *items > 1);
    if let FailureClass::RateLimited { retry_after } | FailureClass::Unavailable { retry_after } =
        failure.class
    {
        assert_eq!(retry_after, reply.retry_after);
    }
    let alone = sink_tiktok::verdict(reply, 1).map_err(|failure| failure.class);
    assert_eq!(alone, Err(failure.class), "how many were sent does not change what is wrong");
});

/// The failure of the one item that a request of several was refused for.
fn refused_for(outcomes: &[Outcome]) -> Option<&Failure> {
    let failures = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Failed(failure) => Some(failure),
        _ => None,
    });
    let failures: Vec<&Failure> = failures.collect();
    let [failure] = failures[..] else {
        assert!(failures.is_empty(), "TikTok names one");
        return None;
    };
    let others = outcomes.iter().filter(|outcome| **outcome == Outcome::RefusedWithOthers).count();
    assert!(others > 0 && others + 1 == outcomes.len());
    Some(failure)
}

fn delivered(answered: &Answered, outcomes: &[Outcome]) {
    assert!(answered.is_success(), "delivered by HTTP {}", answered.reply.status);
    let took = |json: Value| json["code"].as_i64() == Some(0);
    assert!(answered.json().is_none_or(took), "delivered without code 0");
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::DELIVERED));
}
