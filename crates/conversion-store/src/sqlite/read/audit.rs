//! The account of all live events, and whether it agrees with itself.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::event::route;
use super::sinks::{Counters, Names};
use crate::audit::{Audit, SinkAccount};
use crate::confirmation::Confirmation;
use crate::lease::SinkId;
use crate::settlement::Status;
use crate::sqlite::code::Coded;

/// What the rows say, whatever the counters say.
struct Rows {
    events: u64,
    routed: BTreeMap<u32, u64>,
    deliveries: BTreeMap<u32, SinkAccount>,
}

/// Reads the counters and holds them against the rows.
pub(in crate::sqlite) fn audit(connection: &Connection) -> rusqlite::Result<Audit> {
    let names = Names::read(connection)?;
    let counters = Counters::read(connection)?;
    let rows = Rows::read(connection)?;
    let mut audit = Audit { accepted: counters.accepted(), ..Audit::default() };
    if audit.accepted != rows.events {
        let sentence =
            format!("{} events were counted as accepted, {} are there", audit.accepted, rows.events);
        audit.differences.push(sentence);
    }
    let known = names.ids().chain(counters.ids()).chain(rows.ids());
    for sink in known.collect::<BTreeSet<_>>() {
        let account = counters.account(SinkId(sink));
        let name = names.of(sink);
        rows.compare(sink, &name, &account, &mut audit.differences);
        audit.sinks.insert(name, account);
    }
    audit.balanced = audit.differences.is_empty();
    Ok(audit)
}

impl Rows {
    fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let (events, routed) = routed(connection)?;
        Ok(Self { events, routed, deliveries: deliveries(connection)? })
    }

    fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.routed.keys().chain(self.deliveries.keys()).copied()
    }

    fn compare(&self, sink: u32, name: &str, account: &SinkAccount, differences: &mut Vec<String>) {
        let rows = self.deliveries.get(&sink).copied().unwrap_or_default();
        let routed = self.routed.get(&sink).copied().unwrap_or_default();
        for (what, counted, found) in [
            ("pending", account.pending, rows.pending),
            ("delivered", account.delivered, rows.delivered),
            ("skipped", account.skipped, rows.skipped),
            ("failed", account.failed, rows.failed),
            ("routed", account.routed, routed),
            ("awaited", account.verdicts.awaited, rows.verdicts.awaited),
            ("confirmed", account.verdicts.confirmed, rows.verdicts.confirmed),
            ("refused", account.verdicts.refused, rows.verdicts.refused),
            ("unconfirmed", account.verdicts.unconfirmed, rows.verdicts.unconfirmed),
        ] {
            if counted != found {
                differences.push(format!("{name}: {counted} counted as {what}, {found} found"));
            }
        }
        if !account.is_balanced() {
            differences.push(format!(
                "{name}: {} were routed, which is not delivered + skipped + failed + pending + purged",
                account.routed
            ));
        }
    }
}

// Counted here and not by GROUP BY, which would sort all rows; and by the table, not by an index in another order.
fn routed(connection: &Connection) -> rusqlite::Result<(u64, BTreeMap<u32, u64>)> {
    let mut statement = connection.prepare_cached("SELECT route FROM event NOT INDEXED WHERE origin = 0")?;
    let mut rows = statement.query([])?;
    let mut by_route: BTreeMap<i64, u64> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        *by_route.entry(row.get(0)?).or_default() += 1;
    }
    let mut routed = BTreeMap::new();
    for (id, events) in &by_route {
        let sql = "SELECT sinks FROM route WHERE id = ?1";
        let sinks: String = connection.prepare_cached(sql)?.query_row([id], |row| row.get(0))?;
        for sink in route(&sinks) {
            *routed.entry(sink).or_default() += events;
        }
    }
    Ok((by_route.values().sum(), routed))
}

fn deliveries(connection: &Connection) -> rusqlite::Result<BTreeMap<u32, SinkAccount>> {
    let mut statement =
        connection.prepare_cached("SELECT sink, status, confirmation FROM delivery WHERE origin = 0")?;
    let mut rows = statement.query([])?;
    let mut accounts: BTreeMap<u32, SinkAccount> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let account = accounts.entry(row.get(0)?).or_default();
        match row.get::<_, Coded<Status>>(1)?.0 {
            Status::Pending => account.pending += 1,
            Status::Delivered => account.delivered += 1,
            Status::Skipped => account.skipped += 1,
            Status::Failed => account.failed += 1,
        }
        match row.get::<_, Coded<Confirmation>>(2)?.0 {
            Confirmation::None => {}
            Confirmation::Awaited => account.verdicts.awaited += 1,
            Confirmation::Confirmed => account.verdicts.confirmed += 1,
            Confirmation::Refused => account.verdicts.refused += 1,
            Confirmation::Unconfirmed => account.verdicts.unconfirmed += 1,
        }
    }
    Ok(accounts)
}
