//! For the record: the outcome of a request in words that name the cause, and what to do.

use http::header::ORIGIN;
use http::{Method, Request, StatusCode};

use super::authorize::PageError;
use super::client_auth::ClientAuthError;
use super::error::TokenError;
use super::params::Params;
use super::redirect::{RedirectError, difference};
use super::{scope, suspicions};
use crate::app::App;
use crate::config::nearest::{distance, nearest};
use crate::config::{ClientConfig, Clients, ProductLists, is_product};
use crate::plaid::Verdict;
use crate::request_log::{Attempt, Endpoint};

/// The grants and response types that are told by name; whatever else was sent stays out of the record.
const GRANT_TYPES: [&str; 6] = [
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "password",
    "implicit",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
];
const RESPONSE_TYPES: [&str; 4] = ["token", "id_token", "id_token token", "none"];

/// What to do where a web page that is no public client calls an endpoint.
const REGISTER_THE_PAGE: &str = "If this web page is a client of yours: register it in OAUTH_CLIENTS_FILE with public = true and a \
     redirect URI of its own origin. A client with a secret sends this request from its server.";

/// Notes what an authorization request consists of.
pub fn request(query: &str, clients: &Clients, lists: &ProductLists, attempt: &mut Attempt) {
    if !attempt.is_recorded() {
        return;
    }
    let Ok(params) = Params::from_query(query.as_bytes()) else {
        return;
    };
    attempt.parameters(params.names(), params.others());
    if let Some(asked) = params.get("response_type").filter(|asked| *asked != "code") {
        let known = RESPONSE_TYPES.into_iter().find(|known| *known == asked);
        attempt.suspect(format!("response_type was {}", known.unwrap_or("another")), None);
    }
    let own = named_client(clients, query).and_then(|client| client.products.as_deref());
    let ignored = scope::ignored(params.get("scope").unwrap_or_default(), own, lists);
    if !ignored.is_empty() {
        attempt.remark(ignored_names(&ignored, &scope::names(lists)));
    }
}

/// Describes the names of a scope that were ignored. They are values that were sent, so only those that are products of
/// Plaid are repeated.
fn ignored_names(ignored: &[String], configured: &[String]) -> String {
    // Strangers send as many names as they like; only the first ones are compared.
    const MOST: usize = 16;
    // Letters in which a mistyped name differs.
    const TYPO: usize = 2;
    let mut parts: Vec<String> = Vec::new();
    let mut others = ignored.len().saturating_sub(MOST);
    for name in ignored.iter().take(MOST) {
        let near = nearest(name, configured.iter().map(String::as_str));
        let part = match near.filter(|near| distance(name, near) <= TYPO) {
            _ if is_product(name) => format!("{name} (not configured for this client)"),
            Some(near) => format!("a name that resembles {near}"),
            None => {
                others += 1;
                continue;
            }
        };
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    if others > 0 {
        parts.push(format!("{others} that are no products"));
    }
    format!("names in scope were ignored: {}", parts.join(", "))
}

/// Notes the grant that a token request asks for.
pub(super) fn grant_type(params: &Params, attempt: &mut Attempt) {
    if let Some(asked) = params.get("grant_type") {
        let known = GRANT_TYPES.into_iter().find(|known| *known == asked);
        attempt.grant_type(known.unwrap_or("another"));
    }
}

/// The client that an authorization request names, or means by naming none.
#[must_use]
pub fn named_client<'a>(clients: &'a Clients, query: &str) -> Option<&'a ClientConfig> {
    let params = Params::from_query(query.as_bytes()).unwrap_or_default();
    match params.get("client_id") {
        Some(id) => clients.find(id),
        None if params.is_doubled("client_id") => None,
        None => clients.first(),
    }
}

/// Finishes the entry of an authorization request that was refused on a page.
pub fn refused_on_a_page(app: &App, clients: &Clients, query: &str, error: &PageError, mut attempt: Attempt) {
    if !attempt.is_recorded() {
        return;
    }
    let params = Params::from_query(query.as_bytes()).unwrap_or_default();
    if let Some(client) = named_client(clients, query) {
        attempt.client(&client.id);
    }
    if let PageError::Redirect(RedirectError::NotListed { sent, .. }) = error {
        attempt.refused_callback(sent);
    }
    let (words, fix) = match error {
        PageError::UnknownClient => {
            let id = params.get("client_id").unwrap_or_default();
            let (words, fix) = suspicions::unknown_id(app, clients, id);
            (words.to_owned(), fix)
        }
        PageError::Params(error) => (
            format!("the query cannot be used: {error}"),
            "Look at the Authorization URL of the profile: a parameter may be typed into it and sent once more.",
        ),
        PageError::Redirect(error) => of_redirect(error),
    };
    attempt.refused(
        StatusCode::BAD_REQUEST,
        "invalid_request",
        words,
        Some(fix.to_owned()),
    );
}

fn of_redirect(error: &RedirectError) -> (String, &'static str) {
    let words = match error {
        RedirectError::Missing { any_registered: true } => {
            return (
                "there was no redirect_uri, and no single callback is on the list".to_owned(),
                "The client has to send redirect_uri.",
            );
        }
        RedirectError::Missing {
            any_registered: false,
        } => {
            return (
                "there was no redirect_uri, and no callback is on the list".to_owned(),
                "Put the callback URL of the profile into PLAID_REDIRECT_URI, or allow it on this page.",
            );
        }
        RedirectError::NotListed { sent, nearest } => match nearest {
            Some(nearest) => format!("the redirect URI {}", difference(sent, nearest)),
            None => "the redirect URI is not on the list, and no listed one is similar".to_owned(),
        },
    };
    let fix =
        "If it is the callback that your profile shows, allow it here, or put it into PLAID_REDIRECT_URI.";
    (words, fix)
}

/// Finishes the entry of a request by another method than the address takes.
pub fn wrong_method<B>(mut attempt: Attempt, endpoint: Endpoint, request: &Request<B>) {
    attempt.headers(request.headers());
    let post = match endpoint {
        Endpoint::Token => "Choose POST as the method of the Token Request URL and of the Refresh Token URL.",
        _ => "Send POST to this address (RFC 7009 2.1, RFC 7662 2.1).",
    };
    let query = Params::from_query(request.uri().query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let (words, fix) = match *request.method() {
        // What an authorization request begins with (RFC 6749 4.1.1).
        Method::GET if query.get("response_type").is_some() => (
            "a browser came with an authorization request to an address for token requests",
            "Swap the Authorization URL and the Token Request URL in the profile: compare both with this page.",
        ),
        Method::GET => ("it was called by GET, and takes POST", post),
        Method::OPTIONS if request.headers().contains_key(ORIGIN) => (
            "a web page asked whether it may call this endpoint (CORS), and no public client has a redirect URI of its origin",
            REGISTER_THE_PAGE,
        ),
        _ => (
            "it was called by a method that it does not take; it takes POST",
            post,
        ),
    };
    attempt.refused(
        StatusCode::METHOD_NOT_ALLOWED,
        "invalid_request",
        words,
        Some(fix.to_owned()),
    );
}

/// What to do about an error that an authorization request was answered with.
#[must_use]
pub fn fix_of_authorization(error: &str) -> Option<String> {
    let text = match error {
        "unsupported_response_type" => {
            "Choose the grant type Authorization Code in the profile: the request has to say response_type=code."
        }
        "request_not_supported" | "request_uri_not_supported" => {
            "Switch off request objects (JAR, PAR) in the client: this broker reads the parameters themselves."
        }
        "invalid_scope" => {
            "Compare the scope of the profile with PLAID_PRODUCTS and the other product lists, or leave it empty."
        }
        "invalid_request" => {
            "Compare the Authorization URL of the profile with the one on this page: nothing has to be typed behind it."
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// What to do about an error of the token endpoint, where its words alone do not say it.
pub(super) fn fix(error: &TokenError) -> Option<String> {
    let text = match error {
        TokenError::Params(_) | TokenError::InvalidRequest(_) | TokenError::Missing(_) => {
            "Compare what the profile adds (Additional Fields) with what the token request needs: grant_type and code, or \
             refresh_token."
        }
        TokenError::ContentType => {
            "Choose form (application/x-www-form-urlencoded) or JSON as the content type of the token request."
        }
        TokenError::GrantType => "Choose the grant type Authorization Code in the profile.",
        TokenError::UnauthorizedClient(_) => "See docs/clients.md for what a client may do.",
        TokenError::Pkce(_) => {
            "The client must keep the code_verifier of the code_challenge that it began with."
        }
        TokenError::InvalidGrant(_) => {
            "Authorize once more; if it happens again, look at the entries before this one."
        }
        TokenError::PlaidSaidNo { .. } => "Send the person through the flow once more.",
        TokenError::Plaid(error) if error.verdict() == Verdict::Configuration => {
            "Compare PLAID_CLIENT_ID, PLAID_SECRET and PLAID_ENV with dashboard.plaid.com; the checks on this page say more."
        }
        TokenError::Plaid(_) | TokenError::Busy => "Wait for Plaid (status.plaid.com) and try again.",
        TokenError::Store(_) => "Look at the disk and at the log of the broker.",
        TokenError::TooMany(_) => {
            "Slow the client down; what repeats so often is usually a retry without a pause."
        }
        TokenError::Client(ClientAuthError::SecretMissing) => {
            "Fill in the Client Secret of the OAuth profile: the value of OAUTH_CLIENT_SECRET (by default PLAID_SECRET)."
        }
        TokenError::Client(ClientAuthError::TwoMethods) => {
            "Leave one of them out: in Kore.ai remove client_secret from the Additional Fields."
        }
        TokenError::Client(ClientAuthError::IdsDiffer) => {
            "Use one client id everywhere in the profile: Client ID, Additional Fields and PLAID-CLIENT-ID."
        }
        TokenError::Client(ClientAuthError::Malformed | ClientAuthError::NotBasic) => {
            "Send the client id and secret with HTTP Basic or in the body; a Bearer token is not understood here."
        }
        TokenError::InQuery => "Let the client send its parameters in the body of the POST request.",
        TokenError::JsonAsForm => {
            "Choose JSON as the content type of the token request, or let the client send a form."
        }
        TokenError::OtherOrigin => REGISTER_THE_PAGE,
        TokenError::TooLarge | TokenError::TooSlow | TokenError::Client(_) | TokenError::Task => return None,
    };
    Some(text.to_owned())
}
