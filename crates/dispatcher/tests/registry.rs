//! What is linked is what there is: a connector that the linker dropped would be missing without a word.
#![expect(clippy::unwrap_used, reason = "clippy's leave for tests does not reach their helpers")]

use std::collections::BTreeSet;
use std::path::Path;

use conversion_core::registry;
// Without a use of the library its connectors are not linked into this test.
use signalbox as _;

fn sink_folders() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let names =
        std::fs::read_dir(crates).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_prefix("sink-").map(str::to_owned)).collect()
}

#[test]
fn every_sink_crate_is_linked() {
    let linked: BTreeSet<String> =
        registry::plugins().iter().map(|plugin| plugin.descriptor.kind.to_owned()).collect();
    assert_eq!(linked, sink_folders());
}

#[test]
fn descriptors_are_sane() {
    for plugin in registry::plugins() {
        let descriptor = plugin.descriptor;
        assert!(descriptor.docs.starts_with("https://"), "{}", descriptor.kind);
        assert!((1..=descriptor.batch.max_items).contains(&descriptor.batch.items), "{}", descriptor.kind);
        let platform = descriptor.kind.to_uppercase().replace('-', "_");
        assert_eq!(descriptor.platform, platform);
        assert!(descriptor.environment.iter().all(|variable| variable.name.starts_with(&platform)));
        assert!(descriptor.example.parse::<toml::Table>().is_ok(), "{}", descriptor.kind);
    }
}
