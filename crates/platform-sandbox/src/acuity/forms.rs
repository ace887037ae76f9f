//! Intake forms: where a booking page's hidden fields arrive.

use serde_json::{Value, json};

use super::booking::Booking;

/// The one form that there is.
const FORM: u64 = 1;

pub(super) fn forms(id: u64, booking: &Booking) -> Value {
    let value = |(place, (field, value)): (usize, (&u64, &String))| {
        let answer = id.saturating_mul(100).saturating_add(place as u64);
        json!({ "id": answer, "fieldID": field, "name": name(*field), "value": value })
    };
    let values: Vec<Value> = booking.fields.iter().enumerate().map(value).collect();
    if values.is_empty() {
        return json!([]);
    }
    json!([{ "id": FORM, "name": "Intake form", "values": values }])
}

/// The same answers for humans.
pub(super) fn text(booking: &Booking) -> String {
    booking.fields.iter().map(|(field, value)| format!("{}: {value}\n", name(*field))).collect()
}

fn name(field: u64) -> String {
    format!("Field {field}")
}
