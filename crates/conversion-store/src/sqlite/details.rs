//! What events say of an appointment, merged.

use std::collections::BTreeMap;

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
    /// again stays.
    pub(super) fn merged_by(mut self, later: &Self) -> Self {
        for (name, value) in &later.0 {
            let merged = self.0.get(name).and_then(|known| merge(known, value));
            self.0.insert(name.clone(), merged.unwrap_or_else(|| value.clone()));
        }
        self
    }
}

// Nothing where the two are not both objects.
fn merge(known: &RawValue, later: &RawValue) -> Option<Box<RawValue>> {
    let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(known.get()).ok()?;
    members.extend(serde_json::from_str::<BTreeMap<_, _>>(later.get()).ok()?);
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
}
