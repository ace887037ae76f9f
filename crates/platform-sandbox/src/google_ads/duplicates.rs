//! Rows of one request that are the same conversion.

use std::collections::HashMap;
use std::hash::Hash;

use super::error::{ApiError, Code};
use super::wire::{ClickConversion, ConversionAdjustment};

/// Conversions of the same order, or of the same click at the same time.
pub(super) fn mark_conversions(rows: &[ClickConversion], errors: &mut [Vec<ApiError>]) {
    let orders = rows.iter().map(|row| Some((row.action_id()?, row.order_id.as_deref()?)));
    for index in repeated(orders) {
        let message = "The request contains several conversions with the same order ID.";
        errors[index].push(Code::upload("DUPLICATE_ORDER_ID").at("order_id", message));
    }
    let clicks =
        rows.iter().map(|row| Some((row.action_id()?, row.click()?, row.conversion_date_time.as_deref()?)));
    for index in repeated(clicks) {
        let message = "The request contains several conversions of the same click at the same time.";
        errors[index].push(Code::upload("DUPLICATE_CLICK_CONVERSION_IN_REQUEST").error(message));
    }
}

/// Adjustments of the same conversion at the same time.
pub(super) fn mark_adjustments(rows: &[ConversionAdjustment], errors: &mut [Vec<ApiError>]) {
    let keys = rows.iter().map(|row| {
        let conversion = row.order_id.as_deref().map(|order_id| (order_id, None));
        let conversion = conversion.or_else(|| row.pair().map(|(click, at_s)| (click, Some(at_s))))?;
        Some((row.action_id()?, conversion, row.adjustment_date_time.as_deref()))
    });
    for index in repeated(keys) {
        let message = "The request contains several adjustments of the same conversion at the same time.";
        errors[index].push(Code::adjustment("DUPLICATE_ADJUSTMENT_IN_REQUEST").error(message));
    }
}

/// The places whose key occurs more than once.
fn repeated<K: Eq + Hash>(keys: impl Iterator<Item = Option<K>>) -> Vec<usize> {
    let mut places: HashMap<K, Vec<usize>> = HashMap::new();
    for (index, key) in keys.enumerate() {
        if let Some(key) = key {
            places.entry(key).or_default().push(index);
        }
    }
    places.into_values().filter(|places| places.len() > 1).flatten().collect()
}
