//! For every event: no panic, the same bytes again, valid JSON, and nobody's name in the clear.

use std::sync::LazyLock;

use conversion_core::event::{Address, Content, Property};
use conversion_core::money::{Amount, Currency};
use conversion_core::sink::{ConversionSink as _, Subject};
use conversion_core::{CanonicalEvent, Timestamp};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use serde_json::Value;
use sink_tiktok::TikTok;

use crate::kit::{NOON, at, bare_event, sink};

/// One for each event source; setting up TLS for each case would take longer than the case.
static SINKS: LazyLock<Vec<TikTok>> = LazyLock::new(|| {
    let of_source = |source| sink(&format!("event_source = '{source}'\nreschedules = 'once'"));
    ["web", "offline", "crm", "app"].map(of_source).into()
});

fn word() -> impl Strategy<Value = Option<String>> {
    of(prop_oneof![any::<String>(), "[ -~]{0,20}", "\\PC{0,12}", "[0-9+() -]{0,20}"])
}

fn content() -> impl Strategy<Value = Content> {
    (vec(word(), 4), of(0u32..1_000_000), of(any::<u32>())).prop_map(|(words, price, quantity)| {
        let mut words = words.into_iter();
        let mut next = || words.next().flatten();
        let price = price.and_then(|price| Amount::parse(&price.to_string()).ok());
        Content { id: next(), name: next(), category: next(), brand: next(), price, quantity }
    })
}

fn property() -> impl Strategy<Value = Property> {
    prop_oneof![
        any::<String>().prop_map(Property::Text),
        any::<bool>().prop_map(Property::Flag),
        any::<u32>().prop_map(|number| Property::Number(Amount::parse(&number.to_string()).unwrap())),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        Just("value".to_owned()),
        Just("contents".to_owned()),
        Just("num_items".to_owned())
    ]
}

prop_compose! {
    fn any_event()(
        words in vec(word(), 24),
        seconds in -377_705_023_201_i64..=253_402_207_200,
        ip in of(any::<std::net::IpAddr>()),
        clicks in btree_map(prop_oneof![Just("ttclid".to_owned()), Just("ttp".to_owned())], any::<String>(), 0..3),
        amount in of(0u64..999_999_999_999),
        currency in of(prop_oneof![Just("USD"), Just("AFN")]),
        contents in vec(content(), 0..3),
        properties in btree_map(name(), property(), 0..4),
        limited in of(any::<bool>()),
        canonical in prop_oneof![Just("TRIAL_BOOKED"), Just("APPOINTMENT_UPDATED")],
    ) -> CanonicalEvent {
        let mut words = words.into_iter();
        let mut next = || words.next().flatten();
        let id = next().unwrap_or_default();
        CanonicalEvent {
            conversion_id: next(),
            email: next(),
            phone: next(),
            external_id: next(),
            first_name: next(),
            last_name: next(),
            address: Address {
                street: next(),
                city: next(),
                region: next(),
                postal_code: next(),
                country: next(),
            },
            ip,
            user_agent: next(),
            locale: next(),
            click_ids: clicks,
            page_url: next(),
            page_referrer: next(),
            value: amount.and_then(|amount| Amount::parse(&amount.to_string()).ok()),
            currency: currency.and_then(Currency::parse),
            order_id: next(),
            content_type: next(),
            contents,
            search_string: next(),
            description: next(),
            lead_id: next(),
            limited_data_use: limited,
            properties,
            ..CanonicalEvent::new(canonical, id, Timestamp::from_second(seconds).unwrap())
        }
    }
}

/// Names of all members of an object, at any depth, appear once: a duplicate key would hide a value.
fn assert_distinct_keys(json: &str) {
    let value: Value = serde_json::from_str(json).unwrap();
    assert_eq!(value.to_string().len(), json.len(), "a key is given twice: {json}");
}

proptest! {
    #[test]
    fn prepare_is_total_and_pure(event in any_event(), source in 0..4usize, now in any::<i32>()) {
        let sink = &SINKS[source];
        let now = at(i64::from(now));
        let first = sink.prepare(&Subject::new(&event), now);
        let again = sink.prepare(&Subject::new(&event), now);
        match (first, again) {
            (Ok(first), Ok(again)) => {
                prop_assert_eq!(first.item.get(), again.item.get());
                prop_assert_eq!(&first.dedup_key, &again.dedup_key);
                assert_distinct_keys(first.item.get());
                let body = sink.compose(&[&again]);
                let body: Value = serde_json::from_str(body.body.json()).unwrap();
                prop_assert_eq!(body["data"].as_array().map(Vec::len), Some(1));
            }
            (Err(first), Err(again)) => prop_assert_eq!(first, again),
            (first, again) => prop_assert!(false, "{:?} {:?}", first, again),
        }
    }

    #[test]
    fn no_person_is_named(number in 1000u32..9999, pad in "[ \u{a0}\t]{0,2}", source in 0..4usize) {
        let email = format!("{pad}Sentinel.Mail+{number}@Example.COM{pad}");
        let phone = format!("{pad}+1 (415) 555-{number}");
        let digits = format!("1415555{number}");
        let (first, last) = (format!("Sentinelfirst{number}"), format!("Sentinellast-{number}"));
        let text = |text: &str| Property::Text(text.to_owned());
        let url = format!(
            "https://x.test/?a=1&m=sentinel.mail%2B{number}%40example.com&t=%2B{digits}&n={first}&l={last}"
        );
        let event = CanonicalEvent {
            email: Some(email.clone()),
            phone: Some(phone.clone()),
            external_id: Some(format!("sentinel-external-{number}")),
            first_name: Some(first.clone()),
            last_name: Some(last.clone()),
            address: Address { street: Some(format!("Sentinel street {number}")), ..Address::default() },
            page_url: Some(url.clone()),
            page_referrer: Some(url),
            search_string: Some(email.clone()),
            description: Some(phone.clone()),
            lead_id: Some("L1".to_owned()),
            properties: [
                ("email".to_owned(), text(&email)),
                ("name".to_owned(), text(&first.to_uppercase())),
                ("tel".to_owned(), text(&phone)),
                ("number".to_owned(), Property::Number(Amount::parse(&digits).unwrap())),
                ("kept".to_owned(), text("kept")),
            ]
            .into(),
            click_ids: [("ttclid".to_owned(), "E.C.P.x".to_owned())].into(),
            ..bare_event()
        };
        let stripped = CanonicalEvent {
            search_string: None,
            description: None,
            properties: [].into(),
            ..event.without_identifiers()
        };
        for event in [stripped, event] {
            let Ok(payload) = SINKS[source].prepare(&Subject::new(&event), at(NOON)) else { continue };
            let bytes = payload.item.get().to_lowercase();
            prop_assert!(!bytes.contains("sentinel"), "{}", bytes);
            prop_assert!(!bytes.contains(&digits) && !bytes.contains(&format!("555-{number}")), "{}", bytes);
        }
    }
}
