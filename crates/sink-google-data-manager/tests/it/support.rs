//! A sink with usual settings, and a Google that answers what a test tells it to.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use conversion_core::event::Vocabulary;
use conversion_core::identity::CallingCode;
use conversion_core::registry::SinkContext;
use conversion_core::report::SendReport;
use conversion_core::settings::SettingsError;
use conversion_core::sink::{ConversionSink as _, NotSent, Payload, Subject};
use conversion_core::{CanonicalEvent, Timestamp};
use serde_json::Value;
use sink_google_data_manager::{DESCRIPTOR, DataManager};

pub(crate) const NOW: Timestamp = Timestamp::constant(1_768_046_400, 0);

/// Settings that lack nothing, two conversion actions among them.
const SETTINGS: &str = r#"
    client_id = "client"
    client_secret = "client-secret"
    refresh_token = "1//refresh-token"
    operating_account = "123-456-7890"
    events = { TRIAL_BOOKED = "987654321", PURCHASE = 55 }
"#;

pub(crate) fn build(extra: &str) -> Result<DataManager, SettingsError> {
    let mut table: toml::Table = toml::from_str(SETTINGS).unwrap();
    table.extend(toml::from_str::<toml::Table>(extra).unwrap());
    let context = SinkContext { name: "google-data-manager".to_owned(), phone_country: CallingCode::NANP };
    DataManager::new(table, &context)
}

pub(crate) fn sink(extra: &str) -> DataManager {
    build(extra).unwrap()
}

/// An event of which nothing is known but what `fields` adds, such as `"gclid":"x"`.
pub(crate) fn booking(fields: &str) -> CanonicalEvent {
    let json = format!(
        r#"{{"eventName":"TRIAL_BOOKED","eventId":"booking-7f3a","eventTime":"2026-01-10T12:00:00Z",{fields}}}"#
    );
    CanonicalEvent::parse(&json, &Vocabulary::new(DESCRIPTOR.click_ids.iter().copied()), NOW).unwrap()
}

pub(crate) fn prepare(sink: &DataManager, event: &CanonicalEvent) -> Result<Payload, NotSent> {
    sink.prepare(&Subject::new(event), NOW)
}

/// The item that is made of an event.
pub(crate) fn item(sink: &DataManager, event: &CanonicalEvent) -> Value {
    serde_json::from_str(prepare(sink, event).unwrap().item.get()).unwrap()
}

/// Sends so many bookings in one request.
pub(crate) async fn send(sink: &DataManager, items: usize) -> SendReport {
    let payloads: Vec<Payload> = (0..items)
        .map(|number| {
            let fields = format!(r#""conversionId":"c-{number}","gclid":"click-{number}""#);
            prepare(sink, &booking(&fields)).unwrap()
        })
        .collect();
    let request = sink.compose(&payloads.iter().collect::<Vec<_>>());
    sink.send(Arc::new(request)).await
}

/// A Google that grants tokens and gives this answer to everything else, and the requests that it saw: first line, then
/// body.
pub(crate) struct Google {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl Google {
    pub(crate) fn answering(status: u16, body: impl Into<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, body) = (Arc::clone(&seen), body.into());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &log, status, &body);
            }
        });
        Self { url, seen }
    }

    /// A sink that talks to it.
    pub(crate) fn sink(&self, extra: &str) -> DataManager {
        let url = &self.url;
        sink(&format!("base_url = '{url}'\ntoken_url = '{url}/token'\n{extra}"))
    }

    /// First line and body of each request but those for tokens.
    pub(crate) fn seen(&self) -> Vec<(String, String)> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|(line, _)| !line.contains(" /token ")).cloned().collect()
    }
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<(String, String)>>, status: u16, body: &str) {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let (line, text) = loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase().lines().find_map(|line| {
                line.strip_prefix("content-length: ").map(|length| length.parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                break (head.lines().next().unwrap().to_owned(), body.to_owned());
            }
        }
        match stream.read(&mut chunk).unwrap() {
            0 => return,
            read => bytes.extend_from_slice(&chunk[..read]),
        }
    };
    let token = r#"{"access_token":"token","expires_in":3599,"token_type":"Bearer"}"#;
    let (status, body) = if line.contains(" /token ") { (200, token) } else { (status, body) };
    log.lock().unwrap().push((line, text));
    let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
}
