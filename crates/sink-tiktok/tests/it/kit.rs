//! What the tests share.

use conversion_core::identity::CallingCode;
use conversion_core::registry::SinkContext;
use conversion_core::settings::SettingsError;
use conversion_core::sink::{ConversionSink as _, Payload, Subject};
use conversion_core::{CanonicalEvent, Timestamp};
use serde_json::Value;
use sink_tiktok::TikTok;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// 2026-01-10T12:00:00Z, the time of the specification's example.
pub(crate) const NOON: i64 = 1_768_046_400;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

pub(crate) fn context(name: &str) -> SinkContext {
    SinkContext { name: name.to_owned(), phone_country: CallingCode::NANP }
}

/// A sink with exactly these settings.
pub(crate) fn build(settings: &str) -> Result<TikTok, SettingsError> {
    TikTok::new(settings.parse().unwrap(), &context("tiktok"))
}

/// A sink with credentials and these settings.
pub(crate) fn sink(settings: &str) -> TikTok {
    build(&format!("pixel_id = 'CXXX'\naccess_token = 'hunter2'\n{settings}")).unwrap()
}

/// An event that names nobody.
pub(crate) fn bare_event() -> CanonicalEvent {
    CanonicalEvent::new("TRIAL_BOOKED", "test-123", at(NOON))
}

/// An event with an e-mail address.
pub(crate) fn event() -> CanonicalEvent {
    CanonicalEvent { email: Some("test@example.com".to_owned()), ..bare_event() }
}

pub(crate) fn prepare(settings: &str, event: &CanonicalEvent) -> Payload {
    sink(settings).prepare(&Subject::new(event), at(NOON)).unwrap()
}

/// The value at a JSON pointer of the item that becomes of the event.
pub(crate) fn field(settings: &str, event: &CanonicalEvent, pointer: &str) -> Option<Value> {
    let item: Value = serde_json::from_str(prepare(settings, event).item.get()).unwrap();
    item.pointer(pointer).cloned()
}

/// A server for one request, which it returns after it has answered `reply`.
pub(crate) struct Server(TcpListener);

impl Server {
    pub(crate) async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// Settings that lead to it.
    pub(crate) fn settings(&self) -> String {
        format!("base_url = 'http://{}/prefix/'\ntimeout_seconds = 1", self.0.local_addr().unwrap())
    }

    pub(crate) async fn answer(&self, reply: &str) -> String {
        let (mut stream, _) = self.0.accept().await.unwrap();
        let mut seen = Vec::new();
        // Every body of ours ends so, and nothing else in a request does.
        while !seen.ends_with(b"]}") {
            assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0, "the request was cut");
        }
        stream.write_all(reply.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        String::from_utf8(seen).unwrap()
    }
}

/// An HTTP answer.
pub(crate) fn http(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}
