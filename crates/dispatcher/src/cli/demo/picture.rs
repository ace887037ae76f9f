//! What is shown: what each platform got, and why the rest did not go.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write};

use conversion_store::{DeliveryFilter, DeliveryRecord, Status, Store};
use platform_sandbox::{Platform, Report};

use crate::cli::table;

/// More deliveries than a demo has.
const ALL: usize = 1000;

/// Draws the picture as of now.
pub(super) async fn draw(
    store: &dyn Store,
    report: &Report,
    booked: usize,
    count: usize,
) -> anyhow::Result<String> {
    let all = DeliveryFilter { limit: ALL, ..DeliveryFilter::default() };
    let deliveries = store.deliveries(&all).await?.items;
    let mut rows = vec![
        ["platform", "received", "requests", "delivered", "skipped", "failed", "waiting"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for platform in Platform::ALL {
        let (sink, platform) = (platform.name(), report.sinks.of(platform));
        let of =
            |status| deliveries.iter().filter(|d| d.sink == sink && d.status == status).count().to_string();
        rows.push(vec![
            sink.to_owned(),
            platform.received.to_string(),
            platform.requests.to_string(),
            of(Status::Delivered),
            of(Status::Skipped),
            of(Status::Failed),
            of(Status::Pending),
        ]);
    }
    let mut picture = Vec::new();
    table::write(&mut picture, &rows)?;
    writeln!(picture, "{booked} of {count} booked\n")?;
    for ((sink, status, message), count) in reasons(&deliveries) {
        writeln!(picture, "{count:>4} × {status:<9} at {sink:<19}  {}", table::cut(&message, 100))?;
    }
    Ok(String::from_utf8_lossy(&picture).into_owned())
}

/// Everything but plain delivery, by reason.
fn reasons(deliveries: &[DeliveryRecord]) -> BTreeMap<(String, String, String), usize> {
    let mut reasons = BTreeMap::new();
    for delivery in deliveries.iter().filter(|delivery| delivery.message.is_some()) {
        let status = match delivery.status {
            Status::Pending => "waiting",
            Status::Delivered => "delivered",
            Status::Skipped => "skipped",
            Status::Failed => "failed",
        };
        // Each answer has a request id of its own.
        let message = delivery.message.as_deref().and_then(|message| message.split(" (request_id").next());
        let message = message.unwrap_or_default().to_owned();
        *reasons.entry((delivery.sink.clone(), status.to_owned(), message)).or_default() += 1;
    }
    reasons
}

/// Draws the picture over itself on a terminal; elsewhere, only the last one.
pub(super) struct Screen {
    is_terminal: bool,
    lines: usize,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self { is_terminal: io::stdout().is_terminal(), lines: 0 }
    }

    pub(super) fn show(&mut self, picture: &str) -> io::Result<()> {
        if !self.is_terminal {
            return Ok(());
        }
        let out = &mut io::stdout().lock();
        if self.lines > 0 {
            // Up to where the last picture began, and clear to the end.
            write!(out, "\x1b[{}A\x1b[J", self.lines)?;
        }
        out.write_all(picture.as_bytes())?;
        out.flush()?;
        self.lines = picture.lines().count();
        Ok(())
    }

    pub(super) fn finish(&mut self, picture: &str) -> io::Result<()> {
        if self.is_terminal {
            return self.show(picture);
        }
        io::stdout().lock().write_all(picture.as_bytes())
    }
}
