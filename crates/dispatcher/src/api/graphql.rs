//! `POST /api/graphql`, and the GraphiQL page where it is enabled.

use axum::Json;
use axum::body::Body;
use axum::extract::Extension;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use utoipa::ToSchema;

use super::Shared;
use super::events::{check_content_type, read_body};
use super::problem::{ErrorBody, Problem};
use crate::graphql::{ApiSchema, Unavailable, execute};

/// Longest query with its variables, in bytes.
const MAX_QUERY: usize = 64 * 1024;
/// Loads its code from a content network: only where an operator asked for it.
const GRAPHIQL: &str = include_str!("graphiql.html");

/// A query, as GraphQL over HTTP has it.
#[derive(ToSchema)]
#[schema(as = GraphqlQuery)]
#[expect(dead_code, reason = "describes async_graphql::Request, which knows no OpenAPI")]
struct Query {
    #[schema(pattern = "\\S")]
    query: String,
    #[serde(rename = "operationName")]
    operation_name: Option<String>,
    variables: Option<serde_json::Map<String, serde_json::Value>>,
}

/// Query everything by GraphQL
///
/// `docs/schema.graphql` is the schema.
#[utoipa::path(
    post, path = "/api/graphql", tag = "service", operation_id = "graphql",
    request_body = Query,
    responses(
        (status = 200, description = "`data`, `errors`, or both.", body = Object),
        (status = 400, description = "The body is no query.", body = ErrorBody),
        (status = 408, description = "The body did not come in time.", body = ErrorBody),
        (status = 413, description = "The query is too long.", body = ErrorBody),
        (status = 415, description = "The content type is another.", body = ErrorBody),
        (status = 503, description = "The store cannot serve.", body = ErrorBody),
    ),
)]
pub(super) async fn answer(
    service: Shared,
    Extension(schema): Extension<ApiSchema>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    check_content_type(&headers)?;
    let body = read_body(body, MAX_QUERY).await?;
    let request: async_graphql::Request = serde_json::from_slice(&body).map_err(|_| no_query())?;
    if request.query.trim().is_empty() {
        return Err(no_query());
    }
    let response = execute(&schema, request, &service).await.map_err(|Unavailable| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the store cannot serve now; try again")
    })?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(response)).into_response())
}

fn no_query() -> Problem {
    Problem::bad_request("send a JSON object with a query: {\"query\": \"{ sinks { name state } }\"}")
}

/// The GraphiQL page
#[utoipa::path(
    get, path = "/api/graphql", tag = "service", operation_id = "graphiql",
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html"),
        (status = 404, description = "It is off.", body = ErrorBody),
    ),
)]
pub(super) async fn page(service: Shared) -> Result<Html<&'static str>, Problem> {
    if service.config.graphql.graphiql {
        return Ok(Html(GRAPHIQL));
    }
    Err(Problem::not_found("GraphiQL is off; set [graphql] graphiql = true to serve it"))
}
