//! The checks that every address among the settings shares.

use url::{Host, Url};

/// An absolute `http` or `https` URL with a host, without user, password or fragment.
///
/// What the `url` crate would silently repair (spaces, tabs, backslashes, missing slashes) is refused: these
/// strings are compared and handed on exactly as they were written. The error is an instruction.
pub(super) fn web_url(text: &str) -> Result<Url, String> {
    let absolute = "write a whole address that begins with https:// or http://";
    if text
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || c == '\\')
    {
        return Err("remove the spaces, control characters and backslashes".to_owned());
    }
    let scheme = text
        .split_once("://")
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        return Err(absolute.to_owned());
    }
    let url = Url::parse(text).map_err(|error| format!("{absolute} ({error})"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("remove the user and password before the @".to_owned());
    }
    if url.fragment().is_some() {
        return Err("remove the # and what follows it".to_owned());
    }
    Ok(url)
}

/// [`web_url`], and `http` only to this machine: elsewhere codes and tokens would cross the network in the clear.
pub(super) fn secure_url(text: &str) -> Result<Url, String> {
    let url = web_url(text)?;
    if url.scheme() == "https" || is_loopback(&url) {
        Ok(url)
    } else {
        Err("use https (http is for localhost, 127.0.0.1 and [::1] alone)".to_owned())
    }
}

/// Whether the URL's host is this very machine: `localhost`, `127.0.0.0/8` or `[::1]`.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn what_is_no_plain_web_address_is_refused_with_the_way_out() {
        for (text, word) in [
            ("example.com/callback", "https://"),
            ("/callback", "https://"),
            ("http:example.com", "https://"),
            ("ftp://example.com", "https://"),
            ("https://", "https://"),
            ("https://exa mple.com", "spaces"),
            ("https:\\\\example.com", "backslashes"),
            ("https://user:hush@example.com/", "password"),
            ("https://example.com/#top", "#"),
        ] {
            let error = web_url(text).unwrap_err();
            assert!(error.contains(word) && !error.contains("hush"), "{text}: {error}");
        }
        assert!(web_url("HTTPS://Example.com/a?b=c").is_ok());
    }

    #[test]
    fn http_is_for_this_machine_alone() {
        for text in [
            "http://localhost:3000/",
            "http://127.0.0.9",
            "http://[::1]:1/",
            "https://example.com",
        ] {
            assert!(secure_url(text).is_ok(), "{text}");
        }
        for text in [
            "http://example.com",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "http://[::2]/",
        ] {
            assert!(secure_url(text).unwrap_err().contains("https"), "{text}");
        }
    }
}
