//! Access tokens: one for all who wait.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::platform::Action;
use crate::profile::{Profile, Told};
use crate::rig::{Online, Rig, bookings, payload, tell, within};
use crate::rule::{Verdict, broken, ensure};

const SENDS: usize = 12;

/// As many sends at once; how many were delivered.
async fn send_at_once(online: &Online) -> Verdict<usize> {
    let mut sends = JoinSet::new();
    for event in bookings(SENDS) {
        let request = Arc::new(online.sink.compose(&[&payload(&online.sink, &event)?]));
        let sink = Arc::clone(&online.sink);
        sends.spawn(async move { sink.send(request).await });
    }
    let mut delivered = 0;
    while let Some(report) = within(sends.join_next()).await? {
        delivered += usize::from(tell(&report.map_err(broken)?) == [Told::Delivered]);
    }
    Ok(delivered)
}

pub(crate) async fn one_token_serves_all(profile: &dyn Profile) -> Verdict {
    let online = Rig::new(profile)?.online().await?;
    let wanted = usize::from(profile.grant("kit").is_some());
    let delivered = send_at_once(&online).await?;
    let (uploads, tokens) = (online.platform.uploads().len(), online.platform.tokens_asked());
    ensure!(tokens == wanted, "{SENDS} sends at once asked for {tokens} tokens, and not for {wanted}");
    ensure!(
        (delivered, uploads) == (SENDS, SENDS),
        "of {SENDS} sends {delivered} delivered, in {uploads} requests"
    );
    if wanted == 0 {
        return Ok(());
    }
    // Each sends with the old token before the first is refused.
    let refusal = Action::ReplyTogether(2 * SENDS, profile.unauthorized());
    online.platform.answers(vec![refusal; SENDS].into_iter().chain([Action::Reply(profile.taken(1))]));
    let delivered = send_at_once(&online).await?;
    let tokens = online.platform.tokens_asked();
    ensure!(
        tokens == 2,
        "{SENDS} sends whose token is refused asked for {} new ones",
        tokens.saturating_sub(1)
    );
    ensure!(delivered == SENDS, "of {SENDS} sends with a renewed token {delivered} delivered");
    Ok(())
}
