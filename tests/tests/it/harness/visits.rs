//! Visits of a site's pages, and the service that is told of them.

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::api::{Api, Reply};

/// The id that the visitor is known by.
pub(crate) const VISITOR: &str = "0123456789abcdef0123456789abcdef";
// printf %s 0123456789abcdef0123456789abcdef | sha256sum
pub(crate) const HASHED_VISITOR: &str = "3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9";
pub(crate) const SITE: &str = "https://academy.example";
pub(crate) const BROWSER: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)";

/// A service behind a proxy on this machine, for one site.
pub(crate) const SITE_SETTINGS: &str =
    "[server]\ntrusted_proxies = ['127.0.0.1']\n[attribution]\norigins = ['https://academy.example']\n";

impl Api {
    /// A page of the site reports this, seen from 8.8.8.8.
    pub(crate) fn visit(&self, body: impl Into<String>) -> RequestBuilder {
        self.request(Method::POST, "/api/attributions")
            .header("origin", SITE)
            .header("content-type", "text/plain;charset=UTF-8")
            .header("x-forwarded-for", "8.8.8.8")
            .header("user-agent", BROWSER)
            .body(body.into())
    }

    /// The same, taken.
    pub(crate) async fn visited(&self, visit: Value) {
        let reply = Reply::of(self.visit(visit.to_string())).await.unwrap();
        assert_eq!((reply.status, reply.text.as_str()), (204, ""));
    }
}
