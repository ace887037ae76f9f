//! Settings: what is taken, what is refused and how.

use conversion_core::source::BookingSource as _;
use source_acuity::{Acuity, DESCRIPTOR};

use crate::support::{build, sign, source};

fn error(settings: &str) -> String {
    build(settings).unwrap_err().to_string()
}

#[test]
fn missing_credentials_are_named_with_their_variables() {
    for (settings, message) in [
        ("", "Missing settings: user_id (ACUITY_USER_ID), api_key (ACUITY_API_KEY)"),
        ("user_id = 1", "Missing settings: api_key (ACUITY_API_KEY)"),
        ("user_id = ' '\napi_key = 'k'", "Missing settings: user_id (ACUITY_USER_ID)"),
        ("user_id = 1\napi_key = ' '\nwebhook_keys = ['k']", "Missing settings: api_key (ACUITY_API_KEY)"),
    ] {
        assert_eq!(error(settings), message);
    }
}

#[test]
fn errors_name_the_setting_and_the_mend_and_no_secret() {
    for (settings, message) in [
        ("apikey = 'hunter2'", "`apikey` is not a setting; did you mean `api_key`?"),
        ("api_key = 'hun ter2'", "`api_key` or `webhook_keys` holds white space"),
        ("webhook_keys = ['k', \"hun\\tter2\"]", "`api_key` or `webhook_keys` holds white space"),
        ("webhook_keys = { a = 'hunter2' }", "`webhook_keys`: must be a list, or a text with commas"),
        ("user_id = 'me@example.com'", "`user_id` must be the numeric User ID"),
        ("user_id = []", "`user_id`: an id must be text or a number"),
        ("trial_types = ['Trial lesson']", "`trial_types` must hold the numeric ids of appointment types"),
        ("trial_types = true", "`trial_types`: must be a list, or a text with commas"),
        ("currency = 'dollars'", "`currency` must be a three-letter currency code of ISO 4217, such as USD"),
        (
            "value = 'priceSold'",
            "`value`: unknown variant …, expected one of `price`, `price_sold`, `amount_paid`, `none`",
        ),
        ("value = 'price'\nfixed_value = 5", "`value` and `fixed_value` exclude each other; set one"),
        ("fixed_value = -5", "`fixed_value` must not be negative"),
        ("fixed_value = []", "`fixed_value`: must be a number"),
        ("fixed_value = 'lots'", "`fixed_value` must be a decimal number"),
        ("staff_bookings = 'skip'", "`staff_bookings`: unknown variant …, expected `report` or `ignore`"),
        ("base_url = 'x.test'", "`base_url` must be an http or https origin"),
        ("base_url = 'https://x.test/api/v1'", "`base_url` must be an http or https origin"),
        ("base_url = 'https://u:hunter2@x.test'", "`base_url` must be an http or https origin"),
        ("base_url = 'https://x.test/?a'", "`base_url` must be an http or https origin"),
        ("timeout_seconds = 0", "`timeout_seconds` must lie between 1 and 60"),
        ("timeout_seconds = 61", "`timeout_seconds` must lie between 1 and 60"),
        ("fields = 5", "`fields`: invalid type"),
        ("fields = { gclid = 'GCLID' }", "`fields.gclid` must be the numeric id of an intake form's field"),
        (
            "fields = { pageurl = 5 }",
            "`fields.pageurl` is not a field that a form can give; did you mean `pageUrl`?",
        ),
        (
            "fields = { attribution_id = 5 }",
            "`fields.attribution_id` is not a field that a form can give; did you mean `attributionId`?",
        ),
        (
            "fields = { va_attrib = 5 }",
            "`fields.va_attrib` is not a field that a form can give; did you mean `attributionId`?",
        ),
        (
            "fields = { email = 5 }",
            "`fields.email` is not a field that a form can give; known are attributionId,",
        ),
        ("fields = { gclid2 = 5 }", "`fields.gclid2` is not a field that a form can give; known are"),
    ] {
        let credentials: String = [("user_id", "user_id = 1\n"), ("api_key", "api_key = 'k'\n")]
            .iter()
            .filter(|(name, _)| !settings.starts_with(name))
            .map(|(_, line)| *line)
            .collect();
        let error = error(&format!("{credentials}{settings}"));
        assert!(error.starts_with(message), "{settings}: {error}");
        assert!(!error.contains("hunter2") && !error.contains("ter2"), "{error}");
    }
}

#[test]
fn lists_may_be_written_with_commas_and_ids_as_text() {
    let body = b"action=changed&id=5";
    let listed = source("webhook_keys = ' old , older,, '\ntrial_types = '88, 89,'");
    assert!(listed.receive(Some(sign("older", body).as_bytes()), body).is_ok());
    for types in ["[88, '89']", "'88,89'", "' 88 ,89'", "['88', ' 89 ', '']"] {
        let source = source(&format!("trial_types = {types}"));
        assert!(format!("{source:?}").contains("trial_types: {\"88\", \"89\"}"), "{types}: {source:?}");
    }
    assert!(format!("{:?}", source("trial_types = 88")).contains("{\"88\"}"));
}

#[test]
fn empty_settings_are_unset() {
    let settings =
        ["currency", "value", "fixed_value", "staff_bookings", "base_url", "trial_types", "webhook_keys"]
            .map(|name| format!("{name} = ' '\n"))
            .concat();
    let empty = source(&format!("{settings}fields = {{ gclid = '' }}"));
    assert_eq!(settings_of(&empty), settings_of(&source("")));
}

/// The settings as they were understood.
fn settings_of(source: &Acuity) -> String {
    format!("{source:?}").split(", authorization:").next().unwrap().to_owned()
}

#[test]
fn the_example_holds_every_default() {
    let example = Acuity::new(DESCRIPTOR.example.parse().unwrap()).unwrap();
    let own = settings_of(&example)
        .replace("{\"88\", \"89\"}", "{}")
        .replace("{\"attributionId\": \"123\", \"gclid\": \"124\", \"ttclid\": \"125\"}", "{}");
    assert_eq!(own, settings_of(&source("")));
    // And names every setting: serde lists them in its complaint.
    let known = error("_________ = 1");
    let (_, known) = known.split_once("known are ").unwrap();
    for name in known.split(", ") {
        let shown = |line: &str| line.trim_start_matches("# ").starts_with(&format!("{name} = "));
        assert!(DESCRIPTOR.example.lines().any(shown), "{name}");
    }
}

#[test]
fn every_variable_gives_a_setting_and_is_named_in_the_example() {
    for variable in DESCRIPTOR.environment {
        let error = error(&format!("{} = [[]]", variable.setting));
        assert!(error.contains(variable.setting) && !error.contains("is not a setting"), "{error}");
        assert!(DESCRIPTOR.example.contains(variable.name), "{}", variable.name);
    }
}

#[test]
fn the_attribution_travels_in_the_field_that_is_named() {
    assert_eq!(source("").attribution_parameter(), None);
    assert_eq!(source("fields = { gclid = 5 }").attribution_parameter(), None);
    let parameter = source("fields = { attributionId = 123 }").attribution_parameter();
    assert_eq!(parameter.as_deref(), Some("field:123"));
}

#[test]
fn secrets_are_not_printed() {
    let printed =
        format!("{:?}", build("user_id = 1\napi_key = 'hunter2'\nwebhook_keys = ['hunter3']").unwrap());
    // printf 1:hunter2 | base64
    for secret in ["hunter", "MTpodW50ZXIy"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
