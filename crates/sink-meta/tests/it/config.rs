//! Settings that are refused, and what a human is told of others.

use conversion_core::sink::ConversionSink as _;

use crate::kit::{NOON, at, build, sink};

#[test]
fn wrong_settings_are_named() {
    for (settings, said) in [
        ("dataset_id = 'act_1'", "`dataset_id` is the number of a dataset"),
        ("access_token = 'a b'", "`access_token` holds white space"),
        ("app_secret = 'a b'", "`app_secret` holds white space"),
        ("api_version = '25'", "`api_version` is written as v25.0"),
        ("api_version = 'v25'", "`api_version` is written as v25.0"),
        ("base_url = 'graph.facebook.com'", "`base_url` must be an http or https origin"),
        ("base_url = 'https://x.test/?access_token=1'", "`base_url` must be an http or https origin"),
        ("timeout_seconds = 0", "`timeout_seconds` must lie between 1 and 60"),
        ("action_source = 'website'", "`action_source`: unknown variant"),
        ("events = { A = 'schedule' }", "`events.A`: Meta's names are case-sensitive; write `Schedule`"),
        ("datasetid = '1'", "did you mean `dataset_id`?"),
    ] {
        let error = build(settings).unwrap_err().to_string();
        assert!(error.contains(said), "{settings}: {error}");
    }
}

#[test]
fn advice() {
    for (settings, said) in [
        ("", None),
        (
            "test_event_code = 'T'",
            Some("test_event_code is set: events are shown under Test Events and counted"),
        ),
        ("base_url = 'https://x.test'", Some("base_url is https://x.test: events do not go to Meta itself")),
        ("events = { A = 'Scheduled' }", Some("did you mean Schedule?")),
    ] {
        let advice = sink(settings).advice(at(NOON)).join("\n");
        assert_eq!(advice.is_empty(), said.is_none(), "{advice}");
        assert!(advice.contains(said.unwrap_or_default()), "{advice}");
    }
}
