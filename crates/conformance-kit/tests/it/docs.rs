//! Holds the page for authors against the list of rules.

use std::fs;
use std::path::Path;

use conformance_kit::RULES;

#[test]
fn the_page_lists_every_rule_as_it_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/adding-a-sink.md");
    let page = fs::read_to_string(path).unwrap();
    let listed: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let rules: Vec<String> =
        RULES.iter().map(|rule| format!("| `{}` | {} |", rule.name, rule.sentence)).collect();
    let first = listed.iter().position(|line| line.contains(RULES[0].name)).unwrap_or_default();
    let last = (first + rules.len()).min(listed.len());
    assert_eq!(
        listed[first..last],
        rules,
        "docs/adding-a-sink.md, section 7, lists the rules in their order"
    );
}
