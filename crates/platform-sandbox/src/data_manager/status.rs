//! What becomes of events after they were taken (`platforms/google-ads.md`, section 7.4).

use std::collections::{BTreeMap, HashMap};

use hyper::StatusCode;
use serde_json::{Value, json};

use super::authorise;
use super::refusal::Refusal;
use crate::Platform;
use crate::exchange::Call;
use crate::reply::Reply;
use crate::report::Judged;
use crate::settings::Settings;
use crate::state::State;

/// For so long a status can be asked for.
const READABLE_S: u64 = 50 * 24 * 3600;
/// More requests than this are not remembered: beyond it, the oldest go.
const REMEMBERED: usize = 200_000;

/// The requests that were taken, by the id that each was given.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    by_id: HashMap<String, Ingested>,
}

/// A request that was taken.
#[derive(Debug)]
pub(crate) struct Ingested {
    at_us: u64,
    transaction_ids: Vec<String>,
}

impl Ingested {
    /// Taken at this time of the sandbox's own clock.
    pub(super) fn new(at_us: u64, transaction_ids: Vec<String>) -> Self {
        Self { at_us, transaction_ids }
    }

    /// The rows that are refused, by reason.
    fn refused(&self, settings: &Settings) -> BTreeMap<String, Vec<usize>> {
        let mut refused: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (row, id) in self.transaction_ids.iter().enumerate() {
            if let Some(reason) = settings.late_verdicts.get(id) {
                refused.entry(reason.clone()).or_default().push(row);
            }
        }
        refused
    }

    fn age_s(&self, now_us: u64) -> u64 {
        now_us.saturating_sub(self.at_us) / 1_000_000
    }
}

impl Requests {
    pub(super) fn remember(&mut self, id: String, request: Ingested) {
        if self.by_id.len() >= REMEMBERED
            && let Some(oldest) =
                self.by_id.iter().min_by_key(|(_, known)| known.at_us).map(|(id, _)| id.clone())
        {
            self.by_id.remove(&oldest);
        }
        self.by_id.insert(id, request);
    }

    /// How all that was taken stands.
    pub(crate) fn judged(&self, settings: &Settings, now_us: u64) -> Judged {
        let mut judged = Judged::default();
        for request in self.by_id.values() {
            let rows = request.transaction_ids.len() as u64;
            if request.age_s(now_us) < settings.processing_s {
                judged.processing += rows;
                continue;
            }
            let refused: usize = request.refused(settings).values().map(Vec::len).sum();
            judged.refused += refused as u64;
            judged.confirmed += rows - refused as u64;
        }
        judged
    }

    pub(crate) fn clear(&mut self) {
        self.by_id.clear();
    }
}

/// `GET /v1/requestStatus:retrieve?requestId=…`.
pub(crate) fn retrieve(state: &State, call: &Call) -> Reply {
    let own = state.of(Platform::GoogleDataManager);
    let settings = own.settings();
    if settings.down {
        let message = "The service is currently unavailable.";
        return Refusal::status(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message).reply(true);
    }
    match answer(state, call, &settings) {
        Ok(answer) => Reply::json(StatusCode::OK, &answer),
        Err(refusal) => refusal.reply(true),
    }
}

fn answer(state: &State, call: &Call, settings: &Settings) -> Result<Value, Refusal> {
    authorise(state, call, settings)?;
    let query = call.parts.uri.query().unwrap_or_default();
    let id = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "requestId");
    let id = id.map(|(_, id)| id.into_owned()).unwrap_or_default();
    let requests = state.ingested();
    let unknown = || Refusal::invalid("The request id is not known.").with_reason("INVALID_REQUEST_ID");
    let request = requests.by_id.get(&id).ok_or_else(unknown)?;
    let age_s = request.age_s(state.now_us(settings));
    if age_s >= READABLE_S {
        return Err(Refusal::invalid("The request is too old.").with_reason("REQUEST_TOO_OLD"));
    }
    let rows = request.transaction_ids.len();
    let ingestion = json!({"eventsIngestionStatus": {"recordCount": rows.to_string()}});
    if age_s < settings.processing_s {
        return Ok(status("PROCESSING", &ingestion));
    }
    let refused = request.refused(settings);
    if refused.is_empty() {
        return Ok(status("SUCCESS", &ingestion));
    }
    let failed: usize = refused.values().map(Vec::len).sum();
    let counts: Vec<Value> = refused
        .into_iter()
        .map(|(reason, rows)| {
            let reason = format!("PROCESSING_ERROR_REASON_{reason}");
            // 64-bit integers are text in Google's JSON.
            let mut count = json!({"recordCount": rows.len().to_string(), "reason": reason});
            if settings.row_positions {
                count["recordIndices"] = json!(rows.iter().map(usize::to_string).collect::<Vec<_>>());
            }
            count
        })
        .collect();
    let word = if failed == rows { "FAILED" } else { "PARTIAL_SUCCESS" };
    let mut answer = status(word, &ingestion);
    answer["requestStatusPerDestination"][0]["errorInfo"] = json!({ "errorCounts": counts });
    Ok(answer)
}

fn status(word: &str, ingestion: &Value) -> Value {
    let mut destination = ingestion.clone();
    destination["requestStatus"] = json!(word);
    json!({ "requestStatusPerDestination": [destination] })
}
