//! What the crate says of itself.

use std::fs;
use std::path::Path;

use crate::profile::Profile;
use crate::rig::Rig;
use crate::rule::{Broken, Verdict, ensure};

pub(crate) async fn plugin_is_announced(profile: &dyn Profile) -> Verdict {
    let kind = profile.kind();
    let Some(plugin) = profile.plugin() else {
        return Err(Broken::Because(format!(
            "no linked crate announces the kind {kind}: submit a SinkPlugin, and name the crate in the test (`use sink_{} as _;`)",
            kind.replace('-', "_")
        )));
    };
    let announced = plugin.descriptor.kind;
    ensure!(announced == kind, "the profile's kind is {kind}, its plugin's {announced}");
    Ok(())
}

pub(crate) async fn descriptor_is_sane(profile: &dyn Profile) -> Verdict {
    let descriptor = Rig::new(profile)?.descriptor();
    let kind = descriptor.kind;
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    ensure!(
        !kind.is_empty() && kind.chars().all(is_plain),
        "the kind {kind:?} is not in lower case with hyphens"
    );
    let platform = kind.to_uppercase().replace('-', "_");
    ensure!(descriptor.platform == platform, "the platform is {}, and not {platform}", descriptor.platform);
    ensure!(!descriptor.title.trim().is_empty(), "the title is empty");
    for variable in descriptor.environment {
        let name = variable.name;
        ensure!(
            name.starts_with(&format!("{platform}_")),
            "the variable {name} does not begin with {platform}_"
        );
    }
    let limits = descriptor.batch;
    ensure!(
        (1..=limits.max_items).contains(&limits.items),
        "batch.items does not lie between 1 and batch.max_items"
    );
    ensure!(limits.max_bytes >= 1024, "batch.max_bytes leaves no room for an item");
    let ascending = descriptor.sunsets.is_sorted_by(|a, b| a.date <= b.date);
    ensure!(ascending, "the sunsets are not in the order of their dates");
    ensure!(!descriptor.test_mode.is_empty(), "test_mode names no setting");
    Ok(())
}

pub(crate) async fn docs_are_linked(profile: &dyn Profile) -> Verdict {
    let docs = Rig::new(profile)?.descriptor().docs;
    let is_page = docs.strip_prefix("https://").is_some_and(|page| page.contains('.') && page.contains('/'));
    ensure!(is_page, "the descriptor's docs, {docs:?}, are no https address of a page");
    let path = Path::new(profile.folder()).join("README.md");
    let readme = fs::read_to_string(&path);
    ensure!(readme.is_ok(), "{} cannot be read", path.display());
    ensure!(readme.is_ok_and(|text| text.contains(docs)), "{} does not link {docs}", path.display());
    Ok(())
}
