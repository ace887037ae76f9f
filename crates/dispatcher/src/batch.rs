//! What shares a request. Pure.

use std::borrow::Cow;
use std::collections::HashSet;

use conversion_core::sink::Payload;

/// Bounds of one request of a sink.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Items at most.
    pub items: usize,
    /// Bytes of items at most; a single item may be larger.
    pub bytes: usize,
}

/// Parts `items` into batches in their order: one group each, within the limits, no exclusive key twice. An item that
/// does not fit opens a further batch; none waits for more to come.
pub fn form<T>(items: Vec<T>, payload: impl Fn(&T) -> &Payload, limits: Limits) -> Vec<Vec<T>> {
    let mut batches: Vec<Open<T>> = Vec::new();
    for item in items {
        let shape = payload(&item);
        // The latest batches have room; earlier ones are full or barred by a key.
        match batches.iter_mut().rev().take(LOOK_BACK).find(|batch| batch.has_room_for(shape, limits)) {
            Some(batch) => batch.push(item, &payload),
            None => {
                let mut batch = Open::new(shape.group.clone());
                batch.push(item, &payload);
                batches.push(batch);
            }
        }
    }
    batches.into_iter().map(|batch| batch.items).collect()
}

const LOOK_BACK: usize = 4;

struct Open<T> {
    group: Cow<'static, str>,
    bytes: usize,
    keys: HashSet<u64>,
    items: Vec<T>,
}

impl<T> Open<T> {
    fn new(group: Cow<'static, str>) -> Self {
        Self { group, bytes: 0, keys: HashSet::new(), items: Vec::new() }
    }

    fn has_room_for(&self, payload: &Payload, limits: Limits) -> bool {
        self.group == payload.group
            && self.items.len() < limits.items
            && self.bytes + payload.item.get().len() < limits.bytes
            && !payload.exclusive.iter().any(|key| self.keys.contains(key))
    }

    fn push(&mut self, item: T, payload: &impl Fn(&T) -> &Payload) {
        let shape = payload(&item);
        self.bytes += shape.item.get().len() + 1;
        self.keys.extend(&shape.exclusive);
        self.items.push(item);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    const GROUPS: [&str; 2] = ["a", "b"];

    prop_compose! {
        fn payload()(length in 1usize..40, group in 0usize..2, exclusive in prop::collection::vec(0u64..20, 0..3))
            -> Payload {
            Payload {
                item: RawValue::from_string(format!("\"{}\"", "x".repeat(length))).unwrap(),
                group: GROUPS[group].into(),
                exclusive,
                dedup_key: None,
                notes: Vec::new(),
                not_yet_until: None,
                takes_back: false,
            }
        }
    }

    #[test]
    fn batches_are_filled_to_the_limits() {
        // Of nine bytes, and one that stands between two.
        let item = || Payload {
            item: RawValue::from_string("\"xxxxxxx\"".to_owned()).unwrap(),
            group: "a".into(),
            exclusive: Vec::new(),
            dedup_key: None,
            notes: Vec::new(),
            not_yet_until: None,
            takes_back: false,
        };
        for (items, bytes, sizes) in [
            (7, 1000, &[7, 3][..]),
            (10, 1000, &[10]),
            (7, 30, &[3, 3, 3, 1]),
            (7, 29, &[2, 2, 2, 2, 2]),
            (7, 9, &[1; 10]),
        ] {
            let payloads = (0..10).map(|_| item()).collect();
            let batches = form(payloads, |payload| payload, Limits { items, bytes });
            assert_eq!(
                batches.iter().map(Vec::len).collect::<Vec<_>>(),
                sizes,
                "{items} items, {bytes} bytes"
            );
        }
    }

    proptest! {
        #[test]
        fn every_item_is_in_one_batch_that_keeps_the_limits(payloads in prop::collection::vec(payload(), 0..60)) {
            let limits = Limits { items: 7, bytes: 120 };
            let count = payloads.len();
            let batches = form(payloads.into_iter().enumerate().collect(), |(_, payload)| payload, limits);
            let mut seen: Vec<usize> = batches.iter().flatten().map(|(index, _)| *index).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..count).collect::<Vec<_>>());
            for batch in &batches {
                prop_assert!(batch.len() <= limits.items);
                prop_assert!(batch.iter().all(|(_, payload)| payload.group == batch[0].1.group));
                let bytes: usize = batch.iter().map(|(_, payload)| payload.item.get().len() + 1).sum();
                prop_assert!(batch.len() == 1 || bytes <= limits.bytes + 1);
                for (index, (_, payload)) in batch.iter().enumerate() {
                    for (_, other) in &batch[..index] {
                        prop_assert!(payload.exclusive.iter().all(|key| !other.exclusive.contains(key)));
                    }
                }
            }
        }
    }
}
