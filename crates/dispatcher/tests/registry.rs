//! What is linked is what there is: a connector that the linker dropped would be missing without a word.
#![expect(clippy::unwrap_used, reason = "clippy's leave for tests does not reach their helpers")]

use std::collections::BTreeSet;
use std::path::Path;

use conversion_core::registry::{self, SourcePlugin};
// Without a use of the library its connectors are not linked into this test.
use signalbox as _;

/// The kinds of crates whose folder begins so.
fn folders(prefix: &str) -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let names =
        std::fs::read_dir(crates).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_prefix(prefix).map(str::to_owned)).collect()
}

#[test]
fn every_sink_crate_is_linked() {
    let linked: BTreeSet<String> =
        registry::plugins().iter().map(|plugin| plugin.descriptor.kind.to_owned()).collect();
    assert_eq!(linked, folders("sink-"));
}

#[test]
fn every_source_crate_is_linked() {
    let linked: BTreeSet<String> =
        registry::sources().iter().map(|plugin| plugin.descriptor.kind.to_owned()).collect();
    assert_eq!(linked, folders("source-"));
}

#[test]
fn descriptors_of_sources_are_sane() {
    for SourcePlugin { descriptor, build } in registry::sources() {
        let kind = descriptor.kind;
        assert!(descriptor.docs.starts_with("https://"), "{kind}");
        let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(!descriptor.signature_header.is_empty(), "{kind}");
        assert!(descriptor.signature_header.chars().all(lower), "{kind}");
        assert!(!descriptor.booking_hosts.is_empty(), "{kind}");
        for host in descriptor.booking_hosts {
            assert!(
                host.contains('.') && host.split('.').all(|part| !part.is_empty() && part.chars().all(lower))
            );
        }
        let prefix = format!("{}_", kind.to_uppercase().replace('-', "_"));
        assert!(descriptor.environment.iter().all(|variable| variable.name.starts_with(&prefix)), "{kind}");
        let example = descriptor.example.parse().unwrap();
        build(example).unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
}
