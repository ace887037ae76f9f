//! `POST /__acuity/…`: what happens to appointments, over HTTP.

use hyper::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::act::{self, AcuityError};
use crate::state::State;

/// A larger body is refused: what it says would be kept.
const MAX_BODY: usize = 64 << 10;

/// Why nothing happens.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ActRefusal {
    #[error("there is no act {0:?}; there are book, reschedule, cancel and edit")]
    NoSuchAct(String),
    #[error("the body is larger than {MAX_BODY} bytes")]
    TooLarge,
    #[error("not a JSON object: {0}")]
    NotAnObject(serde_json::Error),
    #[error("{0}")]
    Unreadable(String),
    #[error(transparent)]
    Refused(#[from] AcuityError),
}

impl ActRefusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NoSuchAct(_) | Self::Refused(AcuityError::Unknown(_)) => StatusCode::NOT_FOUND,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotAnObject(_) | Self::Unreadable(_) | Self::Refused(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// Moves an appointment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    id: u64,
    datetime: String,
}

/// Names an appointment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    id: u64,
}

/// Does what the last part of the path says; gives the appointment as it is then.
pub(crate) fn act(state: &State, name: &str, body: &[u8]) -> Result<Value, ActRefusal> {
    if body.len() > MAX_BODY {
        return Err(ActRefusal::TooLarge);
    }
    let fields: Fields = serde_json::from_slice(body).map_err(ActRefusal::NotAnObject)?;
    let id = match name {
        "book" => act::book(state, read(fields)?)?,
        "reschedule" => {
            let Move { id, datetime } = read(fields)?;
            act::reschedule(state, id, &datetime)?;
            id
        }
        "cancel" => {
            let Named { id } = read(fields)?;
            act::cancel(state, id)?;
            id
        }
        "edit" => edit(state, fields)?,
        _ => return Err(ActRefusal::NoSuchAct(name.to_owned())),
    };
    state.acuity.show(id).ok_or(ActRefusal::Refused(AcuityError::Unknown(id)))
}

type Fields = serde_json::Map<String, Value>;

fn edit(state: &State, mut fields: Fields) -> Result<u64, ActRefusal> {
    let id = fields.remove("id").map(|id| ("id".to_owned(), id));
    let Named { id } = read(id.into_iter().collect())?;
    act::edit(state, id, read(fields)?)?;
    Ok(id)
}

/// An error names the field, where there is one.
fn read<T: DeserializeOwned>(fields: Fields) -> Result<T, ActRefusal> {
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| {
        ActRefusal::Unreadable(match error.path().to_string().as_str() {
            "." => error.into_inner().to_string(),
            path => format!("{path}: {}", error.inner()),
        })
    })
}
