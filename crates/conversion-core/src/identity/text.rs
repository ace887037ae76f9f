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
