//! `signalbox send`

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::harness::{Api, Counts, Platforms, Program, Setup, World, booked, ids, many, signalbox, until};

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

/// Runs `signalbox send` with `input` on its standard input, while the service in this process goes on.
async fn send(api: &Api, input: String, arguments: &'static [&str], key: &str) -> Output {
    let variables = [("SIGNALBOX_URL", api.base.as_str()), ("SIGNALBOX_API_KEY", key)];
    let environment: BTreeMap<String, String> =
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let run = move || {
        let arguments = [&["send", "-"], arguments].concat();
        let mut command = signalbox(&arguments, &environment);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn a_file_of_events_is_reported_and_may_be_reported_again() {
    let world = World::start().await;
    let events = many("e", 1_200);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.ndjson");
    std::fs::write(&file, lines(&events)).unwrap();
    let environment: BTreeMap<String, String> = [("SIGNALBOX_URL".to_owned(), world.base.clone())].into();
    for expected in ["1200 accepted, 0 duplicate, 0 rejected\n", "0 accepted, 1200 duplicate, 0 rejected\n"] {
        let (file, environment) = (file.clone(), environment.clone());
        let run = move || signalbox(&["send", file.to_str().unwrap()], &environment).output().unwrap();
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        assert_eq!((output.status.code(), said(&output).as_str()), (Some(0), expected));
        assert!(!output.stderr.contains(&0x1b), "bars belong on a terminal alone");
    }
    world.until_counts("tiktok", Counts::delivered(1_200)).await;
    world.until_counts("google-ads", Counts::delivered(1_200)).await;
}

#[tokio::test]
async fn a_bad_line_is_named_and_the_others_go() {
    let world = World::start().await;
    let mut misspelt = booked("misspelt");
    misspelt["emial"] = "ada@private.example".into();
    let input = format!("{}{misspelt}\n{{broken\n{}\n", lines(&many("e", 10)), booked("last"));
    let output = send(&world, input, &["--batch", "4"], "").await;
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output);
    assert!(text.contains("event 11: emial: is not a field; did you mean `email`?\n"), "{text}");
    assert!(text.contains("event 12: "), "{text}");
    assert!(text.ends_with("11 accepted, 0 duplicate, 2 rejected\n"), "{text}");
    assert!(!text.contains("private"), "{text}");
    world.until_counts("tiktok", Counts::delivered(11)).await;
}

#[tokio::test]
async fn other_content_under_a_known_id_is_told() {
    let world = World::start().await;
    world.report(&many("e", 3)).await;
    let mut events = many("e", 3);
    events[1]["value"] = 7.into();
    let output = send(&world, Value::from(events).to_string(), &[], "").await;
    assert_eq!(output.status.code(), Some(0));
    let expected = "0 accepted, 3 duplicate (1 of them with other content; the first stands), 0 rejected\n";
    assert_eq!(said(&output), expected);
}

#[tokio::test]
async fn a_key_is_shown_where_one_is_asked_for() {
    let world = Setup::new().with("SIGNALBOX_API_KEY", "the-key").start().await;
    for (key, code, printed) in [("the-key", 0, "2 accepted, 0 duplicate, 0 rejected\n"), ("wrong", 2, "")] {
        let output = send(&world, lines(&many("e", 2)), &[], key).await;
        assert_eq!((output.status.code(), said(&output).as_str()), (Some(code), printed), "{key}");
        if code == 2 {
            let error = String::from_utf8(output.stderr).unwrap();
            assert!(error.contains("401") && !error.contains("wrong"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_an_error() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let api = Api::new(format!("http://{closed}"));
    // It tries for a while first: a service may be restarting.
    let output = send(&api, booked("e").to_string(), &[], "").await;
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains(&closed.to_string()) && error.contains("cannot connect"), "{error}");
}

/// The file is not lost because the service is: what was taken is a duplicate when it is sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_service_is_waited_for() {
    let platforms = Platforms::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut environment = platforms.environment();
    let store = folder.path().join("signalbox.db");
    environment.insert("SIGNALBOX_STORE".to_owned(), format!("sqlite://{}", store.display()));
    let mut program = Program::serve(&environment).await;
    let address = program.api.base.strip_prefix("http://").unwrap().to_owned();
    let events = many("e", 4_000);
    let (api, input) = (program.api.clone(), lines(&events));
    let mut sending = tokio::task::JoinSet::new();
    sending.spawn(async move { send(&api, input, &["--batch", "20"], "").await });
    until("the first to be accepted", async || {
        let accepted = program.api.read("/api/audit").await["accepted"].as_u64().unwrap();
        if accepted > 0 { Ok(()) } else { Err("none".to_owned()) }
    })
    .await;
    program.kill();
    assert!(sending.try_join_next().is_none(), "it was killed too late to tell anything");
    let program = Program::serve_at(&address, &environment).await;
    let output = sending.join_next().await.unwrap().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let counts: Vec<u64> =
        text.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect();
    let [accepted, duplicate, rejected] = counts[..] else { panic!("{text}") };
    assert_eq!((accepted + duplicate, rejected), (4_000, 0), "{text}");
    program.api.until_counts("tiktok", Counts::delivered(4_000)).await;
    program.api.until_counts("google-ads", Counts::delivered(4_000)).await;
    platforms.assert_counted_once(&ids(&events));
}
