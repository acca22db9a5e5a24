//! Single-use links: a user of the machine makes one, and the first to open it is an admin.

use std::net::{IpAddr, SocketAddr};

use crate::app::App;
use crate::secret::OwnToken;

pub struct Link {
    token: OwnToken,
    public_base: String,
    local_base: Option<String>,
}

/// Makes one. It belongs on a terminal or in an answer to an operator, and in no log.
#[must_use]
pub fn new_link(app: &App) -> Link {
    let local_base = app
        .config
        .http
        .public_url
        .is_some()
        .then(|| local_base(app.address));
    Link {
        token: app.admins.links.issue(app.clock.now()),
        public_base: app.public_url.clone(),
        local_base,
    }
}

impl Link {
    /// Below `PUBLIC_URL`, or below the bound port of this machine.
    #[must_use]
    pub fn url(&self) -> String {
        self.below(&self.public_base)
    }

    /// The same link for this machine alone, where `PUBLIC_URL` is another address: while that one is wrong (and the
    /// setup page reports it), this one works.
    #[must_use]
    pub fn local_url(&self) -> Option<String> {
        self.local_base.as_deref().map(|base| self.below(base))
    }

    fn below(&self, base: &str) -> String {
        format!("{base}/setup/login/{}", self.token.expose())
    }
}

/// The address by which this machine reaches what is bound there.
fn local_base(bound: SocketAddr) -> String {
    let by_name = match bound.ip() {
        IpAddr::V4(ip) => ip.is_unspecified() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_unspecified() || ip.is_loopback(),
    };
    if by_name {
        format!("http://localhost:{}", bound.port())
    } else {
        format!("http://{bound}")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn all_addresses_are_reached_by_localhost_and_one_by_itself() {
        for (bound, base) in [
            ("0.0.0.0:8000", "http://localhost:8000"),
            ("127.0.0.1:1", "http://localhost:1"),
            ("[::]:8000", "http://localhost:8000"),
            ("192.0.2.7:80", "http://192.0.2.7:80"),
            ("[2001:db8::1]:80", "http://[2001:db8::1]:80"),
        ] {
            assert_eq!(local_base(bound.parse().unwrap()), base);
        }
    }
}
