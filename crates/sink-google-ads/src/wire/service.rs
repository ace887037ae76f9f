//! Google's two services that take rows: one request goes to one of them.

/// A service, which has an address and a list of rows of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Click conversions (section 3).
    Conversions,
    /// Adjustments of conversions (section 4).
    Adjustments,
}

impl Service {
    /// The group of its payloads.
    pub(crate) const fn group(self) -> &'static str {
        match self {
            Self::Conversions => "upload",
            Self::Adjustments => "adjust",
        }
    }

    /// The service whose payloads have this group.
    pub(crate) fn of_group(group: &str) -> Self {
        if group == Self::Adjustments.group() { Self::Adjustments } else { Self::Conversions }
    }

    /// The end of its address.
    pub(crate) const fn method(self) -> &'static str {
        match self {
            Self::Conversions => "uploadClickConversions",
            Self::Adjustments => "uploadConversionAdjustments",
        }
    }

    /// What stands before its rows.
    pub(crate) const fn before_rows(self) -> &'static str {
        match self {
            Self::Conversions => r#"{"conversions":["#,
            Self::Adjustments => r#"{"conversionAdjustments":["#,
        }
    }
}
