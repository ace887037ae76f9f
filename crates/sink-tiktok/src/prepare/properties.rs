//! `properties`: what the event is worth and what it is about (platforms/tiktok.md, section 5).

use conversion_core::event::{CanonicalEvent, Content, Property};
use conversion_core::money::Currency;
use conversion_core::page::is_personal;

use super::{Notes, given};
use crate::wire::{self, Properties};

/// TikTok's own list (tiktok-business-api-sdk, `java_sdk/docs/Pixel*.md`). What it does with another is not known, so
/// that another is sent unchanged and noted.
const CURRENCIES: [&str; 62] = [
    "AED", "ARS", "AUD", "BDT", "BHD", "BIF", "BOB", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CRC", "CZK",
    "DKK", "DZD", "EGP", "EUR", "GBP", "GTQ", "HKD", "HNL", "HUF", "IDR", "ILS", "INR", "ISK", "JPY", "KES",
    "KHR", "KRW", "KWD", "KZT", "MAD", "MOP", "MXN", "MYR", "NGN", "NIO", "NOK", "NZD", "OMR", "PEN", "PHP",
    "PKR", "PLN", "PYG", "QAR", "RON", "RUB", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "UAH", "USD", "VES",
    "VND", "ZAR",
];

/// The content types of TikTok's reference; another could cost the whole event.
const CONTENT_TYPES: [&str; 2] = ["product", "product_group"];

pub(super) fn read<'a>(event: &'a CanonicalEvent, notes: &mut Notes) -> Properties<'a> {
    Properties {
        value: event.value,
        currency: currency(event, notes),
        content_type: content_type(event, notes),
        content_ids: event.contents.iter().filter_map(|content| given(content.id.as_deref())).collect(),
        contents: event.contents.iter().map(content).filter(|content| !content.is_empty()).collect(),
        order_id: given(event.order_id.as_deref()),
        search_string: free_text(event.search_string.as_deref(), event, notes),
        description: free_text(event.description.as_deref(), event, notes),
        more: more(event, notes),
    }
}

/// A currency goes with a value or not at all.
fn currency(event: &CanonicalEvent, notes: &mut Notes) -> Option<Currency> {
    let Some(currency) = event.currency.filter(|_| event.value.is_some()) else {
        match (event.value, event.currency) {
            (Some(_), None) => notes.push("value_without_currency"),
            (None, Some(_)) => notes.push("currency_without_value"),
            _ => {}
        }
        return None;
    };
    if !CURRENCIES.contains(&currency.code()) {
        notes.push("currency_not_listed");
    }
    Some(currency)
}

fn content_type<'a>(event: &'a CanonicalEvent, notes: &mut Notes) -> Option<&'a str> {
    let content_type = given(event.content_type.as_deref())?;
    if CONTENT_TYPES.contains(&content_type) {
        return Some(content_type);
    }
    notes.push("content_type_not_listed");
    None
}

fn content(content: &Content) -> wire::Content<'_> {
    wire::Content {
        content_id: given(content.id.as_deref()),
        content_name: given(content.name.as_deref()),
        content_category: given(content.category.as_deref()),
        brand: given(content.brand.as_deref()),
        price: content.price,
        quantity: content.quantity,
    }
}

fn free_text<'a>(text: Option<&'a str>, event: &CanonicalEvent, notes: &mut Notes) -> Option<&'a str> {
    let text = given(text)?;
    if is_personal(text, event) {
        notes.push("personal_data_left_out");
        return None;
    }
    Some(text)
}

/// The event's own properties, but for those that have a field of their own and those that name the person.
fn more<'a>(event: &'a CanonicalEvent, notes: &mut Notes) -> Vec<(&'a str, &'a Property)> {
    let mut more = Vec::with_capacity(event.properties.len());
    for (name, value) in &event.properties {
        if Properties::NAMES.contains(&name.as_str()) {
            notes.push("property_has_own_field");
        } else if value.is_personal(event) {
            notes.push("personal_data_left_out");
        } else {
            more.push((name.as_str(), value));
        }
    }
    more
}
