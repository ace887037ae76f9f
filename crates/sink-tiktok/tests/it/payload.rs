//! What becomes of each field: platforms/tiktok.md, sections 3 to 5, checked by hand.

use conversion_core::CanonicalEvent;
use conversion_core::dedup::DedupTarget;
use conversion_core::event::{Address, Content, Property};
use conversion_core::money::{Amount, Currency};
use conversion_core::sink::{ConversionSink as _, Subject};
use insta::assert_snapshot;
use serde_json::json;

use crate::kit::{NOON, at, bare_event, build, event, field, prepare, sink};

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn amount(amount: &str) -> Option<Amount> {
    Some(Amount::parse(amount).unwrap())
}

/// An event with everything.
fn full() -> CanonicalEvent {
    CanonicalEvent {
        conversion_id: text("booking-7"),
        email: text("User@Example.com"),
        phone: text("(415) 555-1234"),
        external_id: text("user_123"),
        first_name: text("Jane"),
        last_name: text("O'Neil-Müller"),
        address: Address {
            street: text("1 Main St."),
            city: text("San José"),
            region: text("C.A."),
            postal_code: text("M5V 3L9"),
            country: text("US"),
        },
        ip: Some("8.8.8.8".parse().unwrap()),
        user_agent: text("Mozilla/5.0 (\"X\")"),
        locale: text("en-US"),
        click_ids: [("ttclid", "E.C.P.abc"), ("ttp", "def456"), ("gclid", "no")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        page_url: text("https://virtu.academy/schedule?ttclid=E.C.P.abc&mail=user%40example.com#top"),
        page_referrer: text("https://www.tiktok.com/?n=JANE"),
        value: amount("50.00"),
        currency: Currency::parse("usd"),
        order_id: text("1001"),
        content_type: text("product"),
        contents: vec![
            Content {
                id: text("1077218"),
                name: text("Trial lesson"),
                category: text("Lessons"),
                brand: text("Virtu"),
                price: amount("25.00"),
                quantity: Some(2),
            },
            Content::default(),
        ],
        search_string: text("piano"),
        description: text("A first lesson"),
        lead_id: text("L1"),
        limited_data_use: Some(true),
        appointment_id: text("secret-1"),
        attribution_id: text("secret-2"),
        properties: [
            ("num_items".to_owned(), Property::Number(Amount::parse("2").unwrap())),
            ("shop_id".to_owned(), Property::Text("77".to_owned())),
            ("first_order".to_owned(), Property::Flag(true)),
        ]
        .into(),
        ..bare_event()
    }
}

/// One member to a line.
fn lines(settings: &str) -> String {
    prepare(settings, &full()).item.get().replace(",\"", ",\n\"").replace(":{", ":{\n")
}

#[test]
fn a_web_event() {
    assert_snapshot!(lines(""), @r#"
    {"event":"SubmitForm",
    "event_time":1768046400,
    "event_id":"booking-7",
    "user":{
    "ttclid":"E.C.P.abc",
    "ttp":"def456",
    "email":"b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514",
    "phone":["c6a349dfaaf5c3a368d3135014cc1bc7aebf18f654f313f9c1d0b018a897b209",
    "50389806e2857c36e22b0a1ed1e7df8606ebc0e931f6c083e73486f7a87d9a9f"],
    "external_id":"80fba0ae1c48e3978e43e4efc365e14e12ea0c830ba8ba5b9a2dafc7e3f2ab8b",
    "ip":"8.8.8.8",
    "user_agent":"Mozilla/5.0 (\"X\")",
    "locale":"en-US",
    "first_name":"81f8f6dde88365f3928796ec7aa53f72820b06db8664f5fe76a7eb13e24546a2",
    "last_name":"7a839a045d56ae8b598f94ef6fcb6ac617bda0075d3d572223cfb52bdb9dfaa2",
    "zip_code":"5c850751d57c5d887fe7807d3da801efe7e8faa1f105ea36cdcd913dd32a41c7",
    "city":"sanjosé",
    "state":"ca",
    "country":"us"},
    "page":{
    "url":"https://virtu.academy/schedule?ttclid=E.C.P.abc#top",
    "referrer":"https://www.tiktok.com/"},
    "properties":{
    "value":50.00,
    "currency":"USD",
    "content_type":"product",
    "content_ids":["1077218"],
    "contents":[{"content_id":"1077218",
    "content_name":"Trial lesson",
    "content_category":"Lessons",
    "brand":"Virtu",
    "price":25.00,
    "quantity":2}],
    "order_id":"1001",
    "search_string":"piano",
    "description":"A first lesson",
    "first_order":true,
    "num_items":2,
    "shop_id":"77"},
    "limited_data_use":true}
    "#);
}

#[test]
fn an_offline_event() {
    assert_snapshot!(lines("event_source = 'offline'"), @r#"
    {"event":"SubmitForm",
    "event_time":1768046400,
    "event_id":"booking-7",
    "user":{
    "email":"b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514",
    "phone":["c6a349dfaaf5c3a368d3135014cc1bc7aebf18f654f313f9c1d0b018a897b209",
    "50389806e2857c36e22b0a1ed1e7df8606ebc0e931f6c083e73486f7a87d9a9f"],
    "first_name":"81f8f6dde88365f3928796ec7aa53f72820b06db8664f5fe76a7eb13e24546a2",
    "last_name":"7a839a045d56ae8b598f94ef6fcb6ac617bda0075d3d572223cfb52bdb9dfaa2",
    "zip_code":"5c850751d57c5d887fe7807d3da801efe7e8faa1f105ea36cdcd913dd32a41c7",
    "city":"sanjosé",
    "state":"ca",
    "country":"us"},
    "properties":{
    "value":50.00,
    "currency":"USD",
    "content_type":"product",
    "content_ids":["1077218"],
    "contents":[{"content_id":"1077218",
    "content_name":"Trial lesson",
    "content_category":"Lessons",
    "brand":"Virtu",
    "price":25.00,
    "quantity":2}],
    "order_id":"1001",
    "search_string":"piano",
    "description":"A first lesson",
    "first_order":true,
    "num_items":2,
    "shop_id":"77"}}
    "#);
}

#[test]
fn a_lead_is_known_by_its_id_alone() {
    let event = CanonicalEvent { lead_id: text("lead-9"), ..bare_event() };
    let payload = prepare("event_source = 'crm'", &event);
    assert!(payload.item.get().contains(r#""lead":{"lead_id":"lead-9"}"#), "{}", payload.item);
    assert!(!payload.item.get().contains(r#""user""#), "{}", payload.item);
}

#[test]
fn a_crm_event() {
    assert_snapshot!(lines("event_source = 'crm'\ncrm_name = 'HubSpot'"), @r#"
    {"event":"SubmitForm",
    "event_time":1768046400,
    "event_id":"booking-7",
    "user":{
    "email":"b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514",
    "phone":["c6a349dfaaf5c3a368d3135014cc1bc7aebf18f654f313f9c1d0b018a897b209",
    "50389806e2857c36e22b0a1ed1e7df8606ebc0e931f6c083e73486f7a87d9a9f"],
    "external_id":"80fba0ae1c48e3978e43e4efc365e14e12ea0c830ba8ba5b9a2dafc7e3f2ab8b"},
    "properties":{
    "value":50.00,
    "currency":"USD",
    "content_type":"product",
    "content_ids":["1077218"],
    "contents":[{"content_id":"1077218",
    "content_name":"Trial lesson",
    "content_category":"Lessons",
    "brand":"Virtu",
    "price":25.00,
    "quantity":2}],
    "order_id":"1001",
    "search_string":"piano",
    "description":"A first lesson",
    "first_order":true,
    "num_items":2,
    "shop_id":"77"},
    "lead":{
    "lead_id":"L1",
    "lead_event_source":"HubSpot"}}
    "#);
}

#[test]
fn an_app_event() {
    assert_snapshot!(lines("event_source = 'app'\napp_id = '1122334455'"), @r#"
    {"event":"SubmitForm",
    "event_time":1768046400,
    "event_id":"booking-7",
    "user":{
    "email":"b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514",
    "phone":["c6a349dfaaf5c3a368d3135014cc1bc7aebf18f654f313f9c1d0b018a897b209",
    "50389806e2857c36e22b0a1ed1e7df8606ebc0e931f6c083e73486f7a87d9a9f"],
    "ip":"8.8.8.8",
    "user_agent":"Mozilla/5.0 (\"X\")",
    "locale":"en-US"},
    "properties":{
    "value":50.00,
    "currency":"USD",
    "content_type":"product",
    "content_ids":["1077218"],
    "contents":[{"content_id":"1077218",
    "content_name":"Trial lesson",
    "content_category":"Lessons",
    "brand":"Virtu",
    "price":25.00,
    "quantity":2}],
    "order_id":"1001",
    "search_string":"piano",
    "description":"A first lesson",
    "first_order":true,
    "num_items":2,
    "shop_id":"77"},
    "app":{
    "app_id":"1122334455"},
    "limited_data_use":true}
    "#);
}

#[test]
fn the_dedup_key_is_tiktoks_and_the_same_for_every_try() {
    let first = prepare("", &full());
    assert_eq!(first.dedup_key.as_deref(), Some("CXXX|SubmitForm|booking-7"));
    let later = sink("").prepare(&Subject::new(&full()), at(NOON + 3600)).unwrap();
    assert_eq!(first.item.get(), later.item.get());
    assert_eq!(prepare("", &event()).dedup_key.as_deref(), Some("CXXX|SubmitForm|test-123"));
}

#[test]
fn pixel_and_tiktoks_name_are_where_it_dedupes() {
    const PIXEL: &str = "pixel_id = 'CXXX'";
    const TOKEN: &str = "access_token = 'hunter2'";
    const MAPPED: &str = "events = { TRIAL_BOOKED = 'Lead' }";
    for (settings, event_name, expected) in [
        ([PIXEL, TOKEN, ""], "TRIAL_BOOKED", Some(["CXXX", "SubmitForm"])),
        ([PIXEL, TOKEN, ""], "APPOINTMENT_UPDATED", Some(["CXXX", "Schedule"])),
        ([PIXEL, TOKEN, MAPPED], "TRIAL_BOOKED", Some(["CXXX", "Lead"])),
        (["pixel_id = 'CYYY'", TOKEN, ""], "TRIAL_BOOKED", Some(["CYYY", "SubmitForm"])),
        ([PIXEL, "access_token = 'another'", ""], "TRIAL_BOOKED", Some(["CXXX", "SubmitForm"])),
        // Nothing of these is sent.
        ([PIXEL, TOKEN, MAPPED], "UNMAPPED", None),
        ([PIXEL, "", ""], "TRIAL_BOOKED", None),
        (["", TOKEN, ""], "TRIAL_BOOKED", None),
    ] {
        let target = build(&settings.join("\n")).unwrap().dedup_target(event_name);
        let expected = expected.map(|parts| DedupTarget::new(&parts));
        assert_eq!(target, expected, "{settings:?} {event_name}");
    }
    for event in [full(), event()] {
        let key = sink("").dedup_target(&event.event_name).unwrap().key(event.conversion_id());
        assert_eq!(prepare("", &event).dedup_key, Some(key));
    }
}

#[test]
fn only_public_addresses_are_sent() {
    for (ip, sent) in [
        ("8.8.8.8", Some("8.8.8.8")),
        ("203.0.113.7", Some("203.0.113.7")),
        ("172.32.0.1", Some("172.32.0.1")),
        ("100.128.0.1", Some("100.128.0.1")),
        ("2001:4860:4860::8888", Some("2001:4860:4860::8888")),
        ("::ffff:8.8.8.8", Some("8.8.8.8")),
        ("192.168.1.1", None),
        ("10.0.0.1", None),
        ("172.16.0.1", None),
        ("127.0.0.1", None),
        ("169.254.1.1", None),
        ("100.64.0.1", None),
        ("0.0.0.0", None),
        ("224.0.0.1", None),
        ("255.255.255.255", None),
        ("::", None),
        ("::1", None),
        ("::ffff:192.168.1.1", None),
        ("fc00::1", None),
        ("fe80::1", None),
        ("ff02::1", None),
    ] {
        let event = CanonicalEvent { ip: Some(ip.parse().unwrap()), ..event() };
        assert_eq!(field("", &event, "/user/ip"), sent.map(|ip| json!(ip)), "{ip}");
        let notes = prepare("", &event).notes;
        assert_eq!(notes, if sent.is_some() { vec![] } else { vec!["ip_not_public"] }, "{ip}");
    }
}

#[test]
fn a_page_has_an_address_or_is_left_out() {
    const DEFAULT: &str = "default_page_url = 'https://x.test/'";
    let with_url = CanonicalEvent { page_url: text("https://y.test/a?b=c"), ..event() };
    let with_referrer = CanonicalEvent { page_referrer: text("https://z.test/"), ..event() };
    for (settings, event, page) in [
        ("", &event(), None),
        ("", &with_referrer, None),
        ("", &with_url, Some(json!({"url": "https://y.test/a?b=c"}))),
        (DEFAULT, &with_url, Some(json!({"url": "https://y.test/a?b=c"}))),
        (DEFAULT, &event(), Some(json!({"url": "https://x.test/"}))),
        (DEFAULT, &with_referrer, Some(json!({"url": "https://x.test/", "referrer": "https://z.test/"}))),
    ] {
        assert_eq!(field(settings, event, "/page"), page, "{settings}");
    }
}

#[test]
fn a_page_address_keeps_no_personal_data_even_where_consent_has_stripped_the_event() {
    let mut event =
        CanonicalEvent { page_url: text("https://x.test/?e=test@example.com&ttclid=1"), ..event() };
    event.click_ids.insert("ttclid".to_owned(), "1".to_owned());
    for event in [event.without_identifiers(), event] {
        assert_eq!(field("", &event, "/page/url"), Some(json!("https://x.test/?ttclid=1")));
    }
}

#[test]
fn values_keep_their_digits_and_zero_is_a_value() {
    for value in ["50.00", "0", "0.10", "99999999999.123456789"] {
        let event = CanonicalEvent { value: amount(value), currency: Currency::parse("EUR"), ..event() };
        let item = prepare("", &event).item;
        let properties = format!(r#""properties":{{"value":{value},"currency":"EUR"}}"#);
        assert!(item.get().contains(&properties), "{item}");
    }
}

#[test]
fn absent_objects_are_left_out() {
    assert_eq!(
        prepare("phone_format = 'e164'", &event()).item.get(),
        concat!(
            r#"{"event":"SubmitForm","event_time":1768046400,"event_id":"test-123","user":{"email":""#,
            r#"973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"}}"#
        )
    );
}

#[test]
fn properties_never_override_named_fields() {
    let properties =
        ["value", "currency", "content_type", "content_ids", "contents", "order_id", "search_string"]
            .map(|name| (name.to_owned(), Property::Text("x".to_owned())));
    let event = CanonicalEvent {
        properties: properties.into(),
        order_id: text("1001"),
        description: text("own"),
        ..event()
    };
    assert_eq!(field("", &event, "/properties"), Some(json!({"order_id": "1001", "description": "own"})));
    assert_eq!(prepare("", &event).notes, ["property_has_own_field"; 7]);
}

#[test]
fn what_is_left_out_or_doubtful_is_noted() {
    let unusable = CanonicalEvent { phone: text("12345"), ..event() };
    let unlisted = CanonicalEvent { value: amount("1"), currency: Currency::parse("AFN"), ..event() };
    let no_currency = CanonicalEvent { value: amount("1"), ..event() };
    let no_value = CanonicalEvent { currency: Currency::parse("USD"), ..event() };
    let odd_type = CanonicalEvent { content_type: text("lesson"), ..event() };
    let personal = CanonicalEvent { description: text("TEST@example.com"), ..event() };
    for (event, note, properties) in [
        (unusable, "phone_unusable", None),
        (unlisted, "currency_not_listed", Some(json!({"value": 1, "currency": "AFN"}))),
        (no_currency, "value_without_currency", Some(json!({"value": 1}))),
        (no_value, "currency_without_value", None),
        (odd_type, "content_type_not_listed", None),
        (personal, "personal_data_left_out", None),
    ] {
        assert_eq!(prepare("", &event).notes, [note]);
        assert_eq!(field("", &event, "/properties"), properties, "{note}");
    }
    assert_eq!(prepare("", &event()).notes, [] as [&str; 0]);
}

#[test]
fn an_event_past_attribution_is_sent_with_a_warning() {
    const DAYS_28: i64 = 28 * 24 * 3600;
    for (age, notes) in [(0, vec![]), (DAYS_28, vec![]), (DAYS_28 + 1, vec!["event_older_than_28_days"])] {
        let payload = sink("").prepare(&Subject::new(&event()), at(NOON + age)).unwrap();
        assert_eq!(payload.notes, notes, "{age}");
    }
}
