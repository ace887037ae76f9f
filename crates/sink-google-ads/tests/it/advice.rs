//! What a human is told about the settings. The table of versions is tested beside its code.

use conversion_core::sink::ConversionSink as _;

use crate::support::{NOW, build, sink};

#[test]
fn usual_settings_need_no_advice() {
    assert_eq!(sink("").advice(NOW), Vec::<String>::new());
}

#[test]
fn each_doubtful_setting_is_named() {
    for (extra, start) in [
        ("api_version = 'v21'", "api_version v21 has ended"),
        ("events = {}", "no event is mapped"),
        (
            "events = {}\nretract_on = ['A']",
            "no event is mapped, so that retract_on has nothing to take back",
        ),
        ("validate_only = true", "validate_only is on"),
        ("send_ip = true", "send_ip is on"),
        ("developer_token = 'd'", "developer_token is set"),
        ("base_url = 'http://127.0.0.1:1'", "base_url is http://127.0.0.1:1"),
    ] {
        let now = "2026-11-23T00:00:00Z".parse().unwrap();
        let advice = sink(extra).advice(now);
        assert_eq!(advice.len(), 1, "{extra}: {advice:?}");
        assert!(advice[0].starts_with(start), "{extra}: {advice:?}");
    }
}

#[test]
fn missing_credentials_are_no_error() {
    build(toml::Table::new()).unwrap();
}
