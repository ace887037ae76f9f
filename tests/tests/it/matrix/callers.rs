//! Callers that report events: each request until it is answered, wherever the service is by then.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::harness::{Api, booked, ids, until};

/// Events in one request.
pub(super) const IN_ONE_REQUEST: usize = 10;
const CALLERS: usize = 4;

/// Callers that report as much as they are allowed to, and the ids of it.
pub(super) struct Callers {
    quota: Arc<Semaphore>,
    tasks: JoinSet<BTreeSet<String>>,
}

impl Callers {
    /// Callers who know the latest service from `service`, and may report nothing yet.
    pub(super) fn start(service: &watch::Receiver<Option<Api>>) -> Self {
        let quota = Arc::new(Semaphore::new(0));
        let mut tasks = JoinSet::new();
        for caller in 0..CALLERS {
            let (service, quota) = (service.clone(), Arc::clone(&quota));
            tasks.spawn(call(caller, service, quota));
        }
        Self { quota, tasks }
    }

    /// So many requests more.
    pub(super) fn allow(&self, requests: usize) {
        self.quota.add_permits(requests);
    }

    /// Waits for the answers to all that they were allowed; gives the ids of what was accepted.
    pub(super) async fn finish(mut self) -> BTreeSet<String> {
        until("the last request to be begun", async || match self.quota.available_permits() {
            0 => Ok(()),
            left => Err(format!("{left} not begun")),
        })
        .await;
        self.quota.close();
        let mut accepted = BTreeSet::new();
        while let Some(caller) = self.tasks.join_next().await {
            accepted.extend(caller.unwrap());
        }
        accepted
    }
}

async fn call(
    caller: usize,
    mut service: watch::Receiver<Option<Api>>,
    quota: Arc<Semaphore>,
) -> BTreeSet<String> {
    let mut accepted = BTreeSet::new();
    for request in 0.. {
        let Ok(permit) = quota.acquire().await else { break };
        permit.forget();
        let number = |place| request * IN_ONE_REQUEST + place;
        let events: Vec<Value> =
            (0..IN_ONE_REQUEST).map(|place| booked(&format!("{caller}-{}", number(place)))).collect();
        report(&mut service, &events).await;
        accepted.extend(ids(&events));
    }
    accepted
}

/// Reports until there is a 202: what it covers is never reported again.
async fn report(service: &mut watch::Receiver<Option<Api>>, events: &[Value]) {
    let body = Value::from(events).to_string();
    loop {
        let api = service.borrow_and_update().clone();
        if let Some(api) = api
            && let Ok(reply) = api.try_post("/api/events", body.clone()).await
        {
            assert_eq!(reply.status, 202, "{}", reply.text);
            return;
        }
        service.changed().await.unwrap();
    }
}
