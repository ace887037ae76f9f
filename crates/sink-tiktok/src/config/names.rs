//! TikTok's event names. They are case-sensitive, and what is not among them counts as a custom event.

use std::collections::BTreeMap;

use conversion_core::event::canonical;
use conversion_core::mapping;
use conversion_core::settings::SettingsError;

use super::EventSource;
use crate::DESCRIPTOR;

/// The spec's mapping, and what TikTok calls the other canonical events.
const DEFAULTS: [(&str, &str); 9] = [
    (canonical::TRIAL_BOOKED, "SubmitForm"),
    (canonical::TRIAL_RESCHEDULED, "SubmitForm"),
    (canonical::APPOINTMENT_UPDATED, "Schedule"),
    (canonical::LEAD, "Lead"),
    (canonical::SIGN_UP, "CompleteRegistration"),
    (canonical::PURCHASE, "Purchase"),
    (canonical::BOOKING, "Schedule"),
    (canonical::SUBSCRIPTION, "Subscribe"),
    (canonical::CONTACT, "Contact"),
];

/// TikTok Help Centre, "supported-standard-events"; `Lead` by "how-to-adopt-tiktoks-updated-standard-events". Then
/// the older names that TikTok still takes and converts.
const STANDARD: [&str; 22] = [
    "AddPaymentInfo",
    "AddToCart",
    "AddToWishlist",
    "ApplicationApproval",
    "CompleteRegistration",
    "Contact",
    "CustomizeProduct",
    "Download",
    "FindLocation",
    "InitiateCheckout",
    "Lead",
    "Purchase",
    "Schedule",
    "Search",
    "StartTrial",
    "SubmitApplication",
    "Subscribe",
    "ViewContent",
    "CompletePayment",
    "SubmitForm",
    "ClickButton",
    "PlaceAnOrder",
];

/// bububa/tiktok-business, `enum/event_type.go`.
const APP_ONLY: [&str; 19] = [
    "AchieveLevel",
    "Checkout",
    "CompleteTutorial",
    "CreateGroup",
    "CreateRole",
    "GenerateLead",
    "InAppADClick",
    "InAppADImpr",
    "InstallApp",
    "JoinGroup",
    "LaunchAPP",
    "LoanApplication",
    "LoanApproval",
    "LoanDisbursal",
    "Login",
    "Rate",
    "Registration",
    "SpendCredits",
    "UnlockAchievement",
];

/// Names that TikTok counts as another (TikTok Help Centre, "reserved-events").
const RESERVED: [(&str, &str); 14] = [
    ("AddBilling", "AddPaymentInfo"),
    ("Browse", "PageView"),
    ("Checkout", "PlaceAnOrder"),
    ("ClickForm", "Lead"),
    ("ClickInDownloadPage", "ClickButton"),
    ("ClickToDownload", "Download"),
    ("Consult", "Contact"),
    ("ConsultByPhone", "Contact"),
    ("CompletePayment", "Purchase"),
    ("Registration", "CompleteRegistration"),
    ("StartCheckout", "InitiateCheckout"),
    ("ViewConsultationPage", "ViewContent"),
    ("ViewDownloadPage", "ViewContent"),
    ("ViewForm", "ViewContent"),
];

/// `events` merged over the defaults.
pub(super) fn over_defaults(events: BTreeMap<String, String>) -> BTreeMap<String, String> {
    mapping::over_defaults(&DEFAULTS, events)
}

/// A name that differs from a standard one by case alone is none.
pub(super) fn validate(canonical: &str, name: &str, source: EventSource) -> Result<(), SettingsError> {
    mapping::refuse_wrong_case(DESCRIPTOR.title, canonical, name, &standard(source))
}

/// What a human should know about a name that is not a standard one.
pub(super) fn advice(canonical: &str, name: &str, source: EventSource) -> Option<String> {
    let custom = mapping::custom_advice(DESCRIPTOR.title, canonical, name, &standard(source))?;
    let special = match RESERVED.iter().find(|(reserved, _)| *reserved == name) {
        Some((_, counted_as)) => {
            format!("is a reserved name, which TikTok counts as {counted_as}; map to that")
        }
        None if source == EventSource::Offline => {
            "is a custom event; offline takes standard events alone".to_owned()
        }
        None => return Some(custom),
    };
    Some(format!("events.{canonical}: {name} {special}"))
}

/// The names that TikTok optimises for.
fn standard(source: EventSource) -> Vec<&'static str> {
    let app_only: &[&str] = if source == EventSource::App { &APP_ONLY } else { &[] };
    [&STANDARD, app_only].concat()
}
