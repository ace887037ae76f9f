//! An id for each request: in its answer, and in every line that is logged of it.

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken from a caller: it goes into every line.
const LONGEST: usize = 64;

/// Gives the request its id.
pub(super) async fn mark(request: Request, next: Next) -> Response {
    let id = given(request.headers()).unwrap_or_else(made);
    // As errors are: a level that shows any line shows the span around it, too.
    let span = tracing::error_span!(
        "request",
        request_id = id.to_str().unwrap_or_default(),
        route = tracing::field::Empty
    );
    if let Some(route) = request.extensions().get::<MatchedPath>() {
        span.record("route", route.as_str());
    }
    let mut response = next.run(request).instrument(span).await;
    response.headers_mut().insert(HEADER, id);
    response
}

/// The caller's own, so that one id follows a request through several services. It is written to the log, so it must
/// look like an id.
fn given(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(HEADER)?;
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    ((1..=LONGEST).contains(&id.len()) && id.as_bytes().iter().all(fits)).then(|| id.clone())
}

fn made() -> HeaderValue {
    let id = format!("{:032x}", rand::random::<u128>());
    HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_where_it_looks_like_one() {
        let (longest, longer) = ("a".repeat(LONGEST), "a".repeat(LONGEST + 1));
        for (id, is_taken) in [
            ("0190a4c1-7d0e-7cc3-8a2b-1f4b6a1f0c55", true),
            ("Root_1.5:A", true),
            (&longest, true),
            (&longer, false),
            ("", false),
            ("ada@example.com", false),
            ("two words", false),
            ("Ã©", false),
        ] {
            let headers = HeaderMap::from_iter([(HEADER, HeaderValue::from_bytes(id.as_bytes()).unwrap())]);
            assert_eq!(given(&headers).is_some(), is_taken, "{id}");
        }
        assert_eq!(given(&HeaderMap::new()), None);
        assert_ne!(made(), made());
    }
}
