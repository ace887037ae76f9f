//! Requests as they are sent and exchanges as they are recorded.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use crate::secret::{REDACTED, Secret};

/// Longest answer that is recorded; what is longer is cut and marked.
pub const MAX_RECORDED_RESPONSE: usize = 64 * 1024;

/// One POST request, ready to be sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// Full address. Holds no credential.
    pub url: String,
    /// Headers, in order.
    pub headers: Vec<Header>,
    /// JSON body.
    pub body: Body,
}

/// One header of a request.
#[derive(Clone, Debug)]
pub struct Header {
    /// Lower-case name.
    pub name: &'static str,
    /// Its value.
    pub value: HeaderValue,
}

/// Where a header's value comes from.
#[derive(Clone, Debug)]
pub enum HeaderValue {
    /// Recorded as it is.
    Plain(Cow<'static, str>),
    /// Sent, but recorded as redacted.
    Secret(Secret),
    /// `Bearer` and an access token that is fetched when the request is sent; recorded as redacted.
    AccessToken,
}

impl Header {
    /// `content-type: application/json`.
    pub fn json() -> Self {
        Self::plain("content-type", "application/json")
    }

    /// A header without secrets.
    pub fn plain(name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        Self { name, value: HeaderValue::Plain(value.into()) }
    }

    /// The value as recorded.
    pub fn recorded_value(&self) -> &str {
        match &self.value {
            HeaderValue::Plain(value) => value,
            HeaderValue::Secret(_) | HeaderValue::AccessToken => REDACTED,
        }
    }
}

/// A JSON body that knows where each item of the batch stands in it. It is recorded as [`Self::json`] and sent as
/// [`Self::sent`]: they differ by credentials alone.
#[derive(Clone)]
pub struct Body {
    json: String,
    items: Vec<Range<usize>>,
    /// Where [`REDACTED`] stands in quotes for a credential, in order.
    secrets: Vec<(Range<usize>, Secret)>,
}

impl Body {
    /// `prefix`, the items joined by commas, `suffix`: one JSON text.
    pub fn compose<'a>(prefix: &str, items: impl IntoIterator<Item = &'a RawValue>, suffix: &str) -> Self {
        let mut json = String::with_capacity(4096);
        let mut ranges = Vec::new();
        json.push_str(prefix);
        for item in items {
            if !ranges.is_empty() {
                json.push(',');
            }
            let start = json.len();
            json.push_str(item.get());
            ranges.push(start..json.len());
        }
        json.push_str(suffix);
        Self { json, items: ranges, secrets: Vec::new() }
    }

    /// The same JSON object with one more member at its end, which is a credential.
    #[must_use]
    pub fn with_secret(mut self, name: &str, secret: Secret) -> Self {
        self.json.pop();
        self.json.push_str(&format!(",\"{name}\":"));
        let start = self.json.len();
        self.json.push_str(&format!("\"{REDACTED}\"}}"));
        self.secrets.push((start..self.json.len() - 1, secret));
        self
    }

    /// A recorded body with its item ranges.
    pub fn from_recorded(json: String, items: Vec<Range<usize>>) -> Self {
        Self { json, items, secrets: Vec::new() }
    }

    /// The whole body as it is recorded: credentials are redacted.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The whole body as it is sent.
    pub fn sent(&self) -> String {
        let mut sent = String::with_capacity(self.json.len() + 512 * self.secrets.len());
        let mut rest = 0;
        for (range, secret) in &self.secrets {
            sent.push_str(self.json.get(rest..range.start).unwrap_or_default());
            sent.push_str(&serde_json::Value::from(secret.expose()).to_string());
            rest = range.end;
        }
        sent.push_str(self.json.get(rest..).unwrap_or_default());
        sent
    }

    /// Its credentials.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.secrets.iter().map(|(_, secret)| secret)
    }

    /// Where each item stands, in bytes.
    pub fn items(&self) -> &[Range<usize>] {
        &self.items
    }

    /// How many items it holds.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether it holds no item.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The body with the item at `position` alone, never its neighbours.
    pub fn with_item_alone(&self, position: usize) -> Option<String> {
        let item = self.json.get(self.items.get(position)?.clone())?;
        let prefix = self.json.get(..self.items.first()?.start)?;
        let suffix = self.json.get(self.items.last()?.end..)?;
        Some([prefix, item, suffix].concat())
    }

    /// The body, to be recorded, without the items at other positions. There are as many items as before, each at its position: those
    /// that are dropped are empty.
    #[must_use]
    pub fn with_items_at(self, positions: &BTreeSet<usize>) -> Self {
        let (Some(first), Some(last)) = (self.items.first(), self.items.last()) else { return self };
        let mut json = self.json.get(..first.start).unwrap_or_default().to_owned();
        let mut is_first = true;
        let mut keep = |(position, range): (usize, &Range<usize>)| {
            if !positions.contains(&position) {
                return json.len()..json.len();
            }
            if !is_first {
                json.push(',');
            }
            is_first = false;
            let start = json.len();
            json.push_str(self.json.get(range.clone()).unwrap_or_default());
            start..json.len()
        };
        let items = self.items.iter().enumerate().map(&mut keep).collect();
        json.push_str(self.json.get(last.end..).unwrap_or_default());
        Self { json, items, secrets: Vec::new() }
    }
}

/// As they are recorded.
impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        (&self.json, &self.items) == (&other.json, &other.items)
    }
}

impl Eq for Body {}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} items, {} bytes)", self.items.len(), self.json.len())
    }
}

/// One exchange as recorded: what was sent, credentials redacted, and what came back, if anything did.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was sent.
    pub request: Arc<Request>,
    /// What came back; nothing in mock mode or where the connection failed.
    pub reply: Option<Reply>,
    /// From sending to the last byte, or to the failure.
    pub duration: Duration,
}

/// A platform's answer as recorded.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Body, at most [`MAX_RECORDED_RESPONSE`] bytes of it.
    pub body: String,
    /// Whether the body was cut.
    pub truncated: bool,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({}, {} bytes)", self.status, self.body.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_sees_its_own_item_and_not_its_neighbours() {
        let item = |json: &str| RawValue::from_string(json.to_owned()).unwrap();
        let items = [item(r#"{"id":"a"}"#), item(r#"{"id":"b"}"#), item(r#"{"id":"c"}"#)];
        let body = Body::compose(r#"{"pixel":"P","data":["#, items.iter().map(AsRef::as_ref), r#"],"x":1}"#);
        assert_eq!(body.json(), r#"{"pixel":"P","data":[{"id":"a"},{"id":"b"},{"id":"c"}],"x":1}"#);
        assert_eq!(body.with_item_alone(1).unwrap(), r#"{"pixel":"P","data":[{"id":"b"}],"x":1}"#);
        assert_eq!(body.with_item_alone(3), None);

        assert_eq!((body.len(), body.is_empty()), (3, false));
        let own = body.items().iter().map(|range| body.json().get(range.clone()));
        assert!(own.eq(items.iter().map(|item| Some(item.get()))));
        let none = Body::compose("[", [], "]");
        assert_eq!(
            (none.json(), none.len(), none.is_empty(), none.with_item_alone(0)),
            ("[]", 0, true, None)
        );

        let few = body.clone().with_items_at(&[0, 2].into());
        assert_eq!(few.json(), r#"{"pixel":"P","data":[{"id":"a"},{"id":"c"}],"x":1}"#);
        assert_eq!((few.len(), few.with_item_alone(2)), (3, body.with_item_alone(2)));
        let one = body.clone().with_items_at(&[1].into());
        assert_eq!((one.json(), one.len()), (&*body.with_item_alone(1).unwrap(), 3));
        assert_eq!(one.with_item_alone(1), body.with_item_alone(1));
    }

    #[test]
    fn credentials_in_a_body_are_sent_and_not_recorded() {
        let item = RawValue::from_string(r#"{"id":"a"}"#.to_owned()).unwrap();
        let body = Body::compose(r#"{"data":["#, [&*item], "]}")
            .with_secret("access_token", Secret::new(r#"hunter"2"#))
            .with_secret("proof", Secret::new("hunter3"));
        let recorded = r#"{"data":[{"id":"a"}],"access_token":"[redacted]","proof":"[redacted]"}"#;
        assert_eq!((body.json(), body.with_item_alone(0).as_deref()), (recorded, Some(recorded)));
        assert_eq!(
            body.sent(),
            r#"{"data":[{"id":"a"}],"access_token":"hunter\"2","proof":"hunter3"}"#,
            "as JSON writes it"
        );
        assert_eq!(body.secrets().map(Secret::expose).collect::<Vec<_>>(), [r#"hunter"2"#, "hunter3"]);
        assert!(!format!("{body:?}").contains("hunter"));
        assert_eq!(body.clone().with_items_at(&[0].into()).json(), recorded);
        let plain = Body::compose("[", [&*item], "]");
        assert_eq!(plain.sent(), plain.json());
    }

    #[test]
    fn recorded_headers_hold_no_secret() {
        let secret = Header { name: "access-token", value: HeaderValue::Secret(Secret::new("hunter2")) };
        assert_eq!(secret.recorded_value(), "[redacted]");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
