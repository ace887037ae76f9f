//! TLS at the service's own door.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::{Client, ClientBuilder};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Program, Reply, booked, signalbox, until};

/// Some authority, with which the service's certificate is made.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate for this machine and its key, in PEM.
struct Pair {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    fn pair(&self) -> Pair {
        let key = KeyPair::generate().unwrap();
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &self.0).unwrap();
        Pair { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// A client that trusts this authority and no other.
    fn client(&self) -> Client {
        let root = reqwest::Certificate::from_pem(self.0.pem().as_bytes()).unwrap();
        ClientBuilder::new().tls_certs_only([root]).build().unwrap()
    }
}

/// A folder with the files that the settings name.
struct Files(TempDir);

impl Files {
    fn of(pair: &Pair) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.write(pair);
        files
    }

    fn certificate(&self) -> PathBuf {
        self.0.path().join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.0.path().join("key.pem")
    }

    /// Each file in place of the one before, as tools that renew certificates do.
    fn write(&self, pair: &Pair) {
        replace(&self.certificate(), &pair.certificate);
        replace(&self.key(), &pair.key);
    }

    fn environment(&self) -> BTreeMap<String, String> {
        let store = format!("sqlite://{}", self.0.path().join("signalbox.db").display());
        [
            ("SIGNALBOX_STORE", store),
            ("SIGNALBOX_TLS_CERTIFICATE", self.certificate().display().to_string()),
            ("SIGNALBOX_TLS_KEY", self.key().display().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

fn replace(path: &Path, text: &str) {
    // Its owner's alone, as a temporary file is.
    let mut new = tempfile::NamedTempFile::new_in(path.parent().unwrap()).unwrap();
    new.write_all(text.as_bytes()).unwrap();
    new.persist(path).unwrap();
}

/// The service's host and port.
fn address(program: &Program) -> &str {
    program.api.base.trim_start_matches("http://")
}

async fn is_well(client: &Client, program: &Program) -> Result<(), String> {
    let answer = client.get(format!("https://{}/readyz", address(program))).send().await;
    answer.and_then(reqwest::Response::error_for_status).map(drop).map_err(|error| format!("{error:?}"))
}

#[tokio::test]
async fn events_are_reported_over_tls() {
    let authority = Authority::new();
    let files = Files::of(&authority.pair());
    let program = Program::serve(&files.environment()).await;
    let url = format!("https://{}/api/events", address(&program));
    let request = authority.client().post(url).header("content-type", "application/json");
    let reply = Reply::of(request.body(booked("over-tls").to_string())).await.unwrap();
    assert_eq!(reply.status, 202, "{}", reply.text);

    // The program's own client, which trusts what the machine trusts.
    let root = files.0.path().join("root.pem");
    std::fs::write(&root, authority.0.pem()).unwrap();
    let events = files.0.path().join("events.ndjson");
    std::fs::write(&events, booked("by-command").to_string()).unwrap();
    let environment = [("SSL_CERT_FILE".to_owned(), root.display().to_string())].into();
    let arguments = ["send", events.to_str().unwrap(), "--url", &format!("https://{}", address(&program))];
    let output = signalbox(&arguments, &environment).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));

    let stranger = Authority::new().client();
    assert!(is_well(&stranger, &program).await.is_err(), "a client that trusts another is not taken in");
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_up_and_a_broken_one_is_not() {
    let (first, second) = (Authority::new(), Authority::new());
    let files = Files::of(&first.pair());
    let program = Program::serve(&files.environment()).await;
    let standing = first.client();
    is_well(&standing, &program).await.unwrap();

    // The key of another certificate: a renewal that went wrong, or one that is half done.
    replace(&files.key(), &second.pair().key);
    until("the log to say why", async || {
        is_well(&standing, &program).await.unwrap();
        let printed = program.printed().join("\n");
        let says = printed.contains("what was in use is kept")
            && printed.contains("is not the key of the certificate");
        if says { Ok(()) } else { Err(printed) }
    })
    .await;
    is_well(&first.client(), &program).await.unwrap();

    files.write(&second.pair());
    until("the new certificate to be in use", async || {
        // Soon it trusts no more what a new connection would show: it uses the one that stands, and keeps it from idling.
        is_well(&standing, &program).await.unwrap();
        is_well(&second.client(), &program).await
    })
    .await;
    assert!(is_well(&first.client(), &program).await.is_err(), "the old one is out of use");
    is_well(&standing, &program).await.unwrap();
}

#[tokio::test]
async fn plain_http_is_told_what_to_do() {
    let files = Files::of(&Authority::new().pair());
    let program = Program::serve(&files.environment()).await;
    let reply = program.api.post("/api/events", "x".repeat(100_000)).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json["error"], "this address speaks TLS: write https:// in place of http://");
}

/// Callers that connect and say nothing, or say half of it, keep nobody waiting; and they are not waited for for ever.
#[tokio::test]
async fn slow_handshakes_keep_nobody_waiting_and_end() {
    let authority = Authority::new();
    let files = Files::of(&authority.pair());
    let program = Program::serve(&files.environment()).await;
    let mut slow = Vec::new();
    for said in 0..100_u8 {
        let mut stream = TcpStream::connect(address(&program)).await.unwrap();
        // The beginning of a handshake's record, as far as it goes.
        stream.write_all(&[22, 3, 1, 2, 0][..usize::from(said % 6)]).await.unwrap();
        slow.push(stream);
    }
    // One after the other they would take a quarter of an hour.
    let served = tokio::time::timeout(Duration::from_secs(120), is_well(&authority.client(), &program)).await;
    served.unwrap().unwrap();
    for mut stream in slow {
        let ended = tokio::time::timeout(Duration::from_secs(120), stream.read(&mut [0])).await;
        // Closed, whether in good order or not.
        assert!(ended.is_ok_and(|read| read.is_err() || read.is_ok_and(|count| count == 0)));
    }
}

#[test]
fn what_cannot_be_served_with_is_said_before_anything_is_done() {
    let authority = Authority::new();
    let (pair, other) = (authority.pair(), authority.pair());
    let files = Files::of(&pair);
    let check = |wrong: &dyn Fn()| {
        files.write(&pair);
        wrong();
        signalbox(&["check", "--offline"], &files.environment()).output().unwrap()
    };
    let (key, certificate) = (files.key(), files.certificate());
    let said = |output: std::process::Output| String::from_utf8(output.stderr).unwrap();
    let good = String::from_utf8(check(&|| ()).stdout).unwrap();
    assert!(good.contains("TLS: the certificate and its key fit"), "{good}");
    let cases: [(&dyn Fn(), &str); 5] = [
        (&|| replace(&key, &other.key), "key.pem: is not the key of the certificate in "),
        (&|| replace(&key, "hunter2"), "key.pem: holds no private key in PEM, without a passphrase"),
        (
            &|| replace(&certificate, "hunter2"),
            "certificate.pem: holds no certificate that can be read: it begins",
        ),
        (&|| std::fs::remove_file(&certificate).unwrap(), "cannot read "),
        #[cfg(unix)]
        (
            &|| open_to_all(&key),
            "key.pem can be read by others than its owner, and holds the private key of TLS: chmod",
        ),
        #[cfg(not(unix))]
        (&|| std::fs::remove_file(&key).unwrap(), "cannot read "),
    ];
    for (wrong, sentence) in cases {
        let output = check(wrong);
        assert_eq!(output.status.code(), Some(2));
        let said = said(output);
        assert!(said.contains(sentence) && !said.contains("hunter2"), "{said}");
        let output = signalbox(&["serve", "--listen", "127.0.0.1:0"], &files.environment()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{sentence}");
    }
    let mut half = files.environment();
    half.remove("SIGNALBOX_TLS_KEY");
    let said = said(signalbox(&["serve"], &half).output().unwrap());
    assert!(said.contains("[server]: tls_certificate and tls_key belong together"), "{said}");
    assert!(!files.0.path().join("signalbox.db").exists(), "it is refused before anything is written");
}

#[cfg(unix)]
fn open_to_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
}
