//! Delivers webhooks, and tries again what was not taken.

use std::collections::HashSet;
use std::sync::Arc;

use http_body_util::Full;
use hyper::Request;
use hyper::header::CONTENT_TYPE;
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant};

use super::settings::AcuitySettings;
use super::webhook::{Webhook, signature};
use crate::outgoing::{self, Client};
use crate::state::State;

/// So many webhooks are under way at once, each of another appointment.
const UNDER_WAY: usize = 16;

/// Acuity gives up after a day of trying.
const MAX_TRIES: u32 = 20;

/// An answer that takes longer counts as a failure.
const PATIENCE: Duration = Duration::from_secs(10);

/// Delivers webhooks until it is dropped.
pub(crate) async fn deliver(state: Arc<State>) {
    let client = outgoing::client();
    let mut tries = JoinSet::new();
    let mut under_way = HashSet::new();
    loop {
        let now = Instant::now();
        while tries.len() < UNDER_WAY
            && let Some(webhook) = state.acuity.outbox.take(now, &under_way)
        {
            under_way.insert(webhook.appointment);
            tries.spawn(attempt(Arc::clone(&state), client.clone(), webhook));
        }
        tokio::select! {
            Some(done) = tries.join_next() => if let Ok(appointment) = done {
                under_way.remove(&appointment);
            },
            () = state.acuity.outbox.ready(now) => {}
        }
    }
}

/// One try, by the settings of the moment; gives the appointment.
async fn attempt(state: Arc<State>, client: Client, mut webhook: Webhook) -> u64 {
    let account = &state.acuity;
    let settings = account.settings();
    let Some(target) = settings.webhook_target.as_deref() else {
        // Nobody is to be told any more.
        return webhook.appointment;
    };
    let taken = post(&client, target, &settings, webhook).await;
    webhook.tries += 1;
    let given_up = !taken && webhook.tries >= MAX_TRIES;
    {
        let mut counts = account.counts();
        counts.webhooks_sent += 1;
        counts.webhooks_accepted += u64::from(taken);
        counts.webhooks_refused += u64::from(!taken);
        counts.webhooks_given_up += u64::from(given_up);
    }
    if !taken && !given_up {
        let wait = settings.retry_ms.saturating_mul(1 << (webhook.tries - 1));
        // Beyond what the clock can count there is nothing to wait for.
        if let Some(due) = Instant::now().checked_add(Duration::from_millis(wait)) {
            account.outbox.put(due, webhook);
        }
    }
    webhook.appointment
}

/// Whether the webhook was taken: any 2xx in time.
async fn post(client: &Client, target: &str, settings: &AcuitySettings, webhook: Webhook) -> bool {
    let body = webhook.body(settings.prefixed_actions);
    let request = Request::post(target)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("X-Acuity-Signature", signature(settings.webhook_key(), body.as_bytes()))
        .body(Full::from(body));
    let Ok(request) = request else {
        return false;
    };
    outgoing::send(client, request, PATIENCE).await.is_ok_and(|answer| answer.status.is_success())
}
