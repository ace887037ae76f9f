//! Lists find what they show without looking through the rest.

use conversion_core::Timestamp;
use rusqlite::Connection;

use super::replay::Stretch;
use super::{delivery, event, replay};
use crate::lease::{DeliveryId, SinkId};
use crate::record::{DeliveryFilter, EventFilter};
use crate::replay::{ReplaySelection, Span};
use crate::settlement::Status;
use crate::sqlite::schema;

#[test]
fn events_are_found_by_the_index_that_finds_fewest() {
    let connection = Connection::open_in_memory().unwrap();
    schema::migrate(&connection).unwrap();
    let all = EventFilter::default;
    let name = || Some("TRIAL_BOOKED".to_owned());
    let appointments = || Some(vec!["77".to_owned()]);
    let since = Some(Timestamp::UNIX_EPOCH);
    for (filter, step) in [
        (all(), "SCAN e"),
        (EventFilter { name: name(), ..all() }, "SEARCH e USING INDEX event_name (name=?)"),
        (
            EventFilter { name: name(), after: Some(9), ..all() },
            "SEARCH e USING INDEX event_name (name=? AND rowid<?)",
        ),
        (EventFilter { since, ..all() }, "SEARCH e USING INTEGER PRIMARY KEY (rowid>?)"),
        (
            EventFilter { name: name(), since, ..all() },
            "SEARCH e USING INDEX event_name (name=? AND rowid>?)",
        ),
        (
            EventFilter { appointments: appointments(), name: name(), since, ..all() },
            "SEARCH e USING INDEX event_appointment (appointment=? AND rowid>?)",
        ),
        (
            EventFilter { appointments: appointments(), first_of_each: Some(50), ..all() },
            "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)",
        ),
        (
            EventFilter { id: Some("a".to_owned()), name: name(), since, ..all() },
            "SEARCH e USING INDEX event_identity (id=? AND name=? AND rowid>?)",
        ),
    ] {
        let plan = event::query(&filter).plan(&connection, event::ORDER);
        assert_eq!(plan[0], step, "{filter:?}: {plan:?}");
        if filter.first_of_each.is_some() {
            let each = "SEARCH event USING INDEX event_appointment (appointment=?)";
            assert!(plan.iter().any(|step| step == each), "{plan:?}");
        }
    }
}

#[test]
fn a_list_of_deliveries_stops_where_they_are_older() {
    let connection = Connection::open_in_memory().unwrap();
    schema::migrate(&connection).unwrap();
    let recent = || DeliveryFilter { since: Some(Timestamp::UNIX_EPOCH), ..DeliveryFilter::default() };
    for (filter, step) in [
        (recent(), "SEARCH d USING PRIMARY KEY (event>?)"),
        (
            DeliveryFilter { status: Some(Status::Failed), ..recent() },
            "SEARCH d USING INDEX delivery_failed (event>?)",
        ),
    ] {
        let plan = delivery::query(&filter).plan(&connection, delivery::ORDER);
        assert_eq!(plan[0], step, "{filter:?}: {plan:?}");
        assert!(!plan.iter().any(|step| step.contains("ORDER BY")), "{plan:?}");
    }
}

#[test]
fn a_replay_looks_through_no_more_than_a_stretch() {
    let connection = Connection::open_in_memory().unwrap();
    schema::migrate(&connection).unwrap();
    let all = ReplaySelection::default;
    let failed = || ReplaySelection { status: Some(Status::Failed), ..all() };
    let since = Span { since: Some(Timestamp::UNIX_EPOCH), until: None };
    for (selection, step) in [
        (all(), "SEARCH d USING PRIMARY KEY ((event,sink)>(?,?) AND event<?)"),
        (
            ReplaySelection { event_name: Some("A".to_owned()), accepted: since, ..all() },
            "SEARCH d USING PRIMARY KEY ((event,sink)>(?,?) AND event<?)",
        ),
        (failed(), "SEARCH d USING INDEX delivery_failed ((event,sink)>(?,?) AND event<?)"),
        (
            ReplaySelection { reason: Some("rejected".to_owned()), settled: since, ..failed() },
            "SEARCH d USING INDEX delivery_failed ((event,sink)>(?,?) AND event<?)",
        ),
        (ReplaySelection { event_id: Some("a".to_owned()), ..all() }, "SEARCH d USING PRIMARY KEY (event=?)"),
    ] {
        let stretch = Stretch { after: DeliveryId { event: 7, sink: SinkId(1) }, last: 9 };
        let plan = replay::query(&selection, stretch).plan(&connection, replay::ORDER);
        assert_eq!(plan[0], step, "{selection:?}: {plan:?}");
        assert!(!plan.iter().any(|step| step.contains("ORDER BY")), "{plan:?}");
    }
}
