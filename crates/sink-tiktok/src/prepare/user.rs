//! `user`: whom the event is about. What is hashed, how, and from which source: platforms/tiktok.md, section 4.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use conversion_core::event::CanonicalEvent;
use conversion_core::identity::{CallingCode, PhoneForm, Recipe, Source, Step};

use super::{Notes, given};
use crate::config::{EventSource, PhoneFormat};
use crate::wire::User;

const REFERENCE: &str =
    "TikTok's parameter reference as restated in bububa/tiktok-business, model/event/track.go";
const TEMPLATE: &str = "tiktok/gtm-template-eapi, template.tpl";
const STAPE: &str = "stape-io/tiktok-tag, template.js";
const SPEC: &str = "the rule of the specification; TikTok's own vectors have the +";

/// How TikTok wants each identifier that `source` may send.
pub(crate) fn recipes(source: EventSource, format: PhoneFormat, country: CallingCode) -> Vec<Recipe> {
    use Source::{City, Country, Email, ExternalId, FirstName, LastName, Phone, PostalCode, Region};
    use Step::{E164, Lowercase, Trim, WithoutPunctuation, WithoutWhitespace};
    let bare = [Lowercase, WithoutPunctuation, WithoutWhitespace];
    let mut recipes = vec![hashed(Email, "user.email", &[Trim, Lowercase], REFERENCE)];
    if matches!(format, PhoneFormat::Both | PhoneFormat::Digits) {
        recipes.push(hashed(Phone, "user.phone", &[E164(country, PhoneForm::Digits)], SPEC));
    }
    if matches!(format, PhoneFormat::Both | PhoneFormat::E164) {
        recipes.push(hashed(Phone, "user.phone", &[E164(country, PhoneForm::Plus)], REFERENCE));
    }
    if matches!(source, EventSource::Web | EventSource::Crm) {
        recipes.push(hashed(ExternalId, "user.external_id", &[Trim], TEMPLATE));
    }
    if matches!(source, EventSource::Web | EventSource::Offline) {
        recipes.extend([
            hashed(FirstName, "user.first_name", &bare, STAPE),
            hashed(LastName, "user.last_name", &bare, STAPE),
            hashed(PostalCode, "user.zip_code", &bare, STAPE),
            plain(City, "user.city", &bare, STAPE),
            plain(Region, "user.state", &bare, STAPE),
            plain(Country, "user.country", &bare, STAPE),
        ]);
    }
    recipes
}

fn hashed(source: Source, target: &'static str, steps: &[Step], documented: &'static str) -> Recipe {
    Recipe { source, target, steps: steps.to_vec(), hashed: true, documented }
}

fn plain(source: Source, target: &'static str, steps: &[Step], documented: &'static str) -> Recipe {
    Recipe { hashed: false, ..hashed(source, target, steps, documented) }
}

/// What the recipes make of the event, and what goes as it is.
pub(super) fn read<'a>(
    source: EventSource,
    recipes: &[Recipe],
    event: &'a CanonicalEvent,
    notes: &mut Notes,
) -> User<'a> {
    let mut user = User::default();
    if source == EventSource::Web {
        user.ttclid = given(event.click_id("ttclid"));
        user.ttp = given(event.click_id("ttp"));
    }
    if source.has_device() {
        user.ip = event.ip.map(|ip| ip.to_canonical()).filter(is_public);
        user.user_agent = given(event.user_agent.as_deref());
        user.locale = given(event.locale.as_deref());
        if event.ip.is_some() && user.ip.is_none() {
            notes.push("ip_not_public");
        }
    }
    for recipe in recipes {
        identify(&mut user, recipe, event);
    }
    if user.phone.is_empty() && given(event.phone.as_deref()).is_some() {
        notes.push("phone_unusable");
    }
    user
}

fn identify<'a>(user: &mut User<'a>, recipe: &Recipe, event: &'a CanonicalEvent) {
    match recipe.source {
        Source::Email => user.email = recipe.digest(event),
        Source::Phone => recipe.digest(event).into_iter().for_each(|digest| user.phone.add(digest)),
        Source::ExternalId => user.external_id = recipe.digest(event),
        Source::FirstName => user.first_name = recipe.digest(event),
        Source::LastName => user.last_name = recipe.digest(event),
        Source::PostalCode => user.zip_code = recipe.digest(event),
        Source::City => user.city = recipe.normalise(event),
        Source::Region => user.state = recipe.normalise(event),
        Source::Country => user.country = recipe.normalise(event),
        // TikTok takes no street.
        Source::Street => {}
    }
}

/// An address that a visitor can come from. Addresses for documentation pass: they harm nobody, and examples use them.
fn is_public(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(*ip),
        IpAddr::V6(ip) => is_public_v6(*ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    // Carriers' shared addresses (RFC 6598), which the standard library does not tell yet.
    let is_shared = first == 100 && (64..128).contains(&second);
    !(first == 0 || first >= 224 || is_shared || ip.is_private() || ip.is_loopback() || ip.is_link_local())
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    !(ip.is_unspecified()
        || ip.is_loopback()
        || ip.is_unique_local()
        || ip.is_unicast_link_local()
        || ip.is_multicast())
}
