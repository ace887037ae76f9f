//! A source with usual settings, and an Acuity that answers what a test tells it to.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conversion_core::Timestamp;
use conversion_core::settings::SettingsError;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::value::RawValue;
use sha2::Sha256;
use source_acuity::Acuity;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The key of the vector in platforms/acuity.md, section 2.
pub(crate) const KEY: &str = "test-api-key";
/// 2026-01-10T12:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::constant(1_768_046_400, 0);

/// A source with exactly these settings.
pub(crate) fn build(settings: &str) -> Result<Acuity, SettingsError> {
    Acuity::new(settings.parse().unwrap())
}

/// A source with credentials and these settings.
pub(crate) fn source(settings: &str) -> Acuity {
    build(&format!("user_id = 12345\napi_key = '{KEY}'\n{settings}")).unwrap()
}

pub(crate) fn raw(json: &impl ToString) -> Box<RawValue> {
    RawValue::from_string(json.to_string()).unwrap()
}

/// What Acuity writes into `x-acuity-signature`.
pub(crate) fn sign(key: &str, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap().chain_update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// An HTTP answer.
pub(crate) fn http(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// Answers each request by its target, until it is dropped.
pub(crate) struct Server {
    /// Where it listens, with a prefix that requests must keep.
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/prefix", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut serving = JoinSet::new();
        let requests = Arc::clone(&seen);
        serving.spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read(&mut stream).await;
                let reply = answer(request.split(' ').nth(1).unwrap());
                requests.lock().unwrap().push(request);
                stream.write_all(reply.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        Self { url, seen, _serving: serving }
    }

    /// One that always answers the same.
    pub(crate) async fn answering(reply: String) -> Self {
        Self::start(move |_| reply.clone()).await
    }

    /// A source whose Acuity this is.
    pub(crate) fn source(&self, settings: &str) -> Acuity {
        source(&format!("base_url = '{}/'\ntimeout_seconds = 5\n{settings}", self.url))
    }

    /// The requests so far, as they came.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn read(stream: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0, "the request was cut");
    }
    String::from_utf8(seen).unwrap()
}
