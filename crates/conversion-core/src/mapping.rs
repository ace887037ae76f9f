//! Mappings from canonical names to a platform's own event names, which are case-sensitive everywhere.

use std::collections::BTreeMap;

use crate::settings::{SettingsError, nearest};

/// `events` merged over a platform's defaults; an empty value unmaps.
pub fn over_defaults(
    defaults: &[(&str, &str)],
    events: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let defaults = defaults.iter().map(|(canonical, name)| ((*canonical).to_owned(), (*name).to_owned()));
    let mut merged: BTreeMap<String, String> = defaults.collect();
    merged.extend(events.into_iter().map(|(canonical, name)| (canonical, name.trim().to_owned())));
    merged.retain(|_, name| !name.is_empty());
    merged
}

/// Refuses a name that differs from a standard one by case alone: it would count as a custom event, which nobody means.
pub fn refuse_wrong_case(
    platform: &str,
    canonical: &str,
    name: &str,
    standard: &[&str],
) -> Result<(), SettingsError> {
    let name = name.trim();
    match standard.iter().find(|standard| standard.eq_ignore_ascii_case(name)) {
        Some(standard) if *standard != name => Err(SettingsError::new(format!(
            "`events.{canonical}`: {platform}'s names are case-sensitive; write `{standard}`"
        ))),
        _ => Ok(()),
    }
}

/// What a human should know about a name that is not a standard one.
pub fn custom_advice(platform: &str, canonical: &str, name: &str, standard: &[&str]) -> Option<String> {
    if standard.contains(&name) {
        return None;
    }
    let meant = nearest(name, standard.iter().copied()).map(|near| format!("; did you mean {near}?"));
    let custom = format!("is a custom event, which {platform} cannot optimise for");
    Some(format!("events.{canonical}: {name} {custom}{}", meant.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDARD: &[&str] = &["Lead", "Purchase"];

    #[test]
    fn settings_go_over_defaults_and_blank_unmaps() {
        let given = [("A", " Lead "), ("B", ""), ("C", "Own")];
        let given = given.map(|(canonical, name)| (canonical.to_owned(), name.to_owned())).into();
        let merged = over_defaults(&[("A", "Purchase"), ("B", "Purchase"), ("D", "Lead")], given);
        let merged: Vec<_> = merged.iter().map(|(canonical, name)| (&**canonical, &**name)).collect();
        assert_eq!(merged, [("A", "Lead"), ("C", "Own"), ("D", "Lead")]);
    }

    #[test]
    fn names_near_a_standard_one_are_told() {
        let error = refuse_wrong_case("X", "A", " lead", STANDARD).unwrap_err().to_string();
        assert_eq!(error, "`events.A`: X's names are case-sensitive; write `Lead`");
        assert_eq!(refuse_wrong_case("X", "A", "Own", STANDARD), Ok(()));
        assert_eq!(custom_advice("X", "A", "Lead", STANDARD), None);
        for (name, said) in [
            (
                "Purchased",
                "events.A: Purchased is a custom event, which X cannot optimise for; did you mean Purchase?",
            ),
            ("Own", "events.A: Own is a custom event, which X cannot optimise for"),
        ] {
            assert_eq!(custom_advice("X", "A", name, STANDARD).as_deref(), Some(said));
        }
    }
}
