//! What `prepare` and `compose` make of an event.

use std::panic::{AssertUnwindSafe, catch_unwind};

use conversion_core::CanonicalEvent;
use conversion_core::sink::{NotSent, Payload, Subject};
use proptest::prelude::*;
use toml::Value;

use crate::fixture::{self, NOW};
use crate::generate::{Given, for_all, given};
use crate::profile::Profile;
use crate::rig::{Rig, Sink, payload, prepare};
use crate::rule::{Broken, Verdict, broken, ensure};
use crate::rules::prepare::distinct::has_distinct_names;

mod distinct;

pub(crate) async fn booking_is_prepared(profile: &dyn Profile) -> Verdict {
    let sink = Rig::new(profile)?.offline("")?;
    let payload = match prepare(&sink, &fixture::booking()) {
        Ok(payload) => payload,
        Err(NotSent::Skip(skip)) => {
            return Err(broken(format!("it is skipped as {}: {}", skip.reason.name, skip.message)));
        }
        Err(other) => return Err(broken(format!("it is not sent: {other:?}"))),
    };
    let request = sink.compose(&[&payload]);
    let item = request.body.items().first().and_then(|range| request.body.json().get(range.clone()));
    ensure!(item == Some(payload.item.get()), "the request does not hold the item as prepared");
    Ok(())
}

/// A payload in all its parts, or why there is none.
fn parts(prepared: &Result<Payload, NotSent>) -> String {
    format!("{prepared:?}")
}

/// Any case, at one of the sinks.
fn cases(rig: &Rig<'_>, sinks: usize) -> Verdict<impl Strategy<Value = (Given, usize)> + use<>> {
    Ok((given(rig)?, 0..sinks))
}

pub(crate) async fn prepare_is_pure(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let (sinks, twins) = (rig.every_sink()?, rig.every_sink()?);
    for_all(cases(&rig, sinks.len())?, |(given, at)| {
        let first = sinks[at].prepare(&given.subject(), given.now);
        if let Ok(payload) = &first {
            let (request, again) = (sinks[at].compose(&[payload]), twins[at].compose(&[payload]));
            if request.body != again.body || request.url != again.url {
                return Err("two requests differ".to_owned());
            }
        }
        let first = parts(&first);
        let same = |sink: &Sink| parts(&sink.prepare(&given.subject(), given.now)) == first;
        if same(&sinks[at]) && same(&twins[at]) { Ok(()) } else { Err("two payloads differ".to_owned()) }
    })
}

pub(crate) async fn prepare_never_panics(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let sinks = rig.every_sink()?;
    for_all(cases(&rig, sinks.len())?, |(given, at)| {
        let sink = &sinks[at];
        let tried = catch_unwind(AssertUnwindSafe(|| {
            sink.wants_related(&given.event);
            if let Ok(payload) = sink.prepare(&given.subject(), given.now) {
                drop(sink.compose(&[&payload, &payload]));
            }
            drop(sink.compose(&[]));
        }));
        tried.map_err(|_| "it panics".to_owned())
    })
}

pub(crate) async fn items_are_json(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let sinks = rig.every_sink()?;
    for_all(cases(&rig, sinks.len())?, |(given, at)| {
        let Ok(payload) = sinks[at].prepare(&given.subject(), given.now) else { return Ok(()) };
        let request = sinks[at].compose(&[&payload, &payload]);
        if request.body.len() != 2 {
            return Err(format!("a request of two items marks {}", request.body.len()));
        }
        has_distinct_names(payload.item.get()).map_err(|error| format!("the item: {error}"))?;
        has_distinct_names(request.body.json()).map_err(|error| format!("the request: {error}"))
    })
}

pub(crate) async fn conversion_id_is_on_the_wire(profile: &dyn Profile) -> Verdict {
    let sink = Rig::new(profile)?.offline("")?;
    let at = profile.conversion_id();
    let of_booking =
        CanonicalEvent { conversion_id: Some("kit \"1\" \\ é".to_owned()), ..fixture::booking() };
    let of_event = CanonicalEvent { conversion_id: None, ..fixture::booking() };
    for event in [of_booking, of_event] {
        let item: serde_json::Value =
            serde_json::from_str(payload(&sink, &event)?.item.get()).map_err(broken)?;
        let found = item.pointer(at);
        let id = [profile.conversion_id_prefix(), event.conversion_id()].concat();
        ensure!(
            found.and_then(|id| id.as_str()) == Some(&id),
            "{at} of the item is {found:?}, and not {id:?}"
        );
    }
    Ok(())
}

pub(crate) async fn dedup_key_is_stable(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    // A second name for the same thing.
    let mut table = rig.table("http://127.0.0.1:9", "")?;
    let events = table.get_mut("events").and_then(Value::as_table_mut);
    let events = events.ok_or_else(|| broken("the profile's settings have no `events`"))?;
    let target = events.get("TRIAL_BOOKED").cloned().ok_or(Broken::After("settings_are_taken"))?;
    events.insert("KIT_SECOND_NAME".to_owned(), target);
    let remapped =
        rig.build(table).map_err(|error| broken(format!("a second mapping is refused: {error}")))?;
    let sink = rig.offline("")?;

    let event = CanonicalEvent { conversion_id: Some("kit-1".to_owned()), ..fixture::booking() };
    let key = payload(&sink, &event)?.dedup_key;
    let has_rule = rig.descriptor().dedup.is_some();
    ensure!(key.is_some() == has_rule, "the descriptor's dedup rule and the key {key:?} do not go together");
    if !has_rule {
        return Ok(());
    }
    let later = NOW + std::time::Duration::from_secs(5 * 3600);
    let again = Subject::new(&event).perhaps_received(true);
    let again = sink.prepare(&again, later).map_err(|_| broken("it is not sent again"))?.dedup_key;
    ensure!(again == key, "at a second try the key is {again:?}, and not {key:?}");
    let renamed = CanonicalEvent {
        event_name: "KIT_SECOND_NAME".to_owned(),
        event_id: "kit-second".to_owned(),
        ..event.clone()
    };
    let second = payload(&remapped, &renamed)?.dedup_key;
    ensure!(second == key, "under another name of the same target the key is {second:?}, and not {key:?}");
    let other = CanonicalEvent { conversion_id: Some("kit-2".to_owned()), ..event };
    ensure!(payload(&sink, &other)?.dedup_key != key, "another conversion has the same key {key:?}");
    Ok(())
}

pub(crate) async fn dedup_target_makes_the_key(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    for sink in rig.every_sink()? {
        for name in ["TRIAL_BOOKED", "TRIAL_RESCHEDULED"] {
            let event = CanonicalEvent { event_name: name.to_owned(), ..fixture::booking() };
            let Ok(payload) = sink.prepare(&Subject::new(&event), NOW) else { continue };
            let made = sink.dedup_target(name).map(|target| target.key(event.conversion_id()));
            let key = payload.dedup_key;
            ensure!(made == key, "the target of {name} makes the key {made:?}, and the payload has {key:?}");
        }
        let target = sink.dedup_target("KIT_UNMAPPED");
        ensure!(target.is_none(), "a name that is mapped to nothing has the target {target:?}");
    }
    Ok(())
}
