//! The OpenAPI document against the running service: schemathesis makes requests of it, right and wrong ones, and holds
//! every answer against it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use platform_sandbox::AcuitySettings;
use serde_json::{Value, json};

use crate::harness::{Api, Counts, Setup, World, many, trial, until};

/// Requests of one kind for each route: schemathesis adds its own for every bound of every field.
const EXAMPLES: &str = "12";
/// The same, in the long form: `SIGNALBOX_MATRIX=long`.
const MANY_EXAMPLES: &str = "400";

/// A running service with something of everything in it.
async fn furnished() -> World {
    let world = Setup::new()
        .file("[attribution]\nvisits_per_minute = 1000000")
        .file("[[sinks]]\nkind = 'tiktok'\ntest_secret = 'the-test-secret'\n[[sinks]]\nkind = 'google-ads'")
        .with("SIGNALBOX_API_KEY", "the-key")
        .with("SIGNALBOX_PUBLIC_URL", "https://signalbox.example")
        .start_with_acuity(AcuitySettings::default())
        .await;
    let api = world.with_key("the-key");
    api.report(&many("n", 3)).await;
    api.report(&[json!({ "eventId": "bare", "eventName": "OTHER", "eventTime": 1_768_046_400 })]).await;
    api.until_counts("tiktok", Counts { delivered: 3, skipped: 1, ..Counts::default() }).await;
    let visit = json!({ "id": "0123456789abcdef", "gclid": "Cj0" }).to_string();
    assert_eq!(api.post("/api/attributions", visit).await.status, 204);
    world.acuity().book(trial("ada", world.time_in(std::time::Duration::from_secs(86_400)))).unwrap();
    until("the booking's event", async || {
        let notices = api.read("/api/notices?status=DONE").await;
        if notices["items"] == json!([]) { Err(notices.to_string()) } else { Ok(()) }
    })
    .await;
    world
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi")
}

/// What schemathesis says after it has asked everything.
async fn schemathesis(api: &Api) -> Output {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/schemathesis/bin/schemathesis");
    assert!(program.exists(), "schemathesis is not installed: run `cargo xtask peers`");
    let is_long = std::env::var("SIGNALBOX_MATRIX").is_ok_and(|form| form == "long");
    let (examples, seed) =
        if is_long { (MANY_EXAMPLES, None) } else { (EXAMPLES, Some("--generation-deterministic")) };
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command
        .arg("--config-file")
        .arg(tests().join("schemathesis.toml"))
        .args([
            "run",
            &format!("{}/api/openapi.json", api.base),
            "--continue-on-failure",
            "--max-examples",
            examples,
        ])
        .args(seed)
        .env("SCHEMATHESIS_HOOKS", tests().join("hooks.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SIGNALBOX_API_KEY", "the-key")
        .env("TEST_SECRET", "the-test-secret")
        .current_dir(folder.path());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_one_that_the_document_has() {
    let world = furnished().await;
    let output = schemathesis(&world).await;
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    let audit = world.with_key("the-key").read("/api/audit").await;
    assert_eq!(audit["balanced"], true, "{audit}");
}

#[tokio::test]
async fn the_document_is_open_and_says_which_key_opens_what() {
    let world = Setup::new().with("SIGNALBOX_API_KEY", "the-key").start().await;
    let document = world.read("/api/openapi.json").await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids: Vec<&Value> = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            ids.push(&operation["operationId"]);
            let Some(scope) = operation.pointer("/security/0/apiKey/0") else { continue };
            assert!(["ingest", "read", "admin"].contains(&scope.as_str().unwrap()), "{method} {path}");
            // What the document says is asked for is asked for.
            let method = method.to_uppercase().parse().unwrap();
            let asked = world.request(method, &path.replace(['{', '}'], "x")).send().await.unwrap();
            assert_eq!(asked.status(), 401, "{path}");
        }
    }
    let all = ids.len();
    ids.sort_by_key(|id| id.to_string());
    ids.dedup();
    assert_eq!(
        (ids.len(), ids.contains(&&Value::Null)),
        (all, false),
        "each operation has a name of its own"
    );
}
