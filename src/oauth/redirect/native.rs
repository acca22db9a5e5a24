//! Native apps (RFC 8252): their loopback redirect URIs, whose port is known only when the app runs.

/// The loopback addresses whose port a native app need not know beforehand (RFC 8252, 7.3). `localhost` is not recommended
/// there (8.3), because a machine's settings may give that name another meaning. Many desktop apps use it all the same, and
/// the PKCE that public clients must use keeps a code worthless for anybody else.
const LOOPBACKS: [&str; 3] = ["http://127.0.0.1", "http://[::1]", "http://localhost"];

/// A listed URI on such an address without a port, in two parts: the port's place is between them.
pub(super) fn without_port(listed: &str) -> Option<(&'static str, &str)> {
    LOOPBACKS.iter().find_map(|&origin| {
        let rest = listed.strip_prefix(origin)?;
        (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((origin, rest))
    })
}

/// Whether an origin is that of the listed URI with any port. `None`: the URI's own port counts.
pub(in crate::oauth) fn any_port_origin(listed: &str, origin: &str) -> Option<bool> {
    let (host, _) = without_port(listed)?;
    Some(origin == host || differs_in_port(host, origin))
}

/// Whether what was sent is the listed URI with a port, and nothing else is different.
pub(super) fn differs_in_port(listed: &str, sent: &str) -> bool {
    let Some((origin, rest)) = without_port(listed) else {
        return false;
    };
    let port = sent
        .strip_prefix(origin)
        .and_then(|sent| sent.strip_prefix(':'))
        .and_then(|sent| sent.strip_suffix(rest));
    port.is_some_and(|port| {
        port.bytes().all(|byte| byte.is_ascii_digit())
            && !port.starts_with('0')
            && port.parse::<u16>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use url::Url;

    use crate::config::RedirectUris;
    use crate::oauth::redirect::{RedirectError, RedirectTarget};

    const HTTPS: &str = "https://app.example/cb";

    fn native(uris: &[&str]) -> RedirectUris {
        RedirectUris::Native(uris.iter().map(|&u| u.to_owned()).collect())
    }

    #[test]
    fn a_native_apps_loopback_uri_without_a_port_takes_any() {
        let any_port = native(&["http://127.0.0.1/cb?a=1", "http://[::1]", "http://localhost/cb"]);
        for good in [
            "http://127.0.0.1/cb?a=1",
            "http://127.0.0.1:1/cb?a=1",
            "http://127.0.0.1:65535/cb?a=1",
            "http://[::1]",
            "http://[::1]:49152",
            "http://localhost/cb",
            "http://localhost:8976/cb",
        ] {
            let target = RedirectTarget::check(&any_port, Some(good), None);
            assert_eq!(target.unwrap().uri(), good);
        }
        for bad in [
            "http://127.0.0.1:0/cb?a=1",
            "http://127.0.0.1:080/cb?a=1",
            "http://127.0.0.1:65536/cb?a=1",
            "http://127.0.0.1:+80/cb?a=1",
            "http://127.0.0.1:/cb?a=1",
            "http://127.0.0.1:80/cb",
            "http://127.0.0.1:80/cb?a=1&b=2",
            "http://127.0.0.1:80/other?a=1",
            "http://127.0.0.1:80@evil.example/cb?a=1",
            "http://127.0.0.1:80/evil/cb?a=1",
            "http://127.0.0.2:80/cb?a=1",
            "http://localhost:80/cb?a=1",
            "http://localhost:80",
            "http://localhost:80@evil.example/cb",
            "http://localhost.evil.example/cb",
            "http://localhost.evil.example:80/cb",
            "http://LOCALHOST:80/cb",
            "https://127.0.0.1:80/cb?a=1",
            "http://127.0.0.1.evil.example/cb?a=1",
            "http://[::1]:80/",
            "http://[::1]:80@evil.example",
        ] {
            assert!(
                RedirectTarget::check(&any_port, Some(bad), None).is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_port_that_is_listed_is_meant_and_other_hosts_have_one_port() {
        for uri in [
            "http://127.0.0.1:5000/cb",
            "http://localhost:5000/cb",
            "http://127.0.0.9/cb",
            "https://app.example/cb",
        ] {
            let list = native(&[uri]);
            assert!(RedirectTarget::check(&list, Some(uri), None).is_ok(), "{uri}");
            let url = Url::parse(uri).unwrap();
            let other = format!("{}://{}:4711/cb", url.scheme(), url.host_str().unwrap());
            assert!(
                RedirectTarget::check(&list, Some(&other), None).is_err(),
                "{other}"
            );
        }
        // A client with a secret runs on a server, whose port does not change.
        let server = RedirectUris::Listed(vec!["http://127.0.0.1/cb".to_owned()]);
        let sent = Some("http://127.0.0.1:4711/cb");
        assert!(RedirectTarget::check(&server, sent, None).is_err());
    }

    #[test]
    fn a_scheme_of_the_apps_own_is_compared_byte_for_byte() {
        const OWN: &str = "com.example.app:/callback";
        let list = native(&[OWN]);
        let target = RedirectTarget::check(&list, Some(OWN), Some("s".to_owned())).unwrap();
        assert_eq!(target.host().as_deref(), Some("com.example.app"));
        assert_eq!(
            target.with_code("c", None),
            "com.example.app:/callback?code=c&state=s"
        );
        for other in [
            "com.example.app:/callback/",
            "com.example.app://callback",
            "com.example.app:callback",
            "Com.example.app:/callback",
            "com.example.app2:/callback",
            "com.example.app:/callback?x=1",
            "com.example.app:/callback#x",
            "com.example.app:8080/callback",
            "javascript:alert(1)",
        ] {
            assert!(
                RedirectTarget::check(&list, Some(other), None).is_err(),
                "{other}"
            );
        }
        let slashes = native(&["com.example.app://callback"]);
        let target = RedirectTarget::check(&slashes, None, None).unwrap();
        assert_eq!(target.host().as_deref(), Some("com.example.app"));
    }

    #[test]
    fn the_only_uri_of_a_native_app_may_be_left_out_unless_its_port_is_open() {
        let missing = Err(RedirectError::Missing { any_registered: true });
        assert_eq!(
            RedirectTarget::check(&native(&["http://[::1]/cb"]), None, None),
            missing
        );
        let target = RedirectTarget::check(&native(&[HTTPS]), None, None);
        assert_eq!(target.unwrap().uri(), HTTPS);
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_native_app_may_send_differs_in_the_port_alone(sent in "http://127\\.0\\.0\\.1[:0-9@/c?#.]{0,12}") {
            let list = native(&["http://127.0.0.1/c"]);
            if RedirectTarget::check(&list, Some(&sent), None).is_ok() {
                let url = Url::parse(&sent).unwrap();
                proptest::prop_assert_eq!(url.host_str(), Some("127.0.0.1"));
                proptest::prop_assert_eq!((url.path(), url.query(), url.fragment()), ("/c", None, None));
                proptest::prop_assert_eq!((url.username(), url.password()), ("", None));
            }
        }
    }
}
