//! What of a sink does not hold yet, in order, once every rule of it was tried in one run.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::rule::RULES;

/// By rule: what was found where it does not hold.
type Tried = BTreeMap<&'static str, Option<String>>;

/// By kind of sink.
static TRIED: Mutex<BTreeMap<&'static str, Tried>> = Mutex::new(BTreeMap::new());

/// Notes what a rule found. With the last of them comes the account, if there is anything to mend.
pub(crate) fn note(kind: &'static str, rule: &'static str, found: Option<&str>) -> Option<String> {
    let mut sinks = TRIED.lock().unwrap_or_else(PoisonError::into_inner);
    let tried = sinks.entry(kind).or_default();
    tried.insert(rule, found.map(str::to_owned));
    if tried.len() < RULES.len() { None } else { give(kind, tried) }
}

fn give(kind: &str, tried: &Tried) -> Option<String> {
    let missing = RULES.iter().filter_map(|rule| Some((rule.name, tried.get(rule.name)?.as_deref()?)));
    let missing: Vec<(&str, &str)> = missing.collect();
    if missing.is_empty() {
        return None;
    }
    let (count, rules) = (missing.len(), RULES.len());
    let mut account =
        format!("\n{kind}: {count} of {rules} rules do not hold yet. In the order to mend them:\n");
    for (number, (rule, found)) in missing.iter().enumerate() {
        let found = found.lines().next().unwrap_or_default();
        account.push_str(&format!("{:>3}. {rule}: {found}\n", number + 1));
    }
    Some(account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_comes_with_the_last_rule_in_the_order_of_the_rules() {
        let broken = [RULES[5].name, RULES[2].name];
        let noted = RULES.iter().rev().map(|rule| {
            note("account-test", rule.name, broken.contains(&rule.name).then_some("found\nand more"))
        });
        let mut noted: Vec<Option<String>> = noted.collect();
        let account = noted.pop().flatten().unwrap();
        assert!(noted.iter().all(Option::is_none), "{noted:?}");
        let expected = format!(
            "\naccount-test: 2 of {} rules do not hold yet. In the order to mend them:\n  1. docs_are_linked: \
             found\n  2. unknown_settings_are_named: found\n",
            RULES.len()
        );
        assert_eq!(account, expected);
        assert_eq!(note("account-test", broken[0], None).unwrap().lines().count(), 3);
        assert_eq!(note("account-test", broken[1], None), None);
    }
}
