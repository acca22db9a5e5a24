//! Who is at the other end, and whether the person's browser speaks https: from the connection, and from
//! `X-Forwarded-*` only when the connection comes from a trusted proxy (RFC 9700 4.13).
//!
//! Cookies go by `PUBLIC_URL` as well: where it is https, a proxy that does not say so must not cost them `Secure`.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Once, OnceLock};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use ipnet::IpNet;

use crate::http::wants_page;

/// The address that the connection came from, as the listener saw it.
#[derive(Clone, Copy, Debug)]
pub struct Connected(pub SocketAddr);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The client's address; behind trusted proxies, the one they saw.
    pub address: IpAddr,
    /// Whether cookies are those of https: the request came by it, or `PUBLIC_URL` is https.
    pub https: bool,
}

/// Marks a request that came by https, by the word of a trusted proxy.
#[derive(Clone, Copy, Debug)]
pub struct ArrivedByHttps;

#[derive(Clone, Debug)]
pub struct Proxies {
    pub trusted: Arc<[IpNet]>,
    /// Whether `PUBLIC_URL` is https, so that cookies have to be `Secure` whatever a proxy says.
    pub public_url_is_https: bool,
}

pub async fn layer(State(proxies): State<Proxies>, mut request: Request, next: Next) -> Response {
    let connected = request.extensions().get::<Connected>().copied();
    if let Some(Connected(address)) = connected {
        let trusted = &proxies.trusted;
        let mut peer = resolve(address.ip(), request.headers(), trusted);
        warn_of_an_unknown_proxy(address.ip(), request.headers(), trusted);
        if peer.https {
            request.extensions_mut().insert(ArrivedByHttps);
        } else if proxies.public_url_is_https {
            warn_of_plain_http(peer.address, request.headers());
            peer.https = true;
        }
        request.extensions_mut().insert(peer);
    }
    next.run(request).await
}

/// The first peer of this process that said what only a trusted proxy may say, and was not one.
static UNKNOWN_PROXY: OnceLock<IpAddr> = OnceLock::new();

/// A peer that claimed by `X-Forwarded-Proto` that the browser uses https, and is among no `BROKER_TRUSTED_PROXIES`: the
/// proxy that is missing from the setting, or a forgery. `None`: there was none since the start.
#[must_use]
pub fn unknown_proxy() -> Option<IpAddr> {
    UNKNOWN_PROXY.get().copied()
}

static PLAIN_HTTP: Once = Once::new();

/// A browser on another machine that seems to use plain http although `PUBLIC_URL` is https. (Browsers take `http` on
/// their own machine for secure.)
fn warn_of_plain_http(address: IpAddr, headers: &HeaderMap) {
    if wants_page(headers) && !address.is_loopback() {
        PLAIN_HTTP.call_once(|| {
            tracing::warn!(peer = %address, "page requested over plain http, although PUBLIC_URL is https. Cookies are \
                Secure, so signing in and connecting a bank fail over plain http: use PUBLIC_URL. If a proxy in front ends \
                TLS, let it send X-Forwarded-Proto: https, and name its network in BROKER_TRUSTED_PROXIES");
        });
    }
}

/// Without this an operator would not learn why everybody shares one rate limit behind a proxy that is not named.
fn warn_of_an_unknown_proxy(connected: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) {
    let says_https = last(headers, "x-forwarded-proto").is_some_and(|s| s.eq_ignore_ascii_case("https"));
    if says_https && !is_trusted(connected, trusted) && UNKNOWN_PROXY.set(connected.to_canonical()).is_ok() {
        tracing::warn!(peer = %connected, "ignored X-Forwarded-Proto of a peer that is no trusted proxy; if it is your proxy, \
            list its network in BROKER_TRUSTED_PROXIES");
    }
}

pub(crate) fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&address.to_canonical()))
}

/// The rightmost address that no trusted proxy has, because only those hops were written by trusted proxies.
fn resolve(connected: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Peer {
    let mut peer = Peer {
        address: connected.to_canonical(),
        https: false,
    };
    if !is_trusted(connected, trusted) {
        return peer;
    }
    peer.https =
        last(headers, "x-forwarded-proto").is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    for hop in hops(headers, "x-forwarded-for").into_iter().rev() {
        // A hop that is no address was not written by a proxy that we understand.
        let Some(address) = hop_address(hop) else { break };
        peer.address = address.to_canonical();
        if !is_trusted(address, trusted) {
            break;
        }
    }
    peer
}

/// The address of a hop, without the port that some proxies write: `203.0.113.7:54321`, `[2001:db8::1]:443`,
/// `[2001:db8::1]`.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = hop
        .strip_prefix('[')
        .and_then(|hop| hop.strip_suffix(']'))
        .unwrap_or(hop);
    bare.parse()
        .or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
}

fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    hops(headers, name).pop()
}

fn hops<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let values = headers.get_all(name).iter();
    // Each hop for itself: what a client wrote must not hide what a proxy added. Empty elements do not count (RFC 9110 5.6.1).
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(|hop| std::str::from_utf8(hop).map_or("?", str::trim))
        .filter(|hop| !hop.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn seen(connected: &str, headers: &[(&'static str, &str)]) -> (String, bool) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let trusted: Vec<IpNet> = ["127.0.0.0/8", "::1/128", "10.0.0.0/8"]
            .iter()
            .map(|net| net.parse().unwrap())
            .collect();
        let peer = resolve(connected.parse().unwrap(), &map, &trusted);
        (peer.address.to_string(), peer.https)
    }

    #[test]
    fn strangers_cannot_forge_their_address_or_scheme() {
        let forged = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https")];
        assert_eq!(seen("203.0.113.9", &forged), ("203.0.113.9".to_owned(), false));
    }

    #[test]
    fn of_a_trusted_proxys_hops_the_rightmost_untrusted_counts() {
        let headers = [
            ("x-forwarded-for", "6.6.6.6, 203.0.113.9"),
            ("x-forwarded-proto", "https"),
        ];
        assert_eq!(seen("127.0.0.1", &headers), ("203.0.113.9".to_owned(), true));
        let chained = [
            ("x-forwarded-for", "6.6.6.6, 203.0.113.9"),
            ("x-forwarded-for", "10.1.2.3"),
        ];
        assert_eq!(
            seen("::ffff:127.0.0.1", &chained),
            ("203.0.113.9".to_owned(), false)
        );
        assert_eq!(
            seen("127.0.0.1", &[("x-forwarded-for", "junk, \"")]),
            ("127.0.0.1".to_owned(), false)
        );
    }

    #[test]
    fn a_hop_may_have_a_port() {
        for (hop, address) in [
            ("203.0.113.7:54321", "203.0.113.7"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[::ffff:203.0.113.7]:1", "203.0.113.7"),
            // A trusted hop with a port is passed over like one without.
            ("203.0.113.7:1, 10.1.2.3:443, [::ffff:10.0.0.1]:9", "203.0.113.7"),
            // These were not written by a proxy that we understand.
            ("203.0.113.7:x", "127.0.0.1"),
            ("203.0.113.7:65536", "127.0.0.1"),
            ("203.0.113.7:", "127.0.0.1"),
            ("[203.0.113.7", "127.0.0.1"),
            ("unknown", "127.0.0.1"),
        ] {
            assert_eq!(seen("127.0.0.1", &[("x-forwarded-for", hop)]).0, address, "{hop}");
        }
    }

    #[test]
    fn what_a_client_wrote_does_not_hide_the_hop_of_a_proxy() {
        let trusted = ["127.0.0.0/8".parse().unwrap()];
        for (sent, address) in [
            (&b"\xe9, 203.0.113.9"[..], "203.0.113.9"),
            (b"203.0.113.9,", "203.0.113.9"),
            (b"203.0.113.9, ,", "203.0.113.9"),
            (b"203.0.113.9, \xe9", "127.0.0.1"),
        ] {
            let mut map = HeaderMap::new();
            map.append("x-forwarded-for", http::HeaderValue::from_bytes(sent).unwrap());
            let peer = resolve("127.0.0.1".parse().unwrap(), &map, &trusted);
            assert_eq!(peer.address.to_string(), address, "{sent:?}");
        }
    }

    #[test]
    fn the_scheme_is_the_nearest_proxys_word() {
        assert!(seen("127.0.0.1", &[("x-forwarded-proto", "http, https")]).1);
        assert!(!seen("127.0.0.1", &[("x-forwarded-proto", "https, http")]).1);
        assert!(!seen("127.0.0.1", &[]).1);
    }
}
