//! One event as one row (sections 3.3 and 3.4), or why there is none.

use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::net::IpAddr;
use std::time::Duration;

use conversion_core::consent::ConsentStatus;
use conversion_core::sink::{NotSent, Payload, Subject};
use conversion_core::skip::Skip;
use conversion_core::{CanonicalEvent, Timestamp};
use google_platform::{ConsentWords, shareable_ip};
use serde_json::value::{RawValue, to_raw_value};

use crate::wire::{ClickConversion, ConsentFlag, DateTime, Service, UserIdentifier};
use crate::{Action, DESCRIPTOR, GoogleAds};

conversion_core::reasons! {
    const CLICK_TOO_RECENT: "click_too_recent" of [Pending] =
        "Google Ads refuses conversions of a click that is less than 6 hours old";
    Nobody: "nothing: it is sent when the click is 6 hours old, and up to 10 minutes more";
}

/// Google refuses younger clicks (section 3.7, `TOO_RECENT_EVENT`).
const CLICK_AGE: Duration = Duration::from_secs(6 * 3600);

impl GoogleAds {
    pub(crate) fn payload(&self, subject: &Subject<'_>, now: Timestamp) -> Result<Payload, NotSent> {
        if let Some(missing) = &self.missing {
            return Err(Skip::missing_credentials(missing).into());
        }
        let event = subject.event;
        if self.retracts(&event.event_name) {
            return self.retraction(subject);
        }
        let action = self
            .actions
            .get(&event.event_name)
            .ok_or_else(|| Skip::no_event_mapping(DESCRIPTOR.title, &event.event_name))?;
        subject.screen()?;
        self.unless_canceled(subject)?;
        let mut notes = Vec::new();
        let click = Click::of(event, &mut notes);
        let identifiers = self.identifiers(event, click, &mut notes);
        if click.is_none() && identifiers.is_empty() {
            let identifiers = "gclid/gbraid/wbraid and user identifiers (email/phone)";
            return Err(Skip::no_identifiers(identifiers).into());
        }
        if let Some(click) = click {
            click.wait_for_age(subject, now)?;
        }
        let row = self.row(event, action, click, identifiers, &mut notes);
        Ok(Payload {
            // Text, digits and decimals cannot fail to serialise.
            item: to_raw_value(&row).unwrap_or_else(|_| RawValue::NULL.to_owned()),
            group: Service::Conversions.group(),
            exclusive: exclusive_keys(event, action, click),
            dedup_key: Some(action.dedup.key(event.conversion_id())),
            notes,
            not_yet_until: None,
            takes_back: false,
        })
    }

    fn row<'a>(
        &self,
        event: &'a CanonicalEvent,
        action: &'a Action,
        click: Option<Click<'a>>,
        user_identifiers: Vec<UserIdentifier>,
        notes: &mut Vec<&'static str>,
    ) -> ClickConversion<'a> {
        let click_id = |kind| click.filter(|click| click.kind == kind).map(|click| click.id);
        let consent = event.consent.ad_user_data.map(|status| ConsentWords::GOOGLE_ADS.of(status));
        ClickConversion {
            gclid: click_id(ClickKind::Gclid),
            gbraid: click_id(ClickKind::Gbraid),
            wbraid: click_id(ClickKind::Wbraid),
            conversion_action: &action.resource_name,
            conversion_date_time: DateTime(event.event_time),
            conversion_value: event.value,
            currency_code: event.currency.filter(|_| event.value.is_some()),
            order_id: event.conversion_id(),
            user_identifiers,
            consent: consent.map(|ad_user_data| ConsentFlag { ad_user_data }),
            user_ip_address: if self.config.send_ip { ip(event, notes) } else { None },
        }
    }

    /// Digests of e-mail and phone. None beside a braid, which Google refuses them with (section 3.4), and none of a
    /// person who refused.
    fn identifiers(
        &self,
        event: &CanonicalEvent,
        click: Option<Click<'_>>,
        notes: &mut Vec<&'static str>,
    ) -> Vec<UserIdentifier> {
        let has_any = event.email.is_some() || event.phone.is_some();
        if !has_any || event.consent.ad_user_data == Some(ConsentStatus::Denied) {
            return Vec::new();
        }
        if click.is_some_and(|click| click.kind != ClickKind::Gclid) {
            notes.push("identifiers_dropped_for_braid");
            return Vec::new();
        }
        let [email_recipe, phone_recipe] = &self.recipes;
        let (email, phone) = (email_recipe.digest(event), phone_recipe.digest(event));
        if event.email.is_some() && email.is_none() {
            notes.push("email_unusable");
        }
        if event.phone.is_some() && phone.is_none() {
            notes.push("phone_unusable");
        }
        email.map(UserIdentifier::Email).into_iter().chain(phone.map(UserIdentifier::Phone)).collect()
    }
}

fn ip(event: &CanonicalEvent, notes: &mut Vec<&'static str>) -> Option<IpAddr> {
    let ip = shareable_ip(event);
    if ip.is_none() && event.ip.is_some() {
        notes.push("ip_withheld");
    }
    ip
}

/// The one click id of a row.
#[derive(Clone, Copy)]
struct Click<'a> {
    kind: ClickKind,
    id: &'a str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ClickKind {
    Gclid,
    Gbraid,
    Wbraid,
}

impl ClickKind {
    fn name(self) -> &'static str {
        match self {
            Self::Gclid => "gclid",
            Self::Gbraid => "gbraid",
            Self::Wbraid => "wbraid",
        }
    }
}

impl<'a> Click<'a> {
    /// Google takes one click id per row: the first of these (section 3.4).
    const PRECEDENCE: [ClickKind; 3] = [ClickKind::Gclid, ClickKind::Gbraid, ClickKind::Wbraid];

    fn of(event: &'a CanonicalEvent, notes: &mut Vec<&'static str>) -> Option<Self> {
        let mut clicks = Self::PRECEDENCE
            .into_iter()
            .filter_map(|kind| Some(Self { kind, id: event.click_id(kind.name())? }));
        let first = clicks.next()?;
        if clicks.next().is_some() {
            notes.push("other_click_ids_dropped");
        }
        Some(first)
    }

    /// Where it is known when the visitor came, waits until Google takes the click.
    fn wait_for_age(self, subject: &Subject<'_>, now: Timestamp) -> Result<(), NotSent> {
        let clicked_at = subject.clicked_at(self.kind.name(), self.id);
        match clicked_at.and_then(|at| at.checked_add(CLICK_AGE).ok()) {
            Some(at) if now < at => {
                Err(NotSent::WaitUntil { at, reason: CLICK_TOO_RECENT, message: CLICK_TOO_RECENT.tell(&[]) })
            }
            _ => Ok(()),
        }
    }
}

/// What may stand once in a request (section 3.4): the order id, and the click at its time, of one action.
fn exclusive_keys(event: &CanonicalEvent, action: &Action, click: Option<Click<'_>>) -> Vec<u64> {
    let order = key(("order", &action.id, event.conversion_id()));
    let at = event.event_time.as_second();
    match click {
        Some(click) => vec![order, key(("click", &action.id, click.id, at))],
        None => vec![order],
    }
}

/// A key of [`Payload::exclusive`].
pub(crate) fn key(parts: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}
