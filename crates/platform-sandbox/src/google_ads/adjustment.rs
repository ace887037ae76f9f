//! Adjustments of conversions that were accepted before.

use serde_json::{Value, json};

use super::error::{ApiError, Code};
use super::path::Target;
use super::upload::{Row, Service};
use super::wire::{AdjustmentType, AdjustmentUpload, ConversionAdjustment};
use super::{conversion, date_time, duplicates, field};
use crate::exchange::Desk;
use crate::memory::{Conversion, Key};
use crate::settings::Settings;
use crate::tally::{DedupKey, Tally};

mod check;

/// Older conversions cannot be adjusted.
const MAX_AGE_S: i64 = 54 * 86_400;

impl Row for ConversionAdjustment {
    type Body = AdjustmentUpload;
    const SERVICE: Service = Service::Adjustments;

    fn order_id(&self) -> Option<&str> {
        self.order_id.as_deref()
    }

    fn check(&self, settings: &Settings) -> Vec<ApiError> {
        check::check(self, settings)
    }

    fn mark_duplicates(rows: &[Self], errors: &mut [Vec<ApiError>]) {
        duplicates::mark_adjustments(rows, errors);
    }

    fn settle(&self, tally: &mut Tally, desk: &Desk<'_>, target: &Target<'_>) -> Option<ApiError> {
        let name = self.action_id().unwrap_or_default();
        let pair = self.pair().map(|(click, happened_s)| conversion::click_id(click, happened_s));
        let key = |id| Key { id, scope: target.customer, name };
        let dedup = match (self.order_id.as_deref(), pair.as_deref()) {
            (Some(order_id), _) => DedupKey::Id(key(order_id)),
            (None, Some(pair)) => DedupKey::Click(key(pair)),
            (None, None) => DedupKey::None(name),
        };
        let at_s = date_time::parse(self.adjustment_date_time.as_deref()?).ok()?;
        let retracts = self.adjustment_type == Some(AdjustmentType::Retraction);
        let Some(conversion) = tally.conversion(dedup) else {
            tally.reject(1);
            return Some(NOT_FOUND.refusal());
        };
        let now_s = i64::try_from(desk.now_us / 1_000_000).unwrap_or(i64::MAX);
        if let Some(obstacle) = obstacle(conversion, retracts, at_s, now_s) {
            if obstacle.done_before {
                tally.adjust(false)
            } else {
                tally.reject(1)
            }
            return Some(obstacle.refusal());
        }
        if retracts {
            conversion.retracted = true
        } else {
            conversion.restated_s = Some(at_s)
        }
        tally.adjust(retracts);
        None
    }

    fn result(&self) -> Value {
        let mut result = json!({
            "conversionAction": self.conversion_action,
            "adjustmentDateTime": self.adjustment_date_time,
            "adjustmentType": self.adjustment_type,
        });
        if let Some(order_id) = &self.order_id {
            result["orderId"] = json!(order_id);
        }
        if let Some(pair) = &self.gclid_date_time_pair {
            result["gclidDateTimePair"] = json!(pair);
        }
        result
    }
}

impl ConversionAdjustment {
    pub(super) fn action_id(&self) -> Option<&str> {
        field::action_id(self.conversion_action.as_deref())
    }

    /// Click and time of the conversion, if they are given in full.
    pub(super) fn pair(&self) -> Option<(&str, i64)> {
        let pair = self.gclid_date_time_pair.as_ref()?;
        Some((pair.gclid.as_deref()?, date_time::parse(pair.conversion_date_time.as_deref()?).ok()?))
    }
}

/// What speaks against an adjustment.
#[derive(Clone, Copy, Debug)]
struct Obstacle {
    code: &'static str,
    message: &'static str,
    done_before: bool,
}

const fn final_obstacle(code: &'static str, message: &'static str) -> Obstacle {
    Obstacle { code, message, done_before: false }
}

const NOT_FOUND: Obstacle = final_obstacle("CONVERSION_NOT_FOUND", "The conversion cannot be found.");
const PRECEDES: Obstacle =
    final_obstacle("ADJUSTMENT_PRECEDES_CONVERSION", "The adjustment must be later than the conversion.");
const EXPIRED: Obstacle = final_obstacle("CONVERSION_EXPIRED", "The conversion is more than 54 days old.");
const SUPERSEDED: Obstacle =
    final_obstacle("MORE_RECENT_RESTATEMENT_FOUND", "A more recent restatement has been uploaded.");
const RETRACTED: Obstacle = Obstacle {
    code: "CONVERSION_ALREADY_RETRACTED",
    message: "The conversion has been retracted already.",
    done_before: true,
};
const RESTATED: Obstacle = Obstacle {
    code: "RESTATEMENT_ALREADY_EXISTS",
    message: "A restatement with this time exists already.",
    done_before: true,
};

impl Obstacle {
    fn refusal(self) -> ApiError {
        Code::adjustment(self.code).error(self.message)
    }
}

fn obstacle(conversion: &Conversion, retracts: bool, at_s: i64, now_s: i64) -> Option<Obstacle> {
    if at_s <= conversion.happened_s {
        return Some(PRECEDES);
    }
    if conversion.retracted {
        return Some(RETRACTED);
    }
    if now_s - conversion.happened_s > MAX_AGE_S {
        return Some(EXPIRED);
    }
    match conversion.restated_s {
        Some(restated_s) if !retracts && restated_s == at_s => Some(RESTATED),
        Some(restated_s) if !retracts && restated_s > at_s => Some(SUPERSEDED),
        _ => None,
    }
}
