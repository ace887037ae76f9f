//! Amounts and currencies. Money is decimal from the wire to the wire.

use std::fmt;
use std::str::FromStr as _;

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A non-negative amount of money, written as the JSON number it came as.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(Decimal);

impl Amount {
    /// Reads a JSON number or a plain decimal.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let decimal = Decimal::from_str(text)
            .or_else(|_| Decimal::from_scientific(text))
            .map_err(|_| AmountError::NotDecimal)?;
        if decimal.is_sign_negative() && !decimal.is_zero() {
            return Err(AmountError::Negative);
        }
        if decimal.scale() > MAX_FRACTION_DIGITS || decimal >= Decimal::from(MAX_AMOUNT) {
            return Err(AmountError::OutOfRange);
        }
        Ok(Self(decimal.abs()))
    }
}

const MAX_FRACTION_DIGITS: u32 = 9;
const MAX_AMOUNT: u64 = 1_000_000_000_000;

/// Why a text is no [`Amount`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a decimal number.
    #[error("must be a decimal number")]
    NotDecimal,
    /// Below zero.
    #[error("must not be negative")]
    Negative,
    /// Too large, or with too many digits after the point.
    #[error("must be below 10^12, with at most 9 digits after the point")]
    OutOfRange,
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Through RawValue, so that 50.00 stays 50.00 and no float is ever made of it.
        RawValue::from_string(self.0.to_string()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

/// An ISO 4217 currency code, upper case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Reads a three-letter code in any case; nothing if ISO 4217 does not list it.
    pub fn parse(code: &str) -> Option<Self> {
        iso_currency::Currency::from_code(&code.to_ascii_uppercase()).map(Self)
    }

    /// The code, upper case.
    pub fn code(self) -> &'static str {
        self.0.code()
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_their_digits() {
        for (text, json) in [
            ("50.00", "50.00"),
            ("0", "0"),
            ("-0", "0"),
            ("1e2", "100"),
            ("0.1", "0.1"),
            ("999999999999.123456789", "999999999999.123456789"),
        ] {
            let amount = Amount::parse(text).unwrap();
            assert_eq!(serde_json::to_string(&amount).unwrap(), json, "{text}");
            assert_eq!(format!("{amount} {amount:?}"), format!("{json} {json}"));
        }
    }

    #[test]
    fn amounts_out_of_bounds_are_refused() {
        for (text, error) in [
            ("-1", AmountError::Negative),
            ("1,50", AmountError::NotDecimal),
            ("NaN", AmountError::NotDecimal),
            ("1e400", AmountError::NotDecimal),
            ("1e12", AmountError::OutOfRange),
            ("0.0000000001", AmountError::OutOfRange),
        ] {
            assert_eq!(Amount::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn currencies_are_those_of_iso_4217() {
        assert_eq!(Currency::parse("usd").map(Currency::code), Some("USD"));
        assert_eq!(Currency::parse("USDT"), None);
        assert_eq!(Currency::parse("ZZZ"), None);
    }
}
