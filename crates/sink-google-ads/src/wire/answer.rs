//! Answers (section 3.6), as far as they decide anything.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

/// HTTP 200.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UploadReply<'a> {
    pub(crate) partial_failure_error: Option<Status>,
    #[serde(borrow)]
    results: Option<Vec<&'a RawValue>>,
}

impl UploadReply<'_> {
    /// Whether each row has a result. Results of another number than the rows say nothing about any of them.
    pub(crate) fn has_result(&self, rows: usize) -> Vec<bool> {
        match &self.results {
            Some(results) if results.len() == rows => {
                results.iter().map(|result| has_members(result)).collect()
            }
            _ => vec![false; rows],
        }
    }
}

/// Whether a value is an object other than `{}`.
fn has_members(value: &RawValue) -> bool {
    value.get().starts_with('{') && value.get().contains('"')
}

/// HTTP 400 and above.
#[derive(Deserialize)]
pub(crate) struct ErrorReply {
    pub(crate) error: Status,
}

/// `google.rpc.Status`, with the name that HTTP answers add.
#[derive(Deserialize)]
pub(crate) struct Status {
    /// A code of `google.rpc`, or the HTTP status.
    #[serde(default)]
    pub(crate) code: i64,
    /// Such as `INVALID_ARGUMENT`.
    pub(crate) status: Option<String>,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    details: Vec<GoogleAdsFailure>,
}

impl Status {
    /// The errors of all details that are a `GoogleAdsFailure`, of whichever version.
    pub(crate) fn errors(&self) -> impl Iterator<Item = &GoogleAdsError> {
        self.details.iter().filter(|detail| detail.is_google_ads_failure()).flat_map(|detail| &detail.errors)
    }
}

/// One detail; others than `GoogleAdsFailure` have no errors.
#[derive(Deserialize)]
struct GoogleAdsFailure {
    #[serde(rename = "@type", default)]
    kind: String,
    #[serde(default)]
    errors: Vec<GoogleAdsError>,
}

impl GoogleAdsFailure {
    fn is_google_ads_failure(&self) -> bool {
        self.kind.ends_with(".errors.GoogleAdsFailure")
    }
}

/// One error.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GoogleAdsError {
    /// One member: family → code.
    #[serde(default)]
    error_code: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) message: String,
    location: Option<Location>,
    details: Option<ErrorDetails>,
}

impl GoogleAdsError {
    /// Family and code.
    pub(crate) fn code(&self) -> (&str, &str) {
        self.error_code
            .first_key_value()
            .map_or(("error", "UNKNOWN"), |(family, code)| (family.as_str(), code.as_str()))
    }

    /// The row it names: the index of the first path element that is the list of rows.
    pub(crate) fn row(&self) -> Option<usize> {
        let path = &self.location.as_ref()?.field_path_elements;
        let rows = path.iter().find(|element| element.is_rows())?;
        usize::try_from(rows.index?).ok()
    }

    /// The path below the row, such as `user_identifiers[1].hashed_email`.
    pub(crate) fn field(&self) -> Option<String> {
        let path = &self.location.as_ref()?.field_path_elements;
        let names: Vec<String> =
            path.iter().skip_while(|element| element.is_rows()).map(PathElement::text).collect();
        (!names.is_empty()).then(|| names.join("."))
    }

    /// The wait that Google asks for with a quota error.
    pub(crate) fn retry_delay(&self) -> Option<Duration> {
        let delay = self.details.as_ref()?.quota_error_details.as_ref()?.retry_delay.as_deref()?;
        let seconds = delay.strip_suffix('s')?.parse().ok()?;
        Some(Duration::try_from_secs_f64(seconds).ok()?.min(LONGEST_DELAY))
    }
}

/// Names of the list of rows in paths and texts (section 3.6, rule 2).
pub(crate) const ROWS: [&str; 3] = ["conversions", "conversion_adjustments", "conversionAdjustments"];
/// No platform is believed that asks for more.
const LONGEST_DELAY: Duration = Duration::from_secs(24 * 3600);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(default)]
    field_path_elements: Vec<PathElement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PathElement {
    #[serde(default)]
    field_name: String,
    index: Option<i64>,
}

impl PathElement {
    fn is_rows(&self) -> bool {
        ROWS.contains(&self.field_name.as_str())
    }

    fn text(&self) -> String {
        self.index.map_or_else(|| self.field_name.clone(), |index| format!("{}[{index}]", self.field_name))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorDetails {
    quota_error_details: Option<QuotaErrorDetails>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QuotaErrorDetails {
    retry_delay: Option<String>,
}
