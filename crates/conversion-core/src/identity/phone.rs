//! Phone numbers to E.164.
//!
//! The order: what is written internationally is taken as written; what is national gets the default country's
//! calling code, through a libphonenumber-class parser where that country's trunk prefixes need one. A number is
//! given up only when it has not 8 to 15 digits, never because a library's plan of numbers does not know it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A country's calling code, such as 1 or 49.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Given")]
pub struct CallingCode(u16);

/// Settings files write it as a number or as text, with or without `+`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Number(i64),
    Text(String),
}

impl TryFrom<Given> for CallingCode {
    type Error = String;

    fn try_from(given: Given) -> Result<Self, String> {
        let text = match given {
            Given::Number(number) => number.to_string(),
            Given::Text(text) => text.trim().trim_start_matches('+').to_owned(),
        };
        match text.parse() {
            Ok(code @ 1..=999) => Ok(Self(code)),
            _ => Err("a country's calling code has 1 to 3 digits, such as 1 or 49".to_owned()),
        }
    }
}

impl Default for CallingCode {
    fn default() -> Self {
        Self::NANP
    }
}

impl fmt::Display for CallingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How the digits are written before hashing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneForm {
    /// `+14155551234`
    Plus,
    /// `14155551234`
    Digits,
}

impl CallingCode {
    /// The North American numbering plan.
    pub const NANP: Self = Self(1);

    /// The number in E.164, written as `form` says; nothing if it has not 8 to 15 digits.
    pub fn e164(self, raw: &str, form: PhoneForm) -> Option<String> {
        let digits = self.international_digits(raw)?;
        if !(8..=15).contains(&digits.len()) {
            return None;
        }
        Some(match form {
            PhoneForm::Plus => format!("+{digits}"),
            PhoneForm::Digits => digits,
        })
    }

    fn international_digits(self, raw: &str) -> Option<String> {
        let raw = raw.trim().trim_start_matches("tel:");
        let is_international = raw.trim_start_matches(['(', ' ']).starts_with(['+', '＋']);
        if is_international {
            // +44 (0)20 …: the trunk zero in brackets is for callers at home.
            return Some(dialled_digits(&raw.replace("(0)", "")));
        }
        let digits = dialled_digits(raw);
        if let Some(international) = digits.strip_prefix("00") {
            return Some(international.to_owned());
        }
        (!digits.is_empty()).then(|| self.with_country_code(digits))
    }

    fn with_country_code(self, digits: String) -> String {
        let code = self.to_string();
        if self == Self::NANP {
            return if digits.len() == 10 { code + &digits } else { digits };
        }
        if digits.starts_with(&code) {
            if digits.len() >= 11 {
                return digits;
            }
            // The library would take these digits for the calling code, whatever number they begin.
            let whole = code.clone() + &digits;
            if phonenumber::parse(None, format!("+{whole}")).is_ok_and(|number| number.is_valid()) {
                return whole;
            }
        }
        self.parse_national(&digits).unwrap_or_else(|| code + digits.strip_prefix('0').unwrap_or(&digits))
    }

    /// Asks the library, which knows each country's trunk prefix (and that Italy keeps its zero).
    fn parse_national(self, digits: &str) -> Option<String> {
        let region = phonenumber::metadata::DATABASE.by_code(&self.0)?.first()?.id().parse().ok()?;
        let number = phonenumber::parse(Some(region), digits).ok()?;
        let e164 = number.format().mode(phonenumber::Mode::E164).to_string();
        e164.strip_prefix(&format!("+{self}")).map(|national| format!("{self}{national}"))
    }
}

/// The digits that are dialled: all of them up to an extension.
fn dialled_digits(text: &str) -> String {
    let mut digits = String::with_capacity(16);
    for c in text.chars() {
        match c {
            '0'..='9' => digits.push(c),
            ';' | ',' | '#' => break,
            _ if c.is_alphabetic() && !digits.is_empty() => break,
            _ => {}
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_become_e164() {
        for (code, raw, expected) in [
            // National numbers that begin as their country's calling code does.
            (47, "47 12 34 56", Some("+4747123456")),
            (47, "47 47 12 34 56", Some("+4747123456")),
            (45, "45 12 34 56", Some("+4545123456")),
            (45, "45 45 12 34 56", Some("+4545123456")),
            (39, "392 123 4567", Some("+393921234567")),
            (49, "4921 12345", Some("+49492112345")),
            (1, "(415) 555-1234", Some("+14155551234")),
            (1, "4155551234", Some("+14155551234")),
            (1, "1 415 555 1234", Some("+14155551234")),
            (1, "(+1)2133734253", Some("+12133734253")),
            (1, "+1 (800) 555-0100", Some("+18005550100")),
            (1, "+49 30 1234-5678", Some("+493012345678")),
            (1, "0049 30 12345678", Some("+493012345678")),
            (1, "+44 (0)20 7946 0018", Some("+442079460018")),
            (1, "415-555-1234 ext. 12", Some("+14155551234")),
            (1, "+1 415-555-1234;12", Some("+14155551234")),
            (1, "415-555-1234, 12", Some("+14155551234")),
            (1, "415-555-1234 #12", Some("+14155551234")),
            (1, "447911123456", Some("+447911123456")),
            (49, "030 12345678", Some("+493012345678")),
            (49, "0151/23456789", Some("+4915123456789")),
            (49, "4915123456789", Some("+4915123456789")),
            (39, "06 1234 5678", Some("+390612345678")),
            (7, "8 (495) 123-45-67", Some("+74951234567")),
            (33, "06 12 34 56 78", Some("+33612345678")),
            (44, "07911 123456", Some("+447911123456")),
            (1, "12345", None),
            (1, "1234567890123456", None),
            (1, "", None),
            (1, "no phone", None),
        ] {
            assert_eq!(CallingCode(code).e164(raw, PhoneForm::Plus).as_deref(), expected, "+{code} {raw}");
        }
    }

    #[test]
    fn a_calling_code_is_read_as_number_or_text() {
        for (json, code) in [("49", 49), (r#""49""#, 49), (r#"" +1 ""#, 1), ("999", 999)] {
            assert_eq!(serde_json::from_str::<CallingCode>(json).unwrap(), CallingCode(code), "{json}");
        }
        for json in ["0", "1000", "-49", r#""""#, r#""DE""#] {
            let error = serde_json::from_str::<CallingCode>(json).unwrap_err().to_string();
            assert!(error.starts_with("a country's calling code has 1 to 3 digits"), "{error}");
        }
    }

    #[test]
    fn an_unassigned_number_is_kept() {
        // 555 numbers are invalid in every plan, and are what test bookings hold.
        assert_eq!(CallingCode(49).e164("0000 555", PhoneForm::Plus), None);
        assert_eq!(CallingCode(49).e164("0555 000000", PhoneForm::Digits).as_deref(), Some("49555000000"));
    }

    proptest! {
        #[test]
        fn is_bounded_and_idempotent(code in 1u16..=999, raw in "\\PC{0,40}") {
            if let Some(number) = CallingCode(code).e164(&raw, PhoneForm::Plus) {
                prop_assert!((9..=16).contains(&number.len()), "{number}");
                prop_assert_eq!(CallingCode(code).e164(&number, PhoneForm::Plus), Some(number));
            }
        }
    }
}
