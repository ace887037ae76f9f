//! Which IP addresses Google may be sent: none of the EEA, the United Kingdom or Switzerland
//! (`platforms/google-ads.md`, section 6).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use conversion_core::CanonicalEvent;
use conversion_core::consent::ConsentStatus;

/// The event's IP address, if it may be sent: a public one, of a person who has not refused and whose known country
/// lies outside those regions.
pub fn shareable_ip(event: &CanonicalEvent) -> Option<IpAddr> {
    if event.consent.ad_user_data == Some(ConsentStatus::Denied) {
        return None;
    }
    let country = event.address.country.as_deref()?;
    event.ip.filter(|ip| is_public(ip.to_canonical()) && is_known(country) && !is_protected(country))
}

/// The EU with its outermost regions, the rest of the EEA, the United Kingdom and Switzerland, by ISO 3166-1; `EL` and
/// `UK` are what the EU itself writes for Greece and the United Kingdom.
const PROTECTED: [&str; 41] = [
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "EL", "HU", "IE", "IT", "LV",
    "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", // EU
    "AX", "GF", "GP", "MF", "MQ", "RE", "YT", // EU, outermost regions
    "IS", "LI", "NO", // EEA
    "GB", "UK", // United Kingdom
    "CH",
];

fn is_protected(country: &str) -> bool {
    PROTECTED.iter().any(|code| code.eq_ignore_ascii_case(country))
}

/// `XX`, `ZZ` and `T1` are what lookups answer that do not know.
fn is_known(country: &str) -> bool {
    country.len() == 2
        && country.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !["XX", "ZZ"].iter().any(|unknown| unknown.eq_ignore_ascii_case(country))
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    // 100.64.0.0/10 is shared between a provider's customers (RFC 6598).
    let shared = matches!(ip.octets(), [100, 64..=127, ..]);
    let nowhere = ip.octets()[0] == 0 || ip.is_broadcast() || ip.is_multicast();
    !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared || nowhere)
}

/// Global unicast is 2000::/3 (RFC 4291); all else is local, multicast or reserved.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    ip.segments()[0] & 0xe000 == 0x2000
}

#[cfg(test)]
mod tests {
    use conversion_core::Timestamp;
    use conversion_core::consent::Consent;
    use conversion_core::event::Address;

    use super::*;

    fn event(ip: &str, country: Option<&str>) -> CanonicalEvent {
        CanonicalEvent {
            ip: Some(ip.parse().unwrap()),
            address: Address { country: country.map(str::to_owned), ..Address::default() },
            ..CanonicalEvent::new("E", "1", Timestamp::UNIX_EPOCH)
        }
    }

    #[test]
    fn only_public_addresses_of_known_unprotected_countries_leave() {
        for (ip, country, leaves) in [
            ("8.8.8.8", Some("US"), true),
            ("2a00:1450:4001::1", Some("br"), true),
            ("8.8.8.8", None, false),
            ("8.8.8.8", Some("XX"), false),
            ("8.8.8.8", Some("zz"), false),
            ("8.8.8.8", Some("T1"), false),
            ("8.8.8.8", Some("DE"), false),
            ("8.8.8.8", Some("de"), false),
            ("8.8.8.8", Some("GB"), false),
            ("8.8.8.8", Some("UK"), false),
            ("8.8.8.8", Some("CH"), false),
            ("8.8.8.8", Some("NO"), false),
            ("8.8.8.8", Some("RE"), false),
            ("192.168.1.1", Some("US"), false),
            ("10.0.0.1", Some("US"), false),
            ("100.64.0.1", Some("US"), false),
            ("127.0.0.1", Some("US"), false),
            ("169.254.1.1", Some("US"), false),
            ("0.0.0.0", Some("US"), false),
            ("255.255.255.255", Some("US"), false),
            ("::1", Some("US"), false),
            ("fd00::1", Some("US"), false),
            ("fe80::1", Some("US"), false),
            ("::ffff:192.168.1.1", Some("US"), false),
            ("::ffff:8.8.8.8", Some("US"), true),
        ] {
            assert_eq!(shareable_ip(&event(ip, country)).is_some(), leaves, "{ip} {country:?}");
        }
    }

    #[test]
    fn a_refusal_withholds_it() {
        let consent = Consent { ad_user_data: Some(ConsentStatus::Denied), ..Consent::default() };
        assert_eq!(shareable_ip(&CanonicalEvent { consent, ..event("8.8.8.8", Some("US")) }), None);
    }
}
