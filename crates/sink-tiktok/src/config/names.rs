//! TikTok's event names. They are case-sensitive, and what is not among them counts as a custom event.

use std::collections::BTreeMap;

use conversion_core::settings::{SettingsError, nearest};

use super::EventSource;

/// The spec's mapping.
const DEFAULTS: [(&str, &str); 3] = [
    ("TRIAL_BOOKED", "SubmitForm"),
    ("TRIAL_RESCHEDULED", "SubmitForm"),
    ("APPOINTMENT_UPDATED", "Schedule"),
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

/// `events` merged over the spec's mapping; an empty value unmaps.
pub(super) fn over_defaults(events: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let defaults = DEFAULTS.map(|(canonical, name)| (canonical.to_owned(), name.to_owned()));
    let mut merged = BTreeMap::from(defaults);
    merged.extend(events.into_iter().map(|(canonical, name)| (canonical, name.trim().to_owned())));
    merged.retain(|_, name| !name.is_empty());
    merged
}

/// A name that differs from a standard one by case alone would count as a custom event, which nobody means.
pub(super) fn validate(canonical: &str, name: &str, source: EventSource) -> Result<(), SettingsError> {
    let name = name.trim();
    match standard(source).find(|standard| standard.eq_ignore_ascii_case(name)) {
        Some(standard) if standard != name => {
            let message =
                format!("`events.{canonical}`: TikTok's names are case-sensitive; write `{standard}`");
            Err(SettingsError::new(message))
        }
        _ => Ok(()),
    }
}

/// What a human should know about a name that is not a standard one.
pub(super) fn advice(canonical: &str, name: &str, source: EventSource) -> Option<String> {
    if standard(source).any(|standard| standard == name) {
        return None;
    }
    let advice = match RESERVED.iter().find(|(reserved, _)| *reserved == name) {
        Some((_, counted_as)) => {
            format!("is a reserved name, which TikTok counts as {counted_as}; map to that")
        }
        None if source == EventSource::Offline => {
            "is a custom event; offline takes standard events alone".to_owned()
        }
        None => match nearest(name, standard(source)) {
            Some(near) => {
                format!("is a custom event, which TikTok cannot optimise for; did you mean {near}?")
            }
            None => "is a custom event, which TikTok cannot optimise for".to_owned(),
        },
    };
    Some(format!("events.{canonical}: {name} {advice}"))
}

/// The names that TikTok optimises for.
fn standard(source: EventSource) -> impl Iterator<Item = &'static str> {
    let app_only: &[&str] = if source == EventSource::App { &APP_ONLY } else { &[] };
    STANDARD.iter().chain(app_only).copied()
}
