//! Ten thousand made-up persons through Meta's own two normalisers and ours: each field comes to the same digest, or
//! differs in a way that is allowed here by name (platforms/meta.md, section 3.2). `--nocapture` shows the counts.

mod allowed;
mod people;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use allowed::{BUILDER, Difference, SDK};
use conversion_core::identity::{Digest, Recipe};
use conversion_core::sink::ConversionSink as _;
use serde_json::Value;

use crate::kit::sink;

const PERSONS: usize = 10_000;
/// The same persons each time; another seed makes others.
const SEED: u64 = 20_260_110;

/// A normaliser of Meta's in a process of its own.
struct Peer {
    name: &'static str,
    allowed: &'static [Difference],
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

/// What it makes of a value: plain and hashed.
type Made = Option<(String, String)>;

impl Peer {
    fn start(name: &'static str, allowed: &'static [Difference], program: &Path, script: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script);
        let mut command = Command::new(program);
        let mut child =
            command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap_or_else(
                |error| panic!("{} cannot be run ({error}): run `cargo xtask peers`", program.display()),
            );
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { name, allowed, child, to, from }
    }

    fn ask(&mut self, fields: &str) -> Vec<Made> {
        writeln!(self.to, "{fields}").unwrap();
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "{} has ended: run `cargo xtask peers`", self.name);
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn peers() -> [Peer; 2] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python: PathBuf = root.join("target/meta-sdk/bin/python");
    [
        Peer::start("business SDK", SDK, &python, "sdk.py"),
        Peer::start("parameter builder", BUILDER, Path::new("node"), "builder.mjs"),
    ]
}

/// What is sent, and the text that it is the digest of.
fn ours(recipe: &Recipe, person: &conversion_core::CanonicalEvent) -> Made {
    let digest = recipe.digest(person)?.to_string();
    Some((recipe.normalise(person).map(String::from).unwrap_or_default(), digest))
}

#[test]
#[expect(clippy::print_stdout, reason = "the count of each allowed difference is what the test is run for")]
fn every_difference_from_metas_own_normalisers_is_an_allowed_one() {
    let sink = sink("");
    let mut peers = peers();
    let mut found: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let (mut same, mut unexplained) = (0, Vec::new());
    for person in people::made_up(SEED).take(PERSONS) {
        let fields: Vec<(&Recipe, &str, &str)> = sink
            .recipes()
            .iter()
            .filter_map(|recipe| {
                let field = recipe.target.strip_prefix("user_data.").unwrap();
                Some((recipe, field, recipe.source.read(&person)?))
            })
            .collect();
        let asked: Vec<Value> =
            fields.iter().map(|(_, field, raw)| serde_json::json!([field, raw])).collect();
        let asked = Value::from(asked).to_string();
        for peer in &mut peers {
            for ((recipe, field, raw), theirs) in fields.iter().zip(peer.ask(&asked)) {
                let ours = ours(recipe, &person);
                let digest = |made: &Made| made.as_ref().map(|(_, digest)| digest.clone());
                if digest(&ours) == digest(&theirs) {
                    same += 1;
                    continue;
                }
                let plain = |made: &'_ Made| made.as_ref().map(|(plain, _)| plain.clone());
                let (ours, theirs) = (plain(&ours), plain(&theirs));
                match allowed::explain(peer.allowed, field, raw, ours.as_deref(), theirs.as_deref()) {
                    Some(name) => *found.entry((peer.name, name)).or_default() += 1,
                    None => unexplained
                        .push(format!("{}: {field} {raw:?}: {ours:?}, theirs {theirs:?}", peer.name)),
                }
            }
        }
    }
    println!("{PERSONS} persons: {same} fields come to the same digest");
    for ((peer, name), count) in &found {
        println!("{count:>7} × {peer}: {name}");
    }
    let few = unexplained.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(unexplained.is_empty(), "{} differences are not explained:\n{few}", unexplained.len());
    for peer in &peers {
        for difference in peer.allowed {
            assert!(found.contains_key(&(peer.name, difference.name)), "{} never occurs", difference.name);
        }
    }
    assert!(same > 50_000, "{same} are too few for a test of anything");
}

#[test]
fn peers_hash_as_we_do() {
    for mut peer in peers() {
        let made = peer.ask(r#"[["em"," John_Smith@gmail.com "],["country","US"],["em","nobody"]]"#);
        let [Some((plain, digest)), Some((country, _)), None] = &made[..] else { panic!("{made:?}") };
        assert_eq!((plain.as_str(), country.as_str()), ("john_smith@gmail.com", "us"));
        assert_eq!(*digest, Digest::of(plain).to_string());
    }
}
