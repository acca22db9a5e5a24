//! Requests to no address of ours, or by a method that it does not take: what was probably meant.

use http::header::ORIGIN;
use http::{Method, StatusCode};

use super::observed::Observed;
use super::texts::{REGISTER_THE_PAGE, content_type};
use super::{Endpoint, Entry};
use crate::config::nearest::nearest;
use crate::http::limits::Kind;
use crate::http::wants_page;
use crate::oauth::client_auth::named_by_headers;
use crate::oauth::params::Params;

const AUTHORIZE: &str = "/oauth/authorize";
const TOKEN: &str = "/oauth/token";
const GUIDES_TOKEN: &str = "/api/send_the_access_token_AUTH";
const REVOKE: &str = "/oauth/revoke";
const INTROSPECT: &str = "/oauth/introspect";

/// Our addresses in lower case, usual typing mistakes, and other servers' names for the same.
const SLIPS: [(&str, &str); 22] = [
    (AUTHORIZE, AUTHORIZE),
    ("/authorize", AUTHORIZE),
    ("/authorise", AUTHORIZE),
    ("/oauth/authorise", AUTHORIZE),
    ("/oauth/authorization", AUTHORIZE),
    ("/oauth/auth", AUTHORIZE),
    ("/oauth2/auth", AUTHORIZE),
    ("/oauth2/authorize", AUTHORIZE),
    ("/oauth2/v1/authorize", AUTHORIZE),
    (TOKEN, TOKEN),
    ("/token", TOKEN),
    ("/oauth/tokens", TOKEN),
    ("/oauth/access_token", TOKEN),
    ("/oauth2/token", TOKEN),
    ("/oauth2/v1/token", TOKEN),
    ("/api/send_the_access_token_auth", GUIDES_TOKEN),
    ("/api/send_the_access_token", GUIDES_TOKEN),
    ("/send_the_access_token_auth", GUIDES_TOKEN),
    (REVOKE, REVOKE),
    ("/revoke", REVOKE),
    (INTROSPECT, INTROSPECT),
    ("/introspect", INTROSPECT),
];

/// In bytes; none of our addresses is half as long.
const MAX_PATH: usize = 100;

const TOKEN_URLS: &str =
    "Copy the Token Request URL and the Refresh Token URL from this page into the profile again.";

/// Of our addresses for OAuth clients, the one that this path was probably meant to be.
#[must_use]
pub fn meant(path: &str) -> Option<&'static str> {
    // Spaces that were pasted along, a slash too many, another letter case.
    let path = path.replace("%20", "").replace("//", "/").to_ascii_lowercase();
    let path = path.trim_end_matches('/');
    let found = SLIPS.into_iter().find(|(slip, _)| *slip == path);
    // Strangers send long paths, and comparing takes time.
    let typo = || {
        let ours = [
            AUTHORIZE,
            TOKEN,
            "/api/send_the_access_token_auth",
            REVOKE,
            INTROSPECT,
        ];
        let near = (path.len() <= MAX_PATH).then(|| nearest(path, ours))??;
        SLIPS.into_iter().find(|(slip, _)| *slip == near)
    };
    found.or_else(typo).map(|(_, address)| address)
}

/// The entry of a request to no address of ours, if one was probably meant. What it was sent to is not kept: a path is a
/// value, and strangers try many.
pub(super) fn mistyped(request: &Observed) -> Option<Entry> {
    let address = meant(request.uri.path())?;
    let endpoint = Endpoint::of_path(address)?;
    let words =
        format!("it was sent to an address that this broker does not have; {address} was probably meant");
    let fix = match endpoint {
        Endpoint::Authorization => "Copy the Authorization URL from this page into the profile again.",
        Endpoint::Token => TOKEN_URLS,
        _ => "Copy the address from this page into the client again.",
    };
    let mut entry = limited(request, endpoint)?;
    entry.refused(StatusCode::NOT_FOUND, "not_found", words, Some(fix));
    Some(entry)
}

/// One entry for all that are alike. Whoever sends many gets no more of them, so that strangers push out nothing.
fn limited(request: &Observed, endpoint: Endpoint) -> Option<Entry> {
    if let Some(address) = request.address {
        request.app.limits.address(Kind::Token, address).ok()?;
    }
    let clients = request.app.clients();
    let client = named_by_headers(&request.headers, &clients);
    Some(Entry {
        client: client.map(|client| client.id.clone()),
        ..Entry::new(endpoint, request.at)
    })
}

/// The entry of a request by another method than the address takes.
pub(super) fn wrong_method(request: &Observed) -> Option<Entry> {
    let endpoint = Endpoint::of_path(request.uri.path())?;
    let (mut entry, (words, fix)) = match endpoint {
        Endpoint::Authorization if request.method == Method::POST => sent_to_a_page(request)?,
        Endpoint::Token | Endpoint::Revocation | Endpoint::Introspection => {
            let entry = Entry {
                content_type: Some(content_type(&request.headers)),
                ..Entry::new(endpoint, request.at)
            };
            (entry, not_posted(request, endpoint))
        }
        _ => return None,
    };
    entry.refused(
        StatusCode::METHOD_NOT_ALLOWED,
        "invalid_request",
        words,
        Some(fix),
    );
    Some(entry)
}

type Explained = (&'static str, &'static str);

/// What was posted to an address that shows a page: by a program a token request, as a rule, whose address is the
/// Authorization URL's, or has no path at all; by a browser an authorization request.
fn sent_to_a_page(request: &Observed) -> Option<(Entry, Explained)> {
    let (endpoint, explained) = if wants_page(&request.headers) {
        // A server may take it (RFC 6749 3.1); this one does not.
        let words = "a browser posted its authorization request, which is taken by GET alone";
        let fix = "Let the client redirect the browser to the Authorization URL.";
        (Endpoint::Authorization, (words, fix))
    } else {
        let words = "something was posted to the Authorization URL, which is for browsers; a token request was probably meant";
        (Endpoint::Token, (words, TOKEN_URLS))
    };
    Some((limited(request, endpoint)?, explained))
}

fn not_posted(request: &Observed, endpoint: Endpoint) -> Explained {
    let post = match endpoint {
        Endpoint::Token => "Choose POST as the method of the Token Request URL and of the Refresh Token URL.",
        _ => "Send POST to this address (RFC 7009 2.1, RFC 7662 2.1).",
    };
    let query = Params::from_query(request.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    match request.method {
        // What an authorization request begins with (RFC 6749 4.1.1).
        Method::GET if query.get("response_type").is_some() => (
            "a browser came with an authorization request to an address for token requests",
            "Swap the Authorization URL and the Token Request URL in the profile: compare both with this page.",
        ),
        Method::GET => ("it was called by GET, and takes POST", post),
        Method::OPTIONS if request.headers.contains_key(ORIGIN) => (
            "a web page asked whether it may call this endpoint (CORS), and no public client has a redirect URI of its origin",
            REGISTER_THE_PAGE,
        ),
        _ => (
            "it was called by a method that it does not take; it takes POST",
            post,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_found() {
        for (typed, address) in [
            ("/oauth/token/", TOKEN),
            ("/oauth/tokens", TOKEN),
            ("/OAuth/Token", TOKEN),
            ("//oauth/token", TOKEN),
            ("/oauth/token%20", TOKEN),
            ("/oauth2/v1/token", TOKEN),
            ("/token", TOKEN),
            ("/oauth/access_token", TOKEN),
            ("/oauth/authorise", AUTHORIZE),
            ("/oauth/authorize/", AUTHORIZE),
            ("/api/send_the_access_token", GUIDES_TOKEN),
            ("/api/send_the_access_token_AUTH/", GUIDES_TOKEN),
            ("/send_the_access_token_AUTH", GUIDES_TOKEN),
            ("/Oauth/Revoke", REVOKE),
            ("/api/send_the_acess_token_auth", GUIDES_TOKEN),
            ("/oauth/revok", REVOKE),
            ("/oauth/tokem", TOKEN),
            ("/oauth/authorzie", AUTHORIZE),
        ] {
            assert_eq!(meant(typed), Some(address), "{typed}");
        }
    }

    #[test]
    fn each_slip_leads_to_an_endpoint() {
        for (slip, address) in SLIPS {
            assert_eq!(slip, slip.to_ascii_lowercase());
            assert!(Endpoint::of_path(address).is_some(), "{address}");
        }
    }

    #[test]
    fn what_scanners_try_resembles_nothing() {
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
        ] {
            assert_eq!(meant(typed), None, "{typed}");
        }
    }
}
