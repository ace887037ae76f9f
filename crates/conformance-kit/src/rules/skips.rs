//! Why nothing is sent, and in which order that is found out.

use conversion_core::CanonicalEvent;
use conversion_core::sink::{NotSent, Subject};
use conversion_core::skip::Skip;
use std::time::Duration;
use toml::Table;

use crate::fixture::{self, NOW, nobodys_booking};
use crate::profile::Profile;
use crate::rig::{Rig, Sink};
use crate::rule::{Broken, Verdict, broken, ensure};

/// Why the sink does not send it.
pub(crate) fn skip(sink: &Sink, subject: &Subject<'_>) -> Verdict<Skip> {
    match sink.prepare(subject, NOW) {
        Err(NotSent::Skip(skip)) => Ok(skip),
        Ok(_) => Err(broken("it is sent")),
        Err(other) => Err(broken(format!("it is not skipped, but {other:?}"))),
    }
}

fn expect(found: &Skip, wanted: &Skip, what: &str) -> Verdict {
    ensure!(found == wanted, "{what}: {found:?}, and not {wanted:?}");
    Ok(())
}

/// The profile's settings without these.
fn without(rig: &Rig<'_>, missing: &[&str], blank: bool) -> Verdict<Table> {
    let mut table = rig.table("http://127.0.0.1:9", "")?;
    for name in missing {
        table.remove(*name);
        if blank {
            table.insert((*name).to_owned(), " ".into());
        }
    }
    Ok(table)
}

pub(crate) async fn missing_credentials_are_skipped(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let credentials = profile.credentials();
    ensure!(!credentials.is_empty(), "the profile names no credentials");
    let booking = fixture::booking();
    let each = credentials.chunks(1).chain([credentials]);
    for (missing, blank) in each.flat_map(|missing| [(missing, false), (missing, true)]) {
        for name in [rig.descriptor().kind, "kit-second-sink"] {
            let context = rig.context_of(name);
            let built = (rig.plugin.build)(without(&rig, missing, blank)?, &context);
            let sink = built
                .map_err(|error| broken(format!("without {missing:?} the settings are refused: {error}")))?;
            let found = skip(&sink, &Subject::new(&booking))
                .map_err(|_| broken(format!("without {missing:?} it is sent")))?;
            let wanted = Skip::missing_credentials(context.missing(rig.descriptor(), missing));
            expect(&found, &wanted, &format!("without {missing:?}"))?;
        }
    }
    Ok(())
}

pub(crate) async fn unmapped_events_are_skipped(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let title = rig.descriptor().title;
    let unmapped = CanonicalEvent { event_name: "KIT_UNMAPPED".to_owned(), ..fixture::booking() };
    for (extra, event) in [
        ("", &unmapped),
        ("events = { TRIAL_BOOKED = '' }", &fixture::booking()),
        ("events = { TRIAL_BOOKED = ' ' }", &fixture::booking()),
    ] {
        let sink = rig.build(rig.table("http://127.0.0.1:9", extra)?);
        let sink = sink.map_err(|error| broken(format!("{extra} is refused: {error}")))?;
        let found = skip(&sink, &Subject::new(event))?;
        expect(&found, &Skip::no_event_mapping(title, &event.event_name), &event.event_name)?;
    }
    Ok(())
}

pub(crate) async fn screened_events_are_skipped(profile: &dyn Profile) -> Verdict {
    let sink = Rig::new(profile)?.offline("")?;
    let booking = fixture::booking();
    for wanted in [Skip::consent_denied(), Skip::event_too_old(Duration::from_secs(86_400))] {
        let found = skip(&sink, &Subject::new(&booking).screened(Some(wanted.clone())))?;
        expect(&found, &wanted, "a booking held back")?;
    }
    Ok(())
}

pub(crate) async fn unidentified_events_are_skipped(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let blank = Some(" ".to_owned());
    let blanks = CanonicalEvent { email: blank.clone(), phone: blank, ..nobodys_booking() };
    for sink in rig.every_sink()? {
        for event in [&nobodys_booking(), &blanks] {
            let found = skip(&sink, &Subject::new(event))?;
            let (reason, sentence) = (found.reason.name, &found.message);
            ensure!(reason == "no_identifiers", "a booking of nobody is skipped as {reason}");
            ensure!(sentence.starts_with("Missing "), "{sentence:?} does not say what is missing");
            let fix = found.reason.fix;
            ensure!(fix.starts_with("send "), "{fix:?} does not say what to send");
        }
    }
    Ok(())
}

pub(crate) async fn skips_come_in_order(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let bare = rig.build(without(&rig, profile.credentials(), false)?);
    let bare = bare.map_err(|_| Broken::After("missing_credentials_are_skipped"))?;
    let sink = rig.offline("")?;
    let unmapped = CanonicalEvent { event_name: "KIT_UNMAPPED".to_owned(), ..nobodys_booking() };
    for (sink, event, reason) in [
        (&bare, &unmapped, "missing_credentials"),
        (&sink, &unmapped, "no_event_mapping"),
        (&sink, &nobodys_booking(), "consent_denied"),
    ] {
        let found = skip(sink, &Subject::new(event).screened(Some(Skip::consent_denied())))?.reason.name;
        ensure!(found == reason, "{found} comes before {reason}");
    }
    Ok(())
}
