//! TikTok's codes. Names: TikTok SDK, `business_api_client/tiktok_business/tiktok_code.py`; what follows from each is
//! our reading (platforms/tiktok.md, section 9.2).

use std::ops::RangeInclusive;

use Meaning::{Down, Refused, Setting, TooFast, TooLarge, Unclear};

/// What a code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// This event, or one of these, is refused for good.
    Refused,
    /// The request is too big.
    TooLarge,
    /// Too many requests.
    TooFast,
    /// Token, permission, account or another thing that all events share.
    Setting,
    /// TikTok cannot work now.
    Down,
    /// Taken or not, or in part: the code does not tell.
    Unclear,
}

pub(crate) const INVALID_PARAMS: i64 = 40000;
pub(crate) const PARAM_ERROR: i64 = 40002;
pub(crate) const INVALID_BATCH_SIZE: i64 = 40061;
pub(crate) const TOO_FREQUENT: i64 = 40100;

/// The first row that holds a code applies.
const TABLE: &[(RangeInclusive<i64>, Meaning)] = &[
    (20000..=29999, Unclear),  // 20001: partial OK
    (40000..=40000, Refused),  // invalid params
    (40001..=40001, Setting),  // permission error
    (40002..=40002, Refused),  // param error
    (40003..=40003, Setting),  // forbidden
    (40006..=40008, Setting),  // version error, object does not exist, not implemented
    (40010..=40010, Setting),  // unsupported domain
    (40050..=40050, Refused),  // duplicated request
    (40051..=40051, Setting),  // invalid API version
    (40061..=40061, TooLarge), // invalid batch size
    (40062..=40062, Refused),  // PII not hashed
    (40063..=40063, Setting),  // invalid partner name
    (40100..=40100, TooFast),  // request too frequent
    (40101..=40119, Setting),  // partner, token, grant, app, signature, allow-list, scope
    (40124..=40131, Setting),  // the same
    (40132..=40133, TooFast),  // request frequency limited; 40133 by one implementer
    (40200..=40202, Down),     // task error, task not ready, write conflict
    (40300..=40309, Setting),  // advertiser missing, role, login
    (40400..=40400, Setting),  // route not found
    (40700..=40700, Refused),  // RPC validation error
    (40900..=40900, Setting),  // signature error
    (41000..=41002, Setting),  // blocked, interface offline, fields offline
    (40000..=49999, Refused),  // others of the caller's making
    (50000..=59999, Down),     // system, internal services, storage, (de)serialisation
    (61000..=61000, TooFast),  // too many requests
    (60000..=69999, Down),     // 60001: maintenance
    (70001..=70001, Setting),  // invalid business auth type
    (70000..=79999, Refused),  // others of the caller's making
];

/// What a code says where its message says nothing else.
pub(crate) fn meaning(code: i64) -> Meaning {
    TABLE.iter().find(|(codes, _)| codes.contains(&code)).map_or(Unclear, |(_, meaning)| *meaning)
}
