//! What no caller should send: it is refused with a sentence, costs little, and leaves nothing behind.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::harness::{Setup, World, booked, until};

const PATIENCE: Duration = Duration::from_secs(120);
const EVENT: &str = r#""eventId":"x","eventName":"TRIAL_BOOKED","eventTime":1768046400"#;

async fn connect(world: &World) -> TcpStream {
    TcpStream::connect(world.base.trim_start_matches("http://")).await.unwrap()
}

/// What comes until the service hangs up. That it does so while more was to come may reset the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, async {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            answer.extend_from_slice(&buffer[..count]);
        }
    });
    read.await.expect("the service hangs up");
    String::from_utf8_lossy(&answer).into_owned()
}

/// The answer to these bytes.
async fn raw(world: &World, request: impl AsRef<[u8]>) -> String {
    let mut stream = connect(world).await;
    stream.write_all(request.as_ref()).await.unwrap();
    rest(&mut stream).await
}

fn post(path: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn status(answer: &str) -> &str {
    answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).unwrap_or(answer)
}

/// Nothing of what the tests send in confidence comes back.
fn assert_keeps_quiet(answer: &str, what: &str) {
    assert!(!answer.contains("private"), "{what}: {answer}");
}

#[tokio::test]
async fn bodies_that_hold_no_events_are_refused_and_nothing_is_stored() {
    let world = World::start().await;
    let event = |more: &str| format!("{{{EVENT},{more}}}");
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    let long = "private".repeat(150_000);
    let many = (0..200).map(|n| format!(r#""private{n}":1"#)).collect::<Vec<_>>().join(",");
    for (what, body, expected, said) in [
        ("deep arrays", deep("[", "]").into_bytes(), "422", "must be an object, not an array"),
        ("deep arrays, cut off", "[".repeat(100_000).into_bytes(), "400", "cut off"),
        ("deep objects", deep(r#"{"a":"#, "}").into_bytes(), "422", "is not a field"),
        (
            "a deep property",
            event(&format!(r#""properties":{{"p":{}}}"#, deep("[", "]"))).into(),
            "422",
            "properties.p",
        ),
        (
            "a deep address",
            event(&format!(r#""address":{}"#, deep("[", "]"))).into(),
            "422",
            "must be an object, not an array",
        ),
        ("no UTF-8", [b"{\"email\":\"private\xff\"}".as_slice()].concat(), "400", "not UTF-8"),
        ("UTF-16", "{\0}\0".into(), "400", "not valid"),
        ("a field twice", event(r#""email":"private","email":"private2""#).into(), "422", "is given twice"),
        (
            "a part twice",
            event(r#""consent":{"adUserData":"DENIED","adUserData":"GRANTED"}"#).into(),
            "422",
            "consent.adUserData",
        ),
        (
            "an escaped name twice",
            event(r#""email":"private","\u0065mail":"private2""#).into(),
            "422",
            "is given twice",
        ),
        ("a value beyond f64", event(r#""value":1e400"#).into(), "422", "below 10^12"),
        ("a value with a huge exponent", event(r#""value":1e-99999999999"#).into(), "422", "below 10^12"),
        (
            "a time beyond f64",
            r#"{"eventId":"x","eventName":"E","eventTime":-1e400}"#.into(),
            "422",
            "RFC 3339",
        ),
        (
            "a quantity beyond u32",
            event(r#""contents":[{"quantity":4294967296}]"#).into(),
            "422",
            "contents[0].quantity",
        ),
        ("NaN", event(r#""value":NaN"#).into(), "400", "not valid"),
        ("a NUL byte", event("\"email\":\"private\0\"").into(), "400", "not valid"),
        (
            "an escaped NUL",
            event(r#""email":"private\u0000x""#).into(),
            "422",
            "must not hold control characters",
        ),
        (
            "a NUL in a property's name",
            event(r#""properties":{"a\u0000":"private"}"#).into(),
            "422",
            "control character",
        ),
        ("half a character", event(r#""email":"private\ud800""#).into(), "422", "half of a surrogate pair"),
        (
            "half a character in a name",
            event(r#""private\udfff":1"#).into(),
            "422",
            "half of a surrogate pair",
        ),
        (
            "half a character in a part's name",
            event(r#""address":{"\udfff":1}"#).into(),
            "422",
            "half of a surrogate pair",
        ),
        (
            "a huge text",
            event(&format!(r#""email":"{long}""#)).into(),
            "422",
            "at most 320 characters, not 1050000",
        ),
        ("a huge name", format!(r#"{{"{}":1}}"#, "x".repeat(7_000_000)).into(), "422", "is not a field"),
        ("many names", event(&many).replace("private", "field_").into(), "422", "at most 128 members"),
        (
            "many mistakes",
            event(&many.replace("private", "field_").split(',').take(120).collect::<Vec<_>>().join(","))
                .into(),
            "422",
            "there are 70 more mistakes",
        ),
        (
            "lines of a megabyte",
            format!("{{\"email\":\"{long}\"}}\n{{\"email\":\"{long}\"}}").into(),
            "422",
            "at most 320",
        ),
        (
            "millions of nothings",
            format!("[{}1]", "1,".repeat(4_000_000)).into(),
            "413",
            "4000001 events in one request",
        ),
        (
            "millions of lines",
            format!("{{}}\n{}", "1\n".repeat(4_000_000)).into(),
            "413",
            "4000001 events in one request",
        ),
        ("more than the limit", vec![b' '; 8 * 1024 * 1024 + 1], "413", "8388608 bytes"),
    ] {
        let answer = raw(&world, post("/api/events", "", body)).await;
        assert_eq!(status(&answer), expected, "{what}: {answer:.300}");
        assert!(answer.contains(said), "{what}: {answer:.300}");
        assert!(answer.len() < 20_000, "{what}: an answer of {} bytes", answer.len());
        assert_keeps_quiet(&answer, what);
    }
    assert_eq!(world.audit().await["accepted"], 0);
}

#[tokio::test]
async fn what_is_no_plain_json_is_not_taken() {
    let world = Setup::new().file("[attribution]\nvisits_per_minute = 1000").start().await;
    let event = format!("{{{EVENT}}}");
    for (path, headers) in [
        ("/api/events", "content-type: text/html\r\n"),
        ("/api/events", "content-type: application/json\u{fc}\r\n"),
        ("/api/events", "content-encoding: gzip\r\n"),
        ("/api/events", "content-type: application/json\r\ncontent-encoding: identity, br\r\n"),
        ("/api/graphql", "content-type: application/graphql\r\n"),
        ("/api/graphql", "content-encoding: deflate\r\n"),
        ("/api/attributions", "content-type: image/png\r\n"),
        ("/api/attributions", "content-encoding: gzip\r\n"),
    ] {
        let answer = raw(&world, post(path, headers, &event)).await;
        assert_eq!(status(&answer), "415", "{path} {headers}: {answer}");
        assert!(answer.contains("\"error\":\"send "), "{path} {headers}: {answer}");
    }
    let taken = raw(&world, post("/api/events", "content-encoding: identity\r\n", &event)).await;
    assert_eq!(status(&taken), "202", "{taken}");
}

#[tokio::test]
async fn heads_are_bounded() {
    let world = World::start().await;
    let get = |path: &str, headers: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n").into_bytes()
    };
    let long = "private".repeat(10_000);
    for (what, request, expected) in [
        ("a huge header", get("/healthz", &format!("x-long: {long}\r\n")), "431"),
        ("many headers", get("/healthz", &"x: y\r\n".repeat(200)), "431"),
        ("a huge address", get(&format!("/healthz?{long}"), ""), "431"),
        ("a long query", get(&format!("/api/deliveries?since={}", "private".repeat(1000)), ""), "400"),
        ("a long path", get(&format!("/{}", "private".repeat(1000)), ""), "404"),
        ("no HTTP", b"private\r\n\r\n".to_vec(), "400"),
        ("another protocol", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(), "400"),
        ("a NUL in a header", get("/healthz", "x: private\0\r\n"), "400"),
        ("two lengths", get("/healthz", "content-length: 1\r\ncontent-length: 2\r\n"), "400"),
        ("a negative length", get("/healthz", "content-length: -1\r\n"), "400"),
    ] {
        let answer = raw(&world, request).await;
        assert_eq!(status(&answer), expected, "{what}: {answer:.300}");
        assert_keeps_quiet(&answer, what);
    }
    let head = "POST /api/events HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let broken = raw(&world, format!("{head}zz\r\n{{}}\r\n0\r\n\r\n")).await;
    assert_eq!(status(&broken), "400", "{broken}");
    assert!(broken.contains("the body broke off"), "{broken}");
    assert_eq!(world.audit().await["accepted"], 0);
}

#[tokio::test]
async fn addresses_with_anything_in_them_are_answered_with_a_sentence() {
    let world = World::start().await;
    world.report(&[booked("a")]).await;
    let big = u64::MAX;
    for (path, expected) in [
        ("/api/deliveries/%00".to_owned(), 404),
        ("/api/deliveries/%FF".to_owned(), 400),
        ("/api/deliveries/..%2F..%2Fetc".to_owned(), 404),
        ("/api/deliveries/-1-1".to_owned(), 404),
        (format!("/api/deliveries/{big}-{big}"), 404),
        (format!("/api/deliveries/1-1?whole={big}"), 400),
        ("/api/deliveries/1-1?private=1".to_owned(), 400),
        ("/api/events/%F0%28%8C%28/a".to_owned(), 400),
        ("/api/events/TRIAL_BOOKED/%00".to_owned(), 404),
        ("/api/events/TRIAL_BOOKED/%27%3B--".to_owned(), 404),
        ("/api/events/TRIAL%2FBOOKED/%F0%9F%8E%BE".to_owned(), 404),
        ("/api/deliveries?since=yesterday".to_owned(), 400),
        ("/api/deliveries?since=".to_owned(), 400),
        ("/api/deliveries?since=1e400".to_owned(), 400),
        ("/api/deliveries?since=9999-12-31T23:59:59Z".to_owned(), 400),
        ("/api/deliveries?since=9999-12-30T00:00:00Z".to_owned(), 200),
        ("/api/deliveries?since=-009998-01-01T00:00:00Z".to_owned(), 200),
        (format!("/api/deliveries?limit={big}0"), 400),
        ("/api/deliveries?limit=-1".to_owned(), 400),
        ("/api/deliveries?limit=0".to_owned(), 400),
        ("/api/deliveries?limit=501".to_owned(), 400),
        ("/api/deliveries?limit=1&limit=2".to_owned(), 400),
        ("/api/deliveries?status=%FF".to_owned(), 400),
        ("/api/deliveries?sink=%00&reason=%F0%9F%8E%BE".to_owned(), 200),
        ("/api/deliveries?cursor=%00".to_owned(), 400),
        (format!("/api/deliveries?cursor={big}-{big}"), 400),
        (format!("/api/deliveries?cursor={}-1", i64::MAX), 200),
        ("/api/notices?cursor=x".to_owned(), 400),
        (format!("/api/notices?cursor={big}"), 400),
        ("/api/notices?appointmentId=%00".to_owned(), 200),
        ("/api/event/private@example.com".to_owned(), 404),
        ("//api/deliveries".to_owned(), 404),
    ] {
        let reply = world.get(&path).await;
        assert_eq!(reply.status, expected, "{path}: {}", reply.text);
        if expected >= 400 {
            assert!(
                reply.json["error"].as_str().is_some_and(|error| error.len() > 10),
                "{path}: {}",
                reply.text
            );
        }
        assert!(!reply.text.contains("private@"), "{path}: {}", reply.text);
    }
}

#[tokio::test]
async fn another_method_is_told_which_to_use() {
    let world = World::start().await;
    for (method, path, allowed) in [
        ("GET", "/api/events", "POST"),
        ("DELETE", "/api/deliveries/1-1", "GET,HEAD"),
        ("PUT", "/api/sinks/tiktok/resume", "POST"),
        ("TRACE", "/healthz", "GET,HEAD"),
    ] {
        let reply = world.request(method.parse().unwrap(), path).send().await.unwrap();
        assert_eq!(reply.status(), 405, "{method} {path}");
        assert_eq!(reply.headers()["allow"], allowed, "{method} {path}");
    }
}

/// A byte a second: no body may take longer than half a minute.
#[tokio::test]
async fn slow_bodies_are_given_up() {
    let setup =
        Setup::new().file("[[sinks]]\nkind = 'tiktok'\ntest_secret = 'the-test-secret'").with_acuity();
    let world =
        setup.start_with(|platforms| vec![("ACUITY_BASE_URL".to_owned(), platforms.base.clone())]).await;
    let slow = async |path: &str| {
        let mut stream = connect(&world).await;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer the-test-secret\r\ncontent-length: 5000\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let trickle = async {
            while writer.write_all(b" ").await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
            std::future::pending::<()>().await;
        };
        let mut answer = vec![0; 12];
        let read = async {
            reader.read_exact(&mut answer).await.unwrap();
        };
        tokio::select! {
            () = trickle => {}
            read = timeout(PATIENCE, read) => read.expect("the body is given up"),
        }
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 408", "{path}");
    };
    tokio::join!(
        slow("/api/events"),
        slow("/api/graphql"),
        slow("/api/attributions"),
        slow("/api/test/tiktok"),
        slow("/api/webhooks/acuity/acuity"),
        slow("/api/sources/acuity/reconcile"),
    );
    assert_eq!(world.audit().await["accepted"], 0);
}

#[tokio::test]
async fn an_endless_body_is_not_read_for_ever() {
    let world = World::start().await;
    let mut stream = connect(&world).await;
    let head = "POST /api/events HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("{:x}\r\n{}\r\n", 65_536, " ".repeat(65_536));
    let mut written = 0;
    // Until the service hangs up; what the machine's own buffers take is not read.
    while timeout(PATIENCE, stream.write_all(chunk.as_bytes())).await.expect("it reads or hangs up").is_ok() {
        written += chunk.len();
        assert!(written < 64 * 1024 * 1024, "{written} bytes were taken");
    }
    assert!(written > 7 * 1024 * 1024, "the limit is 8 MiB, and it hung up after {written} bytes");
    assert_eq!(world.audit().await["accepted"], 0);
}

/// Whether the service has hung up.
async fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.try_read(&mut [0; 16]) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

/// As many as say nothing, or only half of something: whoever has something to say is heard, and whoever was heard is
/// answered.
#[tokio::test]
async fn idle_connections_give_way_to_others() {
    let world = Setup::new().file("[server]\nmax_connections = 20\nidle_timeout = '1h'").start().await;
    let body = format!("{{{EVENT}}}");
    let (first, last) = body.split_at(20);
    let mut under_way = connect(&world).await;
    let head = format!(
        "POST /api/events HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    under_way.write_all(head.as_bytes()).await.unwrap();
    let mut goes_on = [0; 25];
    under_way.read_exact(&mut goes_on).await.unwrap();
    assert_eq!(&goes_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    under_way.write_all(first.as_bytes()).await.unwrap();
    let mut idle = Vec::new();
    for number in 0..1000 {
        let mut stream = connect(&world).await;
        if number % 2 == 0 {
            stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: loc").await.unwrap();
        }
        idle.push(stream);
        if number % 100 == 0 {
            let answered = timeout(PATIENCE, world.get("/healthz")).await;
            assert_eq!(answered.expect("there is room").status, 200, "after {number}");
        }
    }
    until("all but the latest to be closed", async || {
        let mut open = 0;
        for stream in &mut idle {
            open += usize::from(!is_closed(stream).await);
        }
        if open < 20 { Ok(()) } else { Err(format!("{open} open ones")) }
    })
    .await;
    under_way.write_all(last.as_bytes()).await.unwrap();
    assert_eq!(status(&rest(&mut under_way).await), "202");
}

#[tokio::test]
async fn connections_that_say_nothing_are_closed_in_time() {
    let world = Setup::new().file("[server]\nidle_timeout = '1s'").start().await;
    let (mut silent, mut half, mut answered) =
        (connect(&world).await, connect(&world).await, connect(&world).await);
    half.write_all(b"GET /healthz HTTP/1.1\r\nhost: loc").await.unwrap();
    answered.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let (silent, half, answered) = tokio::join!(rest(&mut silent), rest(&mut half), rest(&mut answered));
    assert!(!silent.starts_with("HTTP/1.1 2") && !half.starts_with("HTTP/1.1 2"), "{silent} {half}");
    assert_eq!(status(&answered), "200", "it was answered, and closed when no second request came");
    assert_eq!(world.get("/healthz").await.status, 200);
}
