//! One answer, before it becomes an HTTP response.

use std::borrow::Cow;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde::Serialize;

/// Status, body and the code that the body carries.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    content_type: &'static str,
    retry_after_s: Option<u64>,
    body: Bytes,
    code: Option<Cow<'static, str>>,
}

impl Reply {
    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        // Nothing that the sandbox answers with can fail to serialise: no maps with odd keys, no foreign code.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self::new(status, "application/json", body)
    }

    pub(crate) fn text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body)
    }

    /// What a gateway or a front door answers with instead of the API.
    pub(crate) fn html(status: StatusCode) -> Self {
        let body = format!("<!DOCTYPE html>\n<html><title>{status}</title><h1>{status}</h1></html>\n");
        Self::new(status, "text/html; charset=utf-8", body)
    }

    fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, retry_after_s: None, body: body.into(), code: None }
    }

    /// Names the verdict in the body, for the tally of outcomes.
    pub(crate) fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    pub(crate) fn with_retry_after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after_s = seconds;
        self
    }

    /// `status`, or `status/code` where the body carries a code.
    pub(crate) fn outcome(&self) -> String {
        match &self.code {
            Some(code) => format!("{}/{code}", self.status.as_u16()),
            None => self.status.as_u16().to_string(),
        }
    }

    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
