//! One clerk per source: takes due notices, fetches their appointments as the gate allows, and writes what follows.

use std::sync::Arc;

use conversion_core::Timestamp;
use conversion_store::Notice;
use tokio::task::JoinSet;

use super::Desk;
use super::attend::Trouble;
use crate::clock::after;
use crate::gate::Passage;
use crate::worker::STORE_RETRY;

/// Notices that are taken at once.
const LOT: usize = 100;
/// Appointments that are fetched at once.
const IN_FLIGHT: usize = 4;

/// A clerk before it works.
#[derive(Debug)]
pub struct Clerk {
    desk: Arc<Desk>,
}

impl Clerk {
    /// A clerk of this desk, who ends when the desk is stopped.
    pub fn new(desk: Arc<Desk>) -> Self {
        Self { desk }
    }

    /// Works until stopped; then finishes what is in flight.
    pub async fn run(self) {
        let desk = &self.desk;
        while !desk.stop.is_cancelled() {
            let now = desk.clock.now();
            match desk.gate.passage(now) {
                Passage::Open if desk.alarm.take(now) => self.work_off(usize::MAX).await,
                Passage::Open => self.wait(desk.alarm.time()).await,
                Passage::Probe => {
                    self.work_off(1).await;
                    if let Some(change) = desk.gate.probe_over(desk.clock.now()) {
                        desk.log(&change);
                    }
                }
                Passage::Closed(until) => self.wait(until).await,
            }
        }
    }

    async fn wait(&self, until: Option<Timestamp>) {
        tokio::select! {
            () = self.desk.alarm.changed() => {}
            () = self.desk.clock.sleep_until(until.unwrap_or(Timestamp::MAX)) => {}
            () = self.desk.stop.cancelled() => {}
        }
    }

    /// Works off due notices of at most so many appointments, and sets the alarm for the next.
    async fn work_off(&self, appointments: usize) {
        let desk = &self.desk;
        let worked = async {
            self.attend_all(appointments).await?;
            Ok::<_, Trouble>(desk.store.next_notice_due(&desk.name).await?)
        };
        match worked.await {
            Ok(Some(next)) => desk.alarm.set(next),
            Ok(None) => {}
            Err(trouble) => {
                tracing::error!(source = %desk.name, error = %trouble, "notices wait for a moment");
                desk.alarm.set(after(desk.clock.now(), STORE_RETRY));
            }
        }
    }

    async fn attend_all(&self, appointments: usize) -> Result<(), Trouble> {
        let desk = &self.desk;
        let is_probe = desk.gate.is_probing();
        let due = desk.store.due_notices(&desk.name, desk.clock.now(), LOT).await?;
        let mut under_way = JoinSet::new();
        let mut result = Ok(());
        for notices in by_appointment(due).into_iter().take(appointments) {
            if under_way.len() == IN_FLIGHT {
                result = result.and(joined(&mut under_way).await);
            }
            // The source may have been held meanwhile.
            if result.is_err() || desk.stop.is_cancelled() || !(is_probe || desk.gate.is_open()) {
                break;
            }
            let own = Arc::clone(desk);
            under_way.spawn(desk.watch.over(async move { own.attend(&notices).await }));
        }
        while !under_way.is_empty() {
            result = result.and(joined(&mut under_way).await);
        }
        result
    }
}

/// The notices of each appointment, in the order in which the appointments come first.
fn by_appointment(notices: Vec<Notice>) -> Vec<Vec<Notice>> {
    let mut groups: Vec<Vec<Notice>> = Vec::new();
    for notice in notices {
        let own =
            |group: &&mut Vec<Notice>| group.iter().any(|other| other.appointment == notice.appointment);
        match groups.iter_mut().find(own) {
            Some(group) => group.push(notice),
            None => groups.push(vec![notice]),
        }
    }
    groups
}

async fn joined(under_way: &mut JoinSet<Result<(), Trouble>>) -> Result<(), Trouble> {
    // One that broke is noticed by the watch.
    under_way.join_next().await.and_then(Result::ok).unwrap_or(Ok(()))
}
