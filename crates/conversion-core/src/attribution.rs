//! Attribution: what a landing page visit left behind, kept under an id until a conversion names it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::CanonicalEvent;
use crate::consent::Consent;
use crate::event::MAX_CLICK_IDS;

/// A visitor's click ids and visit facts, under the id that the site hands on (the spec's `va_attrib`).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attribution {
    /// The id.
    pub id: String,
    /// When it was first written.
    pub first_seen: Timestamp,
    /// When it was last written: it is forgotten a while after.
    pub last_seen: Timestamp,
    /// Click ids by the names of `clickIds`.
    #[serde(default)]
    pub clicks: BTreeMap<String, Click>,
    /// The landing page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_url: Option<String>,
    /// Where the visitor came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_referrer: Option<String>,
    /// The visitor's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// The visitor's browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// What the visitor agreed to.
    #[serde(default, skip_serializing_if = "Consent::is_empty")]
    pub consent: Consent,
}

/// One click id, and when the visitor came with it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Click {
    /// The click id.
    pub value: String,
    /// When it was first seen: about when the ad was clicked, and never before.
    pub at: Timestamp,
}

impl Attribution {
    /// An attribution of which nothing but its id is known.
    pub fn new(id: impl Into<String>, now: Timestamp) -> Self {
        Self {
            id: id.into(),
            first_seen: now,
            last_seen: now,
            clicks: BTreeMap::new(),
            page_url: None,
            page_referrer: None,
            ip: None,
            user_agent: None,
            consent: Consent::default(),
        }
    }

    /// This attribution with what a later visit adds. What was written first stands, click id by click id, of which
    /// there are never more than an event can have; of consent the later word counts.
    #[must_use]
    pub fn joined_by(self, later: Self) -> Self {
        let mut clicks = self.clicks;
        for (name, click) in later.clicks {
            if clicks.len() < MAX_CLICK_IDS {
                clicks.entry(name).or_insert(click);
            }
        }
        Self {
            id: self.id,
            first_seen: self.first_seen.min(later.first_seen),
            last_seen: self.last_seen.max(later.last_seen),
            clicks,
            page_url: self.page_url.or(later.page_url),
            page_referrer: self.page_referrer.or(later.page_referrer),
            ip: self.ip.or(later.ip),
            user_agent: self.user_agent.or(later.user_agent),
            consent: later.consent.or(self.consent),
        }
    }

    /// When the visitor came with this click id.
    pub fn clicked_at(&self, name: &str, value: &str) -> Option<Timestamp> {
        self.clicks.get(name).filter(|click| click.value == value).map(|click| click.at)
    }
}

/// The id that the event's attribution is kept under, if it has one: its attribution id, else its external id.
///
/// An external id that is a digest is none: whoever knows the person can work it out, and report a visit under it.
pub fn key(event: &CanonicalEvent) -> Option<&str> {
    let external_id = event.external_id.as_deref().filter(|id| !is_digest(id));
    event.attribution_id.as_deref().or(external_id)
}

/// Whether this may be a SHA-1 or SHA-256 of something, in hex.
fn is_digest(id: &str) -> bool {
    matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The event with whatever it lacks and its attribution has. What the event says itself wins. Its external id is its
/// attribution id unless it has one.
pub fn complete<'a>(event: &'a CanonicalEvent, attribution: Option<&Attribution>) -> Cow<'a, CanonicalEvent> {
    let lacks_external_id = event.external_id.is_none() && event.attribution_id.is_some();
    if attribution.is_none() && !lacks_external_id {
        return Cow::Borrowed(event);
    }
    let mut complete = event.clone();
    fill(&mut complete.external_id, &event.attribution_id);
    if let Some(attribution) = attribution {
        for (name, click) in &attribution.clicks {
            complete.click_ids.entry(name.clone()).or_insert_with(|| click.value.clone());
        }
        fill(&mut complete.page_url, &attribution.page_url);
        fill(&mut complete.page_referrer, &attribution.page_referrer);
        fill(&mut complete.ip, &attribution.ip);
        fill(&mut complete.user_agent, &attribution.user_agent);
        complete.consent = event.consent.or(attribution.consent);
    }
    Cow::Owned(complete)
}

fn fill<T: Clone>(slot: &mut Option<T>, known: &Option<T>) {
    if slot.is_none() {
        slot.clone_from(known);
    }
}

impl fmt::Debug for Attribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest is about a person.
        f.debug_struct("Attribution").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Click {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Click(at {})", self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consent::ConsentStatus;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn visit(seconds: i64, clicks: &[(&str, &str)]) -> Attribution {
        let click = |(name, value): &(&str, &str)| {
            ((*name).to_owned(), Click { value: (*value).to_owned(), at: at(seconds) })
        };
        Attribution { clicks: clicks.iter().map(click).collect(), ..Attribution::new("va", at(seconds)) }
    }

    #[test]
    fn the_first_write_of_a_click_id_wins_and_the_last_word_on_consent_counts() {
        let granted = Consent { ad_user_data: Some(ConsentStatus::Granted), ..Consent::default() };
        let denied = Consent { ad_user_data: Some(ConsentStatus::Denied), ..Consent::default() };
        let first = Attribution {
            consent: granted,
            page_url: Some("https://a".into()),
            ..visit(1, &[("gclid", "A")])
        };
        let later = Attribution {
            consent: denied,
            page_url: Some("https://b".into()),
            ..visit(9, &[("gclid", "B"), ("ttclid", "T")])
        };
        let joined = first.joined_by(later);
        assert_eq!(joined.clicked_at("gclid", "A"), Some(at(1)));
        assert_eq!(joined.clicked_at("gclid", "B"), None);
        assert_eq!(joined.clicked_at("ttclid", "T"), Some(at(9)));
        assert_eq!(joined.page_url.as_deref(), Some("https://a"));
        assert_eq!(joined.consent, denied);
        assert_eq!((joined.first_seen, joined.last_seen), (at(1), at(9)));
    }

    #[test]
    fn click_ids_do_not_pile_up() {
        let names: Vec<String> = ('a'..='z').map(|letter| format!("{letter}_id")).collect();
        let joined = names
            .iter()
            .fold(visit(1, &[]), |known, name| known.joined_by(visit(2, &[(name.as_str(), "value")])));
        let kept: Vec<&String> = joined.clicks.keys().collect();
        assert_eq!(kept, names.iter().take(16).collect::<Vec<_>>());
    }

    #[test]
    fn an_event_takes_what_it_lacks_and_keeps_what_it_says() {
        let attribution = Attribution {
            page_url: Some("https://landing".into()),
            user_agent: Some("Mozilla".into()),
            ..visit(1, &[("gclid", "A"), ("ttclid", "T")])
        };
        let event = CanonicalEvent {
            click_ids: [("gclid".to_owned(), "own".to_owned())].into(),
            user_agent: Some("own".into()),
            ..CanonicalEvent::sample()
        };
        let completed = complete(&event, Some(&attribution));
        assert_eq!(completed.click_id("gclid"), Some("own"));
        assert_eq!(completed.click_id("ttclid"), Some("T"));
        assert_eq!(completed.user_agent.as_deref(), Some("own"));
        assert_eq!(completed.page_url.as_deref(), Some("https://landing"));
        assert!(matches!(complete(&event, None), Cow::Borrowed(_)));
    }

    #[test]
    fn the_attribution_id_is_the_external_id_of_an_event_without_one() {
        let event = CanonicalEvent { attribution_id: Some("va".into()), ..CanonicalEvent::sample() };
        assert_eq!(complete(&event, None).external_id.as_deref(), Some("va"));
        let event = CanonicalEvent { external_id: Some("own".into()), ..event };
        assert_eq!(complete(&event, None).external_id.as_deref(), Some("own"));
        assert_eq!(key(&event), Some("va"));
    }

    #[test]
    fn what_can_be_worked_out_from_a_person_is_nobodys_key() {
        // printf %s ada@example.com | sha1sum, | sha256sum
        let sha1 = "3ca93ad87e0bb737e653b66ad67731e86bbc050f";
        let sha256 = "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72";
        for (external_id, is_key) in [
            (sha1.to_owned(), false),
            (sha1.to_uppercase(), false),
            (sha256.to_owned(), false),
            ("0123456789abcdef0123456789abcdef".to_owned(), true),
            ("customer-7".to_owned(), true),
            (sha1.replacen('3', "-", 1), true),
        ] {
            let event = CanonicalEvent { external_id: Some(external_id.clone()), ..CanonicalEvent::sample() };
            assert_eq!(key(&event), is_key.then_some(external_id.as_str()));
            let event = CanonicalEvent { attribution_id: Some(external_id.clone()), ..event };
            assert_eq!(key(&event), Some(external_id.as_str()), "it was meant");
        }
    }
}
