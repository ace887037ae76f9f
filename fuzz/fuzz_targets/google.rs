//! Google's answers: one outcome per row, nothing delivered but what Google says of that row, and no row is shown what
//! concerns its neighbours.
#![no_main]

use conversion_core::failure::{Blame, Failure, FailureClass};
use conversion_core::registry;
use conversion_core::report::Outcome;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use signalbox_fuzz::Answered;

/// Codes by which Google says that it has a row already.
const ALREADY: [&str; 6] = [
    "CLICK_CONVERSION_ALREADY_EXISTS",
    "ORDER_ID_ALREADY_IN_USE",
    "CONVERSION_ALREADY_RETRACTED",
    "RESTATEMENT_ALREADY_EXISTS",
    "CONVERSION_ALREADY_ENHANCED",
    "MORE_RECENT_RESTATEMENT_FOUND",
];

const ROWS: [&str; 3] = ["conversions", "conversion_adjustments", "conversionAdjustments"];

fuzz_target!(|input: &str| {
    let Some(answered) = Answered::read(input) else { return };
    let rows = answered.items;
    let validate_only = answered.flags.contains("validate");
    let verdict = sink_google_ads::verdict(&answered.reply, rows, validate_only);
    let Some(json) = answered.json() else { return };
    match verdict {
        Ok(outcomes) => {
            assert_eq!(outcomes.len(), rows);
            for (row, outcome) in outcomes.iter().enumerate() {
                match outcome {
                    Outcome::Delivered { note } => {
                        delivered(&answered, &json, row, note.as_deref(), validate_only);
                    }
                    Outcome::Failed(failure) => failed(&answered, failure, 1),
                    Outcome::RefusedWithOthers => {
                        assert!(!answered.is_success(), "rows that are taken are judged one by one");
                    }
                }
            }
        }
        Err(failure) => failed(&answered, &failure, rows),
    }
    for row in 0..rows.min(4) {
        own(&answered.reply.body, &json, row);
    }
});

fn delivered(answered: &Answered, json: &Value, row: usize, note: Option<&str>, validate_only: bool) {
    let already = note.and_then(|note| note.strip_prefix("already_there: "));
    match (note, already.and_then(|code| code.rsplit_once('.'))) {
        (_, Some((_, code))) => {
            assert!(ALREADY.contains(&code), "{code}");
            assert!(answered.is_success() || answered.items == 1);
        }
        (Some("validate_only"), None) => assert!(validate_only && answered.is_success()),
        (None, None) => {
            assert!(answered.is_success());
            let results = json["results"].as_array().expect("delivered without results");
            assert_eq!(results.len(), answered.items);
            assert!(results[row].as_object().is_some_and(|result| !result.is_empty()));
            let status = &json["partialFailureError"];
            let named = status["code"].as_i64().unwrap_or_default() != 0
                && errors(status, true).any(|error| row_of(error) == Some(row as u64));
            assert!(!named, "delivered in spite of an error");
        }
        (Some(note), None) => panic!("{note}"),
    }
}

fn failed(answered: &Answered, failure: &Failure, rows: usize) {
    assert!(failure.message.starts_with("Google Ads"), "{}", failure.message);
    assert_ne!(failure.class, FailureClass::Unreachable, "what is answered was sent");
    assert!(failure.blame == Blame::Batch || rows > 1);
}

/// What of an answer is shown to the row at `position`.
fn own(body: &str, json: &Value, position: usize) {
    let google_ads = registry::find("google-ads").expect("it is linked");
    let Some(own) = (google_ads.own_reply)(body, position) else { return };
    // Half a surrogate pair is passed on as it came, and no text to this reader.
    let Ok(own) = serde_json::from_str::<Value>(&own) else { return };
    let results = own["results"].as_array();
    assert!(results.is_none_or(|results| results.len() <= 1));
    if let Some(result) = results.and_then(|results| results.first()) {
        assert_eq!(Some(result), json["results"].get(position));
    }
    for status in [&own["partialFailureError"], &own["error"]] {
        for error in errors(status, false) {
            assert!(row_of(error).is_none_or(|row| row == position as u64), "a neighbour's error");
        }
        let text = status["message"].as_str().unwrap_or_default();
        for rows in ROWS {
            for rest in text.split(&format!("{rows}[")).skip(1) {
                let own = rest.split_once(']').is_some_and(|(row, _)| row == position.to_string());
                assert!(own, "a message that names a neighbour");
            }
        }
    }
}

fn errors(status: &Value, of_google_ads: bool) -> impl Iterator<Item = &Value> {
    let is_failure = move |detail: &&Value| {
        !of_google_ads
            || detail["@type"].as_str().is_some_and(|kind| kind.ends_with(".errors.GoogleAdsFailure"))
    };
    let details = status["details"].as_array().into_iter().flatten().filter(is_failure);
    details.flat_map(|detail| detail["errors"].as_array().into_iter().flatten())
}

fn row_of(error: &Value) -> Option<u64> {
    let path = error["location"]["fieldPathElements"].as_array()?;
    let is_rows = |element: &&Value| element["fieldName"].as_str().is_some_and(|name| ROWS.contains(&name));
    path.iter().find(is_rows)?["index"].as_u64()
}
