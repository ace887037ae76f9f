//! Who visits, books, and what they do then.

use std::sync::Arc;

use anyhow::Context as _;
use conversion_core::Timestamp;
use conversion_core::exchange::{Body, Header, Request};
use http_exchange::Client;
use jiff::SignedDuration;
use platform_sandbox::{Acuity, Booking, Edit};
use serde::Deserialize;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value};

const SAMPLES: &str = include_str!("../../../demo/visitors.ndjson");

/// The intake field that takes the attribution's id.
pub(super) const ATTRIBUTION_FIELD: u64 = 9;

/// One person: a visit by an ad, a booking, and what becomes of it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Visitor {
    /// What the script on the landing page reports; nothing where the person came by no ad.
    visit: Option<Map<String, Value>>,
    /// Whether the ad was clicked minutes ago, not hours.
    #[serde(default)]
    pub(super) clicked_just_now: bool,
    #[serde(default)]
    ip: Option<String>,
    #[serde(default)]
    browser: Option<String>,
    booking: Booking,
    #[serde(default)]
    then: Vec<Act>,
}

/// What a person does with a booking.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Act {
    Reschedule,
    Cancel,
    Edit,
}

/// The samples, over and over, each with an address and click ids of its own.
pub(super) fn visitors(count: usize) -> anyhow::Result<Vec<Visitor>> {
    let samples: Vec<Visitor> = SAMPLES.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    Ok((1..=count).zip(samples.iter().cycle()).map(|(number, sample)| sample.numbered(number)).collect())
}

impl Visitor {
    fn numbered(&self, number: usize) -> Self {
        let mut visitor = self.clone();
        visitor.booking.email = visitor.booking.email.replace('@', &format!("{number}@"));
        for (name, value) in visitor.visit.iter_mut().flat_map(Map::iter_mut) {
            if let Value::String(text) = value
                && name != "pageUrl"
            {
                text.push_str(&format!("-{number}"));
            }
        }
        if let Some(visit) = &mut visitor.visit {
            let id = format!("{:032x}", rand::random::<u128>());
            visitor.booking.fields.insert(ATTRIBUTION_FIELD, id.clone());
            visit.insert("id".to_owned(), Value::String(id));
        }
        visitor
    }

    /// Reports the visit to the service, as the script does.
    pub(super) async fn visit(&self, client: &Client, service: &str) -> anyhow::Result<()> {
        let Some(visit) = &self.visit else { return Ok(()) };
        let address = self.ip.clone().unwrap_or_else(|| "9.9.9.9".to_owned());
        let browser = self.browser.clone().unwrap_or_else(|| "Mozilla/5.0 (demo)".to_owned());
        let request = Request {
            url: format!("{service}/api/attributions"),
            headers: vec![
                Header::json(),
                Header::plain("x-forwarded-for", address),
                Header::plain("user-agent", browser),
            ],
            body: Body::compose("", [&*to_raw_value(visit)?], ""),
        };
        let reply = client.exchange(&Arc::new(request), None).await.result;
        let reply = reply.map_err(|failure| anyhow::anyhow!("cannot report a visit: {}", failure.message))?;
        anyhow::ensure!(reply.status == 204, "a visit was not taken: {}", reply.body);
        Ok(())
    }

    /// Books for the day after tomorrow, and says under which number.
    pub(super) fn book(&self, acuity: &Acuity, now: Timestamp) -> anyhow::Result<u64> {
        let booking = Booking { datetime: in_days(now, 2)?, ..self.booking.clone() };
        acuity.book(booking).context("the sandbox takes no booking")
    }

    /// Does with the booking what this person does.
    pub(super) fn go_on(&self, acuity: &Acuity, appointment: u64, now: Timestamp) -> anyhow::Result<()> {
        for act in &self.then {
            match act {
                Act::Reschedule => acuity.reschedule(appointment, &in_days(now, 3)?)?,
                Act::Cancel => acuity.cancel(appointment)?,
                // Nothing of interest to anyone but the owner.
                Act::Edit => acuity
                    .edit(appointment, Edit { notes: Some("Window seat".to_owned()), ..Edit::default() })?,
            }
        }
        Ok(())
    }
}

/// A time as Acuity's callers write it.
fn in_days(now: Timestamp, days: i64) -> anyhow::Result<String> {
    let time = now.checked_add(SignedDuration::from_hours(24 * days))?;
    Ok(Timestamp::from_second(time.as_second())?.to_string())
}
