//! Several items in one request.

use std::sync::Arc;

use conversion_core::exchange::Request;
use conversion_core::failure::{Blame, FailureClass};
use conversion_core::sink::Payload;

use crate::platform::Action;
use crate::profile::{Profile, Reply, TestMode, Told};
use crate::rig::{Online, Rig, Sink, bookings, payload, tell, within};
use crate::rule::{Broken, Verdict, broken, ensure};

/// Enough for a first, a middle and a last.
const ITEMS: usize = 3;

fn compose(sink: &Sink, items: usize) -> Verdict<Arc<Request>> {
    let payloads: Vec<Payload> =
        bookings(items).iter().map(|event| payload(sink, event)).collect::<Verdict<_>>()?;
    Ok(Arc::new(sink.compose(&payloads.iter().collect::<Vec<_>>())))
}

pub(crate) async fn batch_is_one_request(profile: &dyn Profile) -> Verdict {
    let Online { platform, sink } = Rig::new(profile)?.online().await?;
    let request = compose(&sink, ITEMS)?;
    ensure!(request.body.len() == ITEMS, "a request of {ITEMS} items marks {}", request.body.len());
    platform.answers([Action::Reply(profile.taken(ITEMS))]);
    let report = within(sink.send(Arc::clone(&request))).await?;
    let uploads = platform.uploads();
    let [upload] = uploads.as_slice() else {
        return Err(broken(format!("{ITEMS} items made {} requests", uploads.len())));
    };
    ensure!(upload.method == "POST", "it is a {}", upload.method);
    let path = request.url.strip_prefix(&platform.url()).unwrap_or(&request.url);
    ensure!(upload.path == path, "it went to {}, and not to {path}", upload.path);
    ensure!(upload.body == request.body.sent(), "what was sent is not what was composed");
    let told = tell(&report);
    ensure!(told == [Told::Delivered; ITEMS], "all were taken, but the report says {told:?}");
    let [exchange] = report.exchanges() else {
        return Err(broken(format!("{} exchanges are recorded", report.exchanges().len())));
    };
    ensure!(exchange.request.body == request.body, "another request is recorded than was sent");
    let status = exchange.reply.as_ref().map(|reply| reply.status);
    ensure!(status.is_some_and(|status| status < 300), "the answer is recorded as {status:?}");
    Ok(())
}

pub(crate) async fn neighbours_stay_unseen(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let request = compose(&rig.offline("")?, ITEMS)?;
    let ids: Vec<String> = bookings(ITEMS).iter().map(|event| event.conversion_id().to_owned()).collect();
    for (position, own) in ids.iter().enumerate() {
        let shown = request.body.with_item_alone(position).ok_or_else(|| broken("an item is not marked"))?;
        ensure!(shown.contains(own.as_str()), "the item {position} is shown without its conversion id");
        let neighbour = ids.iter().find(|id| *id != own && shown.contains(id.as_str()));
        ensure!(neighbour.is_none(), "the item {position} is shown with its neighbour {neighbour:?}");
        ensure!(
            serde_json::from_str::<serde_json::Value>(&shown).is_ok(),
            "what is shown of an item is not JSON"
        );
    }
    let answers =
        [profile.taken(ITEMS), profile.refusing(ITEMS, 1), profile.unauthorized(), Reply::new(200, "")];
    for body in answers.iter().flat_map(|reply| cuts(&reply.body)) {
        for position in [0, ITEMS - 1, ITEMS, usize::MAX] {
            let tried = std::panic::catch_unwind(|| (rig.plugin.own_reply)(body, position));
            ensure!(tried.is_ok(), "own_reply panics for the item {position} of {body:?}");
        }
    }
    Ok(())
}

/// The text, and the beginnings that a cut may leave of it.
fn cuts(text: &str) -> impl Iterator<Item = &str> {
    (0..=text.len()).rev().step_by(7).filter_map(|end| text.get(..end))
}

pub(crate) async fn outcomes_keep_their_order(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let Online { platform, sink } = rig.online().await?;
    let request = compose(&sink, ITEMS)?;
    for refused in 0..ITEMS {
        platform.answers([Action::Reply(profile.refusing(ITEMS, refused))]);
        let report = within(sink.send(Arc::clone(&request))).await?;
        let told = tell(&report);
        if !rig.descriptor().atomic {
            let wanted: Vec<Told> = (0..ITEMS)
                .map(
                    |item| {
                        if item == refused { Told::Failed(FailureClass::Rejected) } else { Told::Delivered }
                    },
                )
                .collect();
            ensure!(told == wanted, "of {ITEMS} the item {refused} is refused: {told:?}");
            continue;
        }
        let Err(failure) = report.verdict() else {
            let wanted = |item| match item == refused {
                true => Told::Failed(FailureClass::Rejected),
                false => Told::RefusedWithOthers,
            };
            let wanted: Vec<Told> = (0..ITEMS).map(wanted).collect();
            ensure!(told == wanted, "the request is refused for the item {refused}: {told:?}");
            continue;
        };
        let class = failure.class;
        ensure!(class == FailureClass::Rejected, "the request is refused for the item {refused}: {class:?}");
        let blame = failure.blame;
        ensure!(blame == Blame::Unknown, "the item {refused} is refused, and the blame is {blame:?}");
    }
    Ok(())
}

pub(crate) async fn test_mode_is_on_the_wire(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let setting = rig.descriptor().test_mode;
    let (TestMode::InBody { value, .. } | TestMode::InUrl { value, .. } | TestMode::Refused { value }) =
        profile.test_mode();
    let extra = format!("{setting} = {value}");
    let built = rig.build(rig.table("http://127.0.0.1:9", &extra)?);
    if let TestMode::Refused { .. } = profile.test_mode() {
        let Err(error) = built else {
            return Err(broken(format!("{extra} is taken, though there is no test mode")));
        };
        ensure!(error.to_string().contains(setting), "the refusal of {setting} does not name it: {error}");
        return Ok(());
    }
    let testing = built.map_err(|error| broken(format!("{extra} is refused: {error}")))?;
    let shows = |request: &Request| match profile.test_mode() {
        TestMode::InBody { at, shows, .. } => {
            let body = serde_json::from_str::<serde_json::Value>(request.body.json());
            body.is_ok_and(|body| body.pointer(at) == Some(&shows))
        }
        TestMode::InUrl { shows, .. } => request.url.contains(shows),
        TestMode::Refused { .. } => false,
    };
    ensure!(shows(&*compose(&testing, 1)?), "{extra} is not seen in the request");
    ensure!(!shows(&*compose(&rig.offline("")?, 1)?), "the test mode is on without {setting}");
    Ok(())
}

pub(crate) async fn dropped_send_leaves_the_sink_usable(profile: &dyn Profile) -> Verdict {
    let Online { platform, sink } = Rig::new(profile)?.online().await?;
    let request = compose(&sink, 1)?;
    // With a token, the first send is dropped while it asks for one.
    let first = profile.grant("kit").map(|_| platform.answers_tokens([Action::Silence]));
    platform.answers([Action::Silence]);
    let mut stages = vec![()];
    stages.extend(first);
    for _ in stages {
        let seen = platform.requests();
        tokio::select! {
            report = sink.send(Arc::clone(&request)) => {
                return Err(broken(format!("it ended without an answer: {:?}", tell(&report))));
            }
            arrived = within(platform.request_after(seen)) => arrived?,
        }
        platform.answers_tokens(profile.grant("kit-token").map(Action::Reply));
    }
    platform.answers([Action::Reply(profile.taken(1))]);
    let told = tell(&within(sink.send(request)).await?);
    if told == [Told::Delivered] {
        return Ok(());
    }
    Err(Broken::Because(format!("after a send that was dropped the next one is {told:?}")))
}
