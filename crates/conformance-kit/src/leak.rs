//! Personal data that can be recognised wherever it turns up.

use conversion_core::CanonicalEvent;
use conversion_core::event::{Address, Property};
use conversion_core::money::Amount;

use crate::fixture;

/// A person who is found again in any text, however it is written there.
pub(crate) struct Person {
    /// Upper or lower case, blanks around.
    pub(crate) event: CanonicalEvent,
    digits: String,
}

impl Person {
    /// The person of that number, with `pad` around what is known of him.
    pub(crate) fn new(number: u16, pad: &str) -> Self {
        let (email, digits) =
            (format!("{pad}Sentinel.Mail+{number}@Example.COM{pad}"), format!("1415555{number:04}"));
        let phone = format!("{pad}+1 (415) 555-{number:04}");
        let (first, last) = (format!("Sentinelfirst{number}"), format!("Sentinellast-{number}"));
        let url = format!(
            "https://academy.example/?a=1&m=sentinel.mail%2B{number}%40example.com&t=%2B{digits}&n={first}&l={last}"
        );
        let text = |text: &str| Property::Text(text.to_owned());
        let given = [("mail", text(&email)), ("name", text(&first.to_uppercase())), ("tel", text(&phone))];
        let number = Amount::parse(&digits).ok().map(|amount| ("number", Property::Number(amount)));
        let event = CanonicalEvent {
            email: Some(email.clone()),
            phone: Some(phone.clone()),
            first_name: Some(first),
            last_name: Some(last),
            address: Address {
                street: Some("Sentinel street 1".to_owned()),
                country: Some("US".to_owned()),
                ..Address::default()
            },
            page_url: Some(url.clone()),
            page_referrer: Some(url),
            search_string: Some(email),
            description: Some(phone),
            properties: given
                .into_iter()
                .chain(number)
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            ..fixture::booking()
        };
        Self { event, digits }
    }

    /// The first line of a text that tells of the person.
    pub(crate) fn found_in<'a>(&self, text: &'a str) -> Option<&'a str> {
        text.lines().find(|line| {
            // Punctuation is what people write numbers with.
            let plain: String =
                line.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
            // With and without the code of the country.
            plain.contains("sentinel") || plain.contains(self.digits.get(1..).unwrap_or(&self.digits))
        })
    }
}
