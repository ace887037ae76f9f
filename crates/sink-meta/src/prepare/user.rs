//! `user_data`: whom the event is about (platforms/meta.md, section 3).

use std::borrow::Cow;

use conversion_core::identity::{CallingCode, PhoneForm, Recipe, Source, Step};
use conversion_core::sink::Subject;

use super::{Notes, given};
use crate::wire::User;

/// Where Meta says how each field is normalised.
const DOCUMENTED: &str = "Meta, Customer Information Parameters";

/// US states and Canadian provinces as they are left by the steps before, and their codes.
const REGIONS: &[(&str, &str)] = &[
    ("alabama", "al"),
    ("alaska", "ak"),
    ("alberta", "ab"),
    ("arizona", "az"),
    ("arkansas", "ar"),
    ("britishcolumbia", "bc"),
    ("california", "ca"),
    ("colorado", "co"),
    ("connecticut", "ct"),
    ("delaware", "de"),
    ("districtofcolumbia", "dc"),
    ("florida", "fl"),
    ("georgia", "ga"),
    ("hawaii", "hi"),
    ("idaho", "id"),
    ("illinois", "il"),
    ("indiana", "in"),
    ("iowa", "ia"),
    ("kansas", "ks"),
    ("kentucky", "ky"),
    ("louisiana", "la"),
    ("maine", "me"),
    ("manitoba", "mb"),
    ("maryland", "md"),
    ("massachusetts", "ma"),
    ("michigan", "mi"),
    ("minnesota", "mn"),
    ("mississippi", "ms"),
    ("missouri", "mo"),
    ("montana", "mt"),
    ("nebraska", "ne"),
    ("nevada", "nv"),
    ("newbrunswick", "nb"),
    ("newfoundlandandlabrador", "nl"),
    ("newhampshire", "nh"),
    ("newjersey", "nj"),
    ("newmexico", "nm"),
    ("newyork", "ny"),
    ("northcarolina", "nc"),
    ("northdakota", "nd"),
    ("northwestterritories", "nt"),
    ("novascotia", "ns"),
    ("nunavut", "nu"),
    ("ohio", "oh"),
    ("oklahoma", "ok"),
    ("ontario", "on"),
    ("oregon", "or"),
    ("pennsylvania", "pa"),
    ("princeedwardisland", "pe"),
    ("quebec", "qc"),
    ("québec", "qc"),
    ("rhodeisland", "ri"),
    ("saskatchewan", "sk"),
    ("southcarolina", "sc"),
    ("southdakota", "sd"),
    ("tennessee", "tn"),
    ("texas", "tx"),
    ("utah", "ut"),
    ("vermont", "vt"),
    ("virginia", "va"),
    ("washington", "wa"),
    ("westvirginia", "wv"),
    ("wisconsin", "wi"),
    ("wyoming", "wy"),
    ("yukon", "yt"),
];

/// How Meta wants personal identifiers. Where its written rule and its own two normalisers disagree, the last column of
/// platforms/meta.md, section 3.2 decides.
pub(crate) fn recipes(country: CallingCode) -> Vec<Recipe> {
    use Source::{City, Country, Email, ExternalId, FirstName, LastName, Phone, PostalCode, Region};
    use Step::{
        CountryCode, E164, EmailAddress, Known, Lowercase, Trim, WithoutPunctuation, WithoutWhitespace,
        ZipOfFive,
    };
    const BARE: &[Step] = &[Lowercase, WithoutPunctuation, WithoutWhitespace];
    let hashed = |source, target, steps: &[Step]| Recipe {
        source,
        target,
        steps: steps.to_vec(),
        hashed: true,
        documented: DOCUMENTED,
    };
    vec![
        hashed(Email, "user_data.em", &[Trim, Lowercase, EmailAddress]),
        hashed(Phone, "user_data.ph", &[E164(country, PhoneForm::Digits)]),
        hashed(FirstName, "user_data.fn", BARE),
        hashed(LastName, "user_data.ln", BARE),
        hashed(City, "user_data.ct", BARE),
        hashed(Region, "user_data.st", &[BARE, &[Known(REGIONS)]].concat()),
        hashed(PostalCode, "user_data.zp", &[BARE, &[ZipOfFive]].concat()),
        hashed(Country, "user_data.country", &[Trim, Lowercase, CountryCode]),
        hashed(ExternalId, "user_data.external_id", &[Trim]),
    ]
}

/// What the recipes make of the event, and what goes as it is.
pub(super) fn read<'a>(recipes: &[Recipe], subject: &Subject<'a>, notes: &mut Notes) -> User<'a> {
    let event = subject.event;
    let mut user = User {
        client_ip_address: event.ip.map(|ip| ip.to_canonical()),
        client_user_agent: given(event.user_agent.as_deref()),
        fbc: fbc(subject),
        fbp: given(event.click_id("fbp")),
        ..User::default()
    };
    for recipe in recipes {
        let digest = recipe.digest(event).map(|digest| [digest]);
        match recipe.source {
            Source::Email => user.em = digest,
            Source::Phone => user.ph = digest,
            Source::FirstName => user.first_name = digest,
            Source::LastName => user.last_name = digest,
            Source::City => user.ct = digest,
            Source::Region => user.st = digest,
            Source::PostalCode => user.zp = digest,
            Source::Country => user.country = digest,
            Source::ExternalId => user.external_id = digest,
            // Meta takes no street.
            Source::Street => {}
        }
    }
    for (is_sent, raw, note) in [
        (user.em.is_some(), &event.email, "email_unusable"),
        (user.ph.is_some(), &event.phone, "phone_unusable"),
        (user.country.is_some(), &event.address.country, "country_unusable"),
    ] {
        if !is_sent && given(raw.as_deref()).is_some() {
            notes.push(note);
        }
    }
    user
}

/// The cookie's value as it is; else what the cookie would hold of the click id, which is never changed
/// (platforms/meta.md, section 3.1).
fn fbc<'a>(subject: &Subject<'a>) -> Option<Cow<'a, str>> {
    let event = subject.event;
    if let Some(cookie) = given(event.click_id("fbc")) {
        return Some(Cow::Borrowed(cookie));
    }
    let click_id = given(event.click_id("fbclid"))?;
    if click_id.starts_with("fb.") {
        return Some(Cow::Borrowed(click_id));
    }
    let first_seen = subject.clicked_at("fbclid", click_id).unwrap_or(event.event_time);
    Some(Cow::Owned(format!("fb.1.{}.{click_id}", first_seen.as_millisecond())))
}
