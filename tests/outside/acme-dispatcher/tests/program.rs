//! The program as its user runs it, and Acme played on a socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

const EVENT: &str = r#"{"eventId": "e-1", "eventName": "TRIAL_BOOKED", "eventTime": "2026-01-10T12:00:00Z", "email": "Test@Example.com"}"#;
/// printf %s test@example.com | sha256sum
const EMAIL: &str = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b";

fn program(folder: &Path, acme: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_acme-dispatcher"));
    let store = format!("sqlite://{}", folder.join("store.db").display());
    command.env_clear().current_dir(folder).envs([
        ("SIGNALBOX_SINKS", "acme"),
        ("SIGNALBOX_STORE", &store),
        ("SIGNALBOX_LOG_FORMAT", "json"),
        ("ACME_ACCOUNT_ID", "42"),
        ("ACME_ACCESS_TOKEN", "acme-token"),
        ("ACME_BASE_URL", acme),
    ]);
    command
}

fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// Reads one message: its head, and as much body as the head says.
fn read(stream: &TcpStream) -> (String, String) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (head, String::from_utf8(body).unwrap())
}

/// Takes one request, and answers it as Acme does.
fn play_acme() -> (String, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        sender.send(read(&stream)).unwrap();
        let answer = r#"{"received":1}"#;
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len()).unwrap();
    });
    (address, receiver)
}

/// The service; stopped when dropped.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn the_program_knows_the_sink() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = "http://127.0.0.1:9";
    let sinks = run(program(folder.path(), nobody).arg("sinks"));
    assert!(sinks.contains("Acme (acme)") && sinks.contains("Meta (meta)"), "{sinks}");
    let check = run(program(folder.path(), nobody).args(["check", "--offline"]));
    assert!(check.contains("TRIAL_BOOKED → schedule"), "{check}");
    std::fs::write(folder.path().join("event.json"), EVENT).unwrap();
    let explained = run(program(folder.path(), nobody).args(["explain", "event.json"]));
    assert!(explained.contains("email → user.email   [Acme]") && explained.contains(EMAIL), "{explained}");
}

#[test]
fn an_event_goes_through_it_to_the_platform() {
    let folder = tempfile::tempdir().unwrap();
    let (acme, received) = play_acme();
    let mut serve = program(folder.path(), &acme);
    serve.args(["serve", "--listen", "127.0.0.1:0"]).stderr(Stdio::piped());
    let mut serving = Serving(serve.spawn().unwrap());
    let lines = BufReader::new(serving.0.stderr.take().unwrap()).lines();
    let lines = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let address = lines
        .filter(|line| line["message"] == "listening")
        .find_map(|line| line["address"].as_str().map(str::to_owned));

    let mut stream = TcpStream::connect(address.unwrap()).unwrap();
    let head = "POST /api/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json";
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{EVENT}", EVENT.len()).unwrap();
    let (head, body) = read(&stream);
    assert!(head.starts_with("HTTP/1.1 202") && body.contains("accepted"), "{head}{body}");

    let (head, body) = received.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(head.starts_with("POST /accounts/42/events HTTP/1.1"), "{head}");
    assert!(head.contains("access-token: acme-token"), "{head}");
    let told: Value = serde_json::from_str(&body).unwrap();
    let event = &told["events"][0];
    assert_eq!((&event["event_name"], &event["event_id"]), (&"schedule".into(), &"e-1".into()), "{body}");
    assert_eq!(event["user"]["email"], EMAIL);
}
