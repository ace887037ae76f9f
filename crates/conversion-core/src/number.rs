//! Numbers as JSON writes them.

/// A whole number of JSON text: `2`, `2.0` and `2e0` are the same.
pub fn whole(json: &str) -> Option<u32> {
    json.parse().ok().or_else(|| {
        let number: f64 = json.parse().ok()?;
        // Zero added makes -0 a 0.
        if number.fract() == 0.0 { format!("{:.0}", number + 0.0).parse().ok() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        for (json, number) in [
            ("0", Some(0)),
            ("2", Some(2)),
            ("2.0", Some(2)),
            ("2e0", Some(2)),
            ("1.5e1", Some(15)),
            ("-0", Some(0)),
            ("-0.0", Some(0)),
            ("4294967295.0", Some(u32::MAX)),
            ("4294967296", None),
            ("4294967296.0", None),
            ("1e400", None),
            ("-1", None),
            ("-1.0", None),
            ("2.5", None),
            ("\"2\"", None),
            ("true", None),
            ("null", None),
            ("[2]", None),
        ] {
            assert_eq!(whole(json), number, "{json}");
        }
    }
}
