//! Page addresses without the personal data that forms leave in their query.

use std::borrow::Cow;

use crate::CanonicalEvent;

/// `url` without the query parameters whose value is the event's own e-mail, phone or a name of the person. What
/// stays is kept byte for byte; click ids live in the query.
pub fn without_personal_data<'a>(url: &'a str, event: &CanonicalEvent) -> Cow<'a, str> {
    let Some((base, rest)) = url.split_once('?') else { return Cow::Borrowed(url) };
    let (query, fragment) = match rest.split_once('#') {
        Some((query, fragment)) => (query, Some(fragment)),
        None => (rest, None),
    };
    let names_a_person =
        |pair: &&str| form_urlencoded::parse(pair.as_bytes()).any(|(_, value)| is_personal(&value, event));
    if !query.split('&').any(|pair| names_a_person(&pair)) {
        return Cow::Borrowed(url);
    }
    let kept: Vec<&str> = query.split('&').filter(|pair| !names_a_person(pair)).collect();
    let mut clean = base.to_owned();
    if !kept.is_empty() {
        clean.push('?');
        clean.push_str(&kept.join("&"));
    }
    if let Some(fragment) = fragment {
        clean.push('#');
        clean.push_str(fragment);
    }
    Cow::Owned(clean)
}

/// Whether `value` is the event's own e-mail, phone or a name of the person, with or without blanks around it.
pub fn is_personal(value: &str, event: &CanonicalEvent) -> bool {
    let value = value.trim();
    let same_text = |own: &Option<String>| {
        own.as_deref().is_some_and(|own| own.trim().to_lowercase() == value.to_lowercase())
    };
    !value.is_empty()
        && (same_text(&event.email)
            || same_text(&event.first_name)
            || same_text(&event.last_name)
            || event.phone.as_deref().is_some_and(|phone| same_phone(phone, value)))
}

/// Same digits, wherever one of them may lack the country code.
fn same_phone(own: &str, value: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let (own, value) = (digits(own), digits(value));
    let long_enough = own.len() >= 7 && value.len() >= 7;
    long_enough && (own.ends_with(&value) || value.ends_with(&own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_what_names_the_person_and_nothing_else() {
        let event = CanonicalEvent {
            email: Some("Ann@Example.com".into()),
            phone: Some("+1 (415) 555-1234".into()),
            first_name: Some("Ann".into()),
            ..CanonicalEvent::sample()
        };
        for (url, clean) in [
            ("https://x.test/a?ttclid=E.C.P&mail=ann%40example.com", "https://x.test/a?ttclid=E.C.P"),
            ("https://x.test/a?tel=4155551234#top", "https://x.test/a#top"),
            ("https://x.test/a?n=ANN&b=%20&c", "https://x.test/a?b=%20&c"),
            ("https://x.test/a?q=anne&gclid=abc%2F1", "https://x.test/a?q=anne&gclid=abc%2F1"),
            ("https://x.test/ann", "https://x.test/ann"),
        ] {
            assert_eq!(without_personal_data(url, &event), clean);
        }
    }
}
