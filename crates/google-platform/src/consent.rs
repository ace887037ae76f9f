//! The words of consent (`platforms/google-ads.md`, section 6).

use conversion_core::consent::ConsentStatus;

/// One API's words for a person's answer. Another API's word is a 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsentWords {
    granted: &'static str,
    denied: &'static str,
}

impl ConsentWords {
    /// The Google Ads API's.
    pub const GOOGLE_ADS: Self = Self { granted: "GRANTED", denied: "DENIED" };
    /// The Data Manager API's.
    pub const DATA_MANAGER: Self = Self { granted: "CONSENT_GRANTED", denied: "CONSENT_DENIED" };

    /// The word for `status`. An unknown answer has no word: the field is left out.
    pub fn of(self, status: ConsentStatus) -> &'static str {
        match status {
            ConsentStatus::Granted => self.granted,
            ConsentStatus::Denied => self.denied,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_api_has_its_own_words() {
        for (words, granted, denied) in [
            (ConsentWords::GOOGLE_ADS, "GRANTED", "DENIED"),
            (ConsentWords::DATA_MANAGER, "CONSENT_GRANTED", "CONSENT_DENIED"),
        ] {
            assert_eq!(
                (words.of(ConsentStatus::Granted), words.of(ConsentStatus::Denied)),
                (granted, denied)
            );
        }
    }
}
