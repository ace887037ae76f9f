//! The shared events, in the platform's shape.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use conversion_core::CanonicalEvent;
use conversion_core::consent::{ConsentVerdict, WhenUnknown, judge};
use conversion_core::sink::{NotSent, Payload, Subject};
use conversion_core::skip::Skip;

use crate::fixture::{self, Fixture, NOW};
use crate::profile::Profile;
use crate::rig::{Rig, Sink};
use crate::rule::{Verdict, broken, ensure};

/// Prepares it as the dispatcher does: consent is judged first. What a refusal leaves goes where there is a field for
/// the refusal.
fn prepare(rig: &Rig<'_>, sink: &Sink, fixture: &Fixture) -> Result<Payload, NotSent> {
    let event = fixture.event();
    let judged = |event: &CanonicalEvent, screen| sink.prepare(&Subject::new(event).screened(screen), NOW);
    match judge(event.consent.ad_user_data, WhenUnknown::Send, rig.descriptor().takes_consent) {
        ConsentVerdict::Full => judged(&event, None),
        ConsentVerdict::Stripped => judged(&event.without_identifiers(), None),
        ConsentVerdict::Nothing => judged(&event, Some(Skip::consent_denied())),
    }
}

pub(crate) async fn fixtures_are_skipped_for_their_reason(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let sink = rig.offline("")?;
    for (name, _) in profile.skipped() {
        ensure!(fixture::ALL.iter().any(|fixture| fixture.name == *name), "there is no shared event {name}");
    }
    for fixture in fixture::ALL {
        let wanted =
            profile.skipped().iter().find(|(name, _)| *name == fixture.name).map(|(_, reason)| *reason);
        let found = match prepare(&rig, &sink, fixture) {
            Ok(_) => None,
            Err(NotSent::Skip(skip)) => Some(skip.reason.name),
            Err(other) => return Err(broken(format!("{} is not sent: {other:?}", fixture.name))),
        };
        let said =
            |reason: Option<&str>| reason.map_or("sent".to_owned(), |reason| format!("skipped for {reason}"));
        let (found, wanted) = (said(found), said(wanted));
        ensure!(found == wanted, "{} is {found}, and by the profile's list {wanted}", fixture.name);
    }
    Ok(())
}

pub(crate) async fn payloads_match_snapshots(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let sink = rig.offline("")?;
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(Path::new(profile.folder()).join("tests/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let sent = fixture::ALL.iter().filter_map(|fixture| Some((fixture, prepare(&rig, &sink, fixture).ok()?)));
    let differs = |(fixture, payload): (&Fixture, Payload)| {
        let shown = show(&payload);
        let compare = || settings.bind(|| insta::assert_snapshot!(fixture.name, shown));
        // It says what differs before it panics.
        catch_unwind(AssertUnwindSafe(compare)).err().map(|_| fixture.name)
    };
    let differing: Vec<&str> = sent.filter_map(differs).collect();
    ensure!(differing.is_empty(), "payloads differ from their snapshots: {}", differing.join(", "));
    ensure!(
        fixture::ALL.iter().any(|fixture| prepare(&rig, &sink, fixture).is_ok()),
        "no shared event is sent at all"
    );
    Ok(())
}

/// One member to a line; digits stay as they are.
fn show(payload: &Payload) -> String {
    let item = payload.item.get().replace(",\"", ",\n\"").replace(":{", ":{\n");
    let Payload { group, dedup_key, notes, .. } = payload;
    format!("group: {group}\ndedup key: {}\nnotes: {notes:?}\n{item}", dedup_key.as_deref().unwrap_or("none"))
}
