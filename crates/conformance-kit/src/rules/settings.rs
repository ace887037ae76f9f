//! What the sink makes of its settings.

use conversion_core::descriptor::SinkDescriptor;
use toml::{Table, Value};

use crate::profile::Profile;
use crate::rig::{Rig, bookings, payload};
use crate::rule::{Broken, Verdict, broken, ensure};

/// Of the variables those that give a setting of the sink's: the dispatcher keeps the secret of the test endpoint.
fn variables(descriptor: &SinkDescriptor) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
    let variables = descriptor.environment.iter().map(|variable| (variable.name, variable.setting));
    variables.filter(|(_, setting)| *setting != "test_secret")
}

pub(crate) async fn example_is_read(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let example = rig.descriptor().example;
    let table: Table =
        example.parse().map_err(|error| broken(format!("the example is not TOML: {error}")))?;
    rig.build(table).map_err(|error| broken(format!("the example is refused: {error}")))?;
    for (variable, setting) in variables(rig.descriptor()) {
        ensure!(example.contains(&format!("{setting} = ")), "the example leaves out {setting}");
        ensure!(example.contains(variable), "the example leaves out the variable {variable}");
    }
    Ok(())
}

pub(crate) async fn settings_are_taken(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let table = rig.table("http://127.0.0.1:9", "")?;
    for name in profile.credentials().iter().chain(profile.secrets()) {
        let has_value =
            table.get(*name).and_then(Value::as_str).is_some_and(|value| !value.trim().is_empty());
        ensure!(has_value, "the profile's settings give {name} no value");
    }
    let sink =
        rig.build(table).map_err(|error| broken(format!("the profile's settings are refused: {error}")))?;
    ensure!(sink.mapping().contains_key("TRIAL_BOOKED"), "the profile's settings do not map TRIAL_BOOKED");
    ensure!(!sink.api_version().is_empty(), "api_version is empty");
    Ok(())
}

pub(crate) async fn unknown_settings_are_named(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let misspelt = profile.credentials().first().map(|name| format!("{name}x"));
    let nested = "events.TRIAL_BOOKED".to_owned();
    for (extra, named, hint) in [
        ("zzqq = 1".to_owned(), "`zzqq`".to_owned(), "known are"),
        ("events = { TRIAL_BOOKED = [[]] }".to_owned(), format!("`{nested}`"), ""),
    ]
    .into_iter()
    .chain(misspelt.map(|name| (format!("{name} = '1'"), format!("`{name}`"), "did you mean")))
    {
        let Err(error) = rig.build(rig.table("http://127.0.0.1:9", &extra)?) else {
            return Err(Broken::Because(format!("{extra} is taken")));
        };
        let error = error.to_string();
        ensure!(
            error.contains(&named) && error.contains(hint),
            "{extra}: {error:?} does not say {named} {hint}"
        );
    }
    Ok(())
}

pub(crate) async fn variables_give_settings(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    for (variable, setting) in variables(rig.descriptor()) {
        // A value of no setting's type, so that an error is certain.
        let extra = format!("{setting} = [[]]");
        let Err(error) = rig.build(rig.table("http://127.0.0.1:9", &extra)?) else {
            return Err(Broken::Because(format!("{variable} gives {setting}, which takes any value")));
        };
        let error = error.to_string();
        let is_known = error.contains(setting) && !error.contains("is not a setting");
        ensure!(is_known, "{variable} gives {setting}: {error}");
    }
    Ok(())
}

pub(crate) async fn secrets_are_not_printed(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let table = rig.table("http://127.0.0.1:9", "")?;
    let sink = rig.offline("")?;
    let request = payload(&sink, &bookings(1)[0]).map(|payload| sink.compose(&[&payload]));
    let mut printed = format!("{sink:?} {request:?}");
    for secret in profile.secrets() {
        // What is wrong with a secret is said without it.
        let value = table.get(*secret).and_then(Value::as_str).unwrap_or_default();
        for wrong in [Value::from(format!("{value}\n\u{1}{value}")), Value::Array(vec![Value::from(value)])] {
            let mut table = table.clone();
            table.insert((*secret).to_owned(), wrong);
            printed.push_str(&format!(" {:?}", rig.build(table)));
        }
    }
    ensure!(
        secret_in(&printed, profile, &table).is_none(),
        "{:?} is printed",
        secret_in(&printed, profile, &table)
    );
    Ok(())
}

/// The first secret setting whose value stands in the text.
pub(crate) fn secret_in<'a>(text: &str, profile: &'a dyn Profile, settings: &Table) -> Option<&'a str> {
    let stands_there =
        |name: &&&str| settings.get(**name).and_then(Value::as_str).is_some_and(|value| text.contains(value));
    profile.secrets().iter().find(stands_there).copied()
}
