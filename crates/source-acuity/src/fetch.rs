//! Asking Acuity (platforms/acuity.md, section 4): one appointment, all of some days, or whether it lets us in.

use std::slice;

use conversion_core::booking::Appointment;
use conversion_core::failure::{Failure, FailureClass};
use conversion_core::sink::CheckReport;
use http_exchange::{FullReply, by_status};
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::config::is_id;
use crate::{Acuity, read, wire};

/// How many appointments Acuity lists where it is not asked for more.
const LISTED: usize = 100;
/// How many are asked for of one day at most.
const MAX_LISTED: usize = 3200;

impl Acuity {
    pub(crate) async fn fetched(&self, id: &str) -> Result<Appointment, Failure> {
        if !is_id(id) {
            return Err(rejected("unusable_id", "an appointment's id at Acuity has 1 to 19 digits"));
        }
        self.fetching.wait().await;
        let reply = self.get(&format!("appointments/{id}")).await?;
        if reply.status == 404 {
            return Err(rejected("404", format!("Acuity has no appointment {id}")));
        }
        let raw: &RawValue = content(&reply)?;
        if !raw.get().starts_with('{') {
            return Err(unreadable());
        }
        match read::appointment(&self.config, raw) {
            Ok(appointment) if appointment.id == id => Ok(appointment),
            Ok(_) => Err(unusable(id, "it has another `id`")),
            Err(complaint) => Err(unusable(id, &complaint)),
        }
    }

    pub(crate) async fn listed(&self, from: Date, to: Date) -> Result<Vec<Box<RawValue>>, Failure> {
        let mut listed = Vec::new();
        if from > to {
            return Ok(listed);
        }
        // Those that are cancelled while we ask are told twice, and none is missed.
        for canceled in [false, true] {
            // The last is asked for first, so that days come in order.
            let mut spans = vec![(from, to)];
            while let Some((from, to)) = spans.pop() {
                let part = self.part(from, to, LISTED, canceled).await?;
                if part.len() < LISTED {
                    listed.extend(part);
                } else if from == to {
                    listed.extend(self.full_day(from, canceled).await?);
                } else {
                    let days = (to - from).get_days();
                    let middle = from.saturating_add((days / 2).days());
                    spans.extend([(middle.saturating_add(1.day()), to), (from, middle)]);
                }
            }
        }
        Ok(listed)
    }

    /// A day of which there is more than Acuity lists by default.
    async fn full_day(&self, day: Date, canceled: bool) -> Result<Vec<Box<RawValue>>, Failure> {
        let mut max = LISTED;
        while max < MAX_LISTED {
            max *= 2;
            let part = self.part(day, day, max, canceled).await?;
            if part.len() == LISTED {
                let message = format!(
                    "Acuity lists {LISTED} appointments on {day}, asked for {max}: it may have more and not show them"
                );
                return Err(rejected("too_many_appointments", message));
            }
            if part.len() < max {
                return Ok(part);
            }
        }
        let message = format!("Acuity has {MAX_LISTED} appointments or more on {day}, too many to list");
        Err(rejected("too_many_appointments", message))
    }

    /// The first `max` appointments of some days. Acuity has no further pages.
    async fn part(
        &self,
        from: Date,
        to: Date,
        max: usize,
        canceled: bool,
    ) -> Result<Vec<Box<RawValue>>, Failure> {
        let query = format!("appointments?minDate={from}&maxDate={to}&max={max}&canceled={canceled}");
        self.listing.wait().await;
        let reply = self.get(&query).await?;
        let part: Vec<&RawValue> = content(&reply)?;
        Ok(part.into_iter().map(|raw| wire::abridged(raw, &self.config.fields)).collect())
    }

    /// Lists one appointment, which only the account's own credentials can, and forgets it.
    pub(crate) async fn try_credentials(&self) -> Result<CheckReport, Failure> {
        self.listing.wait().await;
        let reply = self.get("appointments?max=1&excludeForms=true").await?;
        let _: Vec<&RawValue> = content(&reply)?;
        let user = &self.config.user_id;
        let trials = match self.config.trial_types.len() {
            0 => "`trial_types` is empty, so no booking is a trial".to_owned(),
            1 => "1 appointment type is a trial".to_owned(),
            types => format!("{types} appointment types are trials"),
        };
        Ok(CheckReport { summary: format!("Acuity showed user {user} the account's appointments; {trials}") })
    }

    async fn get(&self, resource: &str) -> Result<FullReply, Failure> {
        self.client.get(&self.config.url(resource), slice::from_ref(&self.authorization), None).await
    }
}

/// What Acuity sent with a 2xx, or the failure that the answer states.
fn content<'a, T: Deserialize<'a>>(reply: &'a FullReply) -> Result<T, Failure> {
    match reply.status {
        200..=299 => serde_json::from_str(&reply.body).map_err(|_| unreadable()),
        _ => Err(refusal(reply)),
    }
}

fn refusal(reply: &FullReply) -> Failure {
    /// Acuity's body beside an error. Its `message` is not repeated: it may quote what was asked.
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let is_word = |word: &String| {
        (1..=40).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let error = serde_json::from_str(&reply.body).ok().map(|Refusal { error }| error).filter(is_word);
    let error = error.map(|error| format!(" ({error})")).unwrap_or_default();
    let status = reply.status;
    let mend = match status {
        401 | 403 => "; check `user_id` and `api_key`",
        300..=399 | 404 | 405 | 410 => "; check `base_url`",
        _ => "",
    };
    Failure::new(by_status(reply), format!("Acuity answered {status}{error}{mend}"))
        .with_code(status.to_string())
}

fn rejected(code: &str, message: impl Into<String>) -> Failure {
    Failure::new(FailureClass::Rejected, message).with_code(code)
}

fn unusable(id: &str, complaint: &str) -> Failure {
    let message = format!("Acuity's answer about appointment {id} cannot be used: {complaint}");
    rejected("unreadable_appointment", message)
}

fn unreadable() -> Failure {
    Failure::new(FailureClass::Interrupted, "Acuity's answer cannot be read")
}
