//! The canonical names of events, which every platform has a mapping for. Any other name may be used, and is mapped by
//! the settings of each sink.

macro_rules! names {
    ($($name:ident: $meaning:literal,)+) => {
        $(#[doc = $meaning] pub const $name: &str = stringify!($name);)+

        /// All of them, each with what has happened.
        pub const NAMES: &[(&str, &str)] = &[$(($name, $meaning)),+];
    };
}

names! {
    TRIAL_BOOKED: "A trial lesson was booked.",
    TRIAL_RESCHEDULED: "A booked trial was moved to another time.",
    TRIAL_CANCELED: "A booked trial was cancelled.",
    APPOINTMENT_UPDATED: "An appointment was booked or changed that is no trial.",
    LEAD: "Somebody left contact details or asked for an offer.",
    SIGN_UP: "Somebody made an account.",
    PURCHASE: "An order was paid.",
    BOOKING: "An appointment, a table or a room was booked.",
    SUBSCRIPTION: "A subscription began.",
    CONTACT: "Somebody wrote or called.",
}

/// Those of them that are a conversion of their own, and not a change of one: what a sink with one conversion action for
/// all takes.
pub const CONVERSIONS: [&str; 7] = [TRIAL_BOOKED, LEAD, SIGN_UP, PURCHASE, BOOKING, SUBSCRIPTION, CONTACT];
