//! What becomes of each field: platforms/meta.md, sections 2 to 6, checked by hand.

use conversion_core::attribution::{Attribution, Click};
use conversion_core::event::canonical;
use conversion_core::money::{Amount, Currency};
use conversion_core::sink::{ConversionSink as _, NotSent, Subject};
use conversion_core::{CanonicalEvent, Timestamp};
use serde_json::{Value, json};

use crate::kit::{NOON, at, bare_event, event, field, prepare, sink, try_prepare};

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn clicked(name: &str, value: &str) -> CanonicalEvent {
    CanonicalEvent { click_ids: [(name.to_owned(), value.to_owned())].into(), ..bare_event() }
}

#[test]
fn fbc_is_the_cookie_or_made_of_an_unchanged_click_id() {
    for (name, value, fbc) in [
        ("fbc", "fb.1.1554763741205.AbCd", "fb.1.1554763741205.AbCd"),
        ("fbclid", "IwAR_aBc-1", "fb.1.1768046400000.IwAR_aBc-1"),
        ("fbclid", "fb.1.1554763741205.AbCd", "fb.1.1554763741205.AbCd"),
    ] {
        assert_eq!(field("", &clicked(name, value), "/user_data/fbc"), Some(json!(fbc)), "{name} {value}");
    }
    // When the visitor came with it is known of a visit.
    let seen = Timestamp::from_millisecond(1_768_000_000_123).unwrap();
    let click = Click { value: "IwAR".to_owned(), at: seen };
    let attribution =
        Attribution { clicks: [("fbclid".to_owned(), click)].into(), ..Attribution::new("va", seen) };
    let event = clicked("fbclid", "IwAR");
    let subject = Subject::new(&event).attributed(Some(&attribution));
    let item: Value = serde_json::from_str(sink("").prepare(&subject, at(NOON)).unwrap().item.get()).unwrap();
    assert_eq!(item["user_data"]["fbc"], "fb.1.1768000000123.IwAR");
    assert_eq!(field("", &clicked("fbp", "fb.1.2.3"), "/user_data/fbp"), Some(json!("fb.1.2.3")));
}

#[test]
fn a_visit_is_a_website_and_anything_else_is_what_the_setting_says() {
    let page = CanonicalEvent { page_url: text("https://x.test/a"), ..event() };
    let browser = CanonicalEvent { user_agent: text("Mozilla/5.0"), ..event() };
    let visit = CanonicalEvent { user_agent: text("Mozilla/5.0"), ..page.clone() };
    for (settings, event, source) in [
        ("", &event(), "system_generated"),
        ("", &page, "system_generated"),
        ("", &browser, "system_generated"),
        ("", &visit, "website"),
        ("action_source = 'phone_call'", &page, "phone_call"),
        ("action_source = 'phone_call'", &visit, "website"),
    ] {
        assert_eq!(field(settings, event, "/action_source"), Some(json!(source)), "{settings}");
    }
    assert_eq!(field("", &page, "/event_source_url"), Some(json!("https://x.test/a")));
}

#[test]
fn limited_data_use_is_the_events_own_word_or_the_setting() {
    let limited = Some(json!(["LDU"]));
    let on = "limited_data_use = true";
    for (settings, word, options) in [
        ("", None, None),
        ("", Some(true), limited.clone()),
        ("", Some(false), Some(json!([]))),
        (on, None, limited.clone()),
        (on, Some(true), limited),
        (on, Some(false), Some(json!([]))),
    ] {
        let event = CanonicalEvent { limited_data_use: word, ..event() };
        assert_eq!(field(settings, &event, "/data_processing_options"), options, "{settings} {word:?}");
        let country = field(settings, &event, "/data_processing_options_country");
        assert_eq!(country, options.filter(|options| *options == json!(["LDU"])).map(|_| json!(0)));
    }
    let event = CanonicalEvent { limited_data_use: Some(true), ..event() };
    assert_eq!(prepare("", &event).notes, ["limited_data_use_without_ip"]);
    let located = CanonicalEvent { ip: Some("8.8.8.8".parse().unwrap()), ..event };
    assert_eq!(prepare("", &located).notes, [""; 0]);
}

#[test]
fn a_purchase_needs_value_and_currency() {
    let purchase = CanonicalEvent { event_name: canonical::PURCHASE.to_owned(), ..event() };
    let value = Some(Amount::parse("9.50").unwrap());
    let currency = Currency::parse("usd");
    for (value, currency) in [(None, None), (value, None), (None, currency)] {
        let event = CanonicalEvent { value, currency, ..purchase.clone() };
        let Err(NotSent::Skip(skip)) = try_prepare("", &event) else { panic!("{value:?} {currency:?}") };
        assert_eq!(skip.reason.name, "purchase_without_value");
    }
    let paid = CanonicalEvent { value, currency, ..purchase };
    assert_eq!(field("", &paid, "/custom_data"), Some(json!({"value": 9.50, "currency": "USD"})));
}

#[test]
fn sets_that_are_too_broad_are_not_sent() {
    let broad = CanonicalEvent {
        first_name: text("Jane"),
        last_name: text("Doe"),
        user_agent: text("Mozilla/5.0"),
        ..bare_event()
    };
    let Err(NotSent::Skip(skip)) = try_prepare("", &broad) else { panic!("sent") };
    assert_eq!(skip.reason.name, "no_identifiers");
    let located = CanonicalEvent { ip: Some("2001:4860:4860::8888".parse().unwrap()), ..broad };
    assert_eq!(field("", &located, "/user_data/client_ip_address"), Some(json!("2001:4860:4860::8888")));
    for event in [clicked("fbp", "fb.1.2.3"), clicked("fbclid", "x"), event()] {
        prepare("", &event);
    }
}

#[test]
fn every_canonical_conversion_has_a_name_at_meta() {
    for (canonical, name) in [
        (canonical::TRIAL_BOOKED, Some("Schedule")),
        (canonical::APPOINTMENT_UPDATED, Some("Schedule")),
        (canonical::TRIAL_RESCHEDULED, None),
        (canonical::TRIAL_CANCELED, None),
        (canonical::LEAD, Some("Lead")),
        (canonical::SIGN_UP, Some("CompleteRegistration")),
        (canonical::PURCHASE, Some("Purchase")),
        (canonical::BOOKING, Some("Schedule")),
        (canonical::SUBSCRIPTION, Some("Subscribe")),
        (canonical::CONTACT, Some("Contact")),
    ] {
        assert_eq!(sink("").mapping().get(canonical).map(String::as_str), name, "{canonical}");
    }
}
