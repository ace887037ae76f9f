//! Questions in GraphQL.

use serde_json::{Value, json};

use super::api::Api;

/// The spec's query, word for word.
pub(crate) const SPEC_QUERY: &str = "query {
  appointments(limit: 10) {
    id
    email
    ttclid
    canonicalEvents {
      name
      eventTime
      deliveries {
        platform
        status
        requestBody
        responseBody
        responseCode
      }
    }
  }
}";

impl Api {
    /// The answer's data; errors are the test's.
    pub(crate) async fn ask(&self, query: &str) -> Value {
        let answer = self.post_query(query).await;
        assert_eq!(answer.get("errors"), None, "{answer}");
        answer["data"].clone()
    }

    /// The whole answer.
    pub(crate) async fn post_query(&self, query: &str) -> Value {
        let reply = self.post("/api/graphql", json!({ "query": query }).to_string()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json
    }
}
