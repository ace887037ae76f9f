//! Google's shapes: rows as they are sent, answers as they are read. Unknown fields of answers are passed over.

mod answer;
mod row;
mod service;

pub(crate) use answer::{ErrorReply, GoogleAdsError, ROWS, UploadReply};
pub(crate) use row::{ClickConversion, ConsentFlag, DateTime, RETRACTION, Retraction, UserIdentifier};
pub(crate) use service::Service;

/// Behind the rows of an upload that counts (section 3.2). `partialFailure` is always true: Google refuses uploads
/// without it.
pub(crate) const AFTER_ROWS: &str = r#"],"partialFailure":true,"validateOnly":false}"#;
/// Behind the rows of an upload that is only checked.
pub(crate) const AFTER_CHECKED_ROWS: &str = r#"],"partialFailure":true,"validateOnly":true}"#;
