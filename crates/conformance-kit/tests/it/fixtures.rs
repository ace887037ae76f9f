//! The shared events.

use std::collections::BTreeSet;

use conformance_kit::fixture::ALL;

#[test]
fn every_fixture_is_an_event_of_its_own() {
    let ids: BTreeSet<String> = ALL.iter().map(|fixture| fixture.event().event_id).collect();
    let names: BTreeSet<&str> = ALL.iter().map(|fixture| fixture.name).collect();
    assert_eq!((ids.len(), names.len()), (ALL.len(), ALL.len()));
    assert_eq!(ALL[0].name, "booking", "the rules take the first for the booking of which all is known");
}
