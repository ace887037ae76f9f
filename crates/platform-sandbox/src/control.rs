//! The sandbox's own paths: report, ids, configuration, reset, and what happens at Acuity.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::exchange::Call;
use crate::reply::Reply;
use crate::state::State;
use crate::{AcuitySettings, AcuitySettingsError, Platform, QstashSettings, Settings, SettingsError, acuity};

/// QStash among the settings; it is no sink.
const QSTASH: &str = "qstash";

/// Why a control request is refused.
#[derive(Debug, thiserror::Error)]
enum ControlError {
    #[error(
        "no such control path; there are GET /__report, GET /__ids?sink=NAME, POST /__config, POST /__reset, \
         POST /__acuity/{{book, reschedule, cancel, edit}}"
    )]
    NoSuchPath,
    #[error("this control path takes {0} only")]
    WrongMethod(Method),
    #[error("?sink=NAME is missing; there are {names}", names = names())]
    NoSink,
    #[error("there is no sink {0:?}; there are {names}", names = names())]
    UnknownSink(String),
    #[error("there is no sink {0:?}; there are {names}, {acuity}", names = names(), acuity = acuity::NAME)]
    UnknownName(String),
    #[error("not a JSON object of sinks and their settings: {0}")]
    NotSettings(serde_json::Error),
    #[error("{name}: {1}", name = .0.name())]
    Unreadable(Platform, serde_json::Error),
    #[error("{name}: {1}", name = .0.name())]
    Senseless(Platform, SettingsError),
    #[error("acuity: {0}")]
    UnreadableAcuity(serde_json::Error),
    #[error("acuity: {0}")]
    SenselessAcuity(AcuitySettingsError),
    #[error(transparent)]
    Act(#[from] acuity::ActRefusal),
    #[error("{QSTASH}: {0}")]
    UnreadableQstash(serde_json::Error),
    #[error("{QSTASH}: {0}")]
    SenselessQstash(SettingsError),
}

impl ControlError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::WrongMethod(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Act(refusal) => refusal.status(),
            Self::NoSink
            | Self::UnknownSink(_)
            | Self::UnknownName(_)
            | Self::NotSettings(_)
            | Self::Unreadable(..)
            | Self::Senseless(..)
            | Self::UnreadableAcuity(_)
            | Self::SenselessAcuity(_)
            | Self::UnreadableQstash(_)
            | Self::SenselessQstash(_) => StatusCode::BAD_REQUEST,
        }
    }
}

pub(crate) fn answer(state: &State, call: &Call) -> Reply {
    run(state, call).unwrap_or_else(|error| refusal(&error))
}

fn run(state: &State, call: &Call) -> Result<Reply, ControlError> {
    let only = |method: Method| {
        if call.parts.method == method { Ok(()) } else { Err(ControlError::WrongMethod(method)) }
    };
    match call.path() {
        "/__report" => only(Method::GET).map(|()| Reply::json(StatusCode::OK, &state.report())),
        "/__ids" => only(Method::GET).and_then(|()| ids(state, call)),
        "/__config" => only(Method::POST).and_then(|()| config(state, call)),
        "/__reset" => only(Method::POST).map(|()| reset(state)),
        path => match path.strip_prefix("/__acuity/") {
            Some(name) => only(Method::POST).and_then(|()| act(state, name, call)),
            None => Err(ControlError::NoSuchPath),
        },
    }
}

fn refusal(error: &ControlError) -> Reply {
    Reply::json(error.status(), &json!({ "error": error.to_string() }))
}

fn done() -> Reply {
    Reply::json(StatusCode::OK, &json!({ "ok": true }))
}

/// One line an id: id, how often accepted, when first, and whether it was retracted.
fn ids(state: &State, call: &Call) -> Result<Reply, ControlError> {
    let query = call.parts.uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, sink) = pairs.find(|(name, _)| name == "sink").ok_or(ControlError::NoSink)?;
    let ids = state.of(named(&sink)?).ids();
    let mut lines = String::with_capacity(ids.len() * 48);
    for seen in ids {
        // Writing into a string cannot fail.
        let retracted = if seen.retracted { "\tretracted" } else { "" };
        writeln!(lines, "{}\t{}\t{}{retracted}", seen.id, seen.count, seen.first_us).ok();
    }
    Ok(Reply::text(StatusCode::OK, lines))
}

fn act(state: &State, name: &str, call: &Call) -> Result<Reply, ControlError> {
    Ok(Reply::json(StatusCode::OK, &acuity::act(state, name, &call.body)?))
}

/// Replaces the settings of the platforms that are named: all of them, or none if one is wrong.
fn config(state: &State, call: &Call) -> Result<Reply, ControlError> {
    let mut sinks: BTreeMap<String, Value> =
        serde_json::from_slice(&call.body).map_err(ControlError::NotSettings)?;
    let acuity = sinks.remove(acuity::NAME).map(readable_acuity).transpose()?;
    let qstash = sinks.remove(QSTASH).map(readable_qstash).transpose()?;
    let all = sinks.into_iter().map(|(name, settings)| readable(&name, settings));
    for (platform, settings) in all.collect::<Result<Vec<_>, _>>()? {
        state.configure(platform, settings);
    }
    if let Some(settings) = acuity {
        state.acuity.configure(settings);
    }
    if let Some(settings) = qstash {
        state.qstash.configure(settings);
    }
    Ok(done())
}

fn readable(name: &str, settings: Value) -> Result<(Platform, Settings), ControlError> {
    let platform = Platform::named(name).ok_or_else(|| ControlError::UnknownName(name.to_owned()))?;
    let settings: Settings =
        serde_json::from_value(settings).map_err(|error| ControlError::Unreadable(platform, error))?;
    settings.check(platform).map_err(|error| ControlError::Senseless(platform, error))?;
    Ok((platform, settings))
}

fn readable_acuity(settings: Value) -> Result<AcuitySettings, ControlError> {
    let settings: AcuitySettings =
        serde_json::from_value(settings).map_err(ControlError::UnreadableAcuity)?;
    settings.check().map_err(ControlError::SenselessAcuity)?;
    Ok(settings)
}

fn readable_qstash(settings: Value) -> Result<QstashSettings, ControlError> {
    let settings: QstashSettings =
        serde_json::from_value(settings).map_err(ControlError::UnreadableQstash)?;
    settings.check().map_err(ControlError::SenselessQstash)?;
    Ok(settings)
}

fn reset(state: &State) -> Reply {
    state.reset();
    done()
}

fn named(name: &str) -> Result<Platform, ControlError> {
    Platform::named(name).ok_or_else(|| ControlError::UnknownSink(name.to_owned()))
}

fn names() -> String {
    Platform::ALL.map(Platform::name).join(", ")
}
