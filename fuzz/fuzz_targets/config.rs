//! Environment and file: credentials are in neither Debug output nor errors, and an error says which setting it means.
#![no_main]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::LazyLock;

use conversion_core::settings::SettingsError;
use libfuzzer_sys::fuzz_target;
use signalbox::config::ConfigError;
use signalbox::{Config, Environment};
use signalbox_fuzz::{SENTINEL, SENTINEL_NUMBER, repeats_a_value};
use toml::{Table, Value};

/// Settings that are credentials.
const SECRETS: [&str; 12] = [
    "access_token",
    "api_key",
    "app_secret",
    "client_secret",
    "current_signing_key",
    "developer_token",
    "next_signing_key",
    "refresh_token",
    "sha256",
    "test_secret",
    "token",
    "webhook_keys",
];

/// Variables that give them.
const SECRET_VARIABLES: [&str; 17] = [
    "ACUITY_API_KEY",
    "ACUITY_WEBHOOK_KEYS",
    "GOOGLE_ADS_CLIENT_SECRET",
    "GOOGLE_ADS_DEVELOPER_TOKEN",
    "GOOGLE_ADS_REFRESH_TOKEN",
    "GOOGLE_ADS_TEST_SECRET",
    "GOOGLE_DATA_MANAGER_CLIENT_SECRET",
    "GOOGLE_DATA_MANAGER_REFRESH_TOKEN",
    "GOOGLE_DATA_MANAGER_TEST_SECRET",
    "META_ACCESS_TOKEN",
    "META_APP_SECRET",
    "META_TEST_SECRET",
    "QSTASH_CURRENT_SIGNING_KEY",
    "QSTASH_TOKEN",
    "SIGNALBOX_API_KEY",
    "TIKTOK_ACCESS_TOKEN",
    "TIKTOK_TEST_SECRET",
];

static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("signalbox-fuzz-{}.toml", std::process::id())));

fuzz_target!(|input: &str| {
    let (variables, file) = input.split_once("\n---\n").unwrap_or(("", input));
    let variables: BTreeMap<String, String> = variables
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let Ok(table) = file.parse::<Table>() else { return unreadable(file) };
    read(table.clone(), &variables.clone().into_iter().collect());
    // A secret may be referred to from any setting, and is none there; nor is a sentinel that the fuzzer has made a key
    // of.
    if !file.contains("${") && !repeats_a_value(input) {
        let planted = read(planted(table), &variables.into_iter().map(plant_variable).collect());
        assert!(!repeats_a_value(&planted), "{planted}");
    }
});

/// A file that is no TOML.
fn unreadable(file: &str) {
    std::fs::write(&*FILE, file).expect("the folder for temporary files can be written to");
    let error = Config::load(Some(&FILE), &Environment::default()).expect_err("it is no TOML").to_string();
    assert!(error.contains(": line "), "{error}");
    assert!(!error.contains(SENTINEL), "{error}");
}

/// All that is printed of such settings: Debug output, or an error.
fn read(table: Table, environment: &Environment) -> String {
    let config = match Config::from_table(table, environment) {
        Ok(config) => config,
        Err(error) => return refused(&error),
    };
    let mut printed = format!("{config:?} {environment:?}");
    let sinks = config.sinks.iter().map(|sink| (sink.descriptor.kind, &sink.settings));
    let sources = config.sources.iter().map(|source| (source.descriptor.kind, &source.settings));
    for (kind, settings) in sinks.chain(sources) {
        let table = settings.0.clone();
        printed += &match kind {
            "tiktok" => print(sink_tiktok::settings(table)),
            "google-ads" => print(sink_google_ads::settings(table)),
            "google-data-manager" => print(sink_google_data_manager::settings(table)),
            "meta" => print(sink_meta::settings(table)),
            "acuity" => print(source_acuity::settings(table)),
            kind => panic!("the settings of {kind} are not read here"),
        };
    }
    printed
}

fn print(read: Result<impl Debug, SettingsError>) -> String {
    match read {
        Ok(settings) => format!("{settings:?}"),
        Err(error) => error.to_string(),
    }
}

fn refused(error: &ConfigError) -> String {
    let ConfigError::Setting { place, source } = error else { panic!("{error}") };
    assert!(!place.is_empty() && !source.to_string().is_empty(), "{error:?}");
    error.to_string()
}

/// The sections with known credentials. What lies deeper is maps, whose keys are names of events and fields.
fn planted(table: Table) -> Table {
    let section = |value| match value {
        Value::Table(section) => Value::Table(section.into_iter().map(plant).collect()),
        other => other,
    };
    let sections = |(name, value)| match value {
        Value::Array(items) => (name, Value::Array(items.into_iter().map(section).collect())),
        other => (name, section(other)),
    };
    table.into_iter().map(sections).collect()
}

fn plant((key, value): (String, Value)) -> (String, Value) {
    let value = if SECRETS.contains(&key.as_str()) { secret(value) } else { value };
    (key, value)
}

fn secret(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text + SENTINEL),
        Value::Integer(_) => Value::Integer(SENTINEL_NUMBER.into()),
        Value::Float(_) => Value::Float(f64::from(SENTINEL_NUMBER) + 0.5),
        Value::Array(items) => Value::Array(items.into_iter().map(secret).collect()),
        other => other,
    }
}

fn plant_variable((name, value): (String, String)) -> (String, String) {
    let is_secret = SECRET_VARIABLES.contains(&name.as_str());
    let value = if is_secret { value + SENTINEL } else { value };
    (name, value)
}
