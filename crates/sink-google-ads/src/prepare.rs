//! One event as one row (sections 3.3 and 3.4), or why there is none.

use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::net::IpAddr;

use conversion_core::consent::ConsentStatus;
use conversion_core::sink::{NotSent, Payload, Subject};
use conversion_core::skip::Skip;
use conversion_core::{CanonicalEvent, Timestamp};
use google_platform::{Click, ClickKind, ConsentWords, shareable_ip};
use serde_json::value::{RawValue, to_raw_value};

use crate::wire::{ClickConversion, ConsentFlag, DateTime, Service, UserIdentifier};
use crate::{Action, DESCRIPTOR, GoogleAds};

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
            group: Service::Conversions.group().into(),
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
