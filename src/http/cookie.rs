//! Cookies, written and read in one way.
//!
//! Under https they carry the prefix `__Host-`, so that no other host of the same site can plant them; plain http is
//! for loopback, where browsers do not take that prefix.

use std::fmt::Write as _;
use std::time::Duration;

use http::HeaderMap;
use http::header::COOKIE;

#[must_use]
pub fn prefix(https: bool) -> &'static str {
    if https { "__Host-" } else { "" }
}

/// The value of `Set-Cookie`. `SameSite=Lax`: banks, clients and chats send people to our pages, and nothing of ours
/// changes by such a visit.
#[must_use]
pub fn build(name: &str, value: &str, max_age: Duration, https: bool) -> String {
    let mut cookie = format!(
        "{}{name}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax",
        prefix(https),
        max_age.as_secs()
    );
    if https {
        // Writing to a String cannot fail.
        let _ = write!(cookie, "; Secure");
    }
    cookie
}

/// The value of the first cookie of this name (without the prefix).
#[must_use]
pub fn find(headers: &HeaderMap, name: &str, https: bool) -> Option<String> {
    let prefix = prefix(https);
    pairs(headers)
        .find(|(found, _)| found.strip_prefix(prefix) == Some(name))
        .map(|(_, value)| value.to_owned())
}

pub fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let values = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}
