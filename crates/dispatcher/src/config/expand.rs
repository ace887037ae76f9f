//! `${VAR}` and `${VAR:-default}` in the values of the configuration file.

use conversion_core::settings::SettingsError;

use super::{ConfigError, Environment};

/// Replaces references in every text value of the table.
pub(super) fn variables(table: &mut toml::Table, environment: &Environment) -> Result<(), ConfigError> {
    for (key, value) in table.iter_mut() {
        expand_value(value, key, environment)?;
    }
    Ok(())
}

fn expand_value(value: &mut toml::Value, path: &str, environment: &Environment) -> Result<(), ConfigError> {
    match value {
        toml::Value::String(text) => {
            *text = expand(text, environment).map_err(|error| ConfigError::setting(path, error))?;
        }
        toml::Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                expand_value(item, &format!("{path}[{index}]"), environment)?;
            }
        }
        toml::Value::Table(table) => {
            for (key, value) in table.iter_mut() {
                expand_value(value, &format!("{path}.{key}"), environment)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn expand(text: &str, environment: &Environment) -> Result<String, SettingsError> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((reference, tail)) = after.split_once('}') else {
            return Err(SettingsError::new("`${` has no closing `}`"));
        };
        expanded.push_str(before);
        let (name, default) = match reference.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (reference, None),
        };
        match environment.get(name).or(default) {
            Some(value) => expanded.push_str(value),
            None => {
                let message = format!(
                    "the variable {name} is not set; set it, or write ${{{name}:-}} where it may be missing"
                );
                return Err(SettingsError::new(message));
            }
        }
        rest = tail;
    }
    expanded.push_str(rest);
    Ok(expanded)
}
