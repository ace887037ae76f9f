//! Meta's codes (platforms/meta.md, section 7): "Handling errors" of the Graph API; subcodes as one implementer lists
//! them.

use std::ops::RangeInclusive;

use Meaning::{Down, Refused, Setting, TooFast, Unclear};

/// What a code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// This event, or one of these, is refused for good.
    Refused,
    /// Too many requests.
    TooFast,
    /// Token, permission, dataset or another thing that all events share.
    Setting,
    /// Meta cannot work now.
    Down,
    /// The code is not listed.
    Unclear,
}

/// Invalid parameter, as a failure's code begins.
pub(crate) const INVALID_PARAMETER: &str = "100";

/// Under code 100: the dataset does not exist, or the token has no permission for it.
const NO_SUCH_OBJECT: i64 = 33;

/// The first row that holds a code applies.
const TABLE: &[(RangeInclusive<i64>, Meaning)] = &[
    (1..=2, Down),            // unknown, service temporarily down
    (3..=3, Setting),         // capability
    (4..=4, TooFast),         // app
    (10..=10, Setting),       // permission
    (17..=17, TooFast),       // user
    (32..=32, TooFast),       // page
    (100..=100, Refused),     // invalid parameter
    (190..=190, Setting),     // token
    (200..=299, Setting),     // permissions
    (341..=341, TooFast),     // application
    (368..=368, Setting),     // temporarily blocked for policy: retried late, with a human told
    (613..=613, TooFast),     // custom
    (80000..=80014, TooFast), // business use case
];

/// What a code says with its subcode.
pub(crate) fn meaning(code: i64, subcode: Option<i64>) -> Meaning {
    if (code, subcode) == (100, Some(NO_SUCH_OBJECT)) {
        return Setting;
    }
    TABLE.iter().find(|(codes, _)| codes.contains(&code)).map_or(Unclear, |(_, meaning)| *meaning)
}
