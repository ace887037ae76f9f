//! Settings: what is taken, what is refused and how, and what a human is told.

use conversion_core::event::canonical;
use conversion_core::sink::ConversionSink as _;
use sink_tiktok::{DESCRIPTOR, TikTok};

use crate::kit::{NOON, at, build, context, event, prepare, sink};

fn error(settings: &str) -> String {
    build(settings).unwrap_err().to_string()
}

fn advice(settings: &str) -> Vec<String> {
    sink(settings).advice(at(NOON))
}

#[test]
fn errors_name_the_setting_and_the_mend_and_no_secret() {
    for (settings, message) in [
        ("pixelid = 'P'", "`pixelid` is not a setting; did you mean `pixel_id`?"),
        (
            "access_token = 'hun ter2'",
            "`access_token` holds white space or other unprintable text; give the token alone",
        ),
        ("access_token = 'Bearer hunter2'", "`access_token` holds white space"),
        ("access_token = \"hun\\nter2\"", "`access_token` holds white space"),
        ("access_token = 12", "`access_token`: must be text, in quotes"),
        ("pixel_id = 12", "`pixel_id`: invalid type: integer …, expected a string"),
        (
            "event_source = 'webb'",
            "`event_source`: unknown variant …, expected one of `web`, `offline`, `crm`, `app`",
        ),
        (
            "phone_format = 'plus'",
            "`phone_format`: unknown variant …, expected one of `both`, `digits`, `e164`",
        ),
        ("reschedules = 'twice'", "`reschedules`: unknown variant …, expected `resend` or `once`"),
        ("phone_country = 'US'", "`phone_country`: a country's calling code has 1 to 3 digits"),
        ("events = { TRIAL_BOOKED = 1 }", "`events.TRIAL_BOOKED`: invalid type"),
        (
            "events = { A = 'submitform' }",
            "`events.A`: TikTok's names are case-sensitive; write `SubmitForm`",
        ),
        ("events = { A = 'LEAD' }", "`events.A`: TikTok's names are case-sensitive; write `Lead`"),
        (
            "event_source = 'app'\nevents = { A = 'launchapp' }",
            "`events.A`: TikTok's names are case-sensitive; write `LaunchAPP`",
        ),
        ("base_url = 'ftp://x.test'", "`base_url` must be an http or https origin"),
        ("base_url = 'x.test'", "`base_url` must be an http or https origin"),
        ("base_url = 'https://'", "`base_url` must be an http or https origin"),
        ("base_url = 'https://x.test/?a=b'", "`base_url` must be an http or https origin"),
        ("base_url = 'https://user:hunter2@x.test'", "`base_url` must be an http or https origin"),
        (
            "base_url = 'https://x.test/open_api/v1.3/event/track/'",
            "`base_url` must be an http or https origin",
        ),
        ("default_page_url = '/schedule'", "`default_page_url` must be a full http or https address"),
        ("timeout_seconds = 0", "`timeout_seconds` must lie between 1 and 60"),
        ("timeout_seconds = 61", "`timeout_seconds` must lie between 1 and 60"),
        ("timeout_seconds = -1", "`timeout_seconds`: invalid value"),
    ] {
        let error = error(settings);
        assert!(error.starts_with(message), "{settings}: {error}");
        assert!(!error.contains("hunter2") && !error.contains("ter2"), "{error}");
    }
}

#[test]
fn empty_settings_are_unset() {
    let empty = [
        "pixel_id",
        "access_token",
        "test_event_code",
        "partner_name",
        "event_source",
        "phone_format",
        "phone_country",
        "default_page_url",
        "reschedules",
        "base_url",
        "crm_name",
        "app_id",
    ];
    let settings: String = empty.iter().map(|name| format!("{name} = ' '\n")).collect();
    let sink = build(&settings).unwrap();
    assert_eq!(sink.advice(at(NOON)), [] as [String; 0]);
    assert_eq!(sink.compose(&[]).body.json(), r#"{"event_source":"web","event_source_id":"","data":[]}"#);
}

#[test]
fn addresses_are_trimmed_and_may_have_a_prefix() {
    for (base_url, url) in [
        ("http://127.0.0.1:8090", "http://127.0.0.1:8090/open_api/v1.3/event/track/"),
        ("http://[::1]:8090/", "http://[::1]:8090/open_api/v1.3/event/track/"),
        (" https://proxy.test/tiktok// ", "https://proxy.test/tiktok/open_api/v1.3/event/track/"),
    ] {
        let request = sink(&format!("base_url = '{base_url}'")).compose(&[&prepare("", &event())]);
        assert_eq!(request.url, url);
    }
}

#[test]
fn advice_names_what_looks_wrong() {
    for (settings, advised) in [
        ("", None),
        ("events = { A = 'Lead', B = 'Purchase', C = 'CompletePayment', D = 'ClickButton' }", None),
        (
            "event_source = 'app'\napp_id = '1'\nevents = { A = 'LaunchAPP' }",
            Some("event_source = \"app\" works only for"),
        ),
        ("event_source = 'app'", Some("app_id is not set")),
        (
            "test_event_code = 'TEST1'",
            Some("test_event_code is set: events go to TikTok's Test Events and are not counted"),
        ),
        (
            "base_url = 'http://localhost:1'",
            Some("base_url is http://localhost:1: events do not go to TikTok itself"),
        ),
        ("phone_format = 'digits'", Some("phone_format = \"digits\"")),
        (
            "events = { A = 'ClickForm' }",
            Some("events.A: ClickForm is a reserved name, which TikTok counts as Lead; map to that"),
        ),
        (
            "events = { A = 'SubmitFrom' }",
            Some(
                "events.A: SubmitFrom is a custom event, which TikTok cannot optimise for; did you mean SubmitForm?",
            ),
        ),
        (
            "events = { A = 'Quiz' }",
            Some("events.A: Quiz is a custom event, which TikTok cannot optimise for"),
        ),
        ("events = { A = 'LaunchAPP' }", Some("events.A: LaunchAPP is a custom event")),
        (
            "event_source = 'offline'\nevents = { A = 'Quiz' }",
            Some("events.A: Quiz is a custom event; offline takes standard events alone"),
        ),
    ] {
        let advice = advice(settings);
        match advised {
            None => assert_eq!(advice, [] as [String; 0], "{settings}"),
            Some(start) => {
                assert!(advice.iter().any(|line| line.starts_with(start)), "{settings}: {advice:?}")
            }
        }
    }
}

#[test]
fn the_example_holds_every_default() {
    let example = TikTok::new(DESCRIPTOR.example.parse().unwrap(), &context("tiktok")).unwrap();
    assert_eq!(example.advice(at(NOON)), [] as [String; 0]);
    let own = format!("{example:?}").replace("CXXXXXXXXXXXXXXXXX", "CXXX");
    let settings = |debug: &str| debug.split("client:").next().unwrap().to_owned();
    assert_eq!(settings(&own), settings(&format!("{:?}", sink(""))));
}

#[test]
fn every_canonical_conversion_has_a_name_at_tiktok() {
    for name in canonical::CONVERSIONS {
        assert!(sink("").mapping().contains_key(name), "{name}");
    }
    // The specification's three, to the letter.
    for (name, expected) in [
        (canonical::TRIAL_BOOKED, Some("SubmitForm")),
        (canonical::TRIAL_RESCHEDULED, Some("SubmitForm")),
        (canonical::APPOINTMENT_UPDATED, Some("Schedule")),
        (canonical::TRIAL_CANCELED, None),
    ] {
        assert_eq!(sink("").mapping().get(name).map(String::as_str), expected, "{name}");
    }
}
