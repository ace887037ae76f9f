//! The id of a request: in its answer and in what is logged of it.

use reqwest::Method;
use serde_json::Value;

use crate::harness::{Program, World, until};

async fn id_of(world: &World, method: Method, path: &str, given: Option<&str>) -> String {
    let request = world.request(method, path);
    let request = match given {
        Some(id) => request.header("x-request-id", id),
        None => request,
    };
    let answer = request.send().await.unwrap();
    answer.headers()["x-request-id"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_answer_has_an_id_of_its_own() {
    let world = World::start().await;
    let mut seen = Vec::new();
    for (method, path) in [
        (Method::GET, "/healthz"),
        (Method::GET, "/healthz"),
        (Method::GET, "/api/deliveries"),
        (Method::GET, "/api/deliveries/1-1"),
        (Method::POST, "/api/events"),
        (Method::PUT, "/api/events"),
        (Method::GET, "/nowhere"),
        (Method::OPTIONS, "/api/attributions"),
        (Method::GET, "/signalbox.js"),
    ] {
        let id = id_of(&world, method.clone(), path, None).await;
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{method} {path}: {id}");
        assert!(!seen.contains(&id), "{method} {path}: {id}");
        seen.push(id);
    }
    for (given, is_taken) in
        [("0190a4c1-7d0e-7cc3-8a2b-1f4b6a1f0c55", true), ("ada@example.com", false), ("\"},{\"", false)]
    {
        let id = id_of(&world, Method::GET, "/api/sinks", Some(given)).await;
        assert_eq!(id == given, is_taken, "{given} → {id}");
    }
}

/// What is logged of a request, at a level that shows warnings alone.
#[tokio::test]
async fn every_line_of_a_request_bears_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite://{}", folder.path().join("signalbox.db").display());
    let variables = [
        ("SIGNALBOX_STORE", store.as_str()),
        ("SIGNALBOX_API_KEY", "a-key-that-nobody-can-guess"),
        ("SIGNALBOX_LOG", "signalbox::cli=info,warn"),
    ];
    // `listening` is what the harness waits for.
    let environment = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let program = Program::serve(&environment).await;
    let request = program.api.request(Method::GET, "/api/sinks").header("x-request-id", "from-outside-1");
    assert_eq!(request.send().await.unwrap().status(), 401);
    until("the refusal to be logged", async || {
        let printed = program.printed();
        let line = printed.iter().find(|line| line.contains("a request was refused"));
        let line: Value = serde_json::from_str(line.ok_or_else(|| printed.join("\n"))?).unwrap();
        assert_eq!(line["span"]["request_id"], "from-outside-1", "{line}");
        assert_eq!(line["span"]["route"], "/api/sinks", "{line}");
        Ok(())
    })
    .await;
}
