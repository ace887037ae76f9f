//! Which sinks an event goes to. Pure, and blind to payloads: whether a platform wants the event, its sink says, and
//! the skip is on record.

use conversion_core::CanonicalEvent;
use conversion_store::{Admission, NewDelivery, Origin};

/// The deliveries of one event: one for every configured sink.
#[derive(Clone, Debug)]
pub struct Route(pub Vec<NewDelivery>);

/// The event as the store takes it.
pub fn admission(event: &CanonicalEvent, origin: Origin, route: Route) -> Admission {
    let json = event.to_json();
    Admission {
        name: event.event_name.as_str().into(),
        id: event.event_id.as_str().into(),
        conversion_id: event.conversion_id.clone().filter(|id| *id != event.event_id),
        fingerprint: CanonicalEvent::fingerprint(&json),
        json: json.into(),
        origin,
        appointment: event.appointment_id.clone(),
        deliveries: route.0,
    }
}
