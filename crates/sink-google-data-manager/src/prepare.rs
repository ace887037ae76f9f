//! One event in Google's shape (section 7.2), or why there is none.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use conversion_core::consent::ConsentStatus;
use conversion_core::sink::{NotSent, Payload, Subject};
use conversion_core::skip::Skip;
use conversion_core::{CanonicalEvent, Timestamp};
use google_platform::{Click, ClickKind, ConsentWords, shareable_ip};
use serde_json::value::{RawValue, to_raw_value};

use crate::wire::{AdIdentifiers, ConsentFlags, DeviceInfo, Event, UserAddress, UserData, UserIdentifier};
use crate::{DESCRIPTOR, DataManager};

impl DataManager {
    pub(crate) fn payload(&self, subject: &Subject<'_>, now: Timestamp) -> Result<Payload, NotSent> {
        if let Some(missing) = &self.missing {
            return Err(Skip::missing_credentials(missing).into());
        }
        let event = subject.event;
        let action = self
            .config
            .events
            .get(&event.event_name)
            .ok_or_else(|| Skip::no_event_mapping(DESCRIPTOR.title, &event.event_name))?;
        subject.screen()?;
        let mut notes = Vec::new();
        let click = Click::of(event, &mut notes);
        let identifiers = self.identifiers(event, click, &mut notes);
        if click.is_none() && identifiers.is_empty() {
            let identifiers = "gclid/gbraid/wbraid and user identifiers (email/phone/address)";
            return Err(Skip::no_identifiers(identifiers).into());
        }
        if let Some(click) = click {
            click.wait_for_age(subject, now)?;
        }
        let item = self.event(event, action, click, identifiers, &mut notes);
        Ok(Payload {
            // Text, digits and decimals cannot fail to serialise.
            item: to_raw_value(&item).unwrap_or_else(|_| RawValue::NULL.to_owned()),
            group: action.clone().into(),
            // A second one in the same request would restate the first (section 7.5).
            exclusive: vec![key(&item.transaction_id)],
            dedup_key: Some(self.config.dedup_target(action).key(event.conversion_id())),
            notes,
            not_yet_until: None,
            takes_back: false,
        })
    }

    fn event<'a>(
        &self,
        event: &'a CanonicalEvent,
        action: &'a str,
        click: Option<Click<'a>>,
        user_identifiers: Vec<UserIdentifier<'a>>,
        notes: &mut Vec<&'static str>,
    ) -> Event<'a> {
        let click_id = |kind| click.filter(|click| click.kind == kind).map(|click| click.id);
        let word = |status: Option<ConsentStatus>| status.map(|status| ConsentWords::DATA_MANAGER.of(status));
        Event {
            destination_references: [action],
            transaction_id: [&self.config.transaction_prefix, event.conversion_id()].concat(),
            event_timestamp: event.event_time,
            event_source: self.config.event_source,
            currency: event.currency.filter(|_| event.value.is_some()),
            conversion_value: event.value,
            ad_identifiers: AdIdentifiers {
                gclid: click_id(ClickKind::Gclid),
                gbraid: click_id(ClickKind::Gbraid),
                wbraid: click_id(ClickKind::Wbraid),
                landing_page_device_info: if self.config.send_ip { device(event, notes) } else { None },
            },
            user_data: UserData { user_identifiers },
            consent: ConsentFlags {
                ad_user_data: word(event.consent.ad_user_data),
                ad_personalization: word(event.consent.ad_personalization),
            },
        }
    }

    /// Digests of e-mail and phone, and an address where all of it is known. None beside a braid, which stands for
    /// people who may not be identified and which Google Ads refuses them with (section 3.4), and none of a person who
    /// refused.
    fn identifiers<'a>(
        &self,
        event: &'a CanonicalEvent,
        click: Option<Click<'_>>,
        notes: &mut Vec<&'static str>,
    ) -> Vec<UserIdentifier<'a>> {
        if event.consent.ad_user_data == Some(ConsentStatus::Denied) {
            return Vec::new();
        }
        let [email_recipe, phone_recipe, ..] = &self.recipes;
        let (email, phone) = (email_recipe.digest(event), phone_recipe.digest(event));
        let address = self.address(event);
        let has_any = event.email.is_some() || event.phone.is_some() || address.is_some();
        if has_any && click.is_some_and(|click| click.kind != ClickKind::Gclid) {
            notes.push("identifiers_dropped_for_braid");
            return Vec::new();
        }
        if event.email.is_some() && email.is_none() {
            notes.push("email_unusable");
        }
        if event.phone.is_some() && phone.is_none() {
            notes.push("phone_unusable");
        }
        let (email, phone) =
            (email.map(UserIdentifier::EmailAddress), phone.map(UserIdentifier::PhoneNumber));
        email.into_iter().chain(phone).chain(address.map(UserIdentifier::Address)).collect()
    }

    /// All four parts or nothing (section 5).
    fn address<'a>(&self, event: &'a CanonicalEvent) -> Option<UserAddress<'a>> {
        let [_, _, given_name, family_name, region_code, postal_code] = &self.recipes;
        let region = region_code.normalise(event)?;
        let is_code = region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_uppercase());
        Some(UserAddress {
            given_name: given_name.digest(event)?,
            family_name: family_name.digest(event)?,
            region_code: Some(region).filter(|_| is_code)?,
            postal_code: postal_code.normalise(event)?,
        })
    }
}

fn device(event: &CanonicalEvent, notes: &mut Vec<&'static str>) -> Option<DeviceInfo> {
    let ip_address = shareable_ip(event);
    if ip_address.is_none() && event.ip.is_some() {
        notes.push("ip_withheld");
    }
    ip_address.map(|ip_address| DeviceInfo { ip_address })
}

/// A key of [`Payload::exclusive`].
fn key(transaction_id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    transaction_id.hash(&mut hasher);
    hasher.finish()
}
