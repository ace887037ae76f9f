//! How much may come from strangers: of one address in a minute, and of all together in a second. Visits are counted so,
//! and wrong keys.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use conversion_core::Timestamp;
use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::clock::{Clock, after};

/// Of all addresses together, in a second.
const ALL: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);
/// Addresses that are remembered at once: some ten megabytes. Past it all have to wait.
const MAX_ADDRESSES: usize = 100_000;
/// Addresses that have been quiet are forgotten this often.
const FORGET_EVERY: Duration = Duration::from_secs(10);

/// Counts what comes. Its memory is bounded.
#[derive(Debug)]
pub struct Rate {
    by_address: Limiter<Option<IpAddr>, HashMapStateStore<Option<IpAddr>>>,
    all: Limiter<NotKeyed, InMemoryState>,
    ticks: Ticks,
}

type Limiter<K, S> = RateLimiter<K, S, Ticks, NoOpMiddleware<Duration>>;

/// The service's clock, as the limiter reads it.
#[derive(Clone, Debug)]
struct Ticks {
    clock: Clock,
    start: Timestamp,
}

impl governor::clock::Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::try_from(self.clock.now().duration_since(self.start)).unwrap_or_default()
    }
}

impl Rate {
    /// So many of one address in a minute.
    pub fn new(per_minute: NonZeroU32, clock: Clock) -> Self {
        let ticks = Ticks { start: clock.now(), clock };
        Self {
            by_address: RateLimiter::hashmap_with_clock(Quota::per_minute(per_minute), ticks.clone()),
            all: RateLimiter::direct_with_clock(Quota::per_second(ALL), ticks.clone()),
            ticks,
        }
    }

    /// Counts what comes from this address, or says how long it has to wait. What has no address counts as of one.
    pub fn admit(&self, address: Option<IpAddr>) -> Result<(), Duration> {
        if self.by_address.len() >= MAX_ADDRESSES {
            return Err(FORGET_EVERY);
        }
        let wait = |wait: governor::NotUntil<Duration>| wait.wait_time_from(self.ticks.now());
        // The address first: one that comes too often must not use up what all have together.
        self.by_address.check_key(&address.map(network)).map_err(wait)?;
        self.all.check().map_err(wait)
    }

    /// Forgets addresses that have been quiet, for ever.
    pub async fn upkeep(&self) {
        loop {
            let clock = &self.ticks.clock;
            clock.sleep_until(after(clock.now(), FORGET_EVERY)).await;
            self.by_address.retain_recent();
            self.by_address.shrink_to_fit();
        }
    }
}

/// What one stranger has: an IPv4 address, or the 64 bits of an IPv6 network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (!0 << 64)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    fn rate(clock: &Clock) -> Rate {
        Rate::new(NonZeroU32::new(2).unwrap(), clock.clone())
    }

    #[test]
    fn an_address_may_come_so_often_in_a_minute() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let rate = rate(&clock);
        assert_eq!([(), ()].map(|()| rate.admit(ip("203.0.113.1"))), [Ok(()), Ok(())]);
        assert_eq!(rate.admit(ip("203.0.113.1")), Err(Duration::from_secs(30)));
        assert_eq!(rate.admit(ip("203.0.113.2")), Ok(()), "another address");
        clock.advance(Duration::from_secs(29));
        assert_eq!(rate.admit(ip("::ffff:203.0.113.1")), Err(Duration::from_secs(1)), "the same address");
        clock.advance(Duration::from_secs(1));
        assert_eq!(rate.admit(ip("203.0.113.1")), Ok(()));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_visitor_and_so_do_those_without_address() {
        let rate = rate(&Clock::manual(Timestamp::UNIX_EPOCH));
        for (first, second, third) in [
            (ip("2001:db8:0:1::1"), ip("2001:db8:0:1:ffff::2"), ip("2001:db8:0:1:a:b:c:d")),
            (None, None, None),
        ] {
            assert_eq!([first, second].map(|address| rate.admit(address)), [Ok(()), Ok(())]);
            assert!(rate.admit(third).is_err());
        }
        assert_eq!(rate.admit(ip("2001:db8:0:2::1")), Ok(()));
    }

    #[test]
    fn all_together_are_bounded() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let rate = rate(&clock);
        let each = |number: u32| rate.admit(Some(IpAddr::from(number.to_be_bytes())));
        assert!((0..1000).all(|number| each(number).is_ok()));
        assert_eq!(each(1000), Err(Duration::from_millis(1)));
        clock.advance(Duration::from_millis(1));
        assert_eq!(each(1001), Ok(()));
    }

    #[tokio::test]
    async fn quiet_addresses_are_forgotten() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let rate = rate(&clock);
        rate.admit(ip("203.0.113.1")).unwrap();
        let ticks = async {
            for _ in 0..7 {
                clock.advance(FORGET_EVERY);
                tokio::task::yield_now().await;
            }
            rate.by_address.len()
        };
        tokio::select! {
            biased;
            () = rate.upkeep() => unreachable!("it has no end"),
            left = ticks => assert_eq!(left, 0),
        }
    }
}
