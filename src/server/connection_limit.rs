//! How many connections are served at once, in all and for one peer, and the warning when some are turned away.
//!
//! A peer that is no trusted proxy gets half of all connections: less would lock out everybody behind a container's NAT, who
//! are one peer, and with more one host could keep out all others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::http::client_ip::is_trusted;
use crate::http::limits::network;

/// One warning in this time; what happens in between is counted.
const QUIET: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct ConnectionLimit {
    all: Arc<Semaphore>,
    count: usize,
    trusted: Vec<IpNet>,
    taken: Mutex<HashMap<IpAddr, usize>>,
    alarm: Mutex<Alarm>,
}

#[derive(Debug)]
pub(super) struct Slot {
    limit: Arc<ConnectionLimit>,
    /// Absent for a trusted proxy.
    peer: Option<IpAddr>,
    _permit: OwnedSemaphorePermit,
}

impl ConnectionLimit {
    /// This many connections, of which a peer outside of the `trusted` networks gets half.
    #[must_use]
    pub fn new(count: usize, trusted: Vec<IpNet>) -> Arc<Self> {
        Arc::new(Self {
            all: Arc::new(Semaphore::new(count)),
            count,
            trusted,
            taken: Mutex::default(),
            alarm: Mutex::default(),
        })
    }

    /// This many connections, all of which one peer may have.
    #[must_use]
    pub fn for_one_peer(count: usize) -> Arc<Self> {
        let everybody = [Ipv4Net::default().into(), Ipv6Net::default().into()];
        Self::new(count, everybody.to_vec())
    }

    /// Waits for a free place. Further connections wait in the system's queue meanwhile. `None`: cannot happen, as the
    /// semaphore is never closed.
    pub(super) async fn free(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.all).try_acquire_owned() {
            return Some(permit);
        }
        self.warn(Instant::now(), "connection limit reached: new connections wait");
        Arc::clone(&self.all).acquire_owned().await.ok()
    }

    /// Admits this peer, unless it has as many connections as it may.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr, permit: OwnedSemaphorePermit) -> Option<Slot> {
        let peer = (!is_trusted(address, &self.trusted)).then(|| network(address));
        if let Some(peer) = peer {
            // Nothing can panic while the lock is held, so what is inside is whole even then.
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            let own = taken.entry(peer).or_default();
            if *own >= self.count.div_ceil(2) {
                drop(taken);
                self.warn(
                    Instant::now(),
                    "connections refused: one peer has half of all connections; if it is your proxy, list its network in \
                     BROKER_TRUSTED_PROXIES",
                );
                return None;
            }
            *own += 1;
        }
        Some(Slot {
            limit: Arc::clone(self),
            peer,
            _permit: permit,
        })
    }

    pub(super) fn not_accepted(&self, error: &std::io::Error) {
        tracing::debug!(%error, "connection not accepted");
        // A client that went away is no reason to warn; no file descriptors are.
        if !matches!(
            error.kind(),
            std::io::ErrorKind::ConnectionAborted | std::io::ErrorKind::Interrupted
        ) {
            self.warn(
                Instant::now(),
                "connections not accepted: the limit of open files is probably too low",
            );
        }
    }

    fn warn(&self, now: Instant, what: &'static str) {
        let mut alarm = self.alarm.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(times) = alarm.raise(now) {
            tracing::warn!(times, max_connections = self.count, "{what}");
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.is_empty()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(peer) = self.peer else { return };
        let mut taken = self.limit.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&peer) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&peer);
            }
        }
    }
}

#[derive(Debug, Default)]
struct Alarm {
    warned: Option<Instant>,
    times: u64,
}

impl Alarm {
    /// Counts an event. Returns the number of events since the last warning, when it is time for another one.
    fn raise(&mut self, now: Instant) -> Option<u64> {
        self.times += 1;
        if self
            .warned
            .is_some_and(|warned| now.duration_since(warned) < QUIET)
        {
            return None;
        }
        self.warned = Some(now);
        Some(std::mem::take(&mut self.times))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    async fn admit(limit: &Arc<ConnectionLimit>, address: &str) -> Option<Slot> {
        let permit = limit.free().await.unwrap();
        limit.admit(ip(address), permit)
    }

    #[tokio::test]
    async fn a_peer_gets_half_of_the_places_and_a_trusted_proxy_all() {
        let limit = ConnectionLimit::new(8, vec!["10.0.0.0/8".parse().unwrap()]);
        let mut held = Vec::new();
        for n in 0..4 {
            // One host has a whole network of IPv6 addresses.
            held.push(admit(&limit, &format!("2001:db8::{n}")).await.unwrap());
        }
        assert!(admit(&limit, "2001:db8::9").await.is_none());
        held.push(admit(&limit, "203.0.113.1").await.unwrap());
        held.remove(0);
        held.push(admit(&limit, "2001:db8::9").await.unwrap());
        drop(held);
        assert!(limit.is_empty());
        let mut proxied = Vec::new();
        for _ in 0..8 {
            proxied.push(admit(&limit, "10.1.2.3").await.unwrap());
        }
        let waiting = tokio::time::timeout(Duration::from_millis(10), limit.free()).await;
        assert!(waiting.is_err(), "there is no ninth");
    }

    #[test]
    fn a_warning_comes_once_a_minute_and_counts_the_others() {
        let (mut alarm, start) = (Alarm::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(alarm.raise(start), Some(1));
        assert_eq!([1, 30, 59].map(|seconds| alarm.raise(after(seconds))), [None; 3]);
        assert_eq!(alarm.raise(after(60)), Some(4));
        assert_eq!(alarm.raise(after(61)), None);
    }
}
