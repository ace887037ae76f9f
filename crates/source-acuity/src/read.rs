//! From Acuity's appointment to ours (platforms/acuity.md, sections 5 and 6). What an event may not say is left out of
//! it: the client who typed it can mend nothing, and the booking counts all the same.

use conversion_core::booking::Appointment;
use conversion_core::event::EARLIEST;
use conversion_core::money::Amount;
use conversion_core::{CanonicalEvent, Timestamp};
use serde_json::value::RawValue;

use crate::config::{Config, PriceField, StaffBookings, Worth, is_id};
use crate::wire::{self, Scalar};

const BOOKED_BY_STAFF: &str =
    "booked by the account's staff and not by a client, and `staff_bookings` is \"ignore\"";

/// The appointment, or what makes it unusable.
pub(crate) fn appointment(config: &Config, raw: &RawValue) -> Result<Appointment, String> {
    let wire: wire::Appointment<'_> =
        serde_json::from_str(raw.get()).map_err(|_| "it is not one JSON object".to_owned())?;
    let id = wire.id.text().filter(|id| is_id(id)).ok_or("its `id` is not a number of 1 to 19 digits")?;
    let starts_at = time(&wire.datetime).ok_or("its `datetime` is no time with an offset")?;
    let service = wire.appointment_type.text().filter(|id| is_id(id)).unwrap_or_default();
    let by_staff = wire.scheduled_by.text().is_some();
    let unwanted = by_staff && config.staff_bookings == StaffBookings::Ignore;
    Ok(Appointment {
        id: id.to_owned(),
        is_trial: config.trial_types.contains(service),
        service: service.to_owned(),
        starts_at: Some(starts_at),
        // An event may not be older, and an account older than that there is none.
        booked_at: time(&wire.datetime_created).filter(|time| *time >= EARLIEST),
        is_canceled: is_true(&wire.canceled),
        details: details(config, &wire),
        unwanted: unwanted.then(|| BOOKED_BY_STAFF.to_owned()),
    })
}

fn details(config: &Config, wire: &wire::Appointment<'_>) -> CanonicalEvent {
    let value = value(config.worth, wire);
    let mut details = CanonicalEvent {
        value,
        currency: value.and(config.currency),
        ..CanonicalEvent::new("", "", Timestamp::UNIX_EPOCH)
    };
    let person = [
        ("email", &wire.email),
        ("phone", &wire.phone),
        ("firstName", &wire.first_name),
        ("lastName", &wire.last_name),
    ];
    for (field, said) in person {
        details.offer(field, said.text().unwrap_or_default());
    }
    let answers = wire.answers();
    for (field, id) in &config.fields {
        let own = answers.iter().filter(|answer| answer.field.text() == Some(id));
        if let Some(answer) = own.filter_map(|answer| given(&answer.value)).next() {
            details.offer(field, answer);
        }
    }
    details
}

/// The answer, unless it is one of the words that scripts leave where they know nothing.
fn given<'a>(answer: &'a Scalar<'_>) -> Option<&'a str> {
    let is_word =
        |text: &str| ["null", "undefined", "n/a"].iter().any(|word| text.eq_ignore_ascii_case(word));
    answer.text().filter(|text| !is_word(text))
}

fn value(worth: Worth, wire: &wire::Appointment<'_>) -> Option<Amount> {
    let said = match worth {
        Worth::Fixed(amount) => return Some(amount),
        Worth::Field(PriceField::None) => return None,
        Worth::Field(PriceField::Price) => &wire.price,
        Worth::Field(PriceField::PriceSold) => &wire.price_sold,
        Worth::Field(PriceField::AmountPaid) => &wire.amount_paid,
    };
    said.text().and_then(|amount| Amount::parse(amount).ok())
}

/// A time with an offset, which Acuity writes without a colon.
fn time(said: &Scalar<'_>) -> Option<Timestamp> {
    said.text().and_then(|time| time.parse().ok())
}

fn is_true(said: &Scalar<'_>) -> bool {
    said.text().is_some_and(|text| ["true", "1", "yes"].iter().any(|word| text.eq_ignore_ascii_case(word)))
}
