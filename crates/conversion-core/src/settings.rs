//! Reading a sink's settings: one struct per sink, with errors that name the setting and the nearest known one.

use serde::de::DeserializeOwned;

/// Why settings were refused. States the setting and the mend, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(String);

impl SettingsError {
    /// An error with this sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// Reads `table` into a settings struct that denies unknown fields. Texts are trimmed, and an empty one is unset.
pub fn read<T: DeserializeOwned>(mut table: toml::Table) -> Result<T, SettingsError> {
    for (_, value) in table.iter_mut() {
        if let toml::Value::String(text) = value {
            *text = text.trim().to_owned();
        }
    }
    table.retain(|_, value| value.as_str() != Some(""));
    toml::Value::Table(table).try_into().map_err(|error: toml::de::Error| explain(&error))
}

/// Adds the nearest known name to serde's complaint about an unknown field, and the setting's path to others, whose
/// quoted values it takes out.
fn explain(error: &toml::de::Error) -> SettingsError {
    let message = error.message();
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match names.split_first() {
        Some((unknown, known)) if message.starts_with("unknown field") => {
            let hint = match nearest(unknown, known.iter().copied()) {
                Some(name) => format!("; did you mean `{name}`?"),
                None => format!("; known are {}", known.join(", ")),
            };
            SettingsError(format!("`{unknown}` is not a setting{hint}"))
        }
        _ => SettingsError(format!("{}{}", place(error), without_values(message))),
    }
}

/// The setting's path, which a TOML error tells in the last line of its printed form alone.
fn place(error: &toml::de::Error) -> String {
    let printed = error.to_string();
    let path = printed.trim_end().rsplit_once("\nin `").and_then(|(_, path)| path.strip_suffix('`'));
    path.map(|path| format!("`{path}`: ")).unwrap_or_default()
}

/// `invalid type: string "hunter2", expected u16` without what was given: it may be a secret. Serde puts texts in quotes
/// and all else in backticks.
fn without_values(message: &str) -> String {
    let Some((given, expected)) = message.rsplit_once(", expected ") else {
        return message.split('"').step_by(2).collect::<Vec<_>>().join("…").trim().to_owned();
    };
    match given.split_once(['"', '`']) {
        Some((kind, _)) => format!("{kind}…, expected {expected}"),
        None => message.trim().to_owned(),
    }
}

/// Whether it is a full http or https address.
pub fn is_web_address(url: &str) -> bool {
    let uri = url.parse::<http::Uri>();
    uri.is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
}

/// Whether a path can follow it: an http or https address without query, fragment and credentials, since it is recorded.
pub fn is_endpoint(url: &str) -> bool {
    is_web_address(url) && !url.contains(['?', '#', '@'])
}

/// Longer names than this mean none that is known. Time and memory of a comparison grow with the length.
const LONGEST_LIKE: usize = 64;

/// The known name that `name` most likely meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST_LIKE {
        return None;
    }
    let plain =
        |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let wanted = plain(name);
    known
        .into_iter()
        .map(|candidate| (strsim::normalized_damerau_levenshtein(&wanted, &plain(candidate)), candidate))
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        #[expect(dead_code, reason = "only the errors are looked at")]
        pixel_id: Option<String>,
        #[expect(dead_code, reason = "only the errors are looked at")]
        max_batch: Option<u16>,
        #[expect(dead_code, reason = "only the errors are looked at")]
        mode: Option<Mode>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Live,
        Mock,
    }

    #[test]
    fn errors_name_the_setting_and_the_mend_but_no_value() {
        for (toml, message) in [
            ("pixelid = 'A'", "`pixelid` is not a setting; did you mean `pixel_id`?"),
            ("zzz = 'A'", "`zzz` is not a setting; known are pixel_id, max_batch, mode"),
            ("max_batch = 'hunter2'", "`max_batch`: invalid type: string …, expected u16"),
            (r#"max_batch = 'a"hunter2"b'"#, "`max_batch`: invalid type: string …, expected u16"),
            ("pixel_id = 12345678", "`pixel_id`: invalid type: integer …, expected a string"),
            ("pixel_id = 0.5", "`pixel_id`: invalid type: floating point …, expected a string"),
            ("pixel_id = []", "`pixel_id`: invalid type: sequence, expected a string"),
            ("mode = 'hunter2'", "`mode`: unknown variant …, expected `live` or `mock`"),
        ] {
            let error = read::<Settings>(toml::from_str(toml).unwrap()).unwrap_err();
            assert!(error.to_string().starts_with(message), "{error}");
        }
    }

    #[test]
    fn the_nearest_name_is_told_if_it_is_near_and_no_name_is_so_long() {
        let long = "x".repeat(64);
        for (name, nearest_name) in [
            ("Pixel-ID", Some("pixel_id")),
            ("pixle", Some("pixel")),
            ("banana", None),
            (&long, Some(long.as_str())),
            (&format!("{long}x"), None),
        ] {
            assert_eq!(nearest(name, ["pixel", "pixel_id", &long]), nearest_name, "{name}");
        }
    }
}
