//! `POST /api/graphql`, and the GraphiQL page where it is enabled.

use axum::Json;
use axum::body::Body;
use axum::extract::Extension;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::Shared;
use super::events::{check_content_type, read_body};
use super::problem::Problem;
use crate::graphql::{ApiSchema, Unavailable, execute};

/// Longest query with its variables, in bytes.
const MAX_QUERY: usize = 64 * 1024;
/// Loads its code from a content network: only where an operator asked for it.
const GRAPHIQL: &str = include_str!("graphiql.html");

/// Answers one query.
pub(super) async fn answer(
    service: Shared,
    Extension(schema): Extension<ApiSchema>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    check_content_type(&headers)?;
    let body = read_body(body, MAX_QUERY).await?;
    let request = serde_json::from_slice(&body).map_err(|_| {
        Problem::bad_request("send a JSON object with a query: {\"query\": \"{ sinks { name state } }\"}")
    })?;
    let response = execute(&schema, request, &service).await.map_err(|Unavailable| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the store cannot serve now; try again")
    })?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(response)).into_response())
}

/// The GraphiQL page.
pub(super) async fn page(service: Shared) -> Result<Html<&'static str>, Problem> {
    if service.config.graphql.graphiql {
        return Ok(Html(GRAPHIQL));
    }
    Err(Problem::not_found("GraphiQL is off; set [graphql] graphiql = true to serve it"))
}
