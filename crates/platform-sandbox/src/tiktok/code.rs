//! TikTok's codes, as its SDK names them.

pub(super) const OK: u32 = 0;
pub(super) const INVALID_PARAMS: u32 = 40000;
pub(super) const NO_PERMISSION: u32 = 40001;
pub(super) const PARAM_ERROR: u32 = 40002;
pub(super) const INVALID_BATCH_SIZE: u32 = 40061;
pub(super) const PII_NOT_HASHED: u32 = 40062;
pub(super) const TOO_FREQUENT: u32 = 40100;
pub(super) const TOKEN_EXPIRED: u32 = 40102;
pub(super) const TOKEN_EMPTY: u32 = 40104;
pub(super) const TOKEN_INVALID: u32 = 40105;
pub(super) const SYSTEM_ERROR: u32 = 50000;

/// What a code means, for answers that have nothing better to say.
pub(super) fn meaning(code: u32) -> &'static str {
    match code {
        20001 => "partial success",
        INVALID_PARAMS => "invalid params",
        NO_PERMISSION => "permission error",
        PARAM_ERROR => "param error",
        INVALID_BATCH_SIZE => "invalid batch size",
        PII_NOT_HASHED => "PII not hashed",
        40063 => "invalid partner name",
        TOO_FREQUENT | 40132 | 40133 => "too many requests: the app reached the QPS limit",
        TOKEN_EXPIRED => "access token has expired",
        TOKEN_INVALID => "access token is incorrect or has been revoked",
        SYSTEM_ERROR => "system error",
        50002 => "system timeout",
        60001 => "the system is under maintenance",
        61000 => "too many requests",
        _ => "the sandbox was told to answer with this code",
    }
}
