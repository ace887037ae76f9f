//! Made-up persons, of many scripts and spellings, some with what is no name, number or address at all.

use conversion_core::CanonicalEvent;
use conversion_core::event::Address;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use crate::kit::bare_event;

const NAMES: [&str; 40] = [
    "Mary",
    "john",
    "José",
    "Anne-Marie",
    "O'Neil",
    "Jean-Luc",
    "de la Cruz",
    "Valéry",
    "정",
    "민준",
    "Müller",
    "STRAßE",
    "van der Berg",
    "D’Angelo",
    "Łukasz",
    "Νίκος",
    "Дмитрий",
    "Ёлкина",
    "नेहा",
    "अर्जुन",
    "محمد",
    "יעל",
    "太郎",
    "さくら",
    "小龙",
    "Zoë",
    "Jr.",
    "Smith, Jr.",
    "\"Bob\"",
    "Ana María",
    "Ñáñez",
    "Søren",
    "Đặng",
    "Ionuț",
    "Çelik",
    "Mc Donald",
    "St. John",
    "X Æ A-12",
    "Renée",
    "Anders",
];
const DOMAINS: [&str; 8] = [
    "gmail.com",
    "Example.COM",
    "mail.example.co.uk",
    "yahoo.de",
    "müller.de",
    "例え.jp",
    "x.io",
    "sub.domain.example",
];
const CITIES: [&str; 24] = [
    "San Francisco",
    "São Paulo",
    "L'Aquila",
    "New York",
    "Zürich",
    "東京",
    "Москва",
    "St. Louis",
    "Washington, D.C.",
    "Aix-en-Provence",
    "Kraków",
    "القاهرة",
    "Winston-Salem",
    "Île de Ré",
    "Halle (Saale)",
    "Ho Chi Minh City",
    "Berlin",
    "København",
    "O Porto",
    "Saint-Étienne",
    "Tel Aviv",
    "Lagos",
    "Αθήνα",
    "Coeur d'Alene",
];
const REGIONS: [&str; 20] = [
    "California",
    "CA",
    "ny",
    "New York",
    "N.Y.",
    "Texas",
    "Ontario",
    "QC",
    "Bayern",
    "Île-de-France",
    "Baden-Württemberg",
    "New South Wales",
    "西藏",
    "Val d'Aosta",
    "District of Columbia",
    "Nova Scotia",
    "Hessen",
    "Andalucía",
    "on",
    "North Carolina",
];
const COUNTRIES: [&str; 14] = [
    "US",
    "de",
    " Gb ",
    "usa",
    "Germany",
    "U.S.",
    "XX",
    "FR",
    "jp",
    "United Kingdom",
    "BR",
    "in",
    "zz",
    "ca",
];

/// One person after another, for ever.
pub(super) fn made_up(seed: u64) -> impl Iterator<Item = CanonicalEvent> {
    let mut random = StdRng::seed_from_u64(seed);
    std::iter::repeat_with(move || person(&mut random))
}

fn person(random: &mut StdRng) -> CanonicalEvent {
    let address = Address {
        street: None,
        city: sometimes(random, |random| spelt(random, &CITIES)),
        region: sometimes(random, |random| spelt(random, &REGIONS)),
        postal_code: sometimes(random, postal_code),
        country: sometimes(random, |random| COUNTRIES.choose(random).unwrap().to_string()),
    };
    CanonicalEvent {
        email: sometimes(random, email),
        phone: sometimes(random, phone),
        first_name: sometimes(random, |random| spelt(random, &NAMES)),
        last_name: sometimes(random, |random| spelt(random, &NAMES)),
        external_id: sometimes(random, external_id),
        address,
        ..bare_event()
    }
}

fn sometimes(random: &mut StdRng, make: impl Fn(&mut StdRng) -> String) -> Option<String> {
    random.random_ratio(9, 10).then(|| make(random))
}

/// One or two of them, in any case, with spaces around.
fn spelt(random: &mut StdRng, words: &[&str]) -> String {
    let word = *words.choose(random).unwrap();
    let word = match random.random_range(0..4) {
        0 => word.to_uppercase(),
        1 => word.to_lowercase(),
        _ => word.to_owned(),
    };
    if random.random_ratio(1, 5) { format!("  {word} ") } else { word }
}

fn email(random: &mut StdRng) -> String {
    let local: String = (0..random.random_range(1..12))
        .map(|_| *b"abcdefghijklmnopqrstuvwxyzABCXYZ0123456789_+-".choose(random).unwrap() as char)
        .collect();
    let domain = DOMAINS.choose(random).unwrap();
    match random.random_range(0..20) {
        0 => local,
        1 => format!("{local}@"),
        2 => format!("{local} x@{domain}"),
        3 => format!("änne.{local}@{domain}"),
        4 => format!(" {}@{domain} ", local.to_uppercase()),
        _ => format!("{local}@{domain}"),
    }
}

fn phone(random: &mut StdRng) -> String {
    let mut number = |digits: std::ops::Range<u32>| random.random_range(digits);
    let (area, exchange, line) = (number(201..990), number(200..1000), number(1000..10_000));
    match number(0..12) {
        0 => format!("+1 ({area}) {exchange}-{line}"),
        1 => format!("({area}) {exchange}-{line}"),
        2 => format!("{area}.{exchange}.{line}"),
        3 => format!("1{area}{exchange}{line}"),
        4 => format!("+49 30 {exchange}{line}"),
        5 => format!("0044 20 {exchange} {line}"),
        6 => format!("+44 (0)20 {exchange} {line}"),
        7 => format!("{area}-{exchange}-{line} ext. {}", number(10..99)),
        8 => format!("{exchange}-{line}"),
        9 => format!("+44 0844 {exchange} {line}"),
        10 => "no phone".to_owned(),
        _ => format!(" +81 90 {line} {line} "),
    }
}

fn postal_code(random: &mut StdRng) -> String {
    let mut number = |digits: std::ops::Range<u32>| random.random_range(digits);
    match number(0..8) {
        0 => format!("{:05}-{:04}", number(501..99_951), number(1..10_000)),
        1 => format!("M{} {}AE", number(1..10), number(1..10)),
        2 => format!("{:02}-{:03}", number(0..100), number(0..1000)),
        3 => format!("{:03}-{:04}", number(0..1000), number(0..10_000)),
        4 => format!(" K{}A {}B{} ", number(0..10), number(0..10), number(0..10)),
        5 => format!("D-{:05}", number(1000..100_000)),
        6 => format!("{:05} {:03}", number(1000..100_000), number(0..1000)),
        _ => format!("{:05}", number(501..99_951)),
    }
}

fn external_id(random: &mut StdRng) -> String {
    let number = random.random_range(0..1_000_000);
    match random.random_range(0..5) {
        0 => format!("User-{number}"),
        1 => format!(" user {number} "),
        2 => format!("{number:064x}"),
        _ => number.to_string(),
    }
}
