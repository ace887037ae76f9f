//! What QStash holds of a delivery: its id and a number, and nothing of its event.

use conversion_store::Ticket;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Message {
    delivery_id: String,
    publication: Option<u32>,
}

/// The body to publish.
pub(super) fn body(ticket: Ticket) -> String {
    let Ticket { delivery, publication } = ticket;
    let message = Message { delivery_id: delivery.to_string(), publication };
    // A text and a number: serialising cannot fail.
    serde_json::to_string(&message).unwrap_or_default()
}

/// Reads what was published. A body without a number speaks of its delivery, too.
pub fn read(body: &[u8]) -> Option<Ticket> {
    let Message { delivery_id, publication } = serde_json::from_slice(body).ok()?;
    Some(Ticket { delivery: delivery_id.parse().ok()?, publication })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_bears_the_delivery_and_its_number() {
        let delivery = "1207-2".parse().unwrap();
        let numbered = Ticket { delivery, publication: Some(3) };
        assert_eq!(body(numbered), r#"{"delivery_id":"1207-2","publication":3}"#);
        for (body, expected) in [
            (r#"{"delivery_id":"1207-2","publication":3}"#, Some(numbered)),
            (r#"{"delivery_id":"1207-2"}"#, Some(Ticket { delivery, publication: None })),
            (r#"{"delivery_id":"1207-2","publication":-1}"#, None),
            (r#"{"delivery_id":"soon","publication":3}"#, None),
            (r#"{"publication":3}"#, None),
            ("[]", None),
        ] {
            assert_eq!(read(body.as_bytes()), expected, "{body}");
        }
    }
}
