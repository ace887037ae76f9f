//! Settings: what is refused.

use conversion_core::sink::ConversionSink as _;

use crate::support::{build, settings, sink};

#[test]
fn mistakes_are_named_with_their_mend() {
    for (extra, message) in [
        ("custmer_id = '1'", "`custmer_id` is not a setting; did you mean `customer_id`?"),
        ("customer_id = '12x'", "`customer_id` must be an account's id, such as 123-456-7890"),
        ("customer_id = '--'", "`customer_id` must be an account's id, such as 123-456-7890"),
        ("customer_id = true", "`customer_id`: an id must be text or a number"),
        ("login_customer_id = 'a'", "`login_customer_id` must be an account's id, such as 123-456-7890"),
        ("conversion_action = 'Purchase'", "`conversion_action` must be the id of a conversion action"),
        ("events = { A = 'Purchase' }", "`events.A` must be the id of a conversion action"),
        (
            "events = { A = 'customers/1/conversionActions/' }",
            "`events.A` must be the id of a conversion action",
        ),
        (
            "events = { A = 'customers/x/conversionActions/1' }",
            "`events.A` must be the id of a conversion action",
        ),
        (
            "events = { A = 'customers/1/conversionActions/1/2' }",
            "`events.A` must be the id of a conversion action",
        ),
        ("events = { A = 1.5 }", "`events.A`: an id must be text or a number"),
        (
            "retract_on = ['APPOINTMENT_UPDATED']",
            "`retract_on` names APPOINTMENT_UPDATED, which `events` maps to a conversion action: remove it from",
        ),
        ("retract_on = 'TRIAL_CANCELED'", "`retract_on`: invalid type: string …, expected a sequence"),
        ("api_version = '26'", "`api_version` must be `v` and a number, such as v26"),
        ("api_version = 'v26.1'", "`api_version` must be `v` and a number, such as v26"),
        ("api_version = 'v'", "`api_version` must be `v` and a number, such as v26"),
        ("base_url = 'googleads.googleapis.com'", "`base_url` must be an http or https origin"),
        ("base_url = 'https://u:p@x.test'", "`base_url` must be an http or https origin"),
        ("base_url = 'https://x.test/v26/customers/1'", "`base_url` must be an http or https origin"),
        ("token_url = 'https://x.test/token?a=b'", "`token_url` must be a full http or https address"),
        ("developer_token = 'hunter 2'", "`developer_token` holds white space"),
        ("timeout_seconds = 0", "`timeout_seconds` must lie between 1 and 60"),
        ("timeout_seconds = 61", "`timeout_seconds` must lie between 1 and 60"),
        ("send_ip = 'hunter2'", "`send_ip`: invalid type: string …, expected a boolean"),
        ("phone_country = '12345'", "`phone_country`: a country's calling code has 1 to 3 digits"),
    ] {
        let error = build(settings(extra)).unwrap_err().to_string();
        assert!(error.starts_with(message), "{extra}: {error}");
        assert!(!error.contains("hunter"), "{extra}: {error}");
    }
}

#[test]
fn one_conversion_action_is_that_of_every_conversion_that_is_not_named() {
    let own = "conversion_action = 1\nevents = { LEAD = '2', CONTACT = '', MINE = 3 }";
    let sink = sink(own);
    let mapped: Vec<_> =
        sink.mapping().iter().map(|(name, action)| (name.as_str(), action.as_str())).collect();
    let expected = [
        ("BOOKING", "1"),
        ("LEAD", "2"),
        ("MINE", "3"),
        ("PURCHASE", "1"),
        ("SIGN_UP", "1"),
        ("SUBSCRIPTION", "1"),
        ("TRIAL_BOOKED", "1"),
    ];
    assert_eq!(mapped, expected);
}
