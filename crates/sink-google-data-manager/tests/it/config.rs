//! Settings.

use conversion_core::sink::ConversionSink as _;

use crate::support::{NOW, build, sink};

#[test]
fn one_action_serves_every_conversion_that_is_not_named() {
    let sink = sink("conversion_action = 777\nevents = { PURCHASE = '55', CONTACT = '' }");
    let mapping: Vec<_> =
        sink.mapping().iter().map(|(name, action)| (name.as_str(), action.as_str())).collect();
    let expected = [
        ("BOOKING", "777"),
        ("LEAD", "777"),
        ("PURCHASE", "55"),
        ("SIGN_UP", "777"),
        ("SUBSCRIPTION", "777"),
        ("TRIAL_BOOKED", "777"),
    ];
    assert_eq!(mapping, expected);
}

#[test]
fn wrong_settings_are_named_with_their_mend() {
    for (extra, said) in [
        ("conversion_action = 'customers/1/x'", "`conversion_action` must be the id of a conversion action"),
        ("events = { LEAD = 'AW-1/x' }", "`events.LEAD` must be the id of a conversion action"),
        ("operating_account = 'me'", "`operating_account` must be an account's id"),
        ("login_account = '12a'", "`login_account` must be an account's id"),
        ("transaction_prefix = '123'", "`transaction_prefix` must have up to 16 letters"),
        ("transaction_prefix = 'a b'", "`transaction_prefix` must have up to 16 letters"),
        ("base_url = 'https://datamanager.googleapis.com/v1'", "`base_url` must be"),
        ("base_url = 'datamanager.googleapis.com'", "`base_url` must be"),
        ("token_url = 'x'", "`token_url` must be"),
        ("timeout_seconds = 0", "`timeout_seconds` must lie between 1 and 60"),
        ("event_source = 'shop'", "event_source"),
    ] {
        let error = build(extra).unwrap_err().to_string();
        assert!(error.contains(said), "{extra}: {error}");
    }
}

#[test]
fn advice_names_what_looks_wrong() {
    let advice = |extra: &str| sink(extra).advice(NOW).join("\n");
    assert_eq!(advice(""), "");
    assert!(advice("events = {}").contains("put the id of your conversion action"));
    assert!(advice("operating_account = '12345'").contains("operating_account has 5 digits"));
    assert!(advice("validate_only = true").contains("counts none"));
    assert!(advice("base_url = 'http://127.0.0.1:1'").contains("do not go to Google itself"));
}
