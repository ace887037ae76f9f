//! Click conversions: a row's way into the memory, and what the answer says about it.

use serde_json::{Value, json};

use super::error::{ApiError, Code};
use super::path::Target;
use super::upload::{Row, Service};
use super::wire::{ClickConversion, ConversionUpload};
use super::{date_time, duplicates, field, row};
use crate::exchange::Desk;
use crate::memory::{Arrival, Key};
use crate::settings::Settings;
use crate::tally::{DedupKey, Tally};

impl Row for ClickConversion {
    type Body = ConversionUpload;
    const SERVICE: Service = Service::Conversions;

    fn order_id(&self) -> Option<&str> {
        self.order_id.as_deref()
    }

    fn check(&self, settings: &Settings) -> Vec<ApiError> {
        row::check(self, settings)
    }

    fn mark_duplicates(rows: &[Self], errors: &mut [Vec<ApiError>]) {
        duplicates::mark_conversions(rows, errors);
    }

    fn settle(&self, tally: &mut Tally, desk: &Desk<'_>, target: &Target<'_>) -> Option<ApiError> {
        let window_us = desk.settings.dedup_window_s.map(|seconds| seconds.saturating_mul(1_000_000));
        let name = self.action_id().unwrap_or_default();
        let key = |id| Key { id, scope: target.customer, name };
        let happened_s = date_time::parse(self.conversion_date_time.as_deref()?).ok()?;
        let click = self.click().map(|click| click_id(click, happened_s));
        let dedup = match (self.order_id.as_deref(), click.as_deref()) {
            (Some(order_id), _) => DedupKey::Id(key(order_id)),
            (None, Some(click)) => DedupKey::Click(key(click)),
            (None, None) => DedupKey::None(name),
        };
        let arrival = tally.accept(dedup, desk.now_us, window_us);
        if arrival == Arrival::Deduplicated {
            return Some(self.exists_already());
        }
        if let Some(conversion) = tally.conversion(dedup) {
            conversion.happened_s = happened_s;
        }
        None
    }

    fn result(&self) -> Value {
        let fields = [
            ("gclid", &self.gclid),
            ("gbraid", &self.gbraid),
            ("wbraid", &self.wbraid),
            ("conversionAction", &self.conversion_action),
            ("conversionDateTime", &self.conversion_date_time),
        ];
        let set =
            fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?))));
        Value::Object(set.collect())
    }
}

impl ClickConversion {
    /// The only part of the conversion action's name that is looked at.
    pub(super) fn action_id(&self) -> Option<&str> {
        field::action_id(self.conversion_action.as_deref())
    }

    fn exists_already(&self) -> ApiError {
        if self.order_id.is_some() {
            let message = "The order ID is already in use.";
            return Code::upload("ORDER_ID_ALREADY_IN_USE").at("order_id", message);
        }
        let message = "A conversion of this click at this time already exists.";
        Code::upload("CLICK_CONVERSION_ALREADY_EXISTS").error(message)
    }
}

/// What a conversion without an order id is known by.
pub(super) fn click_id(click: &str, happened_s: i64) -> String {
    format!("{happened_s} {click}")
}
