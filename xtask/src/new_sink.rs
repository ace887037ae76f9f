//! A crate to begin a sink with, and the two lines outside it.

use std::fs;
use std::path::Path;

use crate::cargo;

const MANIFEST: &str = "crates/dispatcher/Cargo.toml";
const LINKED: &str = "crates/dispatcher/src/sinks.rs";

macro_rules! templates {
    ($($file:literal),+ $(,)?) => {
        [$(($file, include_str!(concat!("../templates/sink/", $file)))),+]
    };
}

/// Each file of a sink's crate. `{kind}`, `{module}`, `{Sink}`, `{PLATFORM}` and `{Title}` stand for its names.
const FILES: [(&str, &str); 12] = templates![
    "Cargo.toml",
    "README.md",
    "config.example.toml",
    "src/lib.rs",
    "src/config.rs",
    "src/wire.rs",
    "src/prepare.rs",
    "src/send.rs",
    "src/classify.rs",
    "tests/it/main.rs",
    "tests/it/conformance.rs",
    "tests/snapshots/booking_by_email.snap",
];

/// Writes the crate, or nothing if anything is wrong.
pub(crate) fn create(arguments: &[String]) -> Result<(), String> {
    let [kind] = arguments else {
        return Err("cargo xtask new-sink takes one name, such as acme or acme-ads".to_owned());
    };
    validate(kind)?;
    let crate_name = format!("sink-{kind}");
    let folder = Path::new("crates").join(&crate_name);
    if folder.exists() {
        return Err(format!("{} is there already: nothing was written", folder.display()));
    }
    let dependency = format!("{crate_name} = {{ path = \"../{crate_name}\" }}");
    let manifest = with_line(MANIFEST, "sink-", &dependency)?;
    let linked = with_line(LINKED, "use sink_", &format!("use {} as _;", crate_name.replace('-', "_")))?;
    for (file, template) in FILES {
        write(&folder.join(file), &fill(template, kind))?;
    }
    write(Path::new(MANIFEST), &manifest)?;
    write(Path::new(LINKED), &linked)?;
    // Where lines break hangs on how long the name is.
    let manifest = folder.join("Cargo.toml").display().to_string();
    cargo(&["fmt", "--manifest-path", &manifest], &[])?;
    say(&format!(
        "{} is written, and a line in {MANIFEST} and {LINKED} links it.\n\
         What is missing yet, in order:  cargo test -p {crate_name}\n\
         How to go on:                   docs/adding-a-sink.md",
        folder.display()
    ));
    Ok(())
}

fn validate(kind: &str) -> Result<(), String> {
    if let Some(rest) = kind.strip_prefix("sink-") {
        return Err(format!("give the platform's name alone: {rest}"));
    }
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let is_name = kind.starts_with(|c: char| c.is_ascii_lowercase()) && kind.split('-').all(is_word);
    if is_name {
        return Ok(());
    }
    Err(format!("{kind:?} is no name of a sink: lower-case words with hyphens, such as acme or acme-ads"))
}

/// The file with one line more, among those that begin alike, in their order.
fn with_line(path: &str, beginning: &str, line: &str) -> Result<String, String> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("{path} cannot be read ({error}): run this in the repository's folder"))?;
    let mut lines: Vec<&str> = text.lines().collect();
    let alike: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with(beginning)).collect();
    let (Some(first), Some(last)) = (alike.first(), alike.last()) else {
        return Err(format!("{path} has no line that begins with {beginning}"));
    };
    if alike.iter().any(|at| lines[*at] == line) {
        return Err(format!("{path} has the line {line} already: nothing was written"));
    }
    let at = (*first..=*last).find(|at| lines[*at] > line).unwrap_or(last + 1);
    lines.insert(at, line);
    Ok(lines.join("\n") + "\n")
}

fn fill(template: &str, kind: &str) -> String {
    let words: Vec<String> = kind.split('-').map(capitalised).collect();
    template
        .replace("{kind}", kind)
        .replace("{module}", &kind.replace('-', "_"))
        .replace("{Sink}", &words.concat())
        .replace("{PLATFORM}", &kind.to_uppercase().replace('-', "_"))
        .replace("{Title}", &words.join(" "))
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let failed = |error| format!("{} cannot be written: {error}", path.display());
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
    fs::write(path, text).map_err(failed)
}

#[expect(clippy::print_stdout, reason = "a task talks to whoever started it")]
fn say(text: &str) {
    println!("{text}");
}
