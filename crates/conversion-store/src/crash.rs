//! Where a test can end the process as a crash would. Of a release build nothing of it is part.
//!
//! `SIGNALBOX_CRASH_AT=POINT` aborts a debug build when it first comes to the point of that name, `POINT:3` when it comes
//! there for the third time.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The variable that names a point.
pub const VARIABLE: &str = "SIGNALBOX_CRASH_AT";

/// Somewhere between a request and the settled account that follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The store has written this and not committed it.
    Written(&'static str),
    /// The store has committed this and told nobody.
    Committed(&'static str),
    /// Anywhere else.
    At(Room),
}

/// What the store writes on the way of an event or a notice, by the names that its errors have for it.
pub const WRITES: [&str; 17] = [
    "start a run",
    "register sinks",
    "accept events",
    "lease deliveries",
    "write results",
    "hold a sink",
    "resume a sink",
    "retry a delivery",
    "keep notices",
    "settle notices",
    "write what the queue has",
    "lease a delivery to the queue",
    "leave a delivery to the queue",
    "give up a delivery",
    "take receipts",
    "postpone a receipt",
    "write verdicts",
];

macro_rules! rooms {
    ($($(#[$doc:meta])+ $room:ident = $name:literal,)+) => {
        /// Where no commit is at hand.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Room {
            $($(#[$doc])+ $room,)+
        }

        impl Room {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$room),+];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$room => $name,)+
                }
            }
        }
    };
}

rooms! {
    /// A request with events has been read, and nothing made of it.
    RequestRead = "request read",
    /// New deliveries have been handed to their workers; whoever reported them has not been told.
    HandedOver = "handed over",
    /// What became of events is known, and the answer not given.
    BeforeAnswer = "before the answer",
    /// A worker has taken leased deliveries.
    TakenUp = "taken up",
    /// They are prepared.
    Prepared = "prepared",
    /// A request is composed.
    BeforeSend = "before sending",
    /// The platform has answered it.
    AfterSend = "after sending",
    /// The sink's gate knows the answer; the results are not handed in.
    Learned = "learned",
    /// A batch was refused whole, and the next of its parts is not sent.
    BetweenParts = "between parts",
    /// What was refused waits for a hold that does not stand yet.
    Parked = "parked",
    /// A hold or its end is decided.
    HoldDecided = "hold decided",
    /// Leases are given up unsent.
    HandingBack = "handing back",
    /// Results wait to be written.
    ResultsGathered = "results gathered",
    /// A receipt has been taken, and the platform not asked.
    ReceiptTaken = "receipt taken",
    /// The platform has given its later verdict.
    Judged = "judged",
    /// A webhook is proved genuine.
    WebhookRead = "webhook read",
    /// An appointment has been fetched.
    AppointmentFetched = "appointment fetched",
    /// Deliveries are about to be handed to the queue.
    BeforePublishing = "before publishing",
    /// The queue has them.
    Published = "published",
    /// A delivery that the queue called for has been worked off.
    CallWorkedOff = "call worked off",
}

impl Point {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let commits = WRITES.into_iter().flat_map(|write| [Self::Written(write), Self::Committed(write)]);
        commits.chain(Room::ALL.iter().copied().map(Self::At))
    }

    /// Its name.
    pub fn name(self) -> String {
        match self {
            Self::Written(write) => format!("{write}, written"),
            Self::Committed(write) => format!("{write}, committed"),
            Self::At(room) => room.name().to_owned(),
        }
    }
}

/// Ends the process here if this is the point that a test has named.
pub fn reach(point: Point) {
    if cfg!(debug_assertions)
        && let Some(armed) = armed()
        && armed.point == point
        && armed.passes_left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        std::process::abort();
    }
}

/// The same, of a point without a commit.
pub fn pass(room: Room) {
    reach(Point::At(room));
}

struct Armed {
    point: Point,
    passes_left: AtomicU32,
}

fn armed() -> Option<&'static Armed> {
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    ARMED.get_or_init(|| parse(&std::env::var(VARIABLE).ok()?)).as_ref()
}

fn parse(text: &str) -> Option<Armed> {
    let (name, passes) = match text.split_once(':') {
        Some((name, passes)) => (name, passes.parse().ok()?),
        None => (text, 1),
    };
    let point = Point::all().find(|point| point.name() == name)?;
    Some(Armed { point, passes_left: AtomicU32::new(passes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_found_by_its_name_alone() {
        let mut names: Vec<String> = Point::all().map(Point::name).collect();
        for point in Point::all() {
            assert_eq!(parse(&point.name()).map(|armed| armed.point), Some(point));
        }
        let third = parse("accept events, committed:3").unwrap();
        assert_eq!(third.point, Point::Committed("accept events"));
        assert_eq!(third.passes_left.into_inner(), 3);
        for unknown in ["", "nowhere", "before sending:x"] {
            assert!(parse(unknown).is_none(), "{unknown}");
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Point::all().count());
    }
}
