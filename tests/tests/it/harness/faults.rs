//! Faults of the machine under a real process: a disk that is full, a clock that jumps, names that are not resolved, and
//! a record of what the disk is asked to keep. `tests/shim/faults.c` makes them.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// As in `tests/shim/faults.c`.
#[derive(Clone, Copy)]
enum Number {
    ClockAhead,
    DiskFull,
    DnsGone,
}

/// The faults of the processes that are started with [`Self::environment`].
pub(crate) struct Faults {
    control: File,
    environment: BTreeMap<String, String>,
}

impl Faults {
    /// None yet, for a store in `folder`; the control file lies in `beside`.
    pub(crate) fn new(folder: &Path, beside: &Path) -> Self {
        let path = beside.join("faults");
        let control = File::create(&path).unwrap();
        control.set_len(3 * 8).unwrap();
        // As the service names it: without links.
        let folder = folder.canonicalize().unwrap();
        let variables = [
            ("LD_PRELOAD", shim()),
            ("SIGNALBOX_FAULTS_CONTROL", path.as_path()),
            ("SIGNALBOX_FAULTS_FOLDER", folder.as_path()),
        ];
        let variable = |(name, value): (&str, &Path)| (name.to_owned(), value.display().to_string());
        Self { control, environment: variables.map(variable).into() }
    }

    /// The variables that put a process under these faults.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        self.environment.clone()
    }

    /// The machine's clock is ahead by this much from now on; behind, if it is less than nothing.
    pub(crate) fn set_clock_ahead(&self, seconds: i64) {
        self.set(Number::ClockAhead, seconds);
    }

    /// Whether the disk under the store takes nothing more.
    pub(crate) fn set_disk_full(&self, is_full: bool) {
        self.set(Number::DiskFull, i64::from(is_full));
    }

    /// Whether no name is resolved.
    pub(crate) fn set_dns_gone(&self, is_gone: bool) {
        self.set(Number::DnsGone, i64::from(is_gone));
    }

    fn set(&self, number: Number, value: i64) {
        self.control.write_all_at(&value.to_ne_bytes(), 8 * number as u64).unwrap();
    }
}

/// The library, built once for all tests of this process, beside this test.
fn shim() -> &'static Path {
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    SHIM.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/faults.c");
        let test = std::env::current_exe().unwrap();
        let library = test.with_file_name("signalbox-faults.so");
        let draft = test.with_file_name(format!("signalbox-faults-{}.so", std::process::id()));
        let mut compiler = Command::new("cc");
        compiler
            .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&draft)
            .arg(&source);
        let built = compiler.arg("-ldl").output().unwrap_or_else(|error| {
            panic!("`cc` cannot be run ({error}): install a C compiler, such as Debian's package gcc")
        });
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        // In one step, for a test process beside this one may be reading it.
        std::fs::rename(&draft, &library).unwrap();
        library
    })
}
