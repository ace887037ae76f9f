//! The messages that wait, and those that could not be delivered.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use super::message::{Attempt, Message, Response};
use super::remembered::Remembered;
use super::report::QstashReport;

/// So many messages may wait.
const MAX_WAITING: usize = 100_000;

/// All messages together, dead ones included, may hold so many bytes; the oldest dead letters go first.
const MAX_BYTES: usize = 256 << 20;

/// So many dead letters are kept; beyond it the oldest goes.
const MAX_DEAD: usize = 10_000;

/// A message that was given up.
#[derive(Clone, Debug)]
pub(super) struct DeadLetter {
    pub(super) message: Arc<Message>,
    /// The last answer.
    pub(super) response: Response,
}

impl DeadLetter {
    fn size(&self) -> usize {
        self.message.size() + self.response.body.len()
    }
}

/// What there is to do.
#[derive(Debug)]
pub(super) enum Next {
    Now(Attempt),
    /// Nothing before this time, in microseconds since 1970.
    At(u64),
    Nothing,
}

/// The calls that share a flow control key.
#[derive(Debug, Default)]
struct Lane {
    under_way: usize,
    /// Due, but for want of room.
    waiting: VecDeque<Attempt>,
}

/// Everything that QStash holds. A delivered message is gone.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    messages: HashMap<String, Arc<Message>>,
    /// By time, and for equal times by arrival.
    schedule: BTreeMap<(u64, u64), Attempt>,
    scheduled: u64,
    /// By flow control key.
    lanes: HashMap<String, Lane>,
    dead: BTreeMap<String, DeadLetter>,
    bytes: usize,
    pub(super) remembered: Remembered,
    pub(super) counts: QstashReport,
}

impl Shelf {
    pub(super) fn has_room(&self, messages: usize, bytes: usize) -> bool {
        self.messages.len() + messages <= MAX_WAITING && self.bytes + bytes <= MAX_BYTES
    }

    /// Takes a message in; its first attempt is due then.
    pub(super) fn admit(&mut self, message: Message, due_us: u64) {
        let message = Arc::new(message);
        self.bytes += message.size();
        self.messages.insert(message.id.clone(), Arc::clone(&message));
        self.schedule(Attempt::first(message), due_us);
    }

    pub(super) fn schedule(&mut self, attempt: Attempt, due_us: u64) {
        self.scheduled += 1;
        self.schedule.insert((due_us, self.scheduled), attempt);
    }

    /// The next attempt that is due and has room in its lane, which it keeps until [`Shelf::leave`].
    pub(super) fn next(&mut self, now_us: u64) -> Next {
        while let Some(first) = self.schedule.first_entry() {
            if first.key().0 > now_us {
                return Next::At(first.key().0);
            }
            let attempt = first.remove();
            let Some((key, parallelism)) = attempt.lane() else { return Next::Now(attempt) };
            let lane = self.lanes.entry(key.to_owned()).or_default();
            if lane.under_way < parallelism {
                lane.under_way += 1;
                return Next::Now(attempt);
            }
            lane.waiting.push_back(attempt);
        }
        Next::Nothing
    }

    /// A call is over: what waited longest in its lane is due.
    pub(super) fn leave(&mut self, key: &str, now_us: u64) {
        let Some(lane) = self.lanes.get_mut(key) else { return };
        lane.under_way = lane.under_way.saturating_sub(1);
        let next = lane.waiting.pop_front();
        if lane.under_way == 0 && lane.waiting.is_empty() && next.is_none() {
            self.lanes.remove(key);
        }
        if let Some(next) = next {
            self.schedule(next, now_us);
        }
    }

    pub(super) fn get(&self, id: &str) -> Option<&Arc<Message>> {
        self.messages.get(id)
    }

    /// Lets go of a message for good.
    pub(super) fn remove(&mut self, id: &str) -> Option<Arc<Message>> {
        let message = self.messages.remove(id)?;
        self.bytes -= message.size();
        Some(message)
    }

    /// Cancels a message, whatever attempt of it is due or under way.
    pub(super) fn cancel(&mut self, id: &str) -> bool {
        let Some(message) = self.remove(id) else { return false };
        self.schedule.retain(|_, attempt| attempt.message.id != id);
        if let Some(key) = &message.options.flow_control.key
            && let Some(lane) = self.lanes.get_mut(key)
        {
            lane.waiting.retain(|attempt| attempt.message.id != id);
        }
        self.counts.cancelled += u64::from(!message.is_callback);
        true
    }

    /// Keeps a dead letter, under an id that sorts after those of earlier ones.
    pub(super) fn bury(&mut self, dlq_id: String, letter: DeadLetter) {
        self.bytes += letter.size();
        self.dead.insert(dlq_id, letter);
        while self.dead.len() > MAX_DEAD || self.bytes > MAX_BYTES {
            let Some((_, oldest)) = self.dead.pop_first() else { return };
            self.bytes -= oldest.size();
        }
    }

    pub(super) fn dead(&self, dlq_id: &str) -> Option<&DeadLetter> {
        self.dead.get(dlq_id)
    }

    /// Dead letters from this id on, oldest first.
    pub(super) fn dead_from<'a>(
        &'a self,
        cursor: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a String, &'a DeadLetter)> {
        let from = cursor.map_or(Bound::Unbounded, Bound::Included);
        self.dead.range::<str, _>((from, Bound::Unbounded))
    }

    pub(super) fn unbury(&mut self, dlq_id: &str) -> Option<DeadLetter> {
        let letter = self.dead.remove(dlq_id)?;
        self.bytes -= letter.size();
        Some(letter)
    }

    pub(super) fn report(&self) -> QstashReport {
        let waiting = self.messages.values().filter(|message| !message.is_callback).count();
        QstashReport { waiting: waiting as u64, ..self.counts.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hyper::StatusCode;

    use super::{DeadLetter, MAX_BYTES, MAX_DEAD, MAX_WAITING, Next, Shelf};
    use crate::chance::Chance;
    use crate::qstash::QstashSettings;
    use crate::qstash::message::{Fate, Message, Response};
    use crate::qstash::options::{Destination, Options};

    fn message(id: &str, body: usize) -> Message {
        Message {
            id: id.to_owned(),
            is_callback: false,
            destination: Destination::read("http://host/").unwrap(),
            options: Options::default(),
            queue: None,
            body: vec![0; body].into(),
            created_us: 0,
            fate: Fate::draw(&QstashSettings::default(), &Chance::new(1)),
        }
    }

    fn letter(body: usize) -> DeadLetter {
        let response = Response::none(StatusCode::BAD_GATEWAY.as_str().to_owned());
        DeadLetter { message: Arc::new(message("dead", body)), response }
    }

    #[test]
    fn messages_and_dead_letters_share_the_room() {
        let mut shelf = Shelf::default();
        assert!(shelf.has_room(MAX_WAITING, MAX_BYTES) && !shelf.has_room(MAX_WAITING + 1, 0));
        shelf.admit(message("a", MAX_BYTES / 2), 0);
        shelf.bury("1".to_owned(), letter(MAX_BYTES / 4));
        assert!(!shelf.has_room(MAX_WAITING, 0) && !shelf.has_room(1, MAX_BYTES / 4));
        shelf.unbury("1").unwrap();
        assert!(shelf.has_room(1, MAX_BYTES / 4));
        assert!(shelf.cancel("a") && !shelf.cancel("a"));
        assert!(shelf.has_room(MAX_WAITING, MAX_BYTES));
        assert!(matches!(shelf.next(0), Next::Nothing));
    }

    #[test]
    fn the_oldest_dead_letter_makes_room() {
        let mut shelf = Shelf::default();
        for number in 0..=MAX_DEAD {
            shelf.bury(format!("{number:06}"), letter(0));
        }
        assert_eq!(shelf.dead_from(None).count(), MAX_DEAD);
        assert!(shelf.dead("000000").is_none() && shelf.dead("000001").is_some());
        shelf.bury("large".to_owned(), letter(MAX_BYTES / 2));
        shelf.bury("larger".to_owned(), letter(MAX_BYTES / 2));
        assert_eq!(shelf.dead_from(None).map(|(dlq_id, _)| dlq_id.as_str()).collect::<Vec<_>>(), ["larger"]);
        shelf.unbury("larger").unwrap();
        assert!(shelf.has_room(1, MAX_BYTES));
    }

    #[test]
    fn what_is_due_first_comes_first() {
        let mut shelf = Shelf::default();
        for (id, due_us) in [("b", 20), ("a", 10), ("c", 20)] {
            shelf.admit(message(id, 0), due_us);
        }
        assert!(matches!(shelf.next(9), Next::At(10)));
        let mut ids = Vec::new();
        while let Next::Now(attempt) = shelf.next(20) {
            ids.push(attempt.message.id.clone());
        }
        assert_eq!(ids, ["a", "b", "c"]);
    }
}
