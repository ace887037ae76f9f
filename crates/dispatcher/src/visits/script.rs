//! The script that sites paste, with what it has to know filled in: click ids, hosts and parameters of booking pages,
//! and the attributes of the cookie. `script/signalbox.js` is its source.

use std::collections::BTreeSet;

use conversion_core::descriptor::SinkDescriptor;
use conversion_core::registry;
use sha2::{Digest as _, Sha256};

use super::BookingPages;

/// `script/signalbox.js`, minified by terser.
const MINIFIED: &str = include_str!("../../script/signalbox.min.js");
/// Stands in it for the list of what the script has to know.
const PLACE: &str = "SIGNALBOX_SETTINGS";
/// The query parameter of booking pages, and the cookie, that hold the id.
const NAME: &str = "va_attrib";

/// The script as it is served.
#[derive(Debug)]
pub struct Script {
    /// Its text.
    pub text: String,
    /// Changes with its text.
    pub etag: String,
}

impl Script {
    /// For these booking pages, and for the click ids of every linked sink. `cookie` is what follows the cookie's value.
    pub(super) fn new(pages: &BookingPages, cookie: &str) -> Self {
        let parameters: Vec<&str> =
            std::iter::once(NAME).chain(pages.parameters.iter().map(String::as_str)).collect();
        let settings = (click_ids(), &pages.hosts, parameters, cookie);
        // Lists of strings: serialising cannot fail.
        let settings = serde_json::to_string(&settings).unwrap_or_default();
        let text = MINIFIED.trim_end().replace(PLACE, &settings);
        let digest = hex::encode(Sha256::digest(text.as_bytes()));
        let etag = format!("\"{}\"", digest.get(..16).unwrap_or(&digest));
        Self { text, etag }
    }
}

/// The click ids that linked sinks declare, each with the cookie that holds it; one without comes in the query of a
/// landing page.
fn click_ids() -> BTreeSet<Vec<&'static str>> {
    let of = |descriptor: &SinkDescriptor| {
        let source = |name: &'static str| {
            let cookie = descriptor.cookies.iter().find(|cookie| cookie.click_id == name);
            std::iter::once(name).chain(cookie.map(|cookie| cookie.name)).collect()
        };
        descriptor.click_ids.iter().copied().map(source).collect::<Vec<_>>()
    };
    registry::plugins().into_iter().flat_map(|plugin| of(plugin.descriptor)).collect()
}
