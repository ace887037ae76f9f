//! What events say of an appointment, merged.

use std::collections::BTreeMap;

use conversion_core::event::{MAX_CLICK_IDS, MAX_PROPERTIES};
use serde_json::value::RawValue;

use super::pack::{pack, unpack};

/// Fields of an event that are about itself, not about its appointment.
const OWN: [&str; 5] = ["eventId", "eventName", "eventTime", "conversionId", "appointmentId"];

/// Fields of events, as they were written: no digit of a number is lost.
#[derive(Clone, Default)]
pub(super) struct Details(BTreeMap<String, Box<RawValue>>);

impl Details {
    /// Those of an event; none of one that is no JSON object.
    pub(super) fn of(event: &str) -> Self {
        let mut fields: BTreeMap<_, _> = serde_json::from_str(event).unwrap_or_default();
        fields.retain(|name: &String, _| !OWN.contains(&name.as_str()));
        Self(fields)
    }

    /// Reads what [`Details::pack`] wrote. What is damaged says nothing: it must not cost what stands beside it.
    pub(super) fn unpack(blob: &[u8]) -> Self {
        let json = unpack(blob).inspect_err(|_| tracing::error!("an appointment's details are damaged"));
        Self::of(&json.unwrap_or_default())
    }

    /// Ready to be kept.
    pub(super) fn pack(&self) -> Vec<u8> {
        pack(&self.json())
    }

    /// As JSON of the event's form.
    pub(super) fn json(&self) -> String {
        object(&self.0)
    }

    /// These with what is said later: it wins, objects such as `clickIds` are merged key by key, and what is not said
    /// again stays, as far as one event could say it all.
    pub(super) fn merged_by(mut self, later: &Self) -> Self {
        for (name, value) in &later.0 {
            let merged = self.0.get(name).and_then(|known| merge(known, value, most(name)));
            self.0.insert(name.clone(), merged.unwrap_or_else(|| value.clone()));
        }
        self
    }
}

// Without a bound, events without end about one appointment would make it grow without end. An address has few fields.
fn most(field: &str) -> usize {
    match field {
        "clickIds" => MAX_CLICK_IDS,
        "properties" => MAX_PROPERTIES,
        _ => usize::MAX,
    }
}

// Nothing where the two are not both objects.
fn merge(known: &RawValue, later: &RawValue, most: usize) -> Option<Box<RawValue>> {
    let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(later.get()).ok()?;
    for (name, value) in serde_json::from_str::<BTreeMap<_, _>>(known.get()).ok()? {
        if members.len() < most {
            members.entry(name).or_insert(value);
        }
    }
    RawValue::from_string(object(&members)).ok()
}

// Strings and what was JSON before: serialising cannot fail.
fn object(members: &BTreeMap<String, Box<RawValue>>) -> String {
    serde_json::to_string(members).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_later_wins_and_what_is_not_said_again_stays() {
        let first = r#"{"eventId":"a","eventName":"A","eventTime":"2027-01-15T08:00:00Z","conversionId":"c",
            "appointmentId":"77","email":"a@example.com","value":50.00,"clickIds":{"gclid":"G1","ttclid":"T1"},
            "contents":[{"id":"1"},{"id":"2"}]}"#;
        let later = r#"{"eventId":"b","email":"b@example.com","phone":"1","clickIds":{"gclid":"G2"},
            "contents":[{"id":"3"}]}"#;
        let merged = Details::of(first).merged_by(&Details::of(later));
        let expected = r#"{"clickIds":{"gclid":"G2","ttclid":"T1"},"contents":[{"id":"3"}],"email":"b@example.com","phone":"1","value":50.00}"#;
        assert_eq!(merged.json(), expected);
        assert_eq!(Details::unpack(&merged.pack()).json(), expected);
        assert_eq!(Details::of("no JSON").json(), "{}");
    }

    #[test]
    fn however_many_events_name_an_appointment_it_holds_no_more_than_one_may_say() {
        for (field, most) in [("clickIds", 16), ("properties", 50), ("address", 60)] {
            let said = |n: usize| Details::of(&format!(r#"{{"{field}":{{"k{n:02}":"v{n}"}}}}"#));
            let merged = (0..60).fold(Details::default(), |merged, n| merged.merged_by(&said(n)));
            let members: BTreeMap<String, String> = serde_json::from_str(merged.0[field].get()).unwrap();
            assert_eq!(members.len(), most, "{field}");
            assert_eq!(members["k59"], "v59", "{field}: what is said last is always kept");
        }
    }
}
