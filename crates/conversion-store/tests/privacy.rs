//! What is kept of persons is in no debug output.

use std::sync::Arc;

use conversion_core::Timestamp;
use conversion_core::booking::Known;
use conversion_store::{
    Admission, AppointmentRecord, AppointmentWrite, DeliveryId, EventRecord, Lease, Origin, SinkId,
};

#[test]
fn debug_output_names_no_person() {
    let person = r#"{"email":"ada@example.com"}"#;
    let json: Arc<str> = person.into();
    let now = Timestamp::UNIX_EPOCH;
    let known = Known {
        revision: 0,
        is_trial: true,
        service: "trial".into(),
        starts_at: None,
        is_canceled: false,
        value: None,
    };
    let admission = Admission {
        name: "TRIAL_BOOKED".into(),
        id: "a".into(),
        conversion_id: None,
        json: json.clone(),
        fingerprint: [0; 16],
        origin: Origin::Live,
        appointment: Some("77".into()),
        deliveries: Vec::new(),
    };
    let write = AppointmentWrite {
        id: "77".into(),
        source: "acuity".into(),
        before: None,
        known: known.clone(),
        booked_at: None,
        details: json.clone(),
        event: Some(admission.clone()),
    };
    let appointment = AppointmentRecord {
        seq: 1,
        id: "77".into(),
        source: Some("acuity".into()),
        known: Some(known),
        booked_at: None,
        details: Some(person.into()),
        created_at: now,
        updated_at: now,
    };
    let event = EventRecord {
        seq: 1,
        name: "TRIAL_BOOKED".into(),
        id: "a".into(),
        appointment: None,
        json: Some(person.into()),
        accepted_at: now,
        routed: Vec::new(),
        deliveries: Vec::new(),
    };
    let id = DeliveryId { event: 1, sink: SinkId(1) };
    let lease = Lease { id, fence: 1, tries: 0, waiting_since: now, uncertain: None, event: json };
    let shown = [
        format!("{admission:?}"),
        format!("{write:?}"),
        format!("{appointment:?}"),
        format!("{event:?}"),
        format!("{lease:?}"),
    ];
    for shown in shown {
        assert!(shown.contains("..") && !shown.contains("ada"), "{shown}");
    }
}
