//! A client of the HTTP API, as a script would have one.

use std::sync::Once;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::wait::until;

/// The API at one address.
#[derive(Clone)]
pub(crate) struct Api {
    client: reqwest::Client,
    pub(crate) base: String,
    key: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) text: String,
    /// The body, if it is JSON.
    pub(crate) json: Value,
}

/// How many deliveries of a sink stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) delivered: u64,
    pub(crate) skipped: u64,
    pub(crate) failed: u64,
    pub(crate) pending: u64,
}

impl Api {
    pub(crate) fn new(base: impl Into<String>) -> Self {
        static CRYPTO: Once = Once::new();
        // A service in this process may have been first, which is as good.
        CRYPTO.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        Self { client: reqwest::Client::new(), base: base.into(), key: None }
    }

    /// The same, with this key.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self.clone() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::GET, path)).await.unwrap()
    }

    /// The JSON at a path that must be there.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply.json
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<String>) -> Reply {
        self.try_post(path, body).await.unwrap()
    }

    /// The answer, or nothing where the connection broke.
    pub(crate) async fn try_post(&self, path: &str, body: impl Into<String>) -> reqwest::Result<Reply> {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        Reply::of(request.body(body.into())).await
    }

    /// Reports events that must all be accepted.
    pub(crate) async fn report(&self, events: &[Value]) {
        let reply = self.post("/api/events", Value::from(events).to_string()).await;
        assert_eq!(reply.status, 202, "{}", reply.text);
        let results = reply.json["results"].as_array().unwrap();
        assert_eq!(results.len(), events.len());
        assert!(results.iter().all(|result| result["status"] == "accepted"), "{}", reply.text);
    }

    /// Every delivery that the query finds, page by page.
    pub(crate) async fn deliveries(&self, query: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.read(&format!("/api/deliveries?limit=500&{query}{cursor}")).await;
            found.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    }

    /// The delivery of the event with this id at this sink, however it stands.
    pub(crate) async fn delivery(&self, sink: &str, event_id: &str) -> Value {
        let mut found = self.deliveries(&format!("sink={sink}&eventId={event_id}")).await;
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    /// The same, once it is no longer pending.
    pub(crate) async fn settled(&self, sink: &str, event_id: &str) -> Value {
        until(&format!("{event_id} at {sink} to settle"), async || {
            let delivery = self.delivery(sink, event_id).await;
            if delivery["status"] == "PENDING" { Err(delivery.to_string()) } else { Ok(delivery) }
        })
        .await
    }

    /// What the platform was told of the event with this id, which it took.
    pub(crate) async fn sent(&self, sink: &str, event_id: &str) -> Value {
        let delivery = self.settled(sink, event_id).await;
        assert_eq!(delivery["status"], "DELIVERED", "{delivery}");
        serde_json::from_str(delivery["requestBody"].as_str().unwrap()).unwrap()
    }

    /// The delivery with all its exchanges.
    pub(crate) async fn detail(&self, delivery: &Value, query: &str) -> Value {
        self.read(&format!("/api/deliveries/{}{query}", delivery["id"].as_str().unwrap())).await
    }

    /// The sink as `/api/sinks` shows it.
    pub(crate) async fn sink(&self, name: &str) -> Value {
        let sinks = self.read("/api/sinks").await;
        let found = sinks["items"].as_array().unwrap().iter().find(|sink| sink["name"] == name).cloned();
        found.unwrap_or_else(|| panic!("no sink {name} in {sinks}"))
    }

    pub(crate) async fn counts(&self, sink: &str) -> Counts {
        Counts::of(&self.sink(sink).await)
    }

    /// Returns when the sink's deliveries stand like this.
    pub(crate) async fn until_counts(&self, sink: &str, expected: Counts) {
        until(&format!("{sink} to have {expected:?}"), async || {
            let counts = self.counts(sink).await;
            if counts == expected { Ok(()) } else { Err(format!("{counts:?}")) }
        })
        .await;
    }

    /// Returns the sink once it is held, or no longer is.
    pub(crate) async fn until_state(&self, sink: &str, state: &str) -> Value {
        until(&format!("{sink} to be {state}"), async || {
            let found = self.sink(sink).await;
            if found["state"] == state { Ok(found) } else { Err(found.to_string()) }
        })
        .await
    }

    /// The account, which must balance.
    pub(crate) async fn audit(&self) -> Value {
        let audit = self.read("/api/audit").await;
        assert_eq!(audit["balanced"], true, "{audit}");
        audit
    }
}

impl Reply {
    pub(crate) async fn of(request: RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or_default();
        Ok(Self { status, text, json })
    }

    /// The status of each result of a report of events.
    pub(crate) fn statuses(&self) -> Vec<&str> {
        self.json["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|result| result["status"].as_str().unwrap())
            .collect()
    }
}

impl Counts {
    pub(crate) fn delivered(delivered: u64) -> Self {
        Self { delivered, ..Self::default() }
    }

    pub(crate) fn pending(pending: u64) -> Self {
        Self { pending, ..Self::default() }
    }

    fn of(sink: &Value) -> Self {
        let count = |name: &str| sink[name].as_u64().unwrap();
        Self {
            delivered: count("delivered"),
            skipped: count("skipped"),
            failed: count("failed"),
            pending: count("pending"),
        }
    }
}
