//! The program itself, started as its users start it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;

use super::api::Api;
use super::wait::until;

/// The program, built beside this test: `target/<profile>/deps/it-…` lies next to `target/<profile>/signalbox`.
fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let program = profile.join(format!("signalbox{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "{} is not there: run `cargo xtask test`, which builds it first",
        program.display()
    );
    program
}

/// A command of the program that sees these variables alone.
pub(crate) fn signalbox(arguments: &[&str], environment: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).env_clear().envs(environment).stdin(Stdio::null());
    command
}

/// `signalbox serve` or `signalbox sandbox` as a process of its own; killed when dropped.
pub(crate) struct Program {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
    pub(crate) api: Api,
}

impl Program {
    /// Starts the service on a free port and waits until it listens.
    pub(crate) async fn serve(environment: &BTreeMap<String, String>) -> Self {
        Self::serve_at("127.0.0.1:0", environment).await
    }

    /// Starts the service at this address and waits until it listens.
    pub(crate) async fn serve_at(address: &str, environment: &BTreeMap<String, String>) -> Self {
        Self::spawn(address, environment).listening(service_address).await
    }

    /// Starts the service at this address and waits for nothing.
    pub(crate) fn spawn(address: &str, environment: &BTreeMap<String, String>) -> Self {
        let mut command = signalbox(&["serve", "--listen", address], environment);
        command.env("SIGNALBOX_LOG_FORMAT", "json").stderr(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (lines, reader) = collect(child.stderr.take().unwrap());
        Self { child, lines, reader: Some(reader), api: Api::new("") }
    }

    /// The service's API, once it listens.
    pub(crate) fn look_for_api(&self) -> Option<Api> {
        self.printed().iter().find_map(|line| service_address(line)).map(Api::new)
    }

    /// Starts the sandbox on a free port and waits until it listens.
    pub(crate) async fn sandbox() -> Self {
        let mut command = signalbox(&["sandbox", "--listen", "127.0.0.1:0"], &BTreeMap::new());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let (lines, reader) = collect(child.stdout.take().unwrap());
        let address =
            |line: &str| line.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned);
        Self { child, lines, reader: Some(reader), api: Api::new("") }.listening(address).await
    }

    async fn listening(mut self, address: impl Fn(&str) -> Option<String>) -> Self {
        let base = until("the program to listen", async || {
            let printed = self.printed();
            if let Some(base) = printed.iter().find_map(|line| address(line)) {
                return Ok(base);
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended with {ended:?}: {printed:?}");
            Err(format!("{printed:?}"))
        })
        .await;
        self.api = Api::new(base);
        self
    }

    /// All that it logs from its start to its end, which this asks for.
    pub(crate) async fn whole_log(&mut self) -> String {
        self.terminate();
        self.ended().await;
        self.printed().join("\n")
    }

    /// What it has printed so far: its log, or the sandbox's greeting. Until it has ended, lines may be on their way.
    pub(crate) fn printed(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// `kill -9`, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Asks it to stop, as a supervisor does.
    pub(crate) fn terminate(&self) {
        // The shell's own `kill`: no other program need be installed.
        let sent = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.id())]).status().unwrap();
        assert!(sent.success());
    }

    /// Its number, as the system knows it.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end, and for the last of what it printed.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let status = until("the program to end", async || {
            self.child.try_wait().unwrap().ok_or_else(|| "it runs".to_owned())
        })
        .await;
        if let Some(reader) = self.reader.take() {
            tokio::task::spawn_blocking(|| reader.join().unwrap()).await.unwrap();
        }
        status
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended before.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What a line of the service's log says of where it listens.
fn service_address(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    (line["message"] == "listening").then(|| format!("http://{}", line["address"].as_str().unwrap()))
}

/// Reads lines on a thread of its own, so that the program never waits for a reader.
fn collect(stream: impl std::io::Read + Send + 'static) -> (Arc<Mutex<Vec<String>>>, JoinHandle<()>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&lines);
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            kept.lock().unwrap().push(line);
        }
    });
    (lines, reader)
}
