//! What the two uploads have in common, and what each calls its own.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::{ApiError, Code};
use super::path::Target;
use crate::exchange::Desk;
use crate::settings::Settings;
use crate::tally::Tally;

/// One of the two uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Conversions,
    Adjustments,
}

impl Service {
    pub(super) const ALL: [Self; 2] = [Self::Conversions, Self::Adjustments];

    /// The end of its path.
    pub(super) fn operation(self) -> &'static str {
        match self {
            Self::Conversions => ":uploadClickConversions",
            Self::Adjustments => ":uploadConversionAdjustments",
        }
    }

    /// The field of its rows, as error locations name it.
    pub(super) fn rows(self) -> &'static str {
        match self {
            Self::Conversions => "conversions",
            Self::Adjustments => "conversion_adjustments",
        }
    }

    /// The family of its own errors.
    pub(super) fn family(self) -> &'static str {
        match self {
            Self::Conversions => "conversionUploadError",
            Self::Adjustments => "conversionAdjustmentUploadError",
        }
    }

    /// One of its own errors.
    pub(super) fn code(self, name: &'static str) -> Code {
        Code(self.family(), name)
    }

    pub(super) fn too_many_rows(self) -> Code {
        self.code(match self {
            Self::Conversions => "TOO_MANY_CONVERSIONS_IN_REQUEST",
            Self::Adjustments => "TOO_MANY_ADJUSTMENTS_IN_REQUEST",
        })
    }

    pub(super) fn partial_failure_required(self) -> Code {
        let name = "PARTIAL_FAILURE_MODE_REQUIRED";
        match self {
            Self::Conversions => self.code(name),
            // The family of adjustments does not have it.
            Self::Adjustments => Code("partialFailureError", name),
        }
    }
}

/// A request of either service.
#[derive(Debug)]
pub(super) struct Upload<R> {
    pub(super) rows: Vec<R>,
    pub(super) partial_failure: bool,
    pub(super) validate_only: bool,
    pub(super) job_id: Option<i64>,
}

/// A row of one of the services.
pub(super) trait Row: Sized {
    /// The request's body.
    type Body: DeserializeOwned + Into<Upload<Self>>;
    const SERVICE: Service;

    fn order_id(&self) -> Option<&str>;

    /// Everything that is wrong with the row, whatever was accepted before.
    fn check(&self, settings: &Settings) -> Vec<ApiError>;

    /// Gives every row of a set of duplicates an error, the first one too: none of them is processed.
    fn mark_duplicates(rows: &[Self], errors: &mut [Vec<ApiError>]);

    /// Takes a row that passed every check, or says what speaks against it.
    fn settle(&self, tally: &mut Tally, desk: &Desk<'_>, target: &Target<'_>) -> Option<ApiError>;

    /// What the answer says about the row when it was accepted.
    fn result(&self) -> Value;
}
