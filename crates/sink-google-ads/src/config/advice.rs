//! What a human should know about the settings.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use super::{BASE_URL, Config};
use crate::SUNSETS;

/// How long before its end a version is warned of.
const WARN_BEFORE: Duration = Duration::from_secs(60 * 24 * 3600);

impl Config {
    pub(crate) fn advice(&self, now: Timestamp) -> Vec<String> {
        let said = [
            version_advice(&self.api_version, now),
            self.events.is_empty().then(|| {
                let nothing = ", so that retract_on has nothing to take back";
                let consequence = if self.retract_on.is_empty() { "" } else { nothing };
                format!("no event is mapped{consequence}: put the ids of your conversion actions under `events`")
            }),
            self.customer_id.as_ref().filter(|id| id.len() != 10).map(|id| {
                format!("customer_id has {} digits; Google's have 10, such as 123-456-7890", id.len())
            }),
            self.validate_only.then(|| "validate_only is on: Google checks conversions and counts none".to_owned()),
            self.send_ip.then(|| {
                "send_ip is on: Google takes IP addresses only from developers that it listed before 2026-02-02, and \
                 refuses the others' conversions"
                    .to_owned()
            }),
            self.developer_token.is_some().then(|| {
                "developer_token is set: Google ignores it since 2026-09-09, and a later API version is expected to \
                 refuse it"
                    .to_owned()
            }),
            (self.base_url != BASE_URL)
                .then(|| format!("base_url is {}: conversions do not go to Google itself", self.base_url)),
        ];
        said.into_iter().flatten().collect()
    }
}

fn version_advice(version: &str, now: Timestamp) -> Option<String> {
    let newest = SUNSETS.last().map_or("a newer one", |sunset| sunset.version);
    let Some(sunset) = SUNSETS.iter().find(|sunset| sunset.version == version) else {
        return Some(format!(
            "api_version {version} is not known to this release; the newest known is {newest}"
        ));
    };
    let midnight = sunset.date.parse::<Date>().ok()?.at(0, 0, 0, 0);
    let end = Offset::UTC.to_timestamp(midnight).ok()?;
    let date = sunset.date;
    if now >= end {
        return Some(format!("api_version {version} has ended ({date}, by Google's schedule): set {newest}"));
    }
    let left = Duration::try_from(end.duration_since(now)).unwrap_or_default();
    let has_newer = version != newest;
    let mend = if has_newer { format!("set {newest}") } else { "look for a newer one".to_owned() };
    (left <= WARN_BEFORE).then(|| format!("api_version {version} ends about {date}: {mend}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_ending_and_unknown_versions_are_named() {
        for (version, now, advice) in [
            ("v22", "2026-11-23T00:00:00Z", Some("api_version v22 has ended (2026-10-07")),
            ("v22", "2026-10-07T00:00:00Z", Some("api_version v22 has ended (2026-10-07")),
            ("v22", "2026-10-06T23:59:59Z", Some("api_version v22 ends about 2026-10-07: set v26")),
            ("v23", "2026-11-23T00:00:00Z", None),
            ("v23", "2026-12-29T23:59:59Z", None),
            ("v23", "2026-12-30T00:00:00Z", Some("api_version v23 ends about 2027-02-28: set v26")),
            ("v26", "2026-11-23T00:00:00Z", None),
            (
                "v26",
                "2027-11-01T00:00:00Z",
                Some("api_version v26 ends about 2027-11-30: look for a newer one"),
            ),
            ("v18", "2026-11-23T00:00:00Z", Some("api_version v18 is not known")),
            ("v27", "2026-11-23T00:00:00Z", Some("api_version v27 is not known")),
        ] {
            let given = version_advice(version, now.parse().unwrap());
            match (&given, advice) {
                (Some(given), Some(start)) => assert!(given.starts_with(start), "{version} {now}: {given}"),
                _ => assert_eq!(given.as_deref(), advice, "{version} {now}"),
            }
        }
    }

    #[test]
    fn every_sunset_is_a_date_and_they_are_in_order() {
        let dates: Vec<Date> = SUNSETS.iter().map(|sunset| sunset.date.parse().unwrap()).collect();
        assert!(dates.is_sorted());
        assert!(SUNSETS.iter().any(|sunset| sunset.version == Config::default().api_version));
    }
}
