//! Our cookies: one per authorization and one for the browser login flow's session.

use std::time::Duration;

use http::HeaderMap;
use uuid::Uuid;

use crate::http::cookie::{build, find, pairs, prefix};
use crate::secret::OwnToken;

/// Transactions that one browser may have open; the oldest go first. A cookie is some 130 bytes.
const MAX_AUTHORIZATIONS: usize = 8;
const AUTHORIZATION: &str = "ptb_tx_";
const SESSION: &str = "ptb_session";

/// Sets the cookie of an authorization.
pub(super) fn set_authorization(id: Uuid, value: &OwnToken, max_age: Duration, https: bool) -> String {
    build(
        &format!("{AUTHORIZATION}{}", id.as_simple()),
        value.expose(),
        max_age,
        https,
    )
}

/// Takes away the oldest authorizations' cookies, so that with one more there are not too many. Ids sort by time.
pub(super) fn clear_oldest(headers: &HeaderMap, https: bool) -> Vec<String> {
    let prefix = format!("{}{AUTHORIZATION}", prefix(https));
    let mut names: Vec<&str> = pairs(headers)
        .filter_map(|(name, _)| name.strip_prefix(prefix.as_str()))
        .collect();
    names.sort_unstable();
    names.dedup();
    let excess = (names.len() + 1).saturating_sub(MAX_AUTHORIZATIONS);
    names
        .into_iter()
        .take(excess)
        // Only names of ours are repeated back into a header.
        .filter(|id| Uuid::try_parse(id).is_ok())
        .map(|id| build(&format!("{AUTHORIZATION}{id}"), "", Duration::ZERO, https))
        .collect()
}

/// The value of an authorization's cookie.
pub(super) fn authorization(headers: &HeaderMap, id: Uuid, https: bool) -> Option<String> {
    find(headers, &format!("{AUTHORIZATION}{}", id.as_simple()), https)
}

/// Sets the session of the browser login flow.
pub(super) fn set_session(value: &OwnToken, max_age: Duration, https: bool) -> String {
    build(SESSION, value.expose(), max_age, https)
}

/// The value of the session's cookie.
pub(super) fn session(headers: &HeaderMap, https: bool) -> Option<String> {
    find(headers, SESSION, https)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use http::header::COOKIE;

    use super::*;

    fn cookies(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, text.parse().unwrap())])
    }

    #[test]
    fn under_https_the_host_prefix_is_required_both_ways() {
        let id = Uuid::from_u128(7);
        let value = OwnToken::new("v");
        let set = set_authorization(id, &value, Duration::from_secs(60), true);
        assert!(set.starts_with("__Host-ptb_tx_"), "{set}");
        assert!(
            set.ends_with("; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"),
            "{set}"
        );
        let plain = cookies(&format!("ptb_tx_{}=v", id.as_simple()));
        assert_eq!(authorization(&plain, id, true), None);
        assert_eq!(authorization(&plain, id, false).as_deref(), Some("v"));
        assert!(!set_authorization(id, &value, Duration::ZERO, false).contains("Secure"));
    }

    #[test]
    fn the_oldest_authorizations_make_room() {
        let id = |n: u128| Uuid::from_u128(n).as_simple().to_string();
        let many: Vec<String> = (1..=9).rev().map(|n| format!("ptb_tx_{}=v", id(n))).collect();
        let cleared = clear_oldest(&cookies(&many.join("; ")), false);
        assert_eq!(cleared.len(), 2);
        assert!(
            cleared
                .iter()
                .any(|cookie| cookie.starts_with(&format!("ptb_tx_{}=;", id(1))))
        );
        assert!(
            cleared
                .iter()
                .any(|cookie| cookie.starts_with(&format!("ptb_tx_{}=;", id(2))))
        );
        assert!(clear_oldest(&cookies("a=b; ptb_tx_x=1"), false).is_empty());
    }
}
