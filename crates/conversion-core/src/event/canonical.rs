//! The canonical names of events, which every platform has a mapping for. Any other name may be used, and is mapped by
//! the settings of each sink.

/// A trial lesson was booked.
pub const TRIAL_BOOKED: &str = "TRIAL_BOOKED";
/// A booked trial was moved to another time.
pub const TRIAL_RESCHEDULED: &str = "TRIAL_RESCHEDULED";
/// A booked trial was cancelled.
pub const TRIAL_CANCELED: &str = "TRIAL_CANCELED";
/// An appointment was booked or changed that is no trial.
pub const APPOINTMENT_UPDATED: &str = "APPOINTMENT_UPDATED";
/// Somebody left contact details or asked for an offer.
pub const LEAD: &str = "LEAD";
/// Somebody made an account.
pub const SIGN_UP: &str = "SIGN_UP";
/// An order was paid.
pub const PURCHASE: &str = "PURCHASE";
/// An appointment, a table, a room was booked.
pub const BOOKING: &str = "BOOKING";
/// A subscription began.
pub const SUBSCRIPTION: &str = "SUBSCRIPTION";
/// Somebody wrote or called.
pub const CONTACT: &str = "CONTACT";

/// Those of them that are a conversion of their own, and not a change of one: what a sink with one conversion action for
/// all takes.
pub const CONVERSIONS: [&str; 7] = [TRIAL_BOOKED, LEAD, SIGN_UP, PURCHASE, BOOKING, SUBSCRIPTION, CONTACT];
