//! One delivery at the call of an external queue.

use std::time::Duration;

use conversion_store::{Lease, Settlement};

use super::{Station, lot};
use crate::gate::Passage;
use crate::intake::Work;

impl Station {
    /// Works off one delivery that an external queue has called for, under the gate like any other. The queue tries it
    /// again in `retry_in`, should it fail in passing; returns the wait that the platform named then.
    pub async fn serve_call(&self, lease: Lease, retry_in: Duration) -> Option<Duration> {
        let work = match self.read(lease) {
            Ok(work) => Work { retry_in: Some(retry_in), ..work },
            Err(unreadable) => {
                let items = vec![unreadable];
                self.ledger.settle(Settlement::unsent(items, self.clock.now())).await;
                return None;
            }
        };
        match self.passage_of_call().await {
            Passage::Open => lot::work_off(self, vec![work], None).await.retry_after,
            Passage::Probe => {
                let reason = self.gate.reason();
                let retry_after = lot::work_off(self, vec![work], reason.as_deref()).await.retry_after;
                if self.gate.is_probing() {
                    self.gate.ask_for_another();
                    self.wake_publisher();
                }
                retry_after
            }
            Passage::Closed(_) => {
                self.hand_back([work], self.clock.now()).await;
                None
            }
        }
    }

    /// What the gate says, once it has said it for good: where this may be the probe that the queue was asked for, the
    /// worker may just be looking whether it has one itself.
    async fn passage_of_call(&self) -> Passage {
        loop {
            let now = self.clock.now();
            match self.gate.passage(now) {
                Passage::Closed(_) if self.gate.is_asked_for(now) => self.gate.probe_is_back().await,
                passage => return passage,
            }
        }
    }

    /// Whether a delivery is due that an external queue is to be handed, and can be.
    pub(super) async fn is_due_at_queue(&self) -> bool {
        if self.handover.is_none() {
            return false;
        }
        match self.store.next_queue_due(self.id).await {
            Ok(next) => next.is_some_and(|next| next <= self.clock.now()),
            Err(error) => {
                tracing::error!(sink = %self.name, %error, "the store cannot be read");
                false
            }
        }
    }

    pub(super) fn wake_publisher(&self) {
        if let Some(handover) = &self.handover {
            handover.alarm.wake();
        }
    }
}
