//! The running account of one platform.

use std::collections::{BTreeMap, HashMap};

use crate::memory::{Arrival, Conversion, Key, Memory};
use crate::report::{PlatformReport, SeenId};
use crate::settings::{Settings, Verdict};

/// What an accepted item is deduplicated by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DedupKey<'a> {
    /// `event_id` or `orderId`.
    Id(Key<'a>),
    /// Google, without an order id: the click and the time.
    Click(Key<'a>),
    /// Nothing: the event or action name is all there is.
    None(&'a str),
}

/// Counters and dedup memory of one platform.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: PlatformReport,
    ids: Memory,
    clicks: Memory,
    batches: u64,
    items: u64,
    second: (u64, u64),
    verdicts_given: HashMap<String, u32>,
}

impl Tally {
    /// Notes that a request came in; says how many came within the same second, this one included.
    pub(crate) fn request(&mut self, at_us: u64, in_flight: u64) -> u64 {
        self.counts.requests += 1;
        self.counts.max_in_flight = self.counts.max_in_flight.max(in_flight);
        let second = at_us / 1_000_000;
        let so_far = if self.second.0 == second { self.second.1 } else { 0 };
        self.second = (second, so_far + 1);
        self.second.1
    }

    /// Notes what became of a request.
    pub(crate) fn outcome(&mut self, outcome: String) {
        *self.counts.by_outcome.entry(outcome).or_default() += 1;
    }

    /// Notes a request that was read, with its number of items.
    pub(crate) fn batch(&mut self, items: usize) {
        let items = items as u64;
        self.batches += 1;
        self.items += items;
        self.counts.max_batch = self.counts.max_batch.max(items);
    }

    /// Notes items that were read and refused.
    pub(crate) fn reject(&mut self, items: usize) {
        self.counts.rejected += items as u64;
    }

    /// Notes one accepted item.
    pub(crate) fn accept(&mut self, key: DedupKey<'_>, at_us: u64, window_us: Option<u64>) -> Arrival {
        self.counts.received += 1;
        let (name, arrival) = match key {
            DedupKey::Id(key) => (key.name, self.ids.arrive(key, at_us, window_us)),
            DedupKey::Click(key) => (key.name, self.clicks.arrive(key, at_us, window_us)),
            DedupKey::None(name) => {
                self.counts.without_id += 1;
                (name, Arrival::Counted)
            }
        };
        add_one(&mut self.counts.by_event, name);
        match arrival {
            Arrival::Counted => {}
            Arrival::Deduplicated => self.counts.deduplicated += 1,
            Arrival::CountedTwice => self.counts.counted_twice += 1,
        }
        arrival
    }

    /// The conversion that was counted under a key, if one was.
    pub(crate) fn conversion(&mut self, key: DedupKey<'_>) -> Option<&mut Conversion> {
        match key {
            DedupKey::Id(key) => self.ids.conversion(key),
            DedupKey::Click(key) => self.clicks.conversion(key),
            DedupKey::None(_) => None,
        }
    }

    /// Notes an adjustment that was accepted or had been done before, and whether it retracted a conversion.
    pub(crate) fn adjust(&mut self, retracted: bool) {
        self.counts.adjusted += 1;
        self.counts.retracted += u64::from(retracted);
    }

    /// The verdict that the settings hold for this id, as long as it has not been given often enough.
    pub(crate) fn verdict<'s>(&mut self, settings: &'s Settings, id: &str) -> Option<&'s Verdict> {
        let verdict = settings.verdicts.get(id)?;
        let given = self.verdicts_given.entry(id.to_owned()).or_default();
        if verdict.times().is_some_and(|times| *given >= times) {
            return None;
        }
        *given += 1;
        Some(verdict)
    }

    /// New settings: limited verdicts start over, and the dedup memory may be dropped.
    pub(crate) fn reconfigured(&mut self, forget: bool) {
        self.verdicts_given.clear();
        if forget {
            self.ids.forget();
            self.clicks.forget();
        }
    }

    pub(crate) fn ids(&self) -> Vec<SeenId> {
        self.ids.ids()
    }

    pub(crate) fn report(&self) -> PlatformReport {
        let mean = if self.batches == 0 { 0.0 } else { self.items as f64 / self.batches as f64 };
        PlatformReport {
            unique: self.ids.keys() + self.clicks.keys(),
            mean_batch: (mean * 100.0).round() / 100.0,
            ..self.counts.clone()
        }
    }
}

/// Without an allocation for a name that is there already: this runs once for each event.
fn add_one(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            counts.insert(name.to_owned(), 1);
        }
    }
}
