//! What TikTok checks beyond JSON types.

use super::code::{INVALID_BATCH_SIZE, NO_PERMISSION, PARAM_ERROR};
use super::field::Field;
use super::refusal::Refusal;
use super::user;
use super::wire::{App, Event, Lead, Page, Properties, TrackRequest};
use crate::settings::Settings;

const MAX_EVENTS: usize = 1000;

/// A clock may be off and an event may be planned, but not by more than a day.
const FUTURE_S: u64 = 24 * 3600;

type Checked = Result<(), Refusal>;

/// Where the events of a request happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Web,
    App,
    Offline,
    Crm,
}

impl Source {
    fn named(name: &str) -> Option<Self> {
        match name {
            "web" => Some(Self::Web),
            "app" => Some(Self::App),
            "offline" => Some(Self::Offline),
            "crm" => Some(Self::Crm),
            _ => None,
        }
    }
}

/// Checks a whole request; the first finding refuses it.
pub(super) fn check(request: &TrackRequest, settings: &Settings, now_s: u64) -> Checked {
    let Some(source) = Source::named(request.event_source.text()) else {
        return refuse("event_source", "must be one of web, app, offline or crm");
    };
    filled("event_source_id", &request.event_source_id)?;
    not_blank("test_event_code", &request.test_event_code)?;
    not_blank("partner_name", &request.partner_name)?;
    match request.data.len() {
        0 => return refuse("data", "must hold at least one event"),
        1..=MAX_EVENTS => {}
        events => {
            let message = format!("invalid batch size: {events} events, at most {MAX_EVENTS}");
            return Err(Refusal::whole(INVALID_BATCH_SIZE, message));
        }
    }
    check_permission(request.event_source_id.text(), settings)?;
    for (index, event) in request.data.iter().enumerate() {
        check_event(event, source, settings, now_s).map_err(|refusal| refusal.of_event(index))?;
    }
    Ok(())
}

fn check_permission(pixel: &str, settings: &Settings) -> Checked {
    if settings.pixels.is_empty() || settings.pixels.iter().any(|known| known == pixel) {
        return Ok(());
    }
    if settings.wrong_pixel_as_parameter_error {
        return refuse("event_source_id", "not a valid pixel code");
    }
    let message = format!(
        "no permission to operate pixel code `{pixel}`; must be admin or operator of the advertiser account"
    );
    Err(Refusal::whole(NO_PERMISSION, message))
}

fn check_event(event: &Event, source: Source, settings: &Settings, now_s: u64) -> Checked {
    filled("event", &event.event)?;
    check_time(event.event_time.as_ref().copied(), now_s)?;
    not_blank("event_id", &event.event_id)?;
    if event.test_event_code.is_some() {
        return refuse("test_event_code", "belongs to the request, not to an event");
    }
    if let Some(user) = event.user.as_ref() {
        user::check(user, source).map_err(|refusal| refusal.within("user"))?;
    }
    if let Some(properties) = event.properties.as_ref() {
        check_properties(properties).map_err(|refusal| refusal.within("properties"))?;
    }
    check_page(event.page.as_ref(), source, settings)?;
    match source {
        Source::App => check_app(event.app.as_ref()),
        Source::Crm => check_lead(event.lead.as_ref()),
        Source::Web | Source::Offline => Ok(()),
    }
}

/// Old events are taken: no greatest age is documented. Milliseconds end up millennia ahead.
fn check_time(event_time: Option<i64>, now_s: u64) -> Checked {
    match event_time.map(u64::try_from) {
        None => refuse("event_time", "required"),
        Some(Ok(seconds)) if seconds > now_s.saturating_add(FUTURE_S) => {
            refuse("event_time", "lies in the future; must be Unix time in seconds")
        }
        Some(Ok(1..)) => Ok(()),
        Some(_) => refuse("event_time", "must be Unix time in seconds"),
    }
}

fn check_properties(properties: &Properties) -> Checked {
    if let Some(currency) = properties.currency.as_ref()
        && !(currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase()))
    {
        return refuse("currency", "must be an ISO 4217 code in upper case");
    }
    one_of("content_type", &properties.content_type, &["product", "product_group"])?;
    one_of("delivery_category", &properties.delivery_category, &["in_store", "curbside", "home_delivery"])
}

fn check_page(page: Option<&Page>, source: Source, settings: &Settings) -> Checked {
    match page {
        Some(page) => filled("url", &page.url)
            .and_then(|()| url("url", page.url.text()))
            .and_then(|()| page.referrer.as_ref().map_or(Ok(()), |referrer| url("referrer", referrer))),
        None if settings.require_page && source == Source::Web => {
            return refuse("page", "required");
        }
        None => Ok(()),
    }
    .map_err(|refusal| refusal.within("page"))
}

fn check_app(app: Option<&App>) -> Checked {
    let Some(app) = app else {
        return refuse("app", "required");
    };
    filled("app_id", &app.app_id).map_err(|refusal| refusal.within("app"))
}

fn check_lead(lead: Option<&Lead>) -> Checked {
    let Some(lead) = lead else {
        return refuse("lead", "required");
    };
    filled("lead_id", &lead.lead_id).map_err(|refusal| refusal.within("lead"))
}

fn url(field: &str, value: &str) -> Checked {
    if value.starts_with("https://") || value.starts_with("http://") {
        return Ok(());
    }
    refuse(field, "not a valid URL")
}

/// Required and not blank.
fn filled(field: &str, value: &Field<String>) -> Checked {
    if value.as_ref().is_none() {
        return refuse(field, "required");
    }
    not_blank(field, value)
}

/// Absent or not blank: what is unknown is to be left out.
pub(super) fn not_blank(field: &str, value: &Field<String>) -> Checked {
    match value.as_ref() {
        Some(value) if value.trim().is_empty() => refuse(field, "must not be empty"),
        _ => Ok(()),
    }
}

/// Absent or one of these.
pub(super) fn one_of(field: &str, value: &Field<String>, allowed: &[&str]) -> Checked {
    match value.as_ref() {
        Some(value) if !allowed.contains(&value.as_str()) => {
            Err(Refusal::field(PARAM_ERROR, field, format!("must be one of {}", allowed.join(", "))))
        }
        _ => Ok(()),
    }
}

pub(super) fn refuse(field: &str, reason: &'static str) -> Checked {
    Err(Refusal::field(PARAM_ERROR, field, reason))
}
