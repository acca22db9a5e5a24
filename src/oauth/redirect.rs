//! Redirect URIs: matched byte for byte (RFC 9700 2.1), and the only way to a redirect.
//!
//! A [`RedirectTarget`] can be made only from a URI that is on the client's list, and nothing else builds a URL
//! that the browser is sent to with a code or an error.

mod difference;
mod native;

use url::{Host, Url, form_urlencoded};

pub use difference::{difference, is_kore};
pub(in crate::oauth) use native::any_port_origin;
use native::{differs_in_port, without_port};

use crate::config::nearest::distance;
use crate::config::{Clients, RedirectUris};
use crate::store::model::OAuthRequest;

/// A redirect URI that is on its client's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectTarget {
    uri: String,
    /// Raw, see [`super::params::raw_query_value`].
    state: Option<String>,
}

/// A redirect URI that is not usable; the person sees a page, and is never redirected (RFC 6749 3.1.2.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectError {
    /// None was sent, and not exactly one is registered.
    Missing {
        /// Whether the client has any at all.
        any_registered: bool,
    },
    /// It is not on the list, byte for byte.
    NotListed {
        /// What was sent, for the page.
        sent: String,
        /// The listed one that it resembles most.
        nearest: Option<String>,
    },
}

impl RedirectTarget {
    /// Checks what was sent against the client's list.
    pub fn check(
        registered: &RedirectUris,
        sent: Option<&str>,
        state: Option<String>,
    ) -> Result<Self, RedirectError> {
        let list = registered.listed();
        let is_native = matches!(registered, RedirectUris::Native(_));
        let any_loopback = matches!(
            registered,
            RedirectUris::AnyLoopback | RedirectUris::AnyLoopbackAnd(_)
        );
        let uri = match (sent, list) {
            // Where any port is meant, only the request can say which.
            (None, [only]) if !(any_loopback || is_native && without_port(only).is_some()) => only.clone(),
            (None, list) => {
                return Err(RedirectError::Missing {
                    any_registered: any_loopback || !list.is_empty(),
                });
            }
            (Some(sent), list) => {
                let is = |listed: &String| listed == sent || (is_native && differs_in_port(listed, sent));
                if !(list.iter().any(is) || any_loopback && is_loopback_url(sent)) {
                    return Err(RedirectError::NotListed {
                        sent: sent.to_owned(),
                        nearest: nearest(list, sent),
                    });
                }
                sent.to_owned()
            }
        };
        Ok(Self { uri, state })
    }

    /// The target of an authorization that is under way. `None`: its client, or its redirect URI, was removed meanwhile.
    #[must_use]
    pub fn again(clients: &Clients, request: &OAuthRequest) -> Option<Self> {
        let client = clients.find(&request.client_id)?;
        Self::check(
            &client.redirect_uris,
            Some(&request.redirect_uri),
            request.state.clone(),
        )
        .ok()
    }

    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// `state` as it was sent.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The host that people go back to, or the scheme of an app, as the page shows it.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let url = Url::parse(&self.uri).ok()?;
        match url.scheme() {
            "http" | "https" => url.host_str().map(str::to_owned),
            // What follows an app's own scheme is not a host, even after two slashes.
            scheme => Some(scheme.to_owned()),
        }
    }

    /// The URL of a successful response (RFC 6749 4.1.2), with `iss` (RFC 9207) when given.
    #[must_use]
    pub fn with_code(&self, code: &str, issuer: Option<&str>) -> String {
        self.build(&[("code", Some(code)), ("iss", issuer)])
    }

    /// The URL of an error response (RFC 6749 4.1.2.1).
    #[must_use]
    pub fn with_error(&self, error: &str, description: &str, issuer: Option<&str>) -> String {
        self.build(&[
            ("error", Some(error)),
            ("error_description", Some(description)),
            ("iss", issuer),
        ])
    }

    /// The registered query stays (RFC 6749 3.1.2), ours is appended; `state` goes back as it came.
    fn build(&self, parameters: &[(&str, Option<&str>)]) -> String {
        let mut url = self.uri.clone();
        let mut separator = match url.find('?') {
            None => "?",
            Some(at) if at + 1 == url.len() || url.ends_with('&') => "",
            Some(_) => "&",
        };
        let encoded = parameters.iter().filter_map(|&(name, value)| {
            let value: String = form_urlencoded::byte_serialize(value?.as_bytes()).collect();
            // "%20" is read alike by every decoder, "+" is not.
            Some(format!("{name}={}", value.replace('+', "%20")))
        });
        let state = self.state.iter().map(|raw| format!("state={raw}"));
        for pair in encoded.chain(state) {
            url.push_str(separator);
            url.push_str(&pair);
            separator = "&";
        }
        url
    }
}

/// A longer redirect URI that nobody listed is refused: it is kept with the authorization. In bytes.
const MAX_LOOPBACK: usize = 2000;

/// `http` (or `https`) on loopback with any port and path, and no fragment: what the simulator allows unlisted.
fn is_loopback_url(sent: &str) -> bool {
    let Ok(url) = Url::parse(sent) else { return false };
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    // What the parser reads must be what the browser gets: no control characters or blanks that it would drop.
    let plain = sent.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    loopback
        && plain
        && sent.len() <= MAX_LOOPBACK
        && matches!(url.scheme(), "http" | "https")
        && !sent.contains('#')
        && url.username().is_empty()
        && url.password().is_none()
}

/// The listed URI with the fewest edits from what was sent, if it is near enough to be what was meant.
fn nearest(list: &[String], sent: &str) -> Option<String> {
    let sent: String = sent.chars().take(500).collect();
    list.iter()
        .map(|listed| (distance(listed, &sent), listed))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, listed)| *distance <= listed.len() / 2)
        .map(|(_, listed)| listed.clone())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    const KORE: &str = "https://idp.kore.com/workflows/callback";

    fn listed(uris: &[&str]) -> RedirectUris {
        RedirectUris::Listed(uris.iter().map(|&u| u.to_owned()).collect())
    }

    #[test]
    fn one_registered_uri_may_be_left_out_and_several_may_not() {
        assert_eq!(
            RedirectTarget::check(&listed(&[KORE]), None, None).unwrap().uri(),
            KORE
        );
        assert_eq!(
            RedirectTarget::check(&listed(&[KORE, "https://b.example/"]), None, None),
            Err(RedirectError::Missing { any_registered: true })
        );
        assert_eq!(
            RedirectTarget::check(&listed(&[]), None, None),
            Err(RedirectError::Missing {
                any_registered: false
            })
        );
    }

    #[test]
    fn a_slash_a_case_or_a_query_off_is_refused_and_the_nearest_is_named() {
        for sent in [
            "https://idp.kore.com/workflows/callback/",
            "https://idp.kore.com/Workflows/callback",
            "https://idp.kore.com/workflows/callback?x=1",
            "http://idp.kore.com/workflows/callback",
            "https://IDP.kore.com/workflows/callback",
        ] {
            assert_eq!(
                RedirectTarget::check(&listed(&["https://other.example/", KORE]), Some(sent), None),
                Err(RedirectError::NotListed {
                    sent: sent.to_owned(),
                    nearest: Some(KORE.to_owned())
                })
            );
        }
    }

    #[test]
    fn what_resembles_nothing_has_no_nearest() {
        let error = RedirectTarget::check(&listed(&[KORE]), Some("ftp://x"), None).unwrap_err();
        assert_eq!(
            error,
            RedirectError::NotListed {
                sent: "ftp://x".to_owned(),
                nearest: None
            }
        );
    }

    #[test]
    fn the_registered_query_stays_and_state_returns_as_it_came() {
        let target = RedirectTarget::check(
            &listed(&["https://c.example/cb?a=1"]),
            None,
            Some("x+y%2F".to_owned()),
        )
        .unwrap();
        assert_eq!(
            target.with_code("abc", Some("https://b.example")),
            "https://c.example/cb?a=1&code=abc&iss=https%3A%2F%2Fb.example&state=x+y%2F"
        );
        let target = RedirectTarget::check(&listed(&[KORE]), None, None).unwrap();
        assert_eq!(
            target.with_error("access_denied", "the person cancelled", None),
            format!("{KORE}?error=access_denied&error_description=the%20person%20cancelled")
        );
    }

    #[test]
    fn the_simulator_allows_loopback_alone() {
        let any = RedirectUris::AnyLoopback;
        for good in [
            "http://127.0.0.1:8123/cb?x=1",
            "http://localhost/cb",
            "http://[::1]:9/cb",
        ] {
            assert!(RedirectTarget::check(&any, Some(good), None).is_ok(), "{good}");
        }
        for bad in [
            "https://idp.kore.com/",
            "http://localhost.evil.example/",
            "http://127.0.0.1@evil.example/",
            "http://127.0.0.1/#f",
            "javascript:alert(1)",
            "http://127.0.0.1\\@evil.example/",
            "//localhost/",
            &format!("http://localhost/{}", "a".repeat(MAX_LOOPBACK)),
        ] {
            assert!(RedirectTarget::check(&any, Some(bad), None).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_an_administrator_allowed_is_taken_beside_loopback_exactly() {
        let any = RedirectUris::AnyLoopbackAnd(vec![KORE.to_owned()]);
        for good in [KORE, "http://localhost/cb"] {
            assert!(RedirectTarget::check(&any, Some(good), None).is_ok(), "{good}");
        }
        assert_eq!(
            RedirectTarget::check(&any, Some(&format!("{KORE}/")), None),
            Err(RedirectError::NotListed {
                sent: format!("{KORE}/"),
                nearest: Some(KORE.to_owned())
            })
        );
        assert_eq!(
            RedirectTarget::check(&any, None, None),
            Err(RedirectError::Missing { any_registered: true })
        );
    }

    proptest::proptest! {
        #[test]
        fn any_one_byte_change_is_refused(at in 0..KORE.len(), byte in 0x20u8..0x7f) {
            let mut changed = KORE.as_bytes().to_vec();
            if let Some(place) = changed.get_mut(at) {
                proptest::prop_assume!(*place != byte);
                *place = byte;
            }
            let changed = String::from_utf8(changed).unwrap();
            proptest::prop_assert!(RedirectTarget::check(&listed(&[KORE]), Some(&changed), None).is_err());
        }
    }
}
