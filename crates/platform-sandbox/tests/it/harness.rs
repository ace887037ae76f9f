//! A running sandbox and a client for it.

use std::sync::Once;
use std::time::{Duration, Instant};

use platform_sandbox::{Platform, PlatformReport, Report, Sandbox, Settings};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub(crate) const TIKTOK: &str = "/open_api/v1.3/event/track/";
pub(crate) const GOOGLE: &str = "/v26/customers/1234567890:uploadClickConversions";
pub(crate) const META: &str = "/v25.0/1234567890/events";
pub(crate) const INGEST: &str = "/v1/events:ingest";
pub(crate) const ADJUST: &str = "/v26/customers/1234567890:uploadConversionAdjustments";
pub(crate) const ACTION: &str = "customers/1234567890/conversionActions/987654321";

/// SHA-256 of nothing.
pub(crate) const EMPTY_DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A sandbox that answers until it is dropped.
pub(crate) struct Running {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: reqwest::Client,
    base: String,
    _server: JoinSet<std::io::Result<()>>,
}

impl Running {
    pub(crate) async fn start() -> Self {
        static CRYPTO: Once = Once::new();
        CRYPTO.call_once(|| rustls::crypto::ring::default_provider().install_default().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let sandbox = Sandbox::new(7);
        let serving = sandbox.clone();
        let mut server = JoinSet::new();
        server.spawn(async move { serving.serve(listener, std::future::pending()).await });
        Self { sandbox, client: reqwest::Client::new(), base, _server: server }
    }

    pub(crate) async fn with(platform: Platform, settings: Settings) -> Self {
        let running = Self::start().await;
        running.sandbox.configure(platform, settings);
        running
    }

    /// Returns when the platform's report is like this.
    pub(crate) async fn until(&self, platform: Platform, is_so: impl Fn(&PlatformReport) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is_so(&self.of(platform)) {
            assert!(Instant::now() < deadline, "waited in vain; there is {:?}", self.of(platform));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.post(self.url(path))
    }

    pub(crate) fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(self.url(path))
    }

    /// Posts to TikTok; the answer comes with HTTP 200.
    pub(crate) async fn tiktok(&self, body: &Value) -> Value {
        let (status, answer) = read(self.tiktok_request(body)).await;
        assert_eq!(status, 200);
        answer
    }

    pub(crate) fn tiktok_request(&self, body: &Value) -> reqwest::RequestBuilder {
        let request = self.post(TIKTOK).header("Access-Token", "token");
        request.header("Content-Type", "application/json").body(body.to_string())
    }

    /// An access token for the calls that follow.
    pub(crate) async fn token(&self) -> String {
        let (status, answer) = self.grant("refresh").await;
        assert_eq!(status, 200, "{answer}");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn grant(&self, refresh_token: &str) -> (u16, Value) {
        let form =
            format!("grant_type=refresh_token&client_id=id&client_secret=s&refresh_token={refresh_token}");
        read(self.form(form)).await
    }

    pub(crate) fn form(&self, form: String) -> reqwest::RequestBuilder {
        self.post("/token").header("Content-Type", "application/x-www-form-urlencoded").body(form)
    }

    /// Posts rows to Google with a fresh token and the usual modes.
    pub(crate) async fn google(&self, rows: &[Value]) -> (u16, Value) {
        self.google_body(&json!({ "conversions": rows, "partialFailure": true })).await
    }

    pub(crate) async fn google_body(&self, body: &Value) -> (u16, Value) {
        let token = self.token().await;
        read(self.google_request(GOOGLE, &token, body)).await
    }

    /// Posts adjustments to Google with a fresh token and the usual modes.
    pub(crate) async fn google_adjust(&self, rows: &[Value]) -> (u16, Value) {
        self.google_adjust_body(&json!({ "conversionAdjustments": rows, "partialFailure": true })).await
    }

    pub(crate) async fn google_adjust_body(&self, body: &Value) -> (u16, Value) {
        let token = self.token().await;
        read(self.google_request(ADJUST, &token, body)).await
    }

    pub(crate) fn google_request(&self, path: &str, token: &str, body: &Value) -> reqwest::RequestBuilder {
        let request = self.post(path).header("Authorization", format!("Bearer {token}"));
        request.header("Content-Type", "application/json").body(body.to_string())
    }

    pub(crate) fn report(&self) -> Report {
        self.sandbox.report()
    }

    pub(crate) fn of(&self, platform: Platform) -> PlatformReport {
        self.report().sinks.of(platform).clone()
    }
}

/// Status and JSON body.
pub(crate) async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// received, unique, deduplicated, counted twice.
pub(crate) fn account(report: &PlatformReport) -> [u64; 4] {
    [report.received, report.unique, report.deduplicated, report.counted_twice]
}

/// Outcome counts in short.
pub(crate) fn outcomes(report: &PlatformReport) -> Vec<(&str, u64)> {
    report.by_outcome.iter().map(|(outcome, count)| (outcome.as_str(), *count)).collect()
}

/// Sets the value at a JSON pointer; objects on the way are made.
pub(crate) fn set(target: &Value, pointer: &str, value: Value) -> Value {
    let mut changed = target.clone();
    let mut place = &mut changed;
    for key in pointer.split('/').skip(1) {
        place = match (key.parse::<usize>(), place.is_array()) {
            (Ok(index), true) => &mut place[index],
            _ => &mut place[key],
        };
    }
    *place = value;
    changed
}

/// Removes the member at a JSON pointer.
pub(crate) fn without(target: &Value, pointer: &str) -> Value {
    let mut changed = target.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    changed.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
    changed
}

/// One TikTok event of January 2026, in a request of its own.
pub(crate) fn track(name: &str, id: &str) -> Value {
    tracks("PIXEL", &[(name, id)])
}

/// Several events for one pixel.
pub(crate) fn tracks(pixel: &str, events: &[(&str, &str)]) -> Value {
    let event =
        |(name, id): &(&str, &str)| json!({"event": name, "event_time": 1_768_046_400, "event_id": id});
    let data: Vec<Value> = events.iter().map(event).collect();
    json!({"event_source": "web", "event_source_id": pixel, "data": data})
}

/// A minimal good row.
pub(crate) fn row(order_id: &str) -> Value {
    json!({
        "gclid": format!("click-{order_id}"),
        "conversionAction": ACTION,
        "conversionDateTime": "2026-01-10 12:00:00+00:00",
        "orderId": order_id,
    })
}

/// Takes back the conversion of [`row`], a day after it.
pub(crate) fn retraction(order_id: &str) -> Value {
    json!({
        "adjustmentType": "RETRACTION",
        "conversionAction": ACTION,
        "adjustmentDateTime": "2026-01-11 12:00:00+00:00",
        "orderId": order_id,
    })
}

/// The errors of a partial failure in short: place, family and code, in the order of the rows.
pub(crate) fn failures(answer: &Value) -> Vec<String> {
    let errors = answer["partialFailureError"]["details"][0]["errors"].as_array();
    let mut found: Vec<String> = errors.into_iter().flatten().map(failure).collect();
    found.sort();
    found
}

fn failure(error: &Value) -> String {
    let element = |element: &Value| match element["index"].as_u64() {
        Some(index) => format!("{}[{index}]", element["fieldName"].as_str().unwrap()),
        None => element["fieldName"].as_str().unwrap().to_owned(),
    };
    let elements = error["location"]["fieldPathElements"].as_array().unwrap();
    let place: Vec<String> = elements.iter().map(element).collect();
    let (family, code) = error["errorCode"].as_object().unwrap().iter().next().unwrap();
    format!("{} {family}.{}", place.join("."), code.as_str().unwrap())
}
