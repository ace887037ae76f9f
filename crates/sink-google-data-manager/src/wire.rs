//! Google's shapes: events as they are sent (section 7.2), answers as they are read. Unknown fields of answers are passed
//! over.

mod answer;
mod event;

pub(crate) use answer::{DestinationStatus, ErrorReply, IngestReply, Status, StatusReply, Violation};
pub(crate) use event::{
    Account, AdIdentifiers, ConsentFlags, Destination, DeviceInfo, Event, UserAddress, UserData,
    UserIdentifier,
};

/// Behind the events of a request that counts (section 7.1). `encoding` is required with user data.
pub(crate) const AFTER_EVENTS: &str = r#"],"encoding":"HEX","validateOnly":false}"#;
/// Behind the events of a request that is only checked.
pub(crate) const AFTER_CHECKED_EVENTS: &str = r#"],"encoding":"HEX","validateOnly":true}"#;
