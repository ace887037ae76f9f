//! `custom_data`: what the event is worth and what it is about (platforms/meta.md, section 4).

use conversion_core::event::{CanonicalEvent, Content};
use conversion_core::page::is_personal;

use super::{Notes, given};
use crate::wire::{self, CustomData, Worth};

/// Meta's content types; another could cost the whole request.
const CONTENT_TYPES: [&str; 2] = ["product", "product_group"];

pub(super) fn read<'a>(event: &'a CanonicalEvent, notes: &mut Notes) -> CustomData<'a> {
    CustomData {
        worth: worth(event, notes),
        content_name: free_text(event.description.as_deref(), event, notes),
        content_type: content_type(event, notes),
        content_ids: event.contents.iter().filter_map(|content| given(content.id.as_deref())).collect(),
        contents: event.contents.iter().filter_map(content).collect(),
        order_id: given(event.order_id.as_deref()),
        search_string: free_text(event.search_string.as_deref(), event, notes),
        more: more(event, notes),
    }
}

fn worth(event: &CanonicalEvent, notes: &mut Notes) -> Option<Worth> {
    match (event.value, event.currency) {
        (Some(value), Some(currency)) => return Some(Worth { value, currency }),
        (Some(_), None) => notes.push("value_without_currency"),
        (None, Some(_)) => notes.push("currency_without_value"),
        (None, None) => {}
    }
    None
}

fn content_type<'a>(event: &'a CanonicalEvent, notes: &mut Notes) -> Option<&'a str> {
    let content_type = given(event.content_type.as_deref())?;
    if CONTENT_TYPES.contains(&content_type) {
        return Some(content_type);
    }
    notes.push("content_type_not_listed");
    None
}

/// A line of the order that has an id: Meta knows it by nothing else.
fn content(content: &Content) -> Option<wire::Content<'_>> {
    let id = given(content.id.as_deref())?;
    Some(wire::Content { id, quantity: content.quantity, item_price: content.price })
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
fn more<'a>(
    event: &'a CanonicalEvent,
    notes: &mut Notes,
) -> Vec<(&'a str, &'a conversion_core::event::Property)> {
    let mut more = Vec::with_capacity(event.properties.len());
    for (name, value) in &event.properties {
        if CustomData::NAMES.contains(&name.as_str()) {
            notes.push("property_has_own_field");
        } else if value.is_personal(event) {
            notes.push("personal_data_left_out");
        } else {
            more.push((name.as_str(), value));
        }
    }
    more
}
