//! How Google wants personal identifiers (`platforms/google-ads.md`, section 5). The same for all its APIs; only the
//! names of the fields differ.

use conversion_core::identity::{CallingCode, PhoneForm, Recipe, Source, Step};

const DOCUMENTED: &str = "Google, Data Manager API: Format user data";

/// E-mail: no white space anywhere, lower case, and for Gmail alone no dots and no `+` tag.
///
/// An older page of Google's and its own helper library drop only the dots; the latest text is followed.
pub fn email(target: &'static str) -> Recipe {
    let steps = vec![Step::Trim, Step::WithoutWhitespace, Step::Lowercase, Step::GmailCanonical];
    Recipe { source: Source::Email, target, steps, hashed: true, documented: DOCUMENTED }
}

/// Phone: E.164, whose `+` is hashed with it.
pub fn phone(target: &'static str, country: CallingCode) -> Recipe {
    let steps = vec![Step::E164(country, PhoneForm::Plus)];
    Recipe { source: Source::Phone, target, steps, hashed: true, documented: DOCUMENTED }
}

/// First or last name: lower case, no punctuation, single spaces.
pub fn name(source: Source, target: &'static str) -> Recipe {
    let steps = vec![Step::WithoutPunctuation, Step::Trim, Step::SingleSpaces, Step::Lowercase];
    Recipe { source, target, steps, hashed: true, documented: DOCUMENTED }
}

/// Country: two letters, not hashed.
pub fn country(target: &'static str) -> Recipe {
    let steps = vec![Step::Trim, Step::Uppercase];
    Recipe { source: Source::Country, target, steps, hashed: false, documented: DOCUMENTED }
}

/// Postal code: as it is, not hashed.
pub fn postal_code(target: &'static str) -> Recipe {
    let steps = vec![Step::Trim, Step::Uppercase];
    Recipe { source: Source::PostalCode, target, steps, hashed: false, documented: DOCUMENTED }
}

#[cfg(test)]
mod tests {
    use conversion_core::{CanonicalEvent, Timestamp};

    use super::*;

    fn event(email: &str, phone: &str) -> CanonicalEvent {
        CanonicalEvent {
            email: Some(email.to_owned()),
            phone: Some(phone.to_owned()),
            ..CanonicalEvent::new("E", "1", Timestamp::UNIX_EPOCH)
        }
    }

    #[test]
    fn texts_become_what_the_vectors_hash() {
        for (raw, normalised) in [
            (" ALEXZ@example.com ", "alexz@example.com"),
            ("Jane.Doe+vip@Gmail.com", "janedoe@gmail.com"),
            ("Jane.Doe+VIP@example.com", "jane.doe+vip@example.com"),
            ("jane . doe @ googlemail.com", "janedoe@googlemail.com"),
        ] {
            assert_eq!(email("t").normalise(&event(raw, "")).as_deref(), Some(normalised), "{raw}");
        }
        for (raw, normalised) in [
            ("+1 (800) 555-0100", Some("+18005550100")),
            ("+49 30 1234-5678", Some("+493012345678")),
            ("12", None),
        ] {
            let recipe = phone("t", CallingCode::NANP);
            assert_eq!(recipe.normalise(&event("", raw)).as_deref(), normalised, "{raw}");
        }
    }
}
