//! Text steps. Each borrows what needs no change.

use std::borrow::Cow;

/// Lower case, by Unicode's rules.
pub fn lowercase(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.to_lowercase())
}

/// Without white space anywhere.
pub fn without_whitespace(text: &str) -> Cow<'_, str> {
    without(text, char::is_whitespace)
}

/// With one space for each run of white space.
pub(super) fn single_spaces(text: &str) -> Cow<'_, str> {
    let is_plain =
        |pair: &[u8]| pair != b"  " && pair.iter().all(|byte| *byte == b' ' || !byte.is_ascii_whitespace());
    if text.is_ascii() && text.as_bytes().windows(2).all(is_plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Without punctuation and symbols: letters, digits, marks and white space of any script stay.
pub fn without_punctuation(text: &str) -> Cow<'_, str> {
    without(text, |c| !(c.is_alphanumeric() || c.is_whitespace() || is_mark(c)))
}

/// Combining marks belong to the letter before them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}' | '\u{e00}'..='\u{fff}' | '\u{1ab0}'..='\u{1aff}')
}

/// For `gmail.com` and `googlemail.com` alone: the local part without dots and without what follows the first `+`.
/// Expects lower case.
pub fn gmail_canonical(email: &str) -> Cow<'_, str> {
    match email.rsplit_once('@') {
        Some((local, domain @ ("gmail.com" | "googlemail.com"))) => {
            let local = local.split('+').next().unwrap_or_default().replace('.', "");
            // A tag alone is no mailbox: all such addresses would become one.
            if local.is_empty() { Cow::Borrowed(email) } else { Cow::Owned(format!("{local}@{domain}")) }
        }
        _ => Cow::Borrowed(email),
    }
}

/// Whether it looks like an e-mail address: one `@`, something before it, and a domain with a dot.
pub(super) fn is_email(text: &str) -> bool {
    let is_word = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
    let Some((local, domain)) = text.split_once('@') else { return false };
    is_word(local)
        && domain.contains('.')
        && domain.split('.').all(|label| is_word(label) && !label.contains('@'))
}

/// Whether it is two letters, as ISO 3166-1 alpha-2 has them.
pub(super) fn is_country_code(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// The first five of nine digits, which a US ZIP+4 has and no other postal code; expects no white space or punctuation.
pub(super) fn zip_of_five(text: &str) -> &str {
    let is_zip = text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.get(..5).filter(|_| is_zip).unwrap_or(text)
}

fn without(text: &str, unwanted: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.contains(&unwanted) {
        return Cow::Owned(text.chars().filter(|c| !unwanted(*c)).collect());
    }
    Cow::Borrowed(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_or_code_is_told_apart() {
        for (text, expected) in [
            ("a@b.c", true),
            ("a.b+c@sub.example.com", true),
            ("ä@müller.de", true),
            ("a@b", false),
            ("@b.c", false),
            ("a@", false),
            ("a@.c", false),
            ("a@b..c", false),
            ("a@b@c.d", false),
            ("a b@c.d", false),
            ("", false),
        ] {
            assert_eq!(is_email(text), expected, "{text}");
        }
        for (text, expected) in [("us", true), ("U1", false), ("usa", false), ("ü", false), ("", false)] {
            assert_eq!(is_country_code(text), expected, "{text}");
        }
        for (text, five) in
            [("940351234", "94035"), ("94035", "94035"), ("m11ae", "m11ae"), ("9403512345", "9403512345")]
        {
            assert_eq!(zip_of_five(text), five);
        }
    }

    #[test]
    fn each_step_does_its_one_thing() {
        for (step, input, output) in [
            (lowercase as fn(&str) -> Cow<'_, str>, "ÄNNE@X.com", "änne@x.com"),
            (lowercase, "Ann@X.COM", "ann@x.com"),
            (lowercase, "ann@x.com", "ann@x.com"),
            (without_whitespace, " a b\u{a0}c\n", "abc"),
            (single_spaces, "a  b\u{a0}c \t d", "a b c d"),
            (single_spaces, "a b", "a b"),
            (without_punctuation, "O'Neil-Müller, jr.", "ONeilMüller jr"),
            (without_punctuation, "नेहा", "नेहा"),
            (without_punctuation, "अर्जुन", "अर्जुन"),
            (without_punctuation, "Zoe\u{308}-A", "Zoe\u{308}A"),
            (gmail_canonical, "a.b+c@gmail.com", "ab@gmail.com"),
            (gmail_canonical, "a.b+c@example.com", "a.b+c@example.com"),
            (gmail_canonical, "+tag@gmail.com", "+tag@gmail.com"),
            (gmail_canonical, "no-at-sign", "no-at-sign"),
        ] {
            assert_eq!(step(input), output, "{input}");
        }
    }
}
