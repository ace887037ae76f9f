//! `docs/events.md`.

use std::collections::BTreeSet;

use conversion_core::consent::{Consent, ConsentStatus};
use conversion_core::event::{Address, Content, canonical};
use conversion_core::identity::CallingCode;
use conversion_core::registry::{SinkContext, SinkPlugin};
use conversion_core::{CanonicalEvent, Timestamp, registry};

use super::{assert_part_written, code_blocks, first_column, section, text};

#[test]
fn events_lists_every_field_and_no_other() {
    let page = text("docs/events.md");
    let fields: BTreeSet<String> = registry::vocabulary().names().map(str::to_owned).collect();
    assert_eq!(first_column(section(&page, "## Fields")), fields);
}

/// An event of which every part of every field is given. A new part does not compile here before it is named.
fn event_with_every_part() -> CanonicalEvent {
    let some = || Some("US".to_owned());
    let amount = conversion_core::money::Amount::parse("1").ok();
    CanonicalEvent {
        address: Address {
            street: some(),
            city: some(),
            region: some(),
            postal_code: some(),
            country: some(),
        },
        contents: vec![Content {
            id: some(),
            name: some(),
            category: some(),
            brand: some(),
            price: amount,
            quantity: Some(1),
        }],
        consent: Consent {
            ad_user_data: Some(ConsentStatus::Granted),
            ad_personalization: Some(ConsentStatus::Granted),
        },
        ..CanonicalEvent::new("TRIAL_BOOKED", "1", Timestamp::UNIX_EPOCH)
    }
}

#[test]
fn events_lists_every_part_of_a_field_and_no_other() {
    let event: serde_json::Value = serde_json::from_str(&event_with_every_part().to_json()).unwrap();
    let parts = |pointer: &str, prefix: &str| {
        let keys = event.pointer(pointer).and_then(serde_json::Value::as_object).unwrap().keys();
        keys.map(|key| format!("{prefix}.{key}")).collect::<Vec<_>>()
    };
    let parts = [("/address", "address"), ("/contents/0", "contents[]"), ("/consent", "consent")]
        .into_iter()
        .flat_map(|(pointer, prefix)| parts(pointer, prefix));
    let page = text("docs/events.md");
    let listed = section(&page, "## Parts of fields").split("\n### ").next().unwrap_or_default().to_owned();
    assert_eq!(first_column(&listed), parts.collect());
}

#[test]
fn events_shown_as_examples_are_accepted_and_mistakes_are_answered_as_shown() {
    let page = text("docs/events.md");
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let parse = |json: &str| CanonicalEvent::parse(json, &registry::vocabulary(), now);
    let examples = code_blocks(&page, "json");
    assert!(examples.len() >= 3);
    for example in examples {
        parse(&example).unwrap_or_else(|error| panic!("{error}\n{example}"));
    }
    let rows: Vec<Vec<&str>> = section(&page, "## Errors")
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    assert!(rows.len() > 8);
    for row in rows {
        let [sent, field, message] = row.as_slice() else { panic!("{row:?}") };
        let (sent, field) = (sent.trim_matches('`'), field.trim_matches(['`', '"']));
        let base = r#""eventId":"1","eventName":"E","eventTime":1"#;
        let base: Vec<&str> =
            base.split(',').filter(|own| !sent.starts_with(own.split(':').next().unwrap())).collect();
        let json = if field.is_empty() { sent.to_owned() } else { format!("{{{},{sent}}}", base.join(",")) };
        let errors = parse(&json).unwrap_err().errors;
        assert!(
            errors.iter().any(|error| error.field == field && error.message == *message),
            "{sent}: {errors:?}"
        );
    }
}

#[test]
fn events_shows_what_each_canonical_name_is_at_each_platform() {
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let plugins = registry::plugins();
    let heads = ["name", "what happened"].into_iter().chain(plugins.iter().map(|sink| sink.descriptor.title));
    let mut table = row(heads.map(str::to_owned).collect());
    table += &row(vec!["---".to_owned(); plugins.len() + 2]);
    for (name, meaning) in canonical::NAMES {
        let mut cells = vec![format!("`{name}`"), meaning.trim_end_matches('.').to_owned()];
        for sink in &plugins {
            cells.push(name_at(sink, name).map_or("–".to_owned(), |name| format!("`{name}`")));
        }
        table += &row(cells);
    }
    assert_part_written("docs/events.md", "canonical names", &table);
}

/// What the platform calls it; where that is the id of the one conversion action, the setting that gives it.
fn name_at(sink: &SinkPlugin, name: &str) -> Option<String> {
    const SETTING: &str = "conversion_action";
    let action = sink.descriptor.variable(SETTING).map(|_| (SETTING.to_owned(), "1".into()));
    let context = SinkContext { name: "s".to_owned(), phone_country: CallingCode::NANP };
    let built = (sink.build)(action.clone().into_iter().collect(), &context).unwrap();
    let name = built.mapping().get(name)?.clone();
    Some(if action.is_some() { SETTING.to_owned() } else { name })
}
