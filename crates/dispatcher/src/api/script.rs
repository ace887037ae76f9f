//! `GET /signalbox.js`: the script that sites paste.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Shared;

/// An hour, so that new settings reach visitors the same day.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// The script that sites paste
#[utoipa::path(
    get, path = "/signalbox.js", tag = "visits", operation_id = "script",
    responses(
        (status = 200, description = "The script.", body = String, content_type = "text/javascript"),
        (status = 304, description = "It has not changed."),
    ),
)]
pub(super) async fn serve(service: Shared, headers: HeaderMap) -> Response {
    let script = &service.visits.script;
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok()).unwrap_or_default();
    let tags = [
        (header::CACHE_CONTROL, CACHE),
        (header::ETAG, HeaderValue::try_from(&script.etag).unwrap_or(HeaderValue::from_static("\"\""))),
    ];
    // A proxy that compresses marks the tag as weak.
    if known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == script.etag) {
        return (StatusCode::NOT_MODIFIED, tags).into_response();
    }
    let kind = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (tags, kind, script.text.clone()).into_response()
}
