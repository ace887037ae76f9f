//! The official client, against what the sandbox signs and answers.

use std::path::Path;
use std::process::Command;

use platform_sandbox::QstashSettings;
use serde_json::{Value, json};

use super::receiver::{Delivery, Receiver};
use super::{dead_letters, fast, publish, published, settled, start};

/// Runs a script that prints JSON; `input` is its variable of that name.
async fn node(script: &str, input: &Value) -> Value {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers");
    assert!(
        peers.join("node_modules/@upstash/qstash").is_dir(),
        "the official client is not installed: run `cargo xtask peers`"
    );
    let script = format!(
        "import {{ Client, Receiver }} from '@upstash/qstash';\n\
         const input = {input};\n\
         const print = (value) => process.stdout.write(JSON.stringify(value));\n\
         {script}"
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

/// What the client's receiver says to deliveries, each with the keys and the URL it is told.
async fn verify(cases: &[Value]) -> Vec<String> {
    let script = "
        const said = [];
        for (const { keys, ...request } of input) {
            const receiver = new Receiver({ currentSigningKey: keys[0], nextSigningKey: keys[1] });
            said.push(await receiver.verify(request).then(String, (error) => error.message));
        }
        print(said);";
    let said = node(script, &Value::from(cases)).await;
    said.as_array().unwrap().iter().map(|words| words.as_str().unwrap().to_owned()).collect()
}

fn case(delivery: &Delivery, keys: [&str; 2], url: &str) -> Value {
    let body = std::str::from_utf8(&delivery.body).unwrap();
    json!({"keys": keys, "signature": delivery.header("upstash-signature"), "body": body, "url": url})
}

#[tokio::test]
async fn it_accepts_what_the_sandbox_signs() {
    let (running, receiver) = (start(fast()).await, Receiver::good().await);
    let url = receiver.url("/api/qstash/deliver?a=1");
    let send = async |count: usize| {
        published(publish(&running, &url).body(r#"{"delivery_id":"ä"}"#)).await;
        receiver.wait_for(count).await.pop().unwrap()
    };
    let old = ["sig_current_sandbox", "sig_next_sandbox"];
    let usual = send(1).await;
    running.sandbox.qstash().configure(QstashSettings { padded_digest: true, ..fast() });
    let padded = send(2).await;
    running.sandbox.qstash().configure(QstashSettings { clock_offset_s: -301, ..fast() });
    let expired = send(3).await;
    running.sandbox.qstash().configure(QstashSettings { clock_offset_s: 60, ..fast() });
    let early = send(4).await;
    running.sandbox.qstash().configure(fast());
    let new = running.sandbox.qstash().rotate();
    let rotated = send(5).await;
    running.sandbox.qstash().rotate();
    let twice_rotated = send(6).await;

    let mut altered = case(&usual, old, &url);
    altered["body"] = json!(r#"{"delivery_id":"b"}"#);
    let cases = [
        case(&usual, old, &url),
        case(&padded, old, &url),
        case(&rotated, old, &url),
        case(&rotated, [&new.current, &new.next], &url),
        case(&twice_rotated, old, &url),
        case(&usual, old, &receiver.url("/api/qstash/deliver")),
        altered,
        case(&expired, old, &url),
        case(&early, old, &url),
    ];
    let said = verify(&cases).await;
    assert_eq!(said[..4], ["true"; 4]);
    let refused = ["signature verification failed", "invalid subject", "body hash", "signature", "signature"];
    for (said, words) in said[4..].iter().zip(refused) {
        assert!(said.contains(words), "{said} | {words}");
    }
}

#[tokio::test]
async fn it_accepts_what_the_sandbox_says_of_a_failure() {
    let receiver =
        Receiver::start(|delivery, _| (Some(if delivery.path == "/failed" { 200 } else { 500 }), Vec::new()));
    let (running, receiver) = (start(fast()).await, receiver.await);
    let request = publish(&running, &receiver.url("/")).header("Upstash-Retries", "0");
    published(request.header("Upstash-Failure-Callback", receiver.url("/failed"))).await;
    settled(&running).await;
    let keys = ["sig_current_sandbox", "sig_next_sandbox"];
    let said = verify(&[case(&receiver.at("/failed")[0], keys, &receiver.url("/failed"))]).await;
    assert_eq!(said, ["true"]);
}

#[tokio::test]
async fn it_publishes() {
    let receiver =
        Receiver::start(|delivery, _| (Some(if delivery.path == "/fails" { 500 } else { 200 }), Vec::new()));
    let (running, receiver) = (start(fast()).await, receiver.await);
    let script = "
        const client = new Client({ baseUrl: input.base, token: input.token });
        const one = await client.publishJSON({
            url: input.to + '/one', body: { a: 1 }, headers: { 'X-Order': '7' }, retries: 2, delay: 1, timeout: 5,
            deduplicationId: 'one', label: 'orders', failureCallback: input.to + '/failed',
            retryDelay: 'pow(2, retried) * 1000',
        });
        const again = await client.publishJSON({ url: input.to + '/one', deduplicationId: 'one' });
        const many = await client.batchJSON([
            { url: input.to + '/many', body: { b: 2 } },
            { url: input.to + '/many', body: { b: 3 }, queueName: 'queue', method: 'PUT' },
        ]);
        const queued = await client.queue({ queueName: 'queue' }).enqueueJSON({ url: input.to + '/queued', body: [] });
        const later = await client.publishJSON({ url: input.to + '/later', body: 1, delay: '1d', callback: input.to });
        const found = await client.messages.get(later.messageId);
        await client.messages.cancel(later.messageId);
        await client.publishJSON({ url: input.to + '/fails', body: 'f', retries: 0 });
        const refused = await client.publishJSON({ url: input.to, body: 1, retryDelay: 'soon' })
            .catch((error) => [error.status, JSON.parse(error.message).error]);
        let dead;
        while (!(dead = await client.dlq.listMessages({ count: 10 })).messages.length);
        await client.dlq.delete(dead.messages[0].dlqId);
        print({ one, again, many, queued, found, refused, dead });";
    let input = json!({"base": running.url(""), "token": super::TOKEN, "to": receiver.url("")});
    let said = node(script, &input).await;
    let report = settled(&running).await;
    assert_eq!([report.published, report.deduplicated, report.delivered, report.dead], [6, 1, 4, 1]);

    let one = &receiver.at("/one")[0];
    assert_eq!(one.json(), json!({"a": 1}));
    assert_eq!((one.header("x-order"), one.header("content-type")), ("7", "application/json"));
    assert_eq!(said["one"]["messageId"], one.header("upstash-message-id"));
    assert_eq!(said["again"], json!({"messageId": said["one"]["messageId"], "deduplicated": true}));
    let many: Vec<Value> = said["many"].as_array().unwrap().clone();
    assert_eq!(many.len(), 2);
    let mut bodies: Vec<(String, String)> = receiver
        .at("/many")
        .iter()
        .map(|delivery| (delivery.method.clone(), delivery.json()["b"].to_string()))
        .collect();
    bodies.sort();
    assert_eq!(bodies, [("POST".into(), "2".into()), ("PUT".into(), "3".into())]);
    assert_eq!(receiver.at("/queued")[0].header("upstash-message-id"), said["queued"]["messageId"]);
    assert_eq!(
        [&said["found"]["url"], &said["found"]["body"]],
        [&json!(receiver.url("/later")), &json!("1")]
    );
    assert_eq!(receiver.at("/later").len(), 0);
    assert_eq!(said["refused"][0], 400);
    assert!(said["refused"][1].as_str().unwrap().starts_with("upstash-retry-delay"));
    assert_eq!(said["dead"]["messages"][0]["responseStatus"], 500);
    assert_eq!(dead_letters(&running).await.len(), 0);
}
