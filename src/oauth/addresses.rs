//! Addresses of ours that somebody mistyped into a profile: which one was meant.

use http::{Method, Request, StatusCode};

use crate::nearest::distance;
use crate::record::{Attempt, Endpoint, Record};

/// What a profile of an OAuth client names, the guide's address for tokens last: on a tie the standard's name is told.
const ADDRESSES: [(&str, Endpoint); 5] = [
    ("/oauth/authorize", Endpoint::Authorization),
    ("/oauth/token", Endpoint::Token),
    ("/oauth/revoke", Endpoint::Revocation),
    ("/oauth/introspect", Endpoint::Introspection),
    ("/api/send_the_access_token_AUTH", Endpoint::Token),
];
/// Other servers' names for the same, as the last part of their paths.
const ELSEWHERE: [(&str, &str); 7] = [
    ("authorize", "/oauth/authorize"),
    ("authorise", "/oauth/authorize"),
    ("auth", "/oauth/authorize"),
    ("token", "/oauth/token"),
    ("access_token", "/oauth/token"),
    ("revoke", "/oauth/revoke"),
    ("introspect", "/oauth/introspect"),
];
/// Nothing of ours is longer by far; what is longer is not compared. In bytes.
const LONGEST: usize = 100;

/// Of our addresses for OAuth clients, the one that this path was probably meant to be.
#[must_use]
pub fn meant(path: &str) -> Option<(&'static str, Endpoint)> {
    if path.len() > LONGEST {
        return None;
    }
    // Blanks that were pasted along, a slash too many, other letters' size.
    let path = path.replace("%20", "").replace("//", "/").to_ascii_lowercase();
    let path = path.trim_end_matches('/');
    let last = path.rsplit('/').next().unwrap_or_default();
    let elsewhere = ELSEWHERE.into_iter().find(|(name, _)| *name == last);
    let near = || {
        let by_distance = |(address, _): &(&str, Endpoint)| distance(path, &address.to_ascii_lowercase());
        ADDRESSES
            .into_iter()
            .min_by_key(by_distance)
            .filter(|found| by_distance(found) <= found.0.len() / 4)
    };
    match elsewhere {
        Some((_, address)) => ADDRESSES.into_iter().find(|(ours, _)| *ours == address),
        None => near(),
    }
}

/// Notes a request that came to none of our addresses, if one of them was probably meant. Gives that one. What it was
/// sent to is not kept: a path is a value, and strangers try many.
pub fn mistyped<B>(record: &Record, request: &Request<B>) -> Option<&'static str> {
    let (address, endpoint) = meant(request.uri().path())?;
    let words =
        format!("it was sent to an address that this broker does not have; {address} was probably meant");
    refused(
        record.attempt(endpoint),
        request,
        StatusCode::NOT_FOUND,
        words,
        endpoint,
    );
    Some(address)
}

/// Notes what a program sent to an address that is for people: a token request, as a rule, whose address is the
/// Authorization URL's, or has no path at all.
pub fn sent_to_a_page<B>(record: &Record, request: &Request<B>) {
    if request.method() == Method::POST && matches!(request.uri().path(), "/" | "/oauth/authorize") {
        let words = "something was posted to the Authorization URL, which is for browsers; a token request was probably \
                     meant"
            .to_owned();
        let status = StatusCode::METHOD_NOT_ALLOWED;
        refused(
            record.attempt(Endpoint::Token),
            request,
            status,
            words,
            Endpoint::Token,
        );
    }
}

fn refused<B>(
    mut attempt: Attempt,
    request: &Request<B>,
    status: StatusCode,
    words: String,
    meant: Endpoint,
) {
    attempt.headers(request.headers());
    let fix = match meant {
        Endpoint::Authorization => "Copy the Authorization URL from this page into the profile again.",
        Endpoint::Token => {
            "Copy the Token request URL and the Refresh Token URL from this page into the profile again."
        }
        _ => "Copy the address from this page into the client again.",
    };
    attempt.refused(status, "not_found", words, Some(fix.to_owned()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_found() {
        for (typed, address) in [
            ("/oauth/token/", "/oauth/token"),
            ("/oauth/tokens", "/oauth/token"),
            ("/OAuth/Token", "/oauth/token"),
            ("//oauth/token", "/oauth/token"),
            ("/oauth/token%20", "/oauth/token"),
            ("/oauth2/v1/token", "/oauth/token"),
            ("/token", "/oauth/token"),
            ("/oauth/access_token", "/oauth/token"),
            ("/oauth/authorise", "/oauth/authorize"),
            ("/oauth/authorize/", "/oauth/authorize"),
            ("/api/send_the_access_token", "/api/send_the_access_token_AUTH"),
            (
                "/api/send_the_access_token_AUTH/",
                "/api/send_the_access_token_AUTH",
            ),
            (
                "/api/send_the_acess_token_auth",
                "/api/send_the_access_token_AUTH",
            ),
            ("/send_the_access_token_AUTH", "/api/send_the_access_token_AUTH"),
            ("/oauth/revok", "/oauth/revoke"),
        ] {
            assert_eq!(meant(typed).map(|(address, _)| address), Some(address), "{typed}");
        }
    }

    #[test]
    fn what_scanners_try_resembles_nothing() {
        let long = format!("/oauth/token{}", "/".repeat(200));
        for typed in [
            "/",
            "",
            "/wp-login.php",
            "/.env",
            "/api/v1/users",
            "/robots.txt",
            "/api/get_products",
            &long,
        ] {
            assert_eq!(meant(typed).map(|(address, _)| address), None, "{typed}");
        }
    }
}
