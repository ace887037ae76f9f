//! What an answer, or none, is taken for.

use std::time::Duration;

use conversion_core::failure::FailureClass::{
    self, Interrupted, RateLimited, Unauthorized, Unavailable, Unreachable,
};
use conversion_core::failure::HoldScope;
use conversion_core::report::Outcome;

use crate::platform::{Action, Nobody, Platform};
use crate::profile::{Profile, Recorded, Reply, Told};
use crate::rig::{Online, Rig, bookings, expect, send, tell};
use crate::rule::{Verdict, broken, ensure};

const HOLD: FailureClass = Unauthorized { scope: HoldScope::Sink };
const PAGE: &str = "<!DOCTYPE html><html><body>Bad Gateway</body></html>";
const WAIT: Option<Duration> = Some(Duration::from_secs(7));

/// One booking, answered with each of these statuses and with each body that says nothing.
async fn statuses(
    profile: &dyn Profile,
    statuses: &[u16],
    class: impl Fn(Option<Duration>) -> FailureClass,
) -> Verdict {
    let online = Rig::new(profile)?.online().await?;
    for status in statuses {
        for body in ["", PAGE] {
            let reply = Reply::new(*status, body);
            let told = online.told(Action::Reply(reply.clone())).await?;
            expect(told, class(None), &format!("HTTP {status} with the body {body:?}"))?;
            let told = online.told(Action::Reply(reply.with_header("Retry-After", "7"))).await?;
            expect(told, class(WAIT), &format!("HTTP {status} with Retry-After: 7"))?;
        }
    }
    Ok(())
}

pub(crate) async fn refused_credentials_hold(profile: &dyn Profile) -> Verdict {
    statuses(profile, &[401, 403], |_| HOLD).await?;
    let online = Rig::new(profile)?.online().await?;
    expect(online.told(Action::Reply(profile.unauthorized())).await?, HOLD, "the platform's own refusal")
}

pub(crate) async fn rate_limits_pause(profile: &dyn Profile) -> Verdict {
    statuses(profile, &[429], |retry_after| RateLimited { retry_after }).await
}

pub(crate) async fn server_errors_are_unavailable(profile: &dyn Profile) -> Verdict {
    statuses(profile, &[500, 502, 503, 504], |retry_after| Unavailable { retry_after }).await
}

pub(crate) async fn refused_connections_are_unreachable(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let nobody = Nobody::new()?;
    let granting = Platform::start(profile).await?;
    for granted_by in [None, Some(&granting)] {
        let report = send(&rig.deserted(&nobody, granted_by)?, &bookings(1)).await?;
        let told = tell(&report).into_iter().next().ok_or_else(|| broken("nothing is told"))?;
        expect(told, Unreachable, "a platform where nobody listens")?;
        let has_reply = report.exchanges().iter().any(|exchange| exchange.reply.is_some());
        ensure!(!has_reply, "an answer is recorded where nobody listens");
    }
    Ok(())
}

pub(crate) async fn cut_replies_are_interrupted(profile: &dyn Profile) -> Verdict {
    let online = Rig::new(profile)?.online().await?;
    for (what, action) in [
        ("an answer that is cut off", Action::Cut(profile.taken(1))),
        ("a connection that is closed without an answer", Action::HangUp),
    ] {
        expect(online.told(action.clone()).await?, Interrupted, what)?;
        // Without a token nothing was sent, however far the request for one got.
        let asking = Rig::new(profile)?.online().await?;
        asking.platform.answers_tokens([action]);
        let told = asking.told(Action::Reply(profile.taken(1))).await?;
        if asking.platform.tokens_asked() > 0 {
            expect(told, Unreachable, &format!("{what}, in place of a token"))?;
        }
    }
    Ok(())
}

pub(crate) async fn silence_is_interrupted(profile: &dyn Profile) -> Verdict {
    let online = Rig::new(profile)?.online_with(profile.impatience()).await?;
    for (what, action) in
        [("silence", Action::Silence), ("an answer that stops halfway", Action::Stall(profile.taken(1)))]
    {
        expect(told_of_silence(&online, &action).await?, Interrupted, what)?;
    }
    Ok(())
}

/// What becomes of a booking whose request is there. A machine may be so slow that the time is up before it is sent,
/// which tells nothing.
async fn told_of_silence(online: &Online, action: &Action) -> Verdict<Told> {
    for _ in 0..30 {
        let before = online.platform.uploads().len();
        let told = online.told(action.clone()).await?;
        if online.platform.uploads().len() > before {
            return Ok(told);
        }
    }
    Err(broken("no request came within the time limit, however often it was tried"))
}

pub(crate) async fn html_is_judged_by_status(profile: &dyn Profile) -> Verdict {
    let online = Rig::new(profile)?.online().await?;
    for (status, class) in [
        (200, Interrupted),
        (302, HOLD),
        (403, HOLD),
        (404, HOLD),
        (413, FailureClass::TooLarge),
        (502, Unavailable { retry_after: None }),
    ] {
        let told = online.told(Action::Reply(Reply::new(status, PAGE))).await?;
        expect(told, class, &format!("a web page with HTTP {status}"))?;
    }
    Ok(())
}

pub(crate) async fn unreadable_success_is_interrupted(profile: &dyn Profile) -> Verdict {
    let online = Rig::new(profile)?.online().await?;
    let good = profile.taken(1).body;
    let half = (0..=good.len() / 2).rev().find_map(|end| good.get(..end)).unwrap_or_default();
    // Where a good answer is an empty one, there is nothing to read.
    for body in
        [half, "", "\u{0}\u{1}", "[", "null"].into_iter().filter(|body| *body != good && !good.is_empty())
    {
        let told = online.told(Action::Reply(Reply::new(200, body))).await?;
        expect(told, Interrupted, &format!("HTTP 200 with the body {body:?}"))?;
    }
    Ok(())
}

pub(crate) async fn recorded_codes_have_their_class(profile: &dyn Profile) -> Verdict {
    let online = Rig::new(profile)?.online().await?;
    ensure!(!profile.codes().is_empty(), "the profile has no codes: it records no answer of the platform's");
    for Recorded { code, reply, told } in profile.codes() {
        online.platform.answers([Action::Reply(reply)]);
        let report = send(&online.sink, &bookings(1)).await?;
        let found = tell(&report);
        ensure!(found == [told], "{code}: {found:?}, and not {told:?}");
        let failed = match report.verdict() {
            Err(failure) => Some(failure),
            Ok(outcomes) => outcomes.iter().find_map(|outcome| match outcome {
                Outcome::Failed(failure) => Some(failure),
                Outcome::Delivered { .. } | Outcome::RefusedWithOthers => None,
            }),
        };
        let Some(failure) = failed else {
            ensure!(told == Told::Delivered, "{code}: no failure is told");
            continue;
        };
        ensure!(
            failure.code.as_deref() == Some(&code),
            "{code}: the failure gives the code {:?}",
            failure.code
        );
        ensure!(failure.message.contains(&code), "{code}: the message {:?} leaves it out", failure.message);
    }
    Ok(())
}

pub(crate) async fn nothing_is_retried(profile: &dyn Profile) -> Verdict {
    let rig = Rig::new(profile)?;
    let renewed = if profile.grant("kit").is_some() { 2 } else { 1 };
    for (what, action, most) in [
        ("HTTP 401", Action::Reply(Reply::new(401, "")), renewed),
        ("HTTP 429", Action::Reply(Reply::new(429, "")), 1),
        ("HTTP 503", Action::Reply(Reply::new(503, "")), 1),
        ("a refusal", Action::Reply(profile.refusing(1, 0)), 1),
        ("a connection that is closed", Action::HangUp, 1),
        ("an answer that is cut off", Action::Cut(profile.taken(1)), 1),
    ] {
        let online = rig.online().await?;
        online.told(action).await?;
        let (uploads, tokens) = (online.platform.uploads().len(), online.platform.tokens_asked());
        ensure!(uploads == most, "{what} makes {uploads} requests, and not {most}");
        ensure!(tokens <= renewed, "{what} makes {tokens} requests for tokens");
    }
    Ok(())
}
