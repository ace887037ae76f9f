//! Recipes: how one platform wants one identifier, step by step, as data. Sending and explaining run the same one.

use std::borrow::Cow;

use serde::Serialize;

use super::digest::Digest;
use super::phone::{CallingCode, PhoneForm};
use super::text;
use crate::CanonicalEvent;

/// The field of the event that a recipe reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the event's field of that name")]
pub enum Source {
    Email,
    Phone,
    ExternalId,
    FirstName,
    LastName,
    Street,
    City,
    Region,
    PostalCode,
    Country,
}

impl Source {
    /// The field's name in the event.
    pub fn field(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::ExternalId => "externalId",
            Self::FirstName => "firstName",
            Self::LastName => "lastName",
            Self::Street => "address.street",
            Self::City => "address.city",
            Self::Region => "address.region",
            Self::PostalCode => "address.postalCode",
            Self::Country => "address.country",
        }
    }

    /// The field's value.
    pub fn read(self, event: &CanonicalEvent) -> Option<&str> {
        match self {
            Self::Email => event.email.as_deref(),
            Self::Phone => event.phone.as_deref(),
            Self::ExternalId => event.external_id.as_deref(),
            Self::FirstName => event.first_name.as_deref(),
            Self::LastName => event.last_name.as_deref(),
            Self::Street => event.address.street.as_deref(),
            Self::City => event.address.city.as_deref(),
            Self::Region => event.address.region.as_deref(),
            Self::PostalCode => event.address.postal_code.as_deref(),
            Self::Country => event.address.country.as_deref(),
        }
    }
}

/// One normalising step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Drop white space at both ends.
    Trim,
    /// Lower case.
    Lowercase,
    /// Upper case.
    Uppercase,
    /// Drop white space everywhere.
    WithoutWhitespace,
    /// One space for each run of white space.
    SingleSpaces,
    /// Drop punctuation and symbols.
    WithoutPunctuation,
    /// See [`text::gmail_canonical`].
    GmailCanonical,
    /// See [`CallingCode::e164`].
    E164(CallingCode, PhoneForm),
    /// Give up what is no e-mail address.
    EmailAddress,
    /// Give up what is not two letters.
    CountryCode,
    /// A US ZIP code of nine digits to its first five.
    ZipOfFive,
    /// A name that stands in this table to its code.
    Known(&'static [(&'static str, &'static str)]),
}

impl Step {
    /// What the step does, for `explain`.
    pub fn name(self) -> String {
        match self {
            Self::Trim => "trim".to_owned(),
            Self::Lowercase => "lower case".to_owned(),
            Self::Uppercase => "upper case".to_owned(),
            Self::WithoutWhitespace => "drop white space".to_owned(),
            Self::SingleSpaces => "single spaces".to_owned(),
            Self::WithoutPunctuation => "drop punctuation".to_owned(),
            Self::GmailCanonical => "Gmail: drop dots and +tag".to_owned(),
            Self::E164(code, PhoneForm::Plus) => format!("E.164 with +, default country +{code}"),
            Self::E164(code, PhoneForm::Digits) => format!("E.164 digits only, default country +{code}"),
            Self::EmailAddress => "an e-mail address or nothing".to_owned(),
            Self::CountryCode => "two letters or nothing".to_owned(),
            Self::ZipOfFive => "ZIP+4: first five digits".to_owned(),
            Self::Known(_) => "known names to codes".to_owned(),
        }
    }

    fn apply(self, value: &str) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Trim => Cow::Borrowed(value.trim()),
            Self::Lowercase => text::lowercase(value),
            Self::Uppercase => Cow::Owned(value.to_uppercase()),
            Self::WithoutWhitespace => text::without_whitespace(value),
            Self::SingleSpaces => text::single_spaces(value),
            Self::WithoutPunctuation => text::without_punctuation(value),
            Self::GmailCanonical => text::gmail_canonical(value),
            Self::E164(code, form) => Cow::Owned(code.e164(value, form)?),
            Self::EmailAddress => text::is_email(value).then_some(Cow::Borrowed(value))?,
            Self::CountryCode => text::is_country_code(value).then_some(Cow::Borrowed(value))?,
            Self::ZipOfFive => Cow::Borrowed(text::zip_of_five(value)),
            Self::Known(table) => {
                let known = table.iter().find(|(name, _)| *name == value);
                Cow::Borrowed(known.map_or(value, |(_, code)| code))
            }
        })
    }
}

/// How a platform wants one identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Where the value comes from.
    pub source: Source,
    /// Where it goes: the platform's name of the field.
    pub target: &'static str,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Whether the result is hashed; else it goes as it is.
    pub hashed: bool,
    /// Where the platform says so.
    pub documented: &'static str,
}

/// What became of a value on its way through a recipe, for `explain`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// The event's field.
    pub field: &'static str,
    /// The platform's field.
    pub target: &'static str,
    /// Each step's name and what it left; nothing from the step that gave the value up on.
    pub steps: Vec<(String, Option<String>)>,
    /// What is sent, if anything.
    pub sent: Option<String>,
    /// Where the platform says so.
    pub documented: &'static str,
}

impl Recipe {
    /// The normalised text; nothing where the event has no such value or nothing usable is left of it.
    pub fn normalise<'a>(&self, event: &'a CanonicalEvent) -> Option<Cow<'a, str>> {
        let mut value = Cow::Borrowed(self.source.read(event)?);
        for step in &self.steps {
            value = match value {
                Cow::Borrowed(text) => step.apply(text)?,
                Cow::Owned(text) => Cow::Owned(step.apply(&text)?.into_owned()),
            };
        }
        (!value.trim().is_empty()).then_some(value)
    }

    /// The digest to send. A value that already is a digest is passed through.
    pub fn digest(&self, event: &CanonicalEvent) -> Option<Digest> {
        if let Some(digest) = Digest::already(self.source.read(event)?.trim()) {
            return Some(digest);
        }
        self.normalise(event).map(|text| Digest::of(&text))
    }

    /// Every step on the way, for `explain`; nothing where the event has no such value.
    pub fn trace(&self, event: &CanonicalEvent) -> Option<Trace> {
        let raw = self.source.read(event)?;
        let trace = |steps, sent| Trace {
            field: self.source.field(),
            target: self.target,
            steps,
            sent,
            documented: self.documented,
        };
        if let (true, Some(digest)) = (self.hashed, Digest::already(raw.trim())) {
            let steps = vec![("already a SHA-256 digest".to_owned(), Some(digest.to_string()))];
            return Some(trace(steps, Some(digest.to_string())));
        }
        let mut value = Some(raw.to_owned());
        let mut steps = Vec::new();
        for step in &self.steps {
            value = value.and_then(|value| step.apply(&value).map(Cow::into_owned));
            steps.push((step.name(), value.clone()));
        }
        let value = value.filter(|value| !value.trim().is_empty());
        let sent = value.map(|value| if self.hashed { Digest::of(&value).to_string() } else { value });
        if self.hashed {
            steps.push(("SHA-256, hex".to_owned(), sent.clone()));
        }
        Some(trace(steps, sent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(steps: &[Step]) -> Recipe {
        Recipe {
            source: Source::Email,
            target: "user.email",
            steps: steps.to_vec(),
            hashed: true,
            documented: "test",
        }
    }

    #[test]
    fn sending_and_explaining_agree() {
        let recipe = email(&[Step::Trim, Step::Lowercase]);
        for raw in ["  User@Example.COM ", "x", &Digest::of("y").to_string().to_uppercase(), "  "] {
            let event = CanonicalEvent { email: Some(raw.to_owned()), ..CanonicalEvent::sample() };
            let sent = recipe.digest(&event).map(|digest| digest.to_string());
            assert_eq!(recipe.trace(&event).unwrap().sent, sent, "{raw}");
        }
    }

    #[test]
    fn nothing_is_made_of_nothing() {
        let recipe = email(&[Step::WithoutPunctuation]);
        for raw in ["", "  ", "...", "\u{a0}"] {
            let event = CanonicalEvent { email: Some(raw.to_owned()), ..CanonicalEvent::sample() };
            assert_eq!(recipe.digest(&event), None, "{raw:?}");
        }
    }

    #[test]
    fn a_source_reads_the_field_that_it_names() {
        let mut event = CanonicalEvent::sample();
        event.address.street = Some("address.street".into());
        event.address.city = Some("address.city".into());
        event.address.region = Some("address.region".into());
        event.address.postal_code = Some("address.postalCode".into());
        event.address.country = Some("address.country".into());
        for field in ["email", "phone", "externalId", "firstName", "lastName"] {
            event.offer(field, field);
        }
        for (source, field) in [
            (Source::Email, "email"),
            (Source::Phone, "phone"),
            (Source::ExternalId, "externalId"),
            (Source::FirstName, "firstName"),
            (Source::LastName, "lastName"),
            (Source::Street, "address.street"),
            (Source::City, "address.city"),
            (Source::Region, "address.region"),
            (Source::PostalCode, "address.postalCode"),
            (Source::Country, "address.country"),
        ] {
            assert_eq!((source.field(), source.read(&event)), (field, Some(field)));
            assert_eq!(source.read(&CanonicalEvent::sample()), None, "{field}");
        }
    }

    #[test]
    fn each_step_is_explained_by_its_name_and_by_what_it_leaves() {
        let plus = Step::E164(CallingCode::NANP, PhoneForm::Plus);
        let digits = Step::E164(CallingCode::NANP, PhoneForm::Digits);
        for (step, name, raw, left) in [
            (Step::Trim, "trim", " A b ", Some("A b")),
            (Step::Lowercase, "lower case", "ÄB", Some("äb")),
            (Step::Uppercase, "upper case", "äb", Some("ÄB")),
            (Step::WithoutWhitespace, "drop white space", "a b", Some("ab")),
            (Step::WithoutPunctuation, "drop punctuation", "a.b-c", Some("abc")),
            (Step::GmailCanonical, "Gmail: drop dots and +tag", "a.b+c@gmail.com", Some("ab@gmail.com")),
            (plus, "E.164 with +, default country +1", "415 555 1234", Some("+14155551234")),
            (digits, "E.164 digits only, default country +1", "415 555 1234", Some("14155551234")),
            (plus, "E.164 with +, default country +1", "555", None),
            (Step::EmailAddress, "an e-mail address or nothing", "a@b.c", Some("a@b.c")),
            (Step::EmailAddress, "an e-mail address or nothing", "a@b", None),
            (Step::CountryCode, "two letters or nothing", "de", Some("de")),
            (Step::CountryCode, "two letters or nothing", "deu", None),
            (Step::ZipOfFive, "ZIP+4: first five digits", "940351234", Some("94035")),
            (Step::Known(&[("texas", "tx")]), "known names to codes", "texas", Some("tx")),
            (Step::Known(&[("texas", "tx")]), "known names to codes", "hessen", Some("hessen")),
        ] {
            let event = CanonicalEvent { email: Some(raw.to_owned()), ..CanonicalEvent::sample() };
            let recipe = Recipe { hashed: false, ..email(&[step]) };
            assert_eq!(recipe.normalise(&event).as_deref(), left, "{name}");
            let trace = recipe.trace(&event).unwrap();
            assert_eq!(trace.steps, [(name.to_owned(), left.map(str::to_owned))]);
            assert_eq!((trace.field, trace.sent.as_deref()), ("email", left));
        }
    }
}
