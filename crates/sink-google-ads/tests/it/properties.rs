//! What holds of every event.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::LazyLock;

use conversion_core::attribution::{Attribution, Click};
use conversion_core::consent::{Consent, ConsentStatus};
use conversion_core::event::Address;
use conversion_core::money::{Amount, Currency};
use conversion_core::sink::{ConversionSink as _, NotSent, Order, Payload, Related, RelatedState, Subject};
use conversion_core::{CanonicalEvent, Timestamp};
use proptest::prelude::*;
use sink_google_ads::GoogleAds;

use crate::support::sink;

const EMAIL: &str = "Sentinel.Person+tag@gmail.com";
const PHONE: &str = "(415) 555-0199";

/// Without and with IP addresses and retractions. Setting up TLS for each case would take longer than the case.
static SINKS: LazyLock<[GoogleAds; 2]> =
    LazyLock::new(|| [sink(""), sink("send_ip = true\nretract_on = ['TRIAL_CANCELED']")]);

prop_compose! {
    fn identities()(
        email in prop_oneof![Just(None), Just(Some(EMAIL.to_owned())), "\\PC{0,40}".prop_map(Some)],
        phone in prop_oneof![Just(None), Just(Some(PHONE.to_owned())), "\\PC{0,40}".prop_map(Some)],
        click_ids in prop::collection::btree_map("gclid|gbraid|wbraid|ttclid", "\\PC{0,40}", 0..4),
        ip in prop::option::of(any::<IpAddr>()),
        country in prop::option::of("\\PC{0,3}|US|de"),
        ad_user_data in prop_oneof![Just(None), Just(Some(ConsentStatus::Granted)), Just(Some(ConsentStatus::Denied))],
    ) -> (Option<String>, Option<String>, BTreeMap<String, String>, Option<IpAddr>, Option<String>, Consent) {
        (email, phone, click_ids, ip, country, Consent { ad_user_data, ..Consent::default() })
    }
}

prop_compose! {
    fn events()(
        (email, phone, click_ids, ip, country, consent) in identities(),
        event_name in names(),
        event_id in "\\PC{0,64}",
        second in -377_705_023_201i64..=253_402_207_200,
        value in prop::option::of("[0-9]{1,11}(\\.[0-9]{1,9})?"),
        currency in prop::option::of("USD|EUR|JPY"),
    ) -> CanonicalEvent {
        CanonicalEvent {
            email, phone, click_ids, ip, consent,
            address: Address { country, ..Address::default() },
            value: value.map(|value| Amount::parse(&value).unwrap()),
            currency: currency.and_then(|code| Currency::parse(&code)),
            ..CanonicalEvent::new(event_name, event_id, Timestamp::from_second(second).unwrap())
        }
    }
}

fn names() -> impl Strategy<Value = String> {
    "TRIAL_BOOKED|APPOINTMENT_UPDATED|TRIAL_CANCELED|\\PC{0,8}"
}

/// Any time at all.
fn times() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        Just(Timestamp::MIN),
        Just(Timestamp::MAX),
        (-377_705_023_201i64..=253_402_207_200).prop_map(|second| Timestamp::from_second(second).unwrap()),
    ]
}

prop_compose! {
    fn related()(
        event_name in names(),
        order in prop_oneof![Just(Order::Earlier), Just(Order::Later)],
        state in prop_oneof![
            Just(RelatedState::Unsent),
            Just(RelatedState::Unsettled),
            times().prop_map(|at| RelatedState::Delivered { at }),
            times().prop_map(|at| RelatedState::PerhapsDelivered { at }),
            Just(RelatedState::NotDelivered),
        ],
    ) -> Related {
        Related { event_name, order, state }
    }
}

fn bytes(prepared: &Result<Payload, NotSent>) -> Result<String, NotSent> {
    prepared.as_ref().map(|payload| format!("{payload:?}")).map_err(Clone::clone)
}

proptest! {
    #[test]
    fn preparing_is_pure_and_leaks_nobody(
        event in events(),
        related in prop::collection::vec(related(), 0..4),
        clicked_at in times(),
        now in times(),
        all in any::<bool>(),
    ) {
        let sink = &SINKS[usize::from(all)];
        let click = |value: &String| Click { value: value.clone(), at: clicked_at };
        let clicks = event.click_ids.iter().map(|(name, value)| (name.clone(), click(value))).collect();
        let attribution = Attribution { clicks, ..Attribution::new("va", clicked_at) };
        let prepare = || sink.prepare(&Subject::new(&event).beside(&related).attributed(Some(&attribution)), now);
        let prepared = prepare();
        prop_assert_eq!(bytes(&prepared), bytes(&prepare()));
        let Ok(payload) = prepared else { return Ok(()) };
        let item = payload.item.get();
        serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(item).unwrap();
        for raw in ["entinel", "415", "555-0199"] {
            let is_given = [&event.event_id].into_iter().chain(event.click_ids.values()).any(|text| text.contains(raw));
            prop_assert!(is_given || !without_digests(item).contains(raw), "{item}");
        }
        if event.consent.ad_user_data == Some(ConsentStatus::Denied) {
            prop_assert!(!item.contains("userIdentifiers") && !item.contains("userIpAddress"), "{item}");
        }
        let body = sink.compose(&[&payload, &payload]);
        prop_assert_eq!(body.body.len(), 2);
        serde_json::from_str::<serde_json::Value>(body.body.json()).unwrap();
    }
}

/// A digest may hold any three digits by chance, and so may an amount, a time or an address.
fn without_digests(item: &str) -> String {
    let mut row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(item).unwrap();
    for chance in ["conversionValue", "conversionDateTime", "adjustmentDateTime", "userIpAddress"] {
        row.remove(chance);
    }
    let hashed = row.get_mut("userIdentifiers").and_then(|list| list.as_array_mut());
    for identifier in hashed.into_iter().flatten().filter_map(|identifier| identifier.as_object_mut()) {
        identifier.retain(|_, digest| digest.as_str().is_none_or(|text| text.len() != 64));
    }
    serde_json::to_string(&row).unwrap()
}
