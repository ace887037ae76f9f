//! Working off a lot of leased deliveries: prepared, parted into batches, each batch sent.

use std::time::Duration;

use conversion_store::crash::{self, Room};
use conversion_store::{ItemSettlement, Settlement, Status};

use super::dismantling::Dismantling;
use super::prepare::Prepared;
use super::send::change_only;
use super::{STORE_RETRY, Station};
use crate::batch;
use crate::clock::after;
use crate::intake::Work;

/// What came of a lot.
#[derive(Debug, Default)]
pub(super) struct Worked {
    /// The longest wait that the platform named for what failed in passing.
    pub(super) retry_after: Option<Duration>,
    /// Whether something has to wait for its time before it can be sent.
    pub(super) waits: bool,
}

/// Prepares and sends `lot`. `probe` names the reason of the hold that it is to test.
pub(super) async fn work_off(station: &Station, lot: Vec<Work>, probe: Option<&str>) -> Worked {
    let now = station.clock.now();
    crash::pass(Room::TakenUp);
    let surroundings = match station.look_up(&lot).await {
        Ok(surroundings) => surroundings,
        Err(error) => {
            tracing::error!(sink = %station.name, %error, "the store cannot be read");
            station.hand_back(lot, after(now, STORE_RETRY)).await;
            return Worked::default();
        }
    };
    let mut ready = Vec::with_capacity(lot.len());
    let mut settled = Vec::new();
    for work in lot {
        match station.prepare(work, &surroundings, now).await {
            Prepared::Ready(item) => ready.push(item),
            Prepared::Settled(work, change) => settled.push(change_only(&work.lease, change)),
        }
    }
    crash::pass(Room::Prepared);
    let waits =
        |item: &ItemSettlement| item.change.as_ref().is_some_and(|change| change.status == Status::Pending);
    let mut worked = Worked { retry_after: None, waits: settled.iter().any(waits) };
    station.ledger.settle(Settlement::unsent(settled, now)).await;
    for part in batch::form(ready, |ready| &ready.payload, station.limits) {
        if station.is_mock() {
            station.mock(&part).await;
        } else {
            let retry_after = Dismantling::of(station, &part, probe).send(part).await;
            worked.retry_after = worked.retry_after.max(retry_after);
        }
    }
    worked
}
