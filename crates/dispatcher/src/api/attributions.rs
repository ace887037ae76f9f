//! `POST /api/attributions`: a landing page's visit. Public: any page of a configured site may report one.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Extension};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Shared;
use super::access::client_address;
use super::events::{body_room, check_encoding, essence, read_at_most};
use super::openapi::VisitBody;
use super::problem::{ErrorBody, FieldErrors, Problem, unprocessable};
use crate::config::Config;
use crate::service::Service;

/// Two addresses of pages at their longest need no more.
const MAX_BODY: usize = 8 * 1024;
/// How long a browser may remember that it may ask, in seconds: none remembers longer.
const PREFLIGHT_AGE: HeaderValue = HeaderValue::from_static("86400");

/// Report a visit
#[utoipa::path(
    post, path = "/api/attributions", tag = "visits", operation_id = "reportVisit",
    request_body(content((VisitBody = "application/json"), (VisitBody = "text/plain"))),
    responses(
        (status = 204, description = "It is taken."),
        (status = 400, description = "The body cannot be read.", body = ErrorBody),
        (status = 403, description = "The page's origin is none of the configured.", body = ErrorBody),
        (status = 408, description = "The body did not come in time.", body = ErrorBody),
        (status = 413, description = "The body is too long.", body = ErrorBody),
        (status = 415, description = "The content type is another.", body = ErrorBody),
        (status = 422, description = "The visit is not valid.", body = FieldErrors),
        (status = 429, description = "This address reported too many.", body = ErrorBody),
        (status = 503, description = "Nothing can be taken now.", body = ErrorBody),
    ),
)]
pub(super) async fn accept(
    service: Shared,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let origin = match known_origin(&service.config, &headers) {
        Ok(origin) => origin,
        Err(problem) => return shared(None, problem.into_response()),
    };
    let peer = peer.map(|Extension(ConnectInfo(peer))| peer.ip());
    let client = peer.map(|peer| client_address(peer, &headers, &service.config.server.trusted_proxies));
    shared(origin, take(&service, client, &headers, body).await.unwrap_or_else(IntoResponse::into_response))
}

/// Whether a page may report visits
///
/// What a browser asks before it sends anything but plain text.
#[utoipa::path(
    options, path = "/api/attributions", tag = "visits", operation_id = "mayReportVisits",
    responses(
        (status = 204, description = "It may."),
        (status = 403, description = "The page's origin is none of the configured.", body = ErrorBody),
    ),
)]
pub(super) async fn preflight(service: Shared, headers: HeaderMap) -> Response {
    match known_origin(&service.config, &headers) {
        Ok(origin) => {
            let allowed = [
                (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST")),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type")),
                (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_AGE),
            ];
            shared(origin, (StatusCode::NO_CONTENT, allowed).into_response())
        }
        Err(problem) => shared(None, problem.into_response()),
    }
}

async fn take(
    service: &Service,
    client: Option<IpAddr>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    service.visits.rate.admit(client).map_err(too_many)?;
    check_encoding(headers)?;
    // Plain text is what a page may send without asking first.
    if !matches!(essence(headers).as_deref(), None | Some("application/json" | "text/plain")) {
        let message = "send Content-Type: application/json, or text/plain";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let _room = body_room(service, headers, MAX_BODY)?;
    let body = read_at_most(body, MAX_BODY, "send click ids and addresses of pages alone").await?;
    let text = str::from_utf8(&body).map_err(|_| Problem::bad_request("the body is not UTF-8"))?;
    let mut visit = match service.visits.read(text) {
        Ok(visit) => visit.seen_by(headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok())),
        Err(errors) => return Ok(unprocessable(errors)),
    };
    visit.ip = client;
    let cookie = cookie(&service.config, &visit.id);
    let is_kept = service.visits.take(visit).await?;
    let cookie = cookie.filter(|_| is_kept).map(|cookie| [(header::SET_COOKIE, cookie)]);
    Ok((StatusCode::NO_CONTENT, cookie, ()).into_response())
}

fn too_many(wait: Duration) -> Problem {
    let message = "too many visits were reported; try again after Retry-After seconds";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, message).after(wait)
}

/// The request's origin, if it has one; then it must be one of the configured sites.
fn known_origin(config: &Config, headers: &HeaderMap) -> Result<Option<HeaderValue>, Problem> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(None) };
    if config.attribution.origins.iter().any(|known| known.as_bytes() == origin.as_bytes()) {
        return Ok(Some(origin.clone()));
    }
    let message = "the page's origin is not one of [attribution] origins; add it there";
    Err(Problem::new(StatusCode::FORBIDDEN, message))
}

/// Lets the page of that origin read the answer, and caches know that it is for it alone.
fn shared(origin: Option<HeaderValue>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    response
}

/// The first-party cookie that holds the id, where the service runs on a subdomain of the site. An answer sets it because
/// browsers forget after days what a script has set; and it is not `HttpOnly`, because the script reads it.
fn cookie(config: &Config, id: &str) -> Option<HeaderValue> {
    config.attribution.cookie_domain.as_ref()?;
    let attributes = config.attribution.cookie_attributes(config.server.public_url.as_deref());
    HeaderValue::try_from(format!("va_attrib={id}{attributes}")).ok()
}
