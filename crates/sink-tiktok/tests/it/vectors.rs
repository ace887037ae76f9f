//! Published digests: platforms/tiktok.md, section 4.2.

use conversion_core::CanonicalEvent;
use conversion_core::event::Address;
use conversion_core::sink::ConversionSink as _;

use crate::kit::{bare_event, event, field, prepare, sink};

const DIGITS_ALONE: &str = "c6a349dfaaf5c3a368d3135014cc1bc7aebf18f654f313f9c1d0b018a897b209";
const WITH_PLUS: &str = "50389806e2857c36e22b0a1ed1e7df8606ebc0e931f6c083e73486f7a87d9a9f";

fn with(source: &str, raw: &str) -> CanonicalEvent {
    let value = Some(raw.to_owned());
    match source {
        "email" => CanonicalEvent { email: value, ..bare_event() },
        "phone" => CanonicalEvent { phone: value, ..bare_event() },
        "external_id" => CanonicalEvent { external_id: value, ..event() },
        "first_name" => CanonicalEvent { first_name: value, ..event() },
        "last_name" => CanonicalEvent { last_name: value, ..event() },
        "zip_code" => {
            let address = Address { postal_code: value, ..Address::default() };
            CanonicalEvent { address, ..event() }
        }
        _ => panic!("{source}"),
    }
}

#[test]
fn every_published_vector() {
    for (target, raw, digest) in [
        (
            "email",
            " ALICE_abc@gmail.com ",
            "848a771458438fc2ec420560d769fb9b9b86851ee338ec56517baabd79d3bb4f",
        ),
        ("phone", "(+1)2133734253", "9f7ec22d72092cd3c0b58726ed9c2d91b92e51a3f29837508fb2948bb22dd2fd"),
        ("external_id", "user_123", "80fba0ae1c48e3978e43e4efc365e14e12ea0c830ba8ba5b9a2dafc7e3f2ab8b"),
        ("first_name", "Jane", "81f8f6dde88365f3928796ec7aa53f72820b06db8664f5fe76a7eb13e24546a2"),
        ("last_name", "Jane", "81f8f6dde88365f3928796ec7aa53f72820b06db8664f5fe76a7eb13e24546a2"),
        ("zip_code", "95110", "383f7fffd99f3b1c3066086bcf991eae7ad543589d12bd792ecb6dc8b5acebc1"),
        ("zip_code", "M5V 3L9", "5c850751d57c5d887fe7807d3da801efe7e8faa1f105ea36cdcd913dd32a41c7"),
        ("email", "User@Example.com", "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514"),
        ("phone", "(415) 555-1234", WITH_PLUS),
        ("external_id", " UserABC", "cf1c946b7e2c680eae1b76b911030ab8fa12f296c19b906e1896d7f88351c46e"),
    ] {
        let sent = field("phone_format = 'e164'", &with(target, raw), &format!("/user/{target}"));
        assert_eq!(sent.unwrap(), digest, "{target} {raw}");
    }
}

#[test]
fn the_digest_without_plus_comes_only_where_it_is_asked_for() {
    let event = with("phone", "14155551234");
    for (format, sent) in [
        ("e164", format!("\"{WITH_PLUS}\"")),
        ("digits", format!("\"{DIGITS_ALONE}\"")),
        ("both", format!("[\"{DIGITS_ALONE}\",\"{WITH_PLUS}\"]")),
    ] {
        let settings = format!("phone_format = '{format}'");
        assert_eq!(field(&settings, &event, "/user/phone").unwrap().to_string(), sent, "{format}");
    }
    assert_eq!(prepare("", &event).item.get(), prepare("phone_format = 'both'", &event).item.get());
    assert!(!prepare("phone_format = 'e164'", &event).item.get().contains(DIGITS_ALONE));
}

#[test]
fn a_digest_is_passed_through_in_lower_case() {
    let digest = "50389806E2857C36E22B0A1ED1E7DF8606EBC0E931F6C083E73486F7A87D9A9F";
    for target in ["email", "phone", "external_id", "first_name", "last_name", "zip_code"] {
        let sent = field("", &with(target, &format!(" {digest} ")), &format!("/user/{target}"));
        assert_eq!(sent.unwrap(), WITH_PLUS, "{target}");
    }
}

#[test]
fn numbers_without_a_country_get_the_sinks_own() {
    let event = with("phone", "030 12345678");
    let international = with("phone", "+49 30 12345678");
    let own = field("phone_country = 49", &event, "/user/phone");
    assert_eq!(own, field("", &international, "/user/phone"));
    assert_eq!(own, field("phone_country = '+49'", &event, "/user/phone"));
    assert_ne!(own, field("phone_country = 44", &event, "/user/phone"));
}

#[test]
fn nothing_is_made_of_blank_values() {
    for target in ["external_id", "first_name", "last_name", "zip_code"] {
        for blank in ["", " ", "\u{a0}"] {
            assert_eq!(
                field("", &with(target, blank), &format!("/user/{target}")),
                None,
                "{target} {blank:?}"
            );
        }
    }
}

/// `explain` shows what is sent, because both run the same recipes.
#[test]
fn explaining_agrees_with_sending() {
    let event = CanonicalEvent {
        phone: Some("(415) 555-1234".to_owned()),
        first_name: Some("Zoë-Ann".to_owned()),
        address: Address { city: Some("São Paulo".to_owned()), ..Address::default() },
        ..event()
    };
    let traces: Vec<_> = sink("").recipes().iter().filter_map(|recipe| recipe.trace(&event)).collect();
    let targets: Vec<&str> = traces.iter().map(|trace| trace.target).collect();
    assert_eq!(targets, ["user.email", "user.phone", "user.phone", "user.first_name", "user.city"]);
    let item = prepare("", &event).item;
    for trace in traces {
        assert!(item.get().contains(&format!("\"{}\"", trace.sent.unwrap())), "{}", trace.target);
    }
}
