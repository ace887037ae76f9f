//! Reading canonical events: what is taken, what is refused and how that is said.
#![expect(clippy::unwrap_used, reason = "clippy's leave for tests does not reach their helpers")]

use conversion_core::event::{EventError, Property, Vocabulary};
use conversion_core::money::Amount;
use conversion_core::{CanonicalEvent, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: i64 = 1_795_000_000;

fn parse(json: &str) -> Result<CanonicalEvent, EventError> {
    let vocabulary = Vocabulary::new(["gclid", "ttclid"]);
    CanonicalEvent::parse(json, &vocabulary, Timestamp::from_second(NOW).unwrap())
}

fn with(field: &str, value: Value) -> String {
    let mut event = json!({"eventId": "e1", "eventName": "TRIAL_BOOKED", "eventTime": NOW});
    event[field] = value;
    event.to_string()
}

fn refusal(field: &str, value: Value) -> String {
    parse(&with(field, value)).unwrap_err().to_string()
}

#[test]
fn the_least_and_the_most() {
    let least = parse(&with("email", Value::Null)).unwrap();
    // date -u -d @1795000000
    assert_eq!(
        least.to_json(),
        r#"{"eventId":"e1","eventName":"TRIAL_BOOKED","eventTime":"2026-11-18T11:06:40Z"}"#
    );
    assert_eq!(least.conversion_id(), "e1");

    let most = r#"{"eventId":"e1","eventName":"N","eventTime":"2026-01-10T12:00:00Z","conversionId":"c",
        "email":"a@b.c","phone":"1","externalId":"x","firstName":"A","lastName":"B","address":{"street":"S",
        "city":"C","region":"R","postalCode":"P","country":"US"},"ip":"::1","userAgent":"U","locale":"en-US",
        "gclid":"G","clickIds":{"fbclid":"F"},"pageUrl":"https://x.test/","pageReferrer":"http://y.test/",
        "value":49.90,"currency":"eur","orderId":"o","contentType":"product","contents":[{"id":"1","name":"n",
        "category":"c","brand":"b","price":1.5,"quantity":2}],"searchString":"s","description":"d",
        "leadId":"l","limitedDataUse":true,"consent":{"adUserData":"GRANTED","adPersonalization":"DENIED"},
        "appointmentId":"a","attributionId":"t","properties":{"k":"v","n":1,"f":false}}"#;
    let most = parse(most).unwrap();
    assert_eq!((most.click_id("gclid"), most.click_id("fbclid")), (Some("G"), Some("F")));
    assert_eq!(parse(&most.to_json()).unwrap(), most, "what is stored reads as it was");
    assert!(most.to_json().contains(r#""value":49.90,"currency":"EUR""#));
}

#[test]
fn an_offered_text_is_taken_where_an_event_may_say_it_and_left_out_elsewhere() {
    for (field, taken, left) in [
        ("email", " a@b.c ", "\u{7}"),
        ("externalId", "x@y", " "),
        ("attributionId", "va", "x@y"),
        ("pageUrl", "https://x.test/", "x.test"),
        ("ip", "::1", "localhost"),
        ("yclid", "Y", ""),
    ] {
        let mut event = parse(&with("email", Value::Null)).unwrap();
        let bare = event.clone();
        event.offer(field, left);
        assert_eq!(event, bare, "{field}");
        event.offer(field, taken);
        let said: Value = serde_json::from_str(&event.to_json()).unwrap();
        assert_eq!(said.get(field).or(said["clickIds"].get(field)), Some(&json!(taken.trim())), "{field}");
        assert_eq!(parse(&event.to_json()).unwrap(), event);
    }
    let mut event = parse(&with("email", Value::Null)).unwrap();
    for name in ["g", "gclid2", "click id", &"x".repeat(33)] {
        event.offer(name, "1");
        assert!(event.click_ids.is_empty(), "{name}");
    }
    for letter in 'a'..='z' {
        event.offer(&format!("{letter}clid"), "1");
    }
    assert_eq!(event.click_ids.len(), 16, "an event has no more");
    assert_eq!(parse(&event.to_json()).unwrap(), event);
}

#[test]
fn times_in_both_forms() {
    for (time, stored) in [
        (json!("2026-01-10T12:00:00Z"), "2026-01-10T12:00:00Z"),
        (json!("2026-01-10T14:00:00+02:00"), "2026-01-10T12:00:00Z"),
        (json!(1_768_046_400), "2026-01-10T12:00:00Z"),
        (json!(1_768_046_400.5), "2026-01-10T12:00:00.5Z"),
    ] {
        assert_eq!(parse(&with("eventTime", time)).unwrap().event_time.to_string(), stored);
    }
}

#[test]
fn mistakes_are_named_with_their_mend() {
    let time = "eventTime: must be a time as RFC 3339 (2026-01-10T12:00:00Z) or in Unix seconds, not a string of 9 \
                characters";
    for (field, value, message) in [
        ("eventId", json!(" "), "eventId: is required"),
        ("eventId", json!(5), "eventId: must be a string, not a number"),
        ("eventId", json!("a@b.c"), "eventId: must not hold `@`: ids are sent and logged in the clear"),
        ("eventId", json!("x".repeat(65)), "eventId: must have at most 64 characters, not 65"),
        ("eventName", json!("A=B"), "eventName: must not hold `=`, `,` or `@`"),
        ("eventTime", json!("10.1.2026"), time),
        ("eventTime", json!(1_768_046_400_000_i64), "eventTime: looks like milliseconds; send Unix seconds"),
        ("eventTime", json!(12), "eventTime: must not lie before the year 2000"),
        ("eventTime", json!("1999-01-01T00:00:00Z"), "eventTime: must not lie before the year 2000"),
        ("eventTime", json!(NOW + 86_401), "eventTime: lies more than 24 hours ahead"),
        ("emial", json!("x"), "emial: is not a field; did you mean `email`?"),
        ("zzzz", json!("x"), "zzzz: is not a field; `properties` takes what has no field of its own"),
        (
            "fbclid",
            json!("x"),
            "fbclid: is not a field; put a click id that no sink here knows under `clickIds`",
        ),
        ("email", json!({"a": 1}), "email: must be a string, not an object"),
        (
            "ip",
            json!("1.2.3.4, 5.6.7.8"),
            "ip: must be one IPv4 or IPv6 address, not a string of 16 characters",
        ),
        (
            "pageUrl",
            json!("x.test/a"),
            "pageUrl: must be a full address that starts with https:// or http://",
        ),
        ("value", json!(-1), "value: must not be negative"),
        ("value", json!("49"), "value: must be a number, not a string of 2 characters"),
        (
            "currency",
            json!("DOLLAR"),
            "currency: must be a three-letter currency code of ISO 4217, such as USD",
        ),
        (
            "contents",
            json!([{"quantity": -1}]),
            "contents[0].quantity: must be a whole number, zero or more, not a negative number",
        ),
        ("contents", json!([{"prize": 1}]), "contents[0].prize: is not a field; did you mean `price`?"),
        (
            "address",
            json!({"country": "USA"}),
            "address.country: must be a two-letter country code of ISO 3166-1, such as US",
        ),
        (
            "consent",
            json!({"adUserData": "yes"}),
            "consent.adUserData: must be GRANTED or DENIED; leave it out where it is not known",
        ),
        (
            "clickIds",
            json!({"x-y": "1"}),
            "clickIds.x-y: a click id's name has 2 to 32 letters and underscores",
        ),
        ("properties", json!({"a": [1]}), "properties.a: must be a string, a number, or true or false"),
        (
            "limitedDataUse",
            json!("yes"),
            "limitedDataUse: must be true or false, not a string of 3 characters",
        ),
        ("description", json!("a\u{0}b"), "description: must not hold control characters"),
    ] {
        assert_eq!(refusal(field, value), message);
    }
}

#[test]
fn all_mistakes_are_told_at_once_and_no_value_with_them() {
    let event = r#"{"eventId":"e9","email":["secret@example.com"],"phone":{"n":"+15550001"},"value":-3}"#;
    let error = parse(event).unwrap_err();
    assert_eq!(error.event_id.as_deref(), Some("e9"));
    let fields: Vec<&str> = error.errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["email", "phone", "value", "eventName", "eventTime"]);
    assert!(!error.to_string().contains("secret") && !error.to_string().contains("555"));
}

#[test]
fn a_path_is_cut_whichever_mistake_it_names() {
    let key = "k".repeat(300);
    for members in [
        format!(r#""{key}":1"#),
        format!(r#""{key}":1,"{key}":2"#),
        format!(r#""clickIds":{{"{key}":"a"}}"#),
        format!(r#""consent":{{"{key}":1,"{key}":1}}"#),
    ] {
        for error in parse(&format!("{{{members}}}")).unwrap_err().errors {
            assert!(error.field.len() <= 80, "{error}");
        }
    }
}

#[test]
fn what_is_no_event_is_refused() {
    for (json, message) in [
        ("", "the event is cut off at line 1, column 0"),
        ("{\"eventId\":", "the event is cut off at line 1, column 11"),
        ("{'a':1}", "the event is not valid JSON at line 1, column 2"),
        ("[]", "an event must be an object, not an array"),
        (
            r#"{"eventId":"a","eventId":"b","eventName":"n","eventTime":1795000000}"#,
            "eventId: is given twice",
        ),
        (
            r#"{"gclid":"a","clickIds":{"gclid":"b"},"eventId":"a","eventName":"n","eventTime":1795000000}"#,
            "clickIds.gclid: is given twice, at top level and under clickIds",
        ),
    ] {
        assert_eq!(parse(json).unwrap_err().to_string(), message, "{json}");
    }
}

#[test]
fn a_text_may_be_as_long_as_its_limit_and_no_longer() {
    for (field, limit) in [
        ("eventId", 64),
        ("eventName", 64),
        ("email", 320),
        ("phone", 64),
        ("userAgent", 1000),
        ("gclid", 1000),
        ("leadId", 320),
        ("description", 1000),
    ] {
        // Two bytes each: characters are counted.
        let text = "é".repeat(limit);
        assert!(parse(&with(field, json!(format!(" {text} ")))).is_ok(), "{field}");
        let message = format!("{field}: must have at most {limit} characters, not {}", limit + 1);
        assert_eq!(refusal(field, json!(text + "é")), message);
    }
}

#[test]
fn lists_and_objects_may_hold_as_much_as_their_limit_and_no_more() {
    let lines = |count: usize| json!(vec![json!({"id": "1"}); count]);
    assert_eq!(parse(&with("contents", lines(200))).unwrap().contents.len(), 200);
    assert_eq!(refusal("contents", lines(201)), "contents: must have at most 200 items, not 201");

    let numbered = |count: usize| (0..count).map(|n| (format!("n{n}"), json!(n))).collect::<Value>();
    assert_eq!(parse(&with("properties", numbered(50))).unwrap().properties.len(), 50);
    let badly_named = "properties: at most 50 properties, with names of 1 to 64 characters, none of them a control \
                       character";
    assert_eq!(refusal("properties", numbered(51)), badly_named);
    assert_eq!(refusal("properties", numbered(128)), badly_named);
    assert_eq!(refusal("properties", numbered(129)), "properties: must have at most 128 members, not 129");

    assert!(parse(&with("properties", json!({"é".repeat(64): 1}))).is_ok());
    for name in ["é".repeat(65), String::new(), "a\u{7}".to_owned()] {
        assert_eq!(refusal("properties", json!({name.as_str(): 1})), badly_named, "{name:?}");
    }
}

#[test]
fn an_events_time_may_lie_on_its_bounds() {
    for time in [946_684_800, NOW + 86_400] {
        assert_eq!(parse(&with("eventTime", json!(time))).unwrap().event_time.as_second(), time);
    }
}

#[test]
fn a_mistake_names_the_shape_of_what_was_given() {
    let half = "holds half of a surrogate pair (\\ud800 to \\udfff), which is no character";
    for (member, message) in [
        (r#""email":true"#, "email: must be a string, not true or false"),
        (r#""email":[1]"#, "email: must be a string, not an array"),
        (
            r#""contents":[{"quantity":1.5}]"#,
            "contents[0].quantity: must be a whole number, zero or more, not a number with a fraction or exponent",
        ),
        (
            r#""contents":[{"quantity":1e-1}]"#,
            "contents[0].quantity: must be a whole number, zero or more, not a number with a fraction or exponent",
        ),
        (
            r#""contents":[{"quantity":4294967296}]"#,
            "contents[0].quantity: must be a whole number, zero or more, not a number",
        ),
        (r#""value":1e400"#, "value: must be below 10^12, with at most 9 digits after the point"),
        (r#""email":"\ud800""#, &format!("email: {half}")),
        (r#""address":{"\udfff":1}"#, &format!("address: {half}")),
    ] {
        let json = format!(r#"{{"eventId":"e1","eventName":"N","eventTime":{NOW},{member}}}"#);
        assert_eq!(parse(&json).unwrap_err().to_string(), message, "{member}");
    }
    assert_eq!(parse(r#"{"\ud800":1}"#).unwrap_err().to_string(), format!("a name in the event {half}"));
    assert_eq!(parse("null").unwrap_err().to_string(), "an event must be an object, not null");
}

#[test]
fn null_is_an_absent_value_in_every_field() {
    let bare = parse(&with("email", Value::Null)).unwrap();
    let vocabulary = Vocabulary::new(["gclid"]);
    for field in vocabulary.names().filter(|name| !["eventId", "eventName", "eventTime"].contains(name)) {
        assert_eq!(parse(&with(field, Value::Null)).unwrap(), bare, "{field}");
    }
}

#[test]
fn stripped_events_name_nobody() {
    let event = parse(&with("email", json!("ann@example.com"))).unwrap();
    let event = CanonicalEvent {
        page_url: Some("https://x.test/?mail=ann@example.com&gclid=1".into()),
        description: Some(" Ann@example.com".into()),
        phone: Some("+1 (415) 555-0142".into()),
        properties: [("tel".to_owned(), Property::Number(Amount::parse("14155550142").unwrap()))].into(),
        ..event
    };
    let stripped = event.without_identifiers().to_json();
    assert!(!stripped.to_lowercase().contains("ann@") && !stripped.contains("4155550142"), "{stripped}");
    assert!(stripped.contains("gclid=1"));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_and_never_breaks(json in "\\PC{0,200}") {
        drop(parse(&json));
    }

    #[test]
    fn what_is_stored_reads_as_it_was(
        id in "[A-Za-z0-9._:-]{1,64}", email in "\\PC{0,40}", value in 0u32..1_000_000, quantity in any::<u32>()
    ) {
        let event = json!({"eventId": id, "eventName": "N", "eventTime": NOW, "email": email, "value": value,
            "contents": [{"quantity": quantity}], "properties": {"p": email}});
        if let Ok(event) = parse(&event.to_string()) {
            prop_assert_eq!(parse(&event.to_json()).unwrap(), event);
        }
    }
}
