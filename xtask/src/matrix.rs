//! The long form of the fault matrix: every test that `docs/reliability.md` has a row for, at full length.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::cargo;

/// Runs it, and prints what was measured.
pub(crate) fn run() -> Result<(), String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reliability.md");
    let page = fs::read_to_string(&page).map_err(|error| format!("{}: {error}", page.display()))?;
    let tests = tests(&page);
    let figures = std::env::temp_dir().join(format!("signalbox-figures-{}", std::process::id()));
    let shown = figures.display().to_string();
    cargo(&["build", "--locked", "--package", "signalbox"], &[])?;
    let mut arguments = vec!["test", "--locked", "--package", "e2e", "--test", "it", "--", "--exact"];
    arguments.extend(tests);
    let done = cargo(&arguments, &[("SIGNALBOX_MATRIX", "long"), ("SIGNALBOX_FIGURES", &shown)]);
    // Tests that measure nothing leave no file.
    let measured = fs::read_to_string(&figures).unwrap_or_default();
    fs::remove_file(&figures).ok();
    #[expect(clippy::print_stdout, reason = "a task talks to whoever started it")]
    {
        print!("{}", table(&measured));
    }
    done
}

/// The tests that the page's table of faults names: the last cell of each row.
fn tests(page: &str) -> Vec<&str> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let last = rows.filter_map(|row| row.trim_end_matches(['|', ' ']).rsplit(" | ").next());
    last.flat_map(|cell| cell.split('`').skip(1).step_by(2)).filter(|name| name.contains("::")).collect()
}

fn table(measured: &str) -> String {
    // The latest, where one was measured again.
    let figures: BTreeMap<&str, &str> = measured.lines().filter_map(|line| line.split_once('\t')).collect();
    let rows: String = figures.iter().map(|(name, value)| format!("| {name} | {value} |\n")).collect();
    format!("\n| figure | measured |\n|---|---|\n{rows}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_what_the_last_column_names() {
        let page = "text `a::b`\n\n| fault | what follows | test |\n|---|---|---|\n\
            | `x::y` dies | nothing | `matrix::one`, `matrix::two` |\n| figure | 3 |\n";
        assert_eq!(tests(page), ["matrix::one", "matrix::two"]);
    }

    #[test]
    fn figures_are_a_table() {
        assert!(table("kills\t50\nlost\t0\n").ends_with("|---|---|\n| kills | 50 |\n| lost | 0 |\n"));
    }
}
