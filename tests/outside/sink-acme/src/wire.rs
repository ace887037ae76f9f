//! The request as the platform reads it. Absent fields are left out.

use conversion_core::identity::Digest;
use serde::Serialize;

/// The body before the first item.
pub(crate) const HEAD: &str = r#"{"events":["#;
/// The body after the last item.
pub(crate) fn tail(test_code: Option<&str>) -> String {
    // Escaped as JSON: a text always can be.
    let test_code = test_code.and_then(|code| serde_json::to_string(code).ok());
    test_code.map_or("]}".to_owned(), |code| format!(r#"],"test_code":{code}}}"#))
}

/// One item.
#[derive(Serialize)]
pub(crate) struct Event<'a> {
    pub(crate) event_name: &'a str,
    pub(crate) event_time: i64,
    pub(crate) event_id: &'a str,
    pub(crate) user: User,
}

/// Whom the event is about.
#[derive(Default, PartialEq, Serialize)]
pub(crate) struct User {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<Digest>,
}

impl User {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
