//! Rate limits per address for unauthenticated callers. What they cost is bounded too.
//!
//! An authenticated request counts for its client and not for its address, so a correct secret is never delayed by
//! the wrong ones of others. One client may serve all users of a platform, so it has no limit unless one is set.

mod bounded_mutex;

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use http::HeaderValue;

pub use self::bounded_mutex::BoundedMutex;
use crate::telemetry::metrics::FlowMetrics;

/// Keys that are remembered at once; beyond, all new ones share one bucket.
const MAX_KEYS: usize = 50_000;
/// The seconds of its rate that a client may use at once.
const CLIENT_BURST: u32 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    pub retry_after: Duration,
}

/// What strangers can ask for, each with a budget of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An authorization request, whether it is refused or shows the Link page.
    Page,
    /// A call of the page: it may become a call to Plaid.
    PageCall,
    Token,
    /// An admin token that was typed; limited even where the other limits are off.
    Login,
}

impl Kind {
    fn budget(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::PageCall => "page_call",
            Self::Token => "token",
            Self::Login => "login",
        }
    }
}

impl TooMany {
    /// `Retry-After` in whole seconds, at least one (RFC 9110 10.2.3).
    #[must_use]
    pub fn header(self) -> HeaderValue {
        HeaderValue::from(self.retry_after.as_secs() + 1)
    }
}

type Buckets<K> = RateLimiter<K, HashMapStateStore<K>, DefaultClock>;

fn at_least_one(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
}

struct Keyed<K: Clone + Eq + std::hash::Hash>(Buckets<K>);

impl<K: Clone + Eq + std::hash::Hash> Keyed<K> {
    fn new(per_second: u32, burst: u32) -> Self {
        Self::of(Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(burst)))
    }

    fn of(quota: Quota) -> Self {
        Self(RateLimiter::hashmap(quota))
    }

    fn check(&self, key: K, overflow: K) -> Result<(), TooMany> {
        if self.0.len() >= MAX_KEYS {
            self.0.retain_recent();
        }
        let key = if self.0.len() >= MAX_KEYS { overflow } else { key };
        self.0.check_key(&key).map_err(|until| TooMany {
            retry_after: until.wait_time_from(DefaultClock::default().now()),
        })
    }
}

pub struct Limits {
    enabled: bool,
    metrics: Option<FlowMetrics>,
    pages: Keyed<IpAddr>,
    page_calls: Keyed<IpAddr>,
    tokens: Keyed<IpAddr>,
    logins: Keyed<IpAddr>,
    clients: Option<Keyed<String>>,
    /// The checks of the set-up page: they call Plaid, so one run at a time is enough. A page that was reloaded waits for
    /// the run before it.
    pub checks: BoundedMutex,
}

impl Limits {
    /// `enabled`: `BROKER_RATE_LIMIT`, for unauthenticated callers; `client_rate`: `BROKER_CLIENT_RATE`, in requests per
    /// second.
    #[must_use]
    pub fn new(enabled: bool, client_rate: Option<u32>) -> Self {
        Self {
            enabled,
            metrics: None,
            // A whole office may come from one address; a program that guesses is slowed to five tries a second.
            pages: Keyed::new(5, 300),
            page_calls: Keyed::new(5, 300),
            tokens: Keyed::new(5, 300),
            // People mistype; a guesser gets one attempt in ten seconds.
            logins: Keyed::of(Quota::per_minute(at_least_one(6)).allow_burst(at_least_one(10))),
            clients: client_rate.map(|rate| Keyed::new(rate, rate.saturating_mul(CLIENT_BURST))),
            checks: BoundedMutex::new(8),
        }
    }

    #[must_use]
    pub fn measured_by(self, metrics: FlowMetrics) -> Self {
        let metrics = Some(metrics);
        Self { metrics, ..self }
    }

    fn counted(&self, budget: &'static str, checked: Result<(), TooMany>) -> Result<(), TooMany> {
        if let (Err(_), Some(metrics)) = (&checked, &self.metrics) {
            metrics.rate_limited(budget);
        }
        checked
    }

    pub fn address(&self, kind: Kind, address: IpAddr) -> Result<(), TooMany> {
        if !self.enabled && kind != Kind::Login {
            return Ok(());
        }
        let buckets = match kind {
            Kind::Page => &self.pages,
            Kind::PageCall => &self.page_calls,
            Kind::Token => &self.tokens,
            Kind::Login => &self.logins,
        };
        let checked = buckets.check(network(address), IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        self.counted(kind.budget(), checked)
    }

    pub fn client(&self, id: &str) -> Result<(), TooMany> {
        match &self.clients {
            None => Ok(()),
            Some(clients) => self.counted("client", clients.check(id.to_owned(), String::new())),
        }
    }
}

/// The network that an address belongs to: who has one IPv6 address has its /64 as well, so that is what counts.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The site that an address belongs to: one customer may have a whole IPv6 /48 (RFC 6177), and so 65,536 of the networks above.
pub(crate) fn site(address: IpAddr) -> IpAddr {
    match network(address) {
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn exhaust(limits: &Limits, address: &str) -> usize {
        let address: IpAddr = address.parse().unwrap();
        (0..1000)
            .take_while(|_| limits.address(Kind::Token, address).is_ok())
            .count()
    }

    #[test]
    fn an_address_has_its_budget_and_others_have_theirs() {
        let limits = Limits::new(true, None);
        assert!((300..320).contains(&exhaust(&limits, "203.0.113.1")));
        assert!(exhaust(&limits, "203.0.113.2") >= 300);
        let refused = limits
            .address(Kind::Token, "203.0.113.1".parse().unwrap())
            .unwrap_err();
        assert!(refused.retry_after <= Duration::from_secs(1));
        limits
            .address(Kind::Page, "203.0.113.1".parse().unwrap())
            .unwrap();
    }

    #[test]
    fn an_authenticated_client_has_the_limit_that_is_set_and_no_other() {
        for enabled in [true, false] {
            let unlimited = Limits::new(enabled, None);
            assert!((0..100_000).all(|_| unlimited.client("a").is_ok()));
            let limits = Limits::new(enabled, Some(20));
            let count = |id: &str| (0..1000).take_while(|_| limits.client(id).is_ok()).count();
            assert!((200..220).contains(&count("a")));
            assert!(count("b") >= 200, "another client has its own");
            assert!(limits.client("a").unwrap_err().retry_after <= Duration::from_secs(1));
        }
    }

    #[test]
    fn an_ipv6_network_counts_as_one_and_a_mapped_address_as_its_ipv4() {
        assert_eq!(
            network("2001:db8:1:2:3::4".parse().unwrap()),
            network("2001:db8:1:2::".parse().unwrap())
        );
        assert_ne!(
            network("2001:db8:1:3::".parse().unwrap()),
            network("2001:db8:1:2::".parse().unwrap())
        );
        assert_eq!(
            network("::ffff:203.0.113.1".parse().unwrap()),
            "203.0.113.1".parse::<IpAddr>().unwrap()
        );
    }

    #[test]
    fn switched_off_nobody_is_refused_but_who_guesses_the_admin_token() {
        let limits = Limits::new(false, None);
        assert_eq!(exhaust(&limits, "203.0.113.1"), 1000);
        let address = "203.0.113.1".parse().unwrap();
        let tries = (0..100)
            .take_while(|_| limits.address(Kind::Login, address).is_ok())
            .count();
        assert!((10..15).contains(&tries), "{tries}");
    }

    #[test]
    fn many_keys_cost_no_more_than_so_many() {
        let limits = Limits::new(true, None);
        for n in 0..60_000u32 {
            let _ = limits.address(Kind::Token, IpAddr::V4(std::net::Ipv4Addr::from(n)));
        }
        assert!(limits.tokens.0.len() <= MAX_KEYS + 1);
    }
}
