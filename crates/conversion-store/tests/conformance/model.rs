//! What a store must say of deliveries, by what it was told: without a database, and without a clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use conversion_core::Timestamp;
use conversion_store::{
    Acceptance, Admission, Confirmation, DeliveryId, Driver, Lease, Origin, RetryOutcome, SettleOutcome,
    SinkAccount, SinkId, Status,
};

/// The deliveries of a store.
#[derive(Default)]
pub(super) struct Model {
    /// Of live events.
    identities: BTreeSet<String>,
    deliveries: BTreeMap<DeliveryId, Modelled>,
}

struct Modelled {
    origin: Origin,
    driver: Driver,
    status: Status,
    /// The latest fence that was given, and whether its lease goes on.
    fence: u32,
    is_leased: bool,
    confirmation: Confirmation,
}

impl Model {
    /// An event was told at `now`; returns the leases that it begins with.
    pub(super) fn accepted(
        &mut self,
        admission: &Admission,
        acceptance: Acceptance,
        now: Timestamp,
    ) -> Vec<Lease> {
        let is_new = admission.origin == Origin::Test || self.identities.insert(admission.id.to_string());
        let Acceptance::Accepted { event } = acceptance else {
            assert!(!is_new, "{} was never told before", admission.id);
            return Vec::new();
        };
        assert!(is_new, "{} was told before", admission.id);
        let mut leases = Vec::new();
        for new in &admission.deliveries {
            let id = DeliveryId { event, sink: new.sink };
            let is_leased = new.leased_to.is_some();
            let (origin, driver, fence) = (admission.origin, new.driver, u32::from(is_leased));
            let (status, confirmation) = (Status::Pending, Confirmation::None);
            let delivery = Modelled { origin, driver, status, fence, is_leased, confirmation };
            assert!(self.deliveries.insert(id, delivery).is_none(), "{id} was there before");
            if is_leased {
                leases.push(Lease::fresh(id, now, Arc::clone(&admission.json)));
            }
        }
        leases
    }

    /// A lease was given: of a delivery of this driver that was pending and that nobody had.
    pub(super) fn leased(&mut self, lease: &Lease, driver: Driver) {
        let delivery = self.deliveries.get_mut(&lease.id).unwrap();
        assert!(!delivery.is_leased && delivery.status == Status::Pending, "{lease:?}");
        assert!(delivery.driver == driver && lease.fence > delivery.fence, "{lease:?}");
        (delivery.fence, delivery.is_leased) = (lease.fence, true);
    }

    /// A result was told, with a receipt or without: whether it is written.
    pub(super) fn settle(&mut self, lease: &Lease, status: Status, has_receipt: bool) -> SettleOutcome {
        let delivery = self.deliveries.get_mut(&lease.id).unwrap();
        if !delivery.is_leased || delivery.fence != lease.fence {
            return SettleOutcome::Stale;
        }
        (delivery.status, delivery.is_leased) = (status, false);
        let is_awaited = has_receipt && status == Status::Delivered;
        delivery.confirmation = if is_awaited { Confirmation::Awaited } else { Confirmation::None };
        SettleOutcome::Applied
    }

    /// A verdict was told.
    pub(super) fn judged(&mut self, id: DeliveryId, confirmation: Confirmation, status: Status) {
        let delivery = self.deliveries.get_mut(&id).unwrap();
        assert_eq!(delivery.confirmation, Confirmation::Awaited, "{id}");
        (delivery.confirmation, delivery.status) = (confirmation, status);
    }

    /// A human asked for it: what is answered.
    pub(super) fn retry(&mut self, id: DeliveryId, driver: Driver) -> RetryOutcome {
        match self.deliveries.get_mut(&id) {
            None => RetryOutcome::Unknown,
            Some(Modelled { status: Status::Delivered, .. }) => RetryOutcome::AlreadyDelivered,
            Some(Modelled { is_leased: true, .. }) => RetryOutcome::UnderWay,
            Some(delivery) => {
                (delivery.status, delivery.driver) = (Status::Pending, driver);
                delivery.confirmation = Confirmation::None;
                RetryOutcome::Due
            }
        }
    }

    /// The queue has given up what it drives and nobody has.
    pub(super) fn given_up(&mut self, id: DeliveryId) {
        let delivery = self.deliveries.get_mut(&id).unwrap();
        assert!(!delivery.is_leased && delivery.status == Status::Pending, "{id}");
        assert_eq!(delivery.driver, Driver::Queue, "{id}");
        delivery.status = Status::Failed;
    }

    /// All leases are lost. A test is not tried again.
    pub(super) fn restarted(&mut self) {
        for delivery in self.deliveries.values_mut() {
            delivery.is_leased = false;
            if delivery.origin == Origin::Test && delivery.status == Status::Pending {
                delivery.status = Status::Failed;
            }
        }
    }

    /// How many live events were accepted.
    pub(super) fn accepted_live(&self) -> u64 {
        self.identities.len() as u64
    }

    /// The account of a sink.
    pub(super) fn account(&self, sink: SinkId) -> SinkAccount {
        let mut account = SinkAccount::default();
        let live =
            |(id, delivery): &(&DeliveryId, &Modelled)| id.sink == sink && delivery.origin == Origin::Live;
        for (_, delivery) in self.deliveries.iter().filter(live) {
            account.routed += 1;
            *match delivery.status {
                Status::Pending => &mut account.pending,
                Status::Delivered => &mut account.delivered,
                Status::Skipped => &mut account.skipped,
                Status::Failed => &mut account.failed,
            } += 1;
            match delivery.confirmation {
                Confirmation::None => {}
                Confirmation::Awaited => account.verdicts.awaited += 1,
                Confirmation::Confirmed => account.verdicts.confirmed += 1,
                Confirmation::Refused => account.verdicts.refused += 1,
                Confirmation::Unconfirmed => account.verdicts.unconfirmed += 1,
            }
        }
        account
    }
}
