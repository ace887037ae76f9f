//! QStash's calls at the door: only what it signs for this address is heard. The official client is the judge.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use platform_sandbox::{QstashSettings, Settings};
use serde_json::{Value, json};

use crate::harness::{Api, Counts, Reply, Setup, TIKTOK, World, many, until};

const DELIVER: &str = "/api/qstash/deliver";
const FAILED: &str = "/api/qstash/failed";
const BODY: &str = r#"{"a":1}"#;
const CURRENT: &str = "sig_current_sandbox";
const NEXT: &str = "sig_next_sandbox";

/// A token to be minted, by what differs from the usual claims.
fn token(name: &str, key: &str, claims: &Value) -> Value {
    json!({ "name": name, "key": key, "body": BODY, "claims": claims })
}

/// Mints tokens with the library that the official client verifies with, and has the client verify each for a call of
/// `url`. Seconds in claims are from now.
async fn minted(url: &str, cases: &[Value]) -> BTreeMap<String, (String, bool)> {
    const SCRIPT: &str = "
        const receiver = new Receiver({ currentSigningKey: keys[0], nextSigningKey: keys[1] });
        const text = new TextEncoder();
        const now = Math.floor(Date.now() / 1000);
        const minted = {};
        for (const { name, key, body, claims: { exp, nbf, ...claims } } of cases) {
            const hash = Buffer.from(await crypto.subtle.digest('SHA-256', text.encode(body)));
            const usual = { iss: 'Upstash', sub: url, jti: 'jwt_1', iat: now, body: hash.toString('base64url') };
            const times = { exp: now + (exp ?? 300), nbf: now + (nbf ?? -60) };
            const padded = claims.padded ? { body: usual.body + '=' } : {};
            const token = await new SignJWT({ ...usual, ...times, ...claims, ...padded })
                .setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(text.encode(key));
            const heard = await receiver.verify({ signature: token, body: seen, url }).catch(() => false);
            minted[name] = [token, heard];
        }
        process.stdout.write(JSON.stringify(minted));";
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let client = peers.join("node_modules/@upstash/qstash");
    assert!(client.is_dir(), "the official client is not installed: run `cargo xtask peers`");
    let script = format!(
        "import {{ Receiver }} from '@upstash/qstash';\nimport {{ SignJWT }} from 'jose';\n\
         const [url, seen, cases, keys] = {};\n{SCRIPT}",
        json!([url, BODY, cases, [CURRENT, NEXT]])
    );
    let run = move || {
        let mut command = Command::new("node");
        command.args(["--input-type=module", "--eval", &script]).current_dir(peers).env_clear();
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path))).output()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A token for this body.
async fn signed(url: &str, body: &str) -> String {
    let case = json!({ "name": "it", "key": CURRENT, "body": body, "claims": {} });
    minted(url, &[case]).await.remove("it").unwrap().0
}

async fn call(api: &Api, path: &str, token: &str, body: &str) -> Reply {
    let request = api.request(reqwest::Method::POST, path).header("upstash-signature", token);
    Reply::of(request.body(body.to_owned())).await.unwrap()
}

async fn world() -> World {
    Setup::new().with("SIGNALBOX_QUEUE", "qstash").file("[qstash]\nclock_tolerance = '0s'").start().await
}

#[tokio::test]
async fn the_official_client_and_this_service_believe_the_same_calls() {
    let world = world().await;
    let url = format!("{}{DELIVER}", world.base);
    let other_body = json!({ "name": "altered body", "key": CURRENT, "body": r#"{"a":2}"#, "claims": {} });
    let cases = [
        token("current key", CURRENT, &json!({})),
        token("next key", NEXT, &json!({})),
        token("padded body", CURRENT, &json!({ "padded": true })),
        token("another key", "sig_another", &json!({})),
        token("expired", CURRENT, &json!({ "exp": -3600, "nbf": -3900 })),
        token("not yet valid", CURRENT, &json!({ "nbf": 3600 })),
        token("another issuer", CURRENT, &json!({ "iss": "Upstart" })),
        token("another path", CURRENT, &json!({ "sub": format!("{}{FAILED}", world.base) })),
        other_body,
    ];
    let minted = minted(&url, &cases).await;
    assert_eq!(minted.len(), 9);
    let heard: Vec<&str> = minted.iter().filter(|(_, (_, heard))| *heard).map(|(name, _)| &**name).collect();
    assert_eq!(heard, ["current key", "next key", "padded body"], "by the official client");
    for (name, (token, heard)) in &minted {
        let reply = call(&world, DELIVER, token, BODY).await;
        // Of what is believed, the body names no delivery.
        assert_eq!(reply.status, if *heard { 489 } else { 401 }, "{name}: {}", reply.text);
        if !heard {
            let expected = json!({ "error": "the call is not signed as QStash signs" });
            assert_eq!(reply.json, expected, "{name}: what is wrong is not told");
        }
    }
    let (token, _) = &minted["current key"];
    assert_eq!(call(&world, FAILED, token, BODY).await.status, 401, "it is for another path");
    let request = world.request(reqwest::Method::POST, DELIVER).body(BODY);
    let unsigned = request.send().await.unwrap();
    assert_eq!(unsigned.status(), 401, "without a signature");
    assert_eq!(unsigned.headers().get("www-authenticate"), None, "no key would help");
}

#[tokio::test]
async fn what_is_not_believed_does_nothing_and_what_is_unknown_never_comes_again() {
    let world = world().await;
    let (deliver, failed) = (format!("{}{DELIVER}", world.base), format!("{}{FAILED}", world.base));
    // Nothing is handed over: what happens comes from the calls of this test.
    world.platforms.sandbox.qstash().configure(QstashSettings { down: true, ..Default::default() });
    world.report(&many("e", 1)).await;
    let id = world.delivery("tiktok", "e-0").await["id"].as_str().unwrap().to_owned();
    let body = json!({ "delivery_id": id }).to_string();
    let wrong = signed(&failed, &body).await;
    assert_eq!(call(&world, DELIVER, &wrong, &body).await.status, 401);
    world.until_counts("tiktok", Counts::pending(1)).await;

    let right = signed(&deliver, &body).await;
    for _ in 0..2 {
        let reply = call(&world, DELIVER, &right, &body).await;
        assert_eq!(
            (reply.status, &reply.json),
            (200, &json!({ "status": "DELIVERED" })),
            "also the second time"
        );
    }
    assert_eq!(world.platforms.of(TIKTOK).received, 1);

    for body in [r#"{"delivery_id":"999-1"}"#, r#"{"delivery_id":"soon"}"#, "nonsense"] {
        let token = signed(&deliver, body).await;
        let request = world.request(reqwest::Method::POST, DELIVER).header("upstash-signature", token);
        let response = request.body(body).send().await.unwrap();
        assert_eq!(response.status(), 489, "{body}");
        assert_eq!(response.headers()["upstash-nonretryable-error"], "true", "{body}");
    }
    let long = "x".repeat(16 * 1024 + 1);
    assert_eq!(call(&world, DELIVER, &right, &long).await.status, 413);
}

#[tokio::test]
async fn a_report_of_failure_gives_a_pending_delivery_up_and_no_other() {
    let world = world().await;
    world.platforms.sandbox.qstash().configure(QstashSettings { down: true, ..Default::default() });
    world.report(&many("e", 1)).await;
    let id = world.delivery("tiktok", "e-0").await["id"].as_str().unwrap().to_owned();
    let source = json!({ "delivery_id": id }).to_string();
    // printf %s '{"delivery_id":"1-1"}' | base64
    assert_eq!(source, r#"{"delivery_id":"1-1"}"#);
    let report = json!({
        "status": 502, "retried": 3, "maxRetries": 3, "sourceMessageId": "msg_1", "dlqId": "1-a",
        "body": "", "sourceBody": "eyJkZWxpdmVyeV9pZCI6IjEtMSJ9",
    });
    let report = report.to_string();
    let token = signed(&format!("{}{FAILED}", world.base), &report).await;
    let reply = call(&world, FAILED, &token, &report).await;
    assert_eq!((reply.status, &reply.json), (200, &json!({ "status": "FAILED" })));
    let delivery = world.delivery("tiktok", "e-0").await;
    assert_eq!((&delivery["status"], &delivery["reason"]), (&json!("FAILED"), &json!("queue_gave_up")));
    assert!(delivery["message"].as_str().unwrap().contains("status 502"), "{delivery}");
    let again = call(&world, FAILED, &token, &report).await;
    assert_eq!((again.status, &again.json), (200, &json!({ "status": "unchanged" })));
    world.audit().await;

    // Whoever comes late is told that it is over, and a human puts it back.
    let call_token = signed(&format!("{}{DELIVER}", world.base), &source).await;
    assert_eq!(call(&world, DELIVER, &call_token, &source).await.status, 489);
    assert_eq!(world.post(&format!("/api/deliveries/{id}/retry"), "").await.status, 202);
    assert_eq!(call(&world, DELIVER, &call_token, &source).await.json["status"], "DELIVERED");
}

/// Room for bodies is shared with whoever reports events: idle calls of strangers must not take it.
#[tokio::test]
async fn a_call_that_is_not_signed_right_is_refused_before_its_body() {
    let world = world().await;
    let wrong = signed(&format!("{}{DELIVER}", world.base), BODY).await;
    let address = world.base.strip_prefix("http://").unwrap().to_owned();
    let answer = move || {
        let mut stream = TcpStream::connect(&address).unwrap();
        // Half of the time that a body may take.
        stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
        write!(
            stream,
            "POST {FAILED} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 1048576\r\nupstash-signature: {wrong}\r\n\r\n"
        )
        .unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        String::from_utf8(status.to_vec()).unwrap()
    };
    assert_eq!(tokio::task::spawn_blocking(answer).await.unwrap(), "HTTP/1.1 401");
}

#[tokio::test]
async fn of_two_calls_at_once_one_sees_to_the_delivery_and_it_is_due_again_by_itself() {
    let world = world().await;
    let platforms = &world.platforms;
    platforms.sandbox.qstash().configure(QstashSettings { down: true, ..QstashSettings::default() });
    let slow = Settings { down: true, latency_ms: 500, ..Settings::default() };
    platforms.sandbox.configure(TIKTOK, slow);
    world.report(&many("e", 1)).await;
    let id = world.delivery("tiktok", "e-0").await["id"].as_str().unwrap().to_owned();
    let body = json!({ "delivery_id": id }).to_string();
    let token = signed(&format!("{}{DELIVER}", world.base), &body).await;
    let call = || call(&world, DELIVER, &token, &body);
    let (one, other) = tokio::join!(call(), call());
    assert_eq!((one.status, other.status), (200, 200), "{} {}", one.text, other.text);
    let reasons = BTreeSet::from([&one, &other].map(|reply| reply.json["reason"].as_str().unwrap()));
    assert_eq!(reasons, BTreeSet::from(["unavailable", "under_way"]));
    // After QStash's first wait of 12 s, not when its whole schedule is over.
    let due = world.delivery("tiktok", "e-0").await["nextAttemptAt"].as_str().unwrap().to_owned();
    assert!(due < world.time_in(Duration::from_secs(13)), "{due}");
}

#[tokio::test]
async fn what_was_published_before_a_retry_says_nothing_of_it() {
    let world = world().await;
    // What it takes, it does not deliver: the calls are those of this test.
    world
        .platforms
        .sandbox
        .qstash()
        .configure(platform_sandbox::QstashSettings { p_lost: 1.0, ..Default::default() });
    world.report(&many("e", 1)).await;
    let id = world.delivery("tiktok", "e-0").await["id"].as_str().unwrap().to_owned();
    let message = |publication: u32| format!(r#"{{"delivery_id":"{id}","publication":{publication}}}"#);
    // printf %s '{"delivery_id":"1-1","publication":1}' | base64
    assert_eq!(message(1), r#"{"delivery_id":"1-1","publication":1}"#);
    let source = "eyJkZWxpdmVyeV9pZCI6IjEtMSIsInB1YmxpY2F0aW9uIjoxfQ==";
    let report = json!({ "status": 489, "retried": 0, "sourceBody": source }).to_string();
    let report_token = signed(&format!("{}{FAILED}", world.base), &report).await;
    let failed = call(&world, FAILED, &report_token, &report).await;
    assert_eq!((failed.status, &failed.json), (200, &json!({ "status": "FAILED" })));
    assert_eq!(world.post(&format!("/api/deliveries/{id}/retry"), "").await.status, 202);

    let late = call(&world, FAILED, &report_token, &report).await;
    assert_eq!((late.status, &late.json), (200, &json!({ "status": "unchanged" })));
    let deliver = async |publication| {
        let body = message(publication);
        let token = signed(&format!("{}{DELIVER}", world.base), &body).await;
        call(&world, DELIVER, &token, &body).await
    };
    let late = deliver(1).await;
    assert_eq!((late.status, &late.json), (200, &json!({ "status": "superseded" })));
    world.until_counts("tiktok", Counts::pending(1)).await;
    // The retry is the second, its message the third.
    let reply = deliver(3).await;
    assert_eq!((reply.status, &reply.json), (200, &json!({ "status": "DELIVERED" })));
    assert_eq!(world.platforms.of(TIKTOK).received, 1);
    world.audit().await;
}

/// The older message waits for its turn, and the newer is told that it sees to the delivery. Then it is superseded.
#[tokio::test]
async fn what_a_superseded_message_was_to_see_to_is_handed_over_again() {
    /// Requests that may be under way at once.
    const TURNS: usize = 4;
    let sinks = "[[sinks]]\nkind = 'tiktok'\nmax_in_flight = 4\ntimeout_seconds = 5";
    let world = Setup::queued().file(sinks).start().await;
    let qstash = world.platforms.sandbox.qstash();
    qstash.configure(QstashSettings { p_lost: 1.0, ..QstashSettings::default() });
    let published = async |messages| {
        until(&format!("{messages} messages"), async || match qstash.report().published {
            published if published >= messages => Ok(()),
            published => Err(format!("{published}")),
        })
        .await;
    };
    world.report(&many("e", TURNS + 1)).await;
    published(5).await;
    let mut ids = Vec::new();
    for event in 0..=TURNS {
        let delivery = world.delivery("tiktok", &format!("e-{event}")).await;
        ids.push(delivery["id"].as_str().unwrap().to_owned());
    }
    // Of the last there are two messages: the first, and after a retry the third.
    let last = ids.pop().unwrap();
    assert_eq!(world.post(&format!("/api/deliveries/{last}/retry"), "").await.status, 202);
    published(6).await;
    let message = async |id: &str, publication: u32| {
        let body = format!(r#"{{"delivery_id":"{id}","publication":{publication}}}"#);
        (signed(&format!("{}{DELIVER}", world.base), &body).await, body)
    };
    let bring = async |(token, body): (String, String)| call(&world, DELIVER, &token, &body).await.status;
    let deliver = async |id: &str, publication| bring(message(id, publication).await).await;
    let (older, newer) = (message(&last, 1).await, message(&last, 3).await);
    // The others take all turns until their time is over.
    world.platforms.sandbox.configure(TIKTOK, Settings { hang: true, ..Settings::default() });
    let others = async {
        let [one, two, three, four] = ids.as_slice() else { panic!("{ids:?}") };
        let statuses = tokio::join!(deliver(one, 1), deliver(two, 1), deliver(three, 1), deliver(four, 1));
        assert_eq!(statuses, (503, 503, 503, 503));
    };
    let both = async {
        until("all turns to be taken", async || match world.platforms.of(TIKTOK).in_flight {
            4 => Ok(()),
            under_way => Err(format!("{under_way}")),
        })
        .await;
        world.platforms.sandbox.configure(TIKTOK, Settings::default());
        qstash.configure(QstashSettings::default());
        assert_eq!(tokio::join!(biased; bring(older), bring(newer)), (200, 200));
    };
    tokio::join!(others, both);
    // It is not left to a message that is done.
    assert_eq!(world.settled("tiktok", &format!("e-{TURNS}")).await["status"], "DELIVERED");
    assert_eq!(world.platforms.of(TIKTOK).counted_twice, 0);
}

#[tokio::test]
async fn without_the_queue_there_is_no_door() {
    let world = World::start().await;
    for path in [DELIVER, FAILED] {
        assert_eq!(world.post(path, BODY).await.status, 404, "{path}");
    }
}
