//! One click id per row (section 3.4).

use crate::support::{booking, prepare, sink};

#[test]
fn the_first_of_gclid_gbraid_wbraid_is_sent() {
    const OTHERS: &str = "other_click_ids_dropped";
    const IDENTIFIERS: &str = "identifiers_dropped_for_braid";
    for (given, email, sent, with_email, notes) in [
        (&["gclid"][..], false, "gclid", false, &[][..]),
        (&["gbraid"], false, "gbraid", false, &[]),
        (&["wbraid"], false, "wbraid", false, &[]),
        (&["gclid", "gbraid", "wbraid"], false, "gclid", false, &[OTHERS]),
        (&["gclid", "wbraid"], true, "gclid", true, &[OTHERS]),
        (&["gbraid", "wbraid"], false, "gbraid", false, &[OTHERS]),
        (&["gbraid", "wbraid"], true, "gbraid", false, &[OTHERS, IDENTIFIERS]),
        (&["wbraid"], true, "wbraid", false, &[IDENTIFIERS]),
        (&[], true, "", true, &[]),
    ] {
        let mut fields: Vec<String> =
            given.iter().map(|name| format!(r#""{name}":"id-of-{name}""#)).collect();
        if email {
            fields.push(r#""email":"a@example.com""#.to_owned());
        }
        let payload = prepare(&sink(""), &booking(&fields.join(","))).unwrap();
        let item = payload.item.get();
        for name in ["gclid", "gbraid", "wbraid"] {
            assert_eq!(
                item.contains(&format!(r#""{name}":"id-of-{name}""#)),
                name == sent,
                "{given:?}: {item}"
            );
        }
        assert_eq!(item.contains("hashedEmail"), with_email, "{given:?}: {item}");
        assert_eq!(payload.notes, notes, "{given:?}");
    }
}
