//! The differences that are allowed, each with what it is and why ours stands.

/// A way in which a normaliser of Meta's differs from ours.
pub(super) struct Difference {
    field: &'static str,
    /// What it is and why it is allowed.
    pub(super) name: &'static str,
    /// Whether it is this one: what was given, what we make of it, and what they do.
    holds: fn(&str, Option<&str>, Option<&str>) -> bool,
}

const fn of(
    field: &'static str,
    name: &'static str,
    holds: fn(&str, Option<&str>, Option<&str>) -> bool,
) -> Difference {
    Difference { field, name, holds }
}

/// The name of the first that it is.
pub(super) fn explain(
    allowed: &'static [Difference],
    field: &str,
    raw: &str,
    ours: Option<&str>,
    theirs: Option<&str>,
) -> Option<&'static str> {
    let mut of_field = allowed.iter().filter(|difference| difference.field == field);
    of_field.find(|difference| (difference.holds)(raw, ours, theirs)).map(|difference| difference.name)
}

/// Of `facebook-business` 26.0.3.
pub(super) const SDK: &[Difference] = &[
    of(
        "em",
        "em: takes what is no address, such as one with spaces; ours leaves it out",
        |raw, ours, theirs| ours.is_none() && theirs == Some(&*trimmed(raw)),
    ),
    of("ph", "ph: no default country; ours prepends the configured one", prepends_country),
    of(
        "ph",
        "ph: gives up on dots and extensions; the written rule says to remove symbols and letters",
        |raw, ours, theirs| theirs.is_none() && ours.is_some() && raw.contains(['.', '/']),
    ),
    of("ph", "ph: keeps the trunk zero in brackets, which is for callers at home", trunk_zero),
    of("ph", "ph: takes fewer than 8 digits, which no number abroad has", |_, ours, theirs| {
        ours.is_none() && theirs.is_some_and(|digits| digits.len() < 8)
    }),
    of("fn", "fn: keeps punctuation and spaces; the written rule drops them", keeps_punctuation),
    of("ln", "ln: keeps punctuation and spaces; the written rule drops them", keeps_punctuation),
    of(
        "ct",
        "ct: keeps punctuation but dots, hyphens and brackets; the written rule drops it",
        |raw, ours, theirs| {
            theirs == Some(&*without_location_marks(raw)) && ours == theirs.map(bare).as_deref()
        },
    ),
    of("st", "st: knows no codes of states; the written rule wants them in the US", |raw, ours, theirs| {
        theirs.map(bare) == Some(bare(raw)) && ours.is_some_and(|code| code.len() == 2)
    }),
    of(
        "st",
        "st: keeps punctuation but dots, hyphens and brackets; the written rule drops it",
        |raw, ours, theirs| {
            theirs == Some(&*without_location_marks(raw)) && ours == theirs.map(bare).as_deref()
        },
    ),
    of("zp", "zp: cuts every code at a hyphen; the written rule does so in the US alone", cuts_at_hyphen),
    of("country", "country: drops punctuation; ours takes two letters alone", |raw, ours, theirs| {
        ours.is_none() && theirs == Some(&*letters(raw))
    }),
    of("country", "country: asks a list of countries; ours takes any two letters", |raw, ours, theirs| {
        theirs.is_none() && ours == Some(&*trimmed(raw))
    }),
    of(
        "external_id",
        "external_id: in lower case; it must be what other channels send, so ours keeps it",
        |raw, ours, theirs| ours == Some(raw.trim()) && theirs == Some(&*trimmed(raw)),
    ),
];

/// Of `capi-param-builder-nodejs` 1.3.2.
pub(super) const BUILDER: &[Difference] = &[
    of(
        "em",
        "em: takes ASCII addresses alone; ours takes those of other scripts, too",
        |raw, ours, theirs| theirs.is_none() && ours == Some(&*trimmed(raw)) && !raw.is_ascii(),
    ),
    of("ph", "ph: no default country; ours prepends the configured one", prepends_country),
    of("ph", "ph: takes an extension for part of the number; ours leaves it out", |raw, ours, theirs| {
        raw.contains("ext") && theirs.is_some_and(|theirs| ours.is_some_and(|ours| starts(ours, theirs)))
    }),
    of("ph", "ph: keeps the trunk zero in brackets, which is for callers at home", trunk_zero),
    of("ph", "ph: takes fewer than 8 digits, which no number abroad has", |_, ours, theirs| {
        ours.is_none() && theirs.is_some_and(|digits| digits.len() < 8)
    }),
    of("fn", "fn: keeps punctuation beyond ASCII; the written rule drops all", keeps_punctuation),
    of("ln", "ln: keeps punctuation beyond ASCII; the written rule drops all", keeps_punctuation),
    of(
        "ct",
        "ct: drops letters beyond ASCII, and cities of other scripts; ours keeps UTF-8 letters",
        ascii_alone,
    ),
    of(
        "st",
        "st: does not know the District of Columbia, and cuts it to two letters",
        |raw, ours, theirs| bare(raw) == "districtofcolumbia" && (ours, theirs) == (Some("dc"), Some("di")),
    ),
    of("st", "st: cuts regions it does not know to two letters; ours keeps them", |_, ours, theirs| {
        ours.is_some_and(|ours| ours.len() > 2) && theirs.is_none_or(|theirs| theirs.len() <= 2)
    }),
    of("zp", "zp: cuts every code at a hyphen; the written rule does so in the US alone", cuts_at_hyphen),
    of("zp", "zp: keeps spaces; the written rule drops them", |raw, ours, theirs| {
        theirs == Some(&*trimmed(raw)) && ours == theirs.map(bare).as_deref()
    }),
    of(
        "country",
        "country: makes two letters of names and of what it does not know; ours leaves it out",
        |_, ours, theirs| ours.is_none() && theirs.is_some_and(|code| code.len() == 2),
    ),
    of(
        "external_id",
        "external_id: lower case and without spaces; it must be what other channels send, so ours keeps it",
        |raw, ours, theirs| {
            let spaceless: String = raw.to_lowercase().split_whitespace().collect();
            ours == Some(raw.trim()) && theirs == Some(&*spaceless)
        },
    ),
];

fn trimmed(raw: &str) -> String {
    raw.trim().to_lowercase()
}

fn bare(text: &str) -> String {
    text.to_lowercase().chars().filter(|c| c.is_alphanumeric() || is_mark(*c)).collect()
}

/// Vowel signs and accents of their own.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}')
}

fn letters(raw: &str) -> String {
    raw.to_lowercase().chars().filter(char::is_ascii_lowercase).collect()
}

fn without_location_marks(raw: &str) -> String {
    trimmed(raw)
        .chars()
        .filter(|c| !(c.is_ascii_digit() || c.is_whitespace() || ".-()".contains(*c)))
        .collect()
}

fn prepends_country(_: &str, ours: Option<&str>, theirs: Option<&str>) -> bool {
    theirs.is_some_and(|theirs| theirs.len() == 10 && ours == Some(&*format!("1{theirs}")))
}

fn trunk_zero(raw: &str, ours: Option<&str>, theirs: Option<&str>) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    raw.contains("(0)") && theirs == Some(&*digits(raw)) && ours == Some(&*digits(&raw.replace("(0)", "")))
}

/// With or without the country that ours has before it.
fn starts(ours: &str, theirs: &str) -> bool {
    theirs.starts_with(ours) || ours.strip_prefix('1').is_some_and(|national| theirs.starts_with(national))
}

fn keeps_punctuation(_: &str, ours: Option<&str>, theirs: Option<&str>) -> bool {
    ours == theirs.map(bare).as_deref()
}

fn ascii_alone(_: &str, ours: Option<&str>, theirs: Option<&str>) -> bool {
    let Some(ours) = ours else { return false };
    let ascii: String = ours.chars().filter(char::is_ascii_alphanumeric).collect();
    let is_city = ascii.starts_with(|c: char| c.is_ascii_lowercase());
    !ours.is_ascii() && theirs == Some(&*ascii).filter(|_| is_city)
}

fn cuts_at_hyphen(raw: &str, ours: Option<&str>, theirs: Option<&str>) -> bool {
    let before = trimmed(raw).split('-').next().unwrap_or_default().trim().to_owned();
    raw.contains('-')
        && ours == Some(&*bare(raw))
        && (theirs == Some(&*before)
            || theirs.map(bare) == Some(bare(&before))
            || (theirs.is_none() && before.len() < 2))
}
