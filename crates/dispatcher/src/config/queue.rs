//! What `queue = "qstash"` needs, complete and checked.

use std::time::Duration;

use axum::http::Uri;
use conversion_core::secret::Secret;
use conversion_core::settings::SettingsError;

use super::{Config, ConfigError, Qstash, Queue};

/// QStash may try again so often.
const MAX_RETRIES: u32 = 5;

/// Token and signing keys of QStash's development server, which are printed in its documentation.
const DEVELOPMENT: [&str; 3] = [
    "eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=",
    "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r",
    "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs",
];

/// How QStash is reached, and how it reaches this service.
#[derive(Clone, Debug)]
pub struct QueueLink {
    /// QStash's address, without a slash at its end.
    pub url: String,
    /// What publishing is authorised by.
    pub token: Secret,
    /// The key that signs its calls, and the one that follows it.
    pub signing_keys: [Secret; 2],
    /// This service's address for it, without a slash at its end.
    pub public_url: String,
    /// How often it tries again after its first call.
    pub retries: u32,
    /// How far its clock and ours may differ.
    pub clock_tolerance: Duration,
}

impl Config {
    /// The way to QStash and back. Without `queue = "qstash"` it need not be there; where it is complete, deliveries
    /// that were accepted for QStash still go that way.
    pub fn queue_link(&self) -> Result<Option<QueueLink>, ConfigError> {
        let Qstash { url, token, current_signing_key, next_signing_key, retries, clock_tolerance, .. } =
            &self.qstash;
        let given = |secret: &Option<Secret>| secret.clone().filter(|secret| !secret.is_empty());
        let parts =
            (given(token), given(current_signing_key), given(next_signing_key), &self.server.public_url);
        let (Some(token), Some(current), Some(next), Some(public_url)) = parts else {
            return match self.delivery.queue {
                Queue::Builtin => Ok(None),
                Queue::Qstash => Err(self.missing_for_queue()),
            };
        };
        let refuse = |setting: &str, message: String| {
            ConfigError::setting(format!("[qstash] {setting}"), SettingsError::new(message))
        };
        if *retries > MAX_RETRIES {
            return Err(refuse("retries", format!("must lie between 0 and {MAX_RETRIES}")));
        }
        let is_development = |secret: &Secret| DEVELOPMENT.iter().any(|known| secret.matches(known));
        if !self.qstash.allow_development_keys && [&token, &current, &next].into_iter().any(is_development) {
            let message = "the token or a signing key is the published one of QStash's development server, with \
                           which anyone can sign: set your account's, or allow_development_keys = true on a \
                           machine that nobody else reaches";
            return Err(refuse("allow_development_keys", message.to_owned()));
        }
        Ok(Some(QueueLink {
            url: address(url).map_err(|message| refuse("url (QSTASH_URL)", message))?,
            token,
            signing_keys: [current, next],
            public_url: public_url.clone(),
            retries: *retries,
            clock_tolerance: *clock_tolerance,
        }))
    }

    fn missing_for_queue(&self) -> ConfigError {
        let unset = |secret: &Option<Secret>| secret.as_ref().is_none_or(Secret::is_empty);
        let Qstash { token, current_signing_key, next_signing_key, .. } = &self.qstash;
        let missing: Vec<&str> = [
            (unset(token), "[qstash] token (QSTASH_TOKEN)"),
            (unset(current_signing_key), "[qstash] current_signing_key (QSTASH_CURRENT_SIGNING_KEY)"),
            (unset(next_signing_key), "[qstash] next_signing_key (QSTASH_NEXT_SIGNING_KEY)"),
            (self.server.public_url.is_none(), "[server] public_url (SIGNALBOX_PUBLIC_URL)"),
        ]
        .into_iter()
        .filter_map(|(is_missing, setting)| is_missing.then_some(setting))
        .collect();
        let message = format!("\"qstash\" needs {}", missing.join(", "));
        ConfigError::setting("[delivery] queue", SettingsError::new(message))
    }
}

/// An absolute address in one form: host in lower case, no default port, no slash at the end. What signatures are made
/// for is compared letter by letter, so there must be but one way to write it.
pub(super) fn address(text: &str) -> Result<String, String> {
    let wrong =
        || "must be an address such as https://signalbox.example, without query or credentials".to_owned();
    let uri: Uri = text.trim().parse().map_err(|_| wrong())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(wrong()) };
    let default_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return Err(wrong()),
    };
    let is_plain = !authority.as_str().contains('@') && !authority.host().is_empty();
    if !is_plain || uri.query().is_some() || text.contains('#') {
        return Err(wrong());
    }
    let host = authority.host().to_ascii_lowercase();
    let port = authority.port_u16().filter(|port| *port != default_port);
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{scheme}://{host}{port}{}", uri.path().trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: [(&str, &str); 5] = [
        ("SIGNALBOX_QUEUE", "qstash"),
        ("SIGNALBOX_PUBLIC_URL", "https://Signalbox.example/hooks/"),
        ("QSTASH_TOKEN", "a-token"),
        ("QSTASH_CURRENT_SIGNING_KEY", "sig_current"),
        ("QSTASH_NEXT_SIGNING_KEY", "sig_next"),
    ];

    /// The complete settings, with these changed and this file under them.
    fn load(changed: &[(&str, &str)], file: &str) -> Result<Config, String> {
        let environment = COMPLETE.iter().chain(changed).copied().collect();
        Config::from_table(file.parse().unwrap(), &environment).map_err(|error| error.to_string())
    }

    #[test]
    fn a_complete_link_needs_no_more() {
        let link = load(&[], "").unwrap().queue_link().unwrap().unwrap();
        assert_eq!(link.url, "https://qstash.upstash.io");
        assert_eq!(link.public_url, "https://signalbox.example/hooks");
        assert_eq!((link.retries, link.clock_tolerance.as_secs()), (3, 30));
        assert!(!format!("{link:?}").contains("sig_"), "{link:?}");
    }

    #[test]
    fn without_the_queue_an_incomplete_link_is_none() {
        let builtin = ("SIGNALBOX_QUEUE", "");
        assert!(
            load(&[builtin], "").unwrap().queue_link().unwrap().is_some(),
            "what was accepted for it goes on"
        );
        for missing in ["SIGNALBOX_PUBLIC_URL", "QSTASH_TOKEN", "QSTASH_NEXT_SIGNING_KEY"] {
            assert!(
                load(&[builtin, (missing, "")], "").unwrap().queue_link().unwrap().is_none(),
                "{missing}"
            );
        }
    }

    #[test]
    fn what_is_missing_or_known_to_everyone_is_named() {
        let [token, current, next] = DEVELOPMENT;
        for (changed, file, error) in [
            (
                ("QSTASH_CURRENT_SIGNING_KEY", ""),
                "",
                "[delivery] queue: \"qstash\" needs [qstash] current_signing_key (QSTASH_CURRENT_SIGNING_KEY)",
            ),
            (
                ("SIGNALBOX_PUBLIC_URL", ""),
                "[qstash]\ntoken = ' '",
                "[delivery] queue: \"qstash\" needs [server] public_url (SIGNALBOX_PUBLIC_URL)",
            ),
            (
                ("SIGNALBOX_PUBLIC_URL", "no-address"),
                "",
                "[server] public_url (SIGNALBOX_PUBLIC_URL): must be an address such as https://signalbox.example",
            ),
            (("QSTASH_URL", "qstash.upstash.io"), "", "[qstash] url (QSTASH_URL): must be an address"),
            (("QSTASH_TOKEN", token), "", "[qstash] allow_development_keys: the token or a signing key is"),
            (("QSTASH_CURRENT_SIGNING_KEY", current), "", "[qstash] allow_development_keys: "),
            (("QSTASH_NEXT_SIGNING_KEY", next), "", "[qstash] allow_development_keys: "),
            (("QSTASH_TOKEN", "t"), "[qstash]\nretries = 6", "[qstash] retries: must lie between 0 and 5"),
        ] {
            let refused = load(&[changed], file).unwrap_err();
            assert!(refused.starts_with(error), "{refused}\n{error}");
            assert!(!refused.contains(changed.1) || changed.1.len() < 2, "{refused} repeats a value");
        }
        let missing = load(&[("QSTASH_TOKEN", ""), ("SIGNALBOX_PUBLIC_URL", "")], "").unwrap_err();
        assert!(missing.contains("QSTASH_TOKEN") && missing.contains("SIGNALBOX_PUBLIC_URL"), "{missing}");
        assert!(load(&[("QSTASH_TOKEN", token)], "[qstash]\nallow_development_keys = true").is_ok());
    }

    #[test]
    fn an_address_has_one_form() {
        for (text, form) in [
            ("https://signalbox.example", Some("https://signalbox.example")),
            (" https://signalbox.example/ ", Some("https://signalbox.example")),
            ("HTTPS://Signalbox.Example:443/Hooks/", Some("https://signalbox.example/Hooks")),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("http://[::1]:80", Some("http://[::1]")),
            ("http://a.example:443", Some("http://a.example:443")),
            ("signalbox.example", None),
            ("/hooks", None),
            ("ftp://signalbox.example", None),
            ("https://user:pass@signalbox.example", None),
            ("https://signalbox.example/?a=1", None),
            ("https://signalbox.example/#a", None),
            ("https://", None),
            ("", None),
        ] {
            assert_eq!(address(text).ok().as_deref(), form, "{text}");
        }
    }
}
