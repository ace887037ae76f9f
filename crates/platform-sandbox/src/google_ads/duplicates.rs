//! Rows of one request that are the same conversion.

use std::collections::HashMap;
use std::hash::Hash;

use super::error::{ApiError, Code};
use super::wire::ClickConversion;

/// Gives every row of a set of duplicates an error, the first one too: none of them is processed.
pub(super) fn mark(rows: &[ClickConversion], errors: &mut [Vec<ApiError>]) {
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
