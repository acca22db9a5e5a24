//! Addresses of ours that somebody mistyped into a profile: which one was meant.

use http::{Method, Request, StatusCode};

use super::suspicions;
use crate::app::App;
use crate::config::nearest::distance;
use crate::http::client_ip::Peer;
use crate::http::limits::Kind;
use crate::http::wants_page;
use crate::request_log::Endpoint;

/// What a profile of an OAuth client names, the guide's address for tokens last: on a tie the standard's name is told.
const ADDRESSES: [(&str, Endpoint); 5] = [
    (AUTHORIZE, Endpoint::Authorization),
    (TOKEN, Endpoint::Token),
    ("/oauth/revoke", Endpoint::Revocation),
    ("/oauth/introspect", Endpoint::Introspection),
    ("/api/send_the_access_token_AUTH", Endpoint::Token),
];
const AUTHORIZE: &str = "/oauth/authorize";
const TOKEN: &str = "/oauth/token";
/// Other servers' names for the same.
const ELSEWHERE: [(&str, &str); 10] = [
    ("/authorize", AUTHORIZE),
    ("/authorise", AUTHORIZE),
    ("/oauth/auth", AUTHORIZE),
    ("/oauth2/auth", AUTHORIZE),
    ("/oauth2/authorize", AUTHORIZE),
    ("/oauth2/v1/authorize", AUTHORIZE),
    ("/token", TOKEN),
    ("/oauth/access_token", TOKEN),
    ("/oauth2/token", TOKEN),
    ("/oauth2/v1/token", TOKEN),
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
    if let Some((_, address)) = ELSEWHERE.into_iter().find(|(name, _)| *name == path) {
        return ADDRESSES.into_iter().find(|(ours, _)| *ours == address);
    }
    let by_distance = |(address, _): &(&str, Endpoint)| distance(path, &address.to_ascii_lowercase());
    ADDRESSES
        .into_iter()
        .min_by_key(by_distance)
        .filter(|found| by_distance(found) <= found.0.len() / 4)
}

/// Notes a request that came to none of our addresses, if one of them was probably meant. Gives that one. What it was
/// sent to is not kept: a path is a value, and strangers try many.
pub fn mistyped<B>(app: &App, request: &Request<B>) -> Option<&'static str> {
    let (address, endpoint) = meant(request.uri().path())?;
    let words =
        format!("it was sent to an address that this broker does not have; {address} was probably meant");
    let fix = match endpoint {
        Endpoint::Authorization => "Copy the Authorization URL from this page into the profile again.",
        Endpoint::Token => TOKEN_URLS,
        _ => "Copy the address from this page into the client again.",
    };
    refused(app, request, endpoint, StatusCode::NOT_FOUND, words, fix);
    Some(address)
}

/// Notes what was sent to an address that shows a page: by a program a token request, as a rule, whose address is the
/// Authorization URL's, or has no path at all; by a browser an authorization request.
pub fn sent_to_a_page<B>(app: &App, request: &Request<B>) {
    if request.method() != Method::POST || !matches!(request.uri().path(), "/" | AUTHORIZE) {
        return;
    }
    let (endpoint, words, fix) = if wants_page(request.headers()) {
        // A server may take it (RFC 6749 3.1); this one does not.
        let words = "a browser posted its authorization request, which is taken by GET alone";
        (
            Endpoint::Authorization,
            words,
            "Let the client redirect the browser to the Authorization URL.",
        )
    } else {
        let words = "something was posted to the Authorization URL, which is for browsers; a token request was probably meant";
        (Endpoint::Token, words, TOKEN_URLS)
    };
    refused(
        app,
        request,
        endpoint,
        StatusCode::METHOD_NOT_ALLOWED,
        words.to_owned(),
        fix,
    );
}

const TOKEN_URLS: &str =
    "Copy the Token Request URL and the Refresh Token URL from this page into the profile again.";

/// One entry for all that are alike. Whoever sends many gets no more of them, so that strangers push out nothing.
fn refused<B>(
    app: &App,
    request: &Request<B>,
    endpoint: Endpoint,
    status: StatusCode,
    words: String,
    fix: &str,
) {
    let peer = request.extensions().get::<Peer>();
    if peer.is_some_and(|peer| app.limits.address(Kind::Token, peer.address).is_err()) {
        return;
    }
    let mut attempt = app.record.attempt(endpoint);
    suspicions::named_by_headers(app, request.headers(), &mut attempt);
    let error = if status == StatusCode::NOT_FOUND {
        "not_found"
    } else {
        "invalid_request"
    };
    attempt.refused(status, error, words, Some(fix.to_owned()));
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
            "/auth",
            "/api/auth",
            "/.git/auth",
            "/wp-json/jwt-auth/v1/token",
            "/api/get_products",
            &long,
        ] {
            assert_eq!(meant(typed).map(|(address, _)| address), None, "{typed}");
        }
    }
}
