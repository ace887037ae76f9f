//! What keeps every rule.

use conformance_kit::{Profile, RULES, Violation, enforce};

use crate::specimen::{Face, Specimen};

/// With tokens, and a verdict for each item.
mod with_tokens {
    use crate::specimen::{Face, Specimen};

    conformance_kit::conformance!(Specimen::sound(Face::TOKENS));
}

/// Without tokens, and with one verdict for the whole request.
mod atomic {
    use crate::specimen::{Face, Specimen};

    conformance_kit::conformance!(Specimen::sound(Face::ATOMIC));
}

#[test]
fn the_list_is_in_order_and_its_sentences_are_whole() {
    for rule in RULES {
        assert!(rule.sentence.ends_with('.') && rule.sentence.len() > 30, "{}", rule.name);
    }
    let distinct: std::collections::BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(distinct.len(), RULES.len());
}

/// A crate that holds nothing yet.
#[tokio::test]
async fn an_empty_crate_is_told_where_to_begin() {
    let empty = Specimen { is_announced: false, ..Specimen::sound(Face::TOKENS) };
    for (position, rule) in RULES.iter().enumerate() {
        let Violation { found, sentence, .. } = rule.verify(&empty).await.unwrap_err();
        assert_eq!(sentence, rule.sentence);
        if position == 0 {
            assert!(found.contains("use sink_specimen as _;"), "{found}");
        } else {
            assert_eq!(found, "not tried before plugin_is_announced holds: mend that first", "{}", rule.name);
        }
    }
}

#[test]
fn a_failing_test_names_its_rule_and_the_mend() {
    let empty = Specimen { is_announced: false, ..Specimen::sound(Face::TOKENS) };
    let failed = std::panic::catch_unwind(|| enforce("plugin_is_announced", &empty)).unwrap_err();
    let message = failed.downcast_ref::<String>().unwrap();
    assert!(
        message.starts_with("plugin_is_announced: no linked crate announces the kind specimen"),
        "{message}"
    );
    assert!(message.ends_with(RULES[0].sentence), "{message}");
    assert_eq!(empty.kind(), "specimen");
}
