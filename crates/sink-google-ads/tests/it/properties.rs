//! What holds of every event of a person who refused.

use std::net::IpAddr;
use std::sync::LazyLock;

use conversion_core::CanonicalEvent;
use conversion_core::event::Address;
use proptest::prelude::*;
use sink_google_ads::GoogleAds;

use crate::support::{booking, denied, prepare, sink};

/// Setting up TLS for each case would take longer than the case.
static SINK: LazyLock<GoogleAds> = LazyLock::new(|| sink("send_ip = true"));

proptest! {
    #[test]
    fn nothing_personal_goes_with_a_refusal(
        email in prop::option::of("\\PC{0,40}"),
        phone in prop::option::of("\\PC{0,40}|\\+1415555[0-9]{4}"),
        click_ids in prop::collection::btree_map("gclid|gbraid|wbraid", "\\PC{1,40}", 1..4),
        ip in prop::option::of(any::<IpAddr>()),
        country in prop::option::of("US|de|\\PC{0,3}"),
    ) {
        let address = Address { country, ..Address::default() };
        let usual = booking(r#""gclid":"g""#);
        let event = CanonicalEvent { email, phone, click_ids, ip, address, consent: denied(), ..usual };
        let payload = prepare(&SINK, &event).unwrap();
        let row: serde_json::Value = serde_json::from_str(payload.item.get()).unwrap();
        prop_assert!(row.get("userIdentifiers").is_none() && row.get("userIpAddress").is_none(), "{}", row);
    }
}
