//! A sink with usual settings, and a Google that answers what a test tells it to.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use conversion_core::consent::{Consent, ConsentStatus};
use conversion_core::event::Vocabulary;
use conversion_core::identity::CallingCode;
use conversion_core::registry::SinkContext;
use conversion_core::report::SendReport;
use conversion_core::settings::SettingsError;
use conversion_core::sink::{ConversionSink as _, NotSent, Payload, Subject};
use conversion_core::{CanonicalEvent, Timestamp};
use sink_google_ads::GoogleAds;

pub(crate) const NOW: Timestamp = Timestamp::constant(1_768_046_400, 0);

/// Settings that lack nothing.
const SETTINGS: &str = r#"
    client_id = "client"
    client_secret = "client-secret"
    refresh_token = "1//refresh-token"
    customer_id = "123-456-7890"
    events = { TRIAL_BOOKED = "987654321", APPOINTMENT_UPDATED = 55 }
"#;

/// The usual settings with `extra` over them.
pub(crate) fn settings(extra: &str) -> toml::Table {
    let mut table: toml::Table = toml::from_str(SETTINGS).unwrap();
    table.extend(toml::from_str::<toml::Table>(extra).unwrap());
    table
}

pub(crate) fn context(name: &str) -> SinkContext {
    SinkContext { name: name.to_owned(), phone_country: CallingCode::NANP }
}

pub(crate) fn build(table: toml::Table) -> Result<GoogleAds, SettingsError> {
    GoogleAds::new(table, &context("google-ads"))
}

pub(crate) fn sink(extra: &str) -> GoogleAds {
    build(settings(extra)).unwrap()
}

/// A sink whose Google is `server`.
pub(crate) fn sink_at(server: &Server, extra: &str) -> GoogleAds {
    let url = &server.url;
    sink(&format!("base_url = '{url}'\ntoken_url = '{url}/token'\n{extra}"))
}

/// An event as a caller sends it.
pub(crate) fn event(json: &str) -> CanonicalEvent {
    let vocabulary = Vocabulary::new(sink_google_ads::DESCRIPTOR.click_ids.iter().copied());
    CanonicalEvent::parse(json, &vocabulary, NOW).unwrap()
}

/// An event of which nothing is known but what `fields` adds, such as `"gclid":"x"`.
pub(crate) fn booking(fields: &str) -> CanonicalEvent {
    event(&format!(
        r#"{{"eventName":"TRIAL_BOOKED","eventId":"booking-7f3a","eventTime":"2026-01-10T12:00:00Z",{fields}}}"#
    ))
}

pub(crate) fn denied() -> Consent {
    Consent { ad_user_data: Some(ConsentStatus::Denied), ..Consent::default() }
}

pub(crate) fn prepare(sink: &GoogleAds, event: &CanonicalEvent) -> Result<Payload, NotSent> {
    sink.prepare(&Subject::new(event), NOW)
}

/// Sends `rows` bookings in one request.
pub(crate) async fn send(sink: &GoogleAds, rows: usize) -> SendReport {
    let payloads: Vec<Payload> = (0..rows)
        .map(|row| {
            let name = r#""eventName":"TRIAL_BOOKED","eventTime":"2026-01-10T12:00:00Z""#;
            prepare(sink, &event(&format!(r#"{{{name},"eventId":"booking-{row}","gclid":"click-{row}"}}"#)))
                .unwrap()
        })
        .collect();
    let request = sink.compose(&payloads.iter().collect::<Vec<_>>());
    sink.send(Arc::new(request)).await
}

/// One request as it came in. Header names are in lower case.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What to answer.
pub(crate) enum Answer {
    Reply(u16, &'static str, String),
    HangUp,
}

pub(crate) fn reply(status: u16, body: impl Into<String>) -> Answer {
    Answer::Reply(status, "", body.into())
}

/// A server on a port of its own. Its threads end with the test's process.
pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&seen), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream.unwrap(), &log, &*answer));
            }
        });
        Self { url, seen }
    }

    /// A Google that grants the tokens `token-1`, `token-2`, … and answers uploads as told.
    pub(crate) fn google(upload: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        let granted = Mutex::new(0);
        Self::start(move |seen| {
            if seen.path != "/token" {
                return upload(seen);
            }
            let mut granted = granted.lock().unwrap();
            *granted += 1;
            reply(
                200,
                format!(r#"{{"access_token":"token-{granted}","expires_in":3599,"token_type":"Bearer"}}"#),
            )
        })
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn token_requests(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.path == "/token").collect()
    }

    pub(crate) fn uploads(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.path != "/token").collect()
    }
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<Seen>>, answer: &dyn Fn(&Seen) -> Answer) {
    let Some(seen) = read(&mut stream) else { return };
    log.lock().unwrap().push(seen.clone());
    if let Answer::Reply(status, headers, body) = answer(&seen) {
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n");
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
    }
}

fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let seen = parse(head, body);
            let length = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return Some(seen);
            }
        }
        match stream.read(&mut chunk).unwrap() {
            0 => return None,
            read => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}

fn parse(head: &str, body: &str) -> Seen {
    let mut lines = head.lines();
    let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    Seen { path, headers, body: body.to_owned() }
}
