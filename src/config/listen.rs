//! What the broker listens on: each address is for one thing.

use std::net::{IpAddr, SocketAddr};

use super::choices::Environment;
use super::http::HttpConfig;
use super::plaid::PlaidConfig;
use super::settings::{APP_PORT, BROKER_OPS_BIND, BROKER_SIMULATOR_BIND};
use super::values::Values;
use super::variable::Variable;

/// The addresses with their variables; with port 0 the system chooses another one each time.
pub(super) fn addresses(http: &HttpConfig, plaid: &PlaidConfig) -> Vec<(&'static Variable, SocketAddr)> {
    let mut all = vec![
        (APP_PORT.variable, SocketAddr::new(http.bind, http.port)),
        (BROKER_OPS_BIND.variable, http.ops_bind),
    ];
    if plaid.environment == Environment::Simulator {
        all.push((BROKER_SIMULATOR_BIND.variable, plaid.simulator_bind));
    }
    all.retain(|(_, address)| address.port() != 0);
    all
}

/// Whether only one of the two can be listened on at a time: "all addresses" include each of their family.
#[must_use]
pub fn is_same_place(one: SocketAddr, other: SocketAddr) -> bool {
    let includes = |all: IpAddr, one: IpAddr| match all {
        IpAddr::V4(all) => all.is_unspecified() && one.is_ipv4(),
        // Where the system listens for both.
        IpAddr::V6(all) => all.is_unspecified(),
    };
    let (a, b) = (one.ip(), other.ip());
    one.port() == other.port() && (a == b || includes(a, b) || includes(b, a))
}

/// Refuses two equal addresses of ours: the second could never be bound, and "stop what uses it" would mean ourselves.
pub(super) fn refuse_duplicates(values: &mut Values, http: &HttpConfig, plaid: &PlaidConfig) {
    let all = addresses(http, plaid);
    for (index, (variable, address)) in all.iter().enumerate() {
        let earlier = all.iter().take(index);
        let mut same = earlier.filter(|(_, earlier)| is_same_place(*earlier, *address));
        if let Some((other, place)) = same.next() {
            let expected = format!(
                "is the same address as {} ({place}): set a different port for one of them, because the broker listens on \
                 both",
                other.name
            );
            values.problem_with(variable, &address.to_string(), &expected);
        }
    }
}
