//! Meta's event names. They are case-sensitive, and what is not among them counts as a custom event.

use conversion_core::event::canonical;

/// platforms/meta.md, section 5; those beyond the booking events by the meaning that Meta gives each.
pub(super) const DEFAULTS: [(&str, &str); 8] = [
    (canonical::TRIAL_BOOKED, "Schedule"),
    (canonical::APPOINTMENT_UPDATED, "Schedule"),
    (canonical::LEAD, "Lead"),
    (canonical::SIGN_UP, "CompleteRegistration"),
    (canonical::PURCHASE, super::PURCHASE),
    (canonical::BOOKING, "Schedule"),
    (canonical::SUBSCRIPTION, "Subscribe"),
    (canonical::CONTACT, "Contact"),
];

/// Meta, "Standard events" (platforms/meta.md, section 5).
pub(super) const STANDARD: &[&str] = &[
    "AddPaymentInfo",
    "AddToCart",
    "AddToWishlist",
    "CompleteRegistration",
    "Contact",
    "CustomizeProduct",
    "Donate",
    "FindLocation",
    "InitiateCheckout",
    "Lead",
    "PageView",
    "Purchase",
    "Schedule",
    "Search",
    "StartTrial",
    "SubmitApplication",
    "Subscribe",
    "ViewContent",
];
