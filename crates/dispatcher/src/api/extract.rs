//! What stands in an address, read with our own errors.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// The parameters of the path.
#[derive(Debug)]
pub(super) struct Named<T>(pub(super) T);

/// What stands behind `?`.
#[derive(Debug)]
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let refuse = |_: PathRejection| Problem::bad_request("the path is not UTF-8, percent-encoded");
        let Path(named) = Path::from_request_parts(parts, state).await.map_err(refuse)?;
        Ok(Self(named))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let refuse = |error: QueryRejection| Problem::bad_request(error.body_text());
        let Query(asked) = Query::from_request_parts(parts, state).await.map_err(refuse)?;
        Ok(Self(asked))
    }
}

/// How many items a page holds: as many as were asked for, or 50.
pub(super) fn page_limit(asked: Option<usize>) -> Result<usize, Problem> {
    const DEFAULT: usize = 50;
    const MOST: usize = 500;
    let limit = asked.unwrap_or(DEFAULT);
    if (1..=MOST).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::bad_request(format!("limit: must lie between 1 and {MOST}")))
}
