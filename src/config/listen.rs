//! What the broker listens on: each address is for one thing.

use std::net::{IpAddr, SocketAddr};

use super::http::HttpConfig;
use super::plaid::{Environment, PlaidConfig};
use super::settings::Settings;

/// The addresses with their variables; with port 0 the system chooses another one each time.
pub(super) fn addresses(http: &HttpConfig, plaid: &PlaidConfig) -> Vec<(&'static str, SocketAddr)> {
    let mut all = vec![
        ("APP_PORT", SocketAddr::new(http.bind, http.port)),
        ("BROKER_OPS_BIND", http.ops_bind),
    ];
    if plaid.environment == Environment::Simulator {
        all.push(("BROKER_SIMULATOR_BIND", plaid.simulator_bind));
    }
    all.retain(|(_, address)| address.port() != 0);
    all
}

/// Whether nobody can listen on one while somebody listens on the other: "all addresses" hold each of their own.
#[must_use]
pub fn is_same_place(one: SocketAddr, other: SocketAddr) -> bool {
    let holds = |all: IpAddr, one: IpAddr| match all {
        IpAddr::V4(all) => all.is_unspecified() && one.is_ipv4(),
        // Where the system listens for both.
        IpAddr::V6(all) => all.is_unspecified(),
    };
    let (a, b) = (one.ip(), other.ip());
    one.port() == other.port() && (a == b || holds(a, b) || holds(b, a))
}

/// Two of ours at one place: the second could never be bound, and "stop what uses it" would mean ourselves.
pub(super) fn tell_doubled(settings: &mut Settings, http: &HttpConfig, plaid: &PlaidConfig) {
    let all = addresses(http, plaid);
    for (index, (variable, address)) in all.iter().enumerate() {
        let earlier = all.iter().take(index);
        let mut same = earlier.filter(|(_, earlier)| is_same_place(*earlier, *address));
        if let Some((other, place)) = same.next() {
            let expected = format!(
                "is the same place as {other} ({place}): give each a port of its own, because the broker listens on both"
            );
            settings.problem_with(variable, &address.to_string(), &expected);
        }
    }
}
