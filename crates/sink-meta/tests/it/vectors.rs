//! Published digests (platforms/meta.md, section 3.3), and how each field is written before it is hashed (section 3.2).

use conversion_core::CanonicalEvent;
use conversion_core::event::Address;
use conversion_core::sink::ConversionSink as _;

use crate::kit::{bare_event, event, field, sink};

fn with(target: &str, raw: &str) -> CanonicalEvent {
    let value = Some(raw.to_owned());
    let at = |address: Address| CanonicalEvent { address, ..event() };
    match target {
        "em" => CanonicalEvent { email: value, external_id: Some("x".to_owned()), ..bare_event() },
        "ph" => CanonicalEvent { phone: value, ..event() },
        "fn" => CanonicalEvent { first_name: value, ..event() },
        "ln" => CanonicalEvent { last_name: value, ..event() },
        "external_id" => CanonicalEvent { external_id: value, ..event() },
        "ct" => at(Address { city: value, ..Address::default() }),
        "st" => at(Address { region: value, ..Address::default() }),
        "zp" => at(Address { postal_code: value, ..Address::default() }),
        "country" => at(Address { country: value, ..Address::default() }),
        _ => panic!("{target}"),
    }
}

#[test]
fn every_published_vector() {
    for (target, raw, digest) in [
        ("em", "John_Smith@gmail.com", "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"),
        ("ph", "+1 (650) 555-1212", "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"),
        ("fn", " Mary ", "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec"),
        ("fn", "정", "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14"),
        ("ln", "Valéry", "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c"),
        ("country", "US", "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621"),
        ("zp", "94035-1234", "1794327a4d443904421f5ca1f3d72d0a62ba2f0770d80755ec2220fc0efb052e"),
    ] {
        let sent = field("", &with(target, raw), &format!("/user_data/{target}/0"));
        assert_eq!(sent.unwrap(), digest, "{target} {raw}");
    }
}

#[test]
fn fields_are_written_as_the_table_of_differences_decides() {
    for (target, raw, normalised) in [
        ("em", " Ann.B+tag@Gmail.COM ", Some("ann.b+tag@gmail.com")),
        ("em", "no address", None),
        ("em", "a@b", None),
        ("ph", "+1 (650) 555-1212", Some("16505551212")),
        ("ph", "(650) 555-1212", Some("16505551212")),
        ("ph", "0044 844 412 4653", Some("448444124653")),
        ("ph", "+44 0844 412 4653", Some("4408444124653")),
        ("ph", "650.555.1212", Some("16505551212")),
        ("ph", "12", None),
        ("fn", "O'Neil", Some("oneil")),
        ("fn", "Jean-Luc", Some("jeanluc")),
        ("ln", "de la Cruz", Some("delacruz")),
        ("ln", "Valéry", Some("valéry")),
        ("ct", "San Francisco", Some("sanfrancisco")),
        ("ct", "São Paulo", Some("sãopaulo")),
        ("ct", "L'Aquila", Some("laquila")),
        ("st", "California", Some("ca")),
        ("st", "N.Y.", Some("ny")),
        ("st", "Québec", Some("qc")),
        ("st", "Île-de-France", Some("îledefrance")),
        ("zp", "94035-1234", Some("94035")),
        ("zp", "94035", Some("94035")),
        ("zp", "M1 1AE", Some("m11ae")),
        ("zp", "00-950", Some("00950")),
        ("country", " De", Some("de")),
        ("country", "usa", None),
        ("external_id", " User-7 ", Some("User-7")),
    ] {
        let sink = sink("");
        let event = with(target, raw);
        let recipe =
            sink.recipes().iter().find(|recipe| recipe.target == format!("user_data.{target}")).unwrap();
        assert_eq!(recipe.normalise(&event).as_deref(), normalised, "{target} {raw}");
        assert_eq!(
            field("", &event, &format!("/user_data/{target}")).is_some(),
            normalised.is_some(),
            "{raw}"
        );
    }
}

#[test]
fn a_digest_is_passed_through_in_lower_case() {
    let digest = "E323EC626319CA94EE8BFF2E4C87CF613BE6EA19919ED1364124E16807AB3176";
    for target in ["em", "ph", "fn", "ln", "ct", "st", "zp", "country", "external_id"] {
        let sent = field("", &with(target, &format!(" {digest} ")), &format!("/user_data/{target}"));
        assert_eq!(sent.unwrap().to_string(), format!("[\"{}\"]", digest.to_lowercase()), "{target}");
    }
}
