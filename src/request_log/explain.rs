//! The entry of a request that has ended: its outcome in words that name the cause, and what to do.

use std::sync::Arc;

use super::diagnose::{self, Suspicion};
use super::observed::{Answer, Observed};
use super::texts::{REGISTER_THE_PAGE, content_type};
use super::{Endpoint, Entry, not_found};
use crate::config::nearest::{distance, nearest};
use crate::config::{ProductLists, is_product};
use crate::doctor::rehearsal;
use crate::http::limits::site;
use crate::link::{Asked, PageCallError};
use crate::oauth::authorize::{PageError, named_client};
use crate::oauth::client_auth::{ClientAuthError, Method, named_by_headers};
use crate::oauth::error::TokenError;
use crate::oauth::facts::Known;
use crate::oauth::params::Params;
use crate::oauth::redirect::{RedirectError, difference};
use crate::oauth::{findings, scope};
use crate::plaid::Verdict;

/// A longer callback is nobody's, and is not offered to be allowed. In bytes.
const MAX_REDIRECT_URI: usize = 1000;

/// The response types that are kept by name; whatever else was sent is not kept.
const RESPONSE_TYPES: [&str; 4] = ["token", "id_token", "id_token token", "none"];

/// `None`: the request was no OAuth client's.
pub(super) fn entry(request: &Observed) -> Option<Entry> {
    let status = request.answer.as_ref().map(|answer| answer.status.as_u16());
    let entry = match status {
        Some(404) if !request.is_route => not_found::mistyped(request),
        Some(405) => not_found::wrong_method(request),
        _ => match Endpoint::of_path(request.uri.path())? {
            Endpoint::Authorization => authorization(request),
            endpoint @ (Endpoint::LinkToken | Endpoint::Completion | Endpoint::Cancel) => {
                page_call(request, endpoint)
            }
            endpoint => Some(token(request, endpoint)),
        },
    };
    Some(Entry {
        request_id: request.request_id.clone(),
        rehearsal: request.headers.contains_key(rehearsal::HEADER),
        ..entry?
    })
}

fn authorization(request: &Observed) -> Option<Entry> {
    let Answer { status, extensions } = request.answer.as_ref()?;
    let asked = extensions.get::<Asked>()?;
    let app = &request.app;
    let query = request.uri.query().unwrap_or_default();
    let clients = app.clients();
    let client = named_client(&clients, query);
    let params = Params::from_query(query.as_bytes()).unwrap_or_default();
    let lists = &app.config.link.products;
    let own = client.and_then(|client| client.products.as_deref());
    let mut entry = Entry {
        client: client.map(|client| client.id.clone()),
        parameters: params.names().collect(),
        others: params.others(),
        remarks: ignored_names(&params, own, lists).into_iter().collect(),
        network: request.address.map(site),
        ..Entry::new(Endpoint::Authorization, request.at)
    };
    let (error, words, fix) = match asked {
        Asked::Good if status.is_success() => {
            entry.good(*status, "the Link page was shown");
            return Some(entry);
        }
        Asked::Good => ("server_error", "the page could not be prepared".to_owned(), None),
        Asked::TooMany => {
            let words = "too many pages were opened from one network".to_owned();
            ("temporarily_unavailable", words, None)
        }
        Asked::OnPage(error) => {
            let (words, fix) = match error {
                PageError::UnknownClient => {
                    let id = params.get("client_id").unwrap_or_default();
                    let (words, fix) = diagnose::unknown_id(findings::id(app, &clients, id));
                    (words.to_owned(), fix)
                }
                PageError::Params(error) => (
                    format!("the query cannot be used: {error}"),
                    "Look at the Authorization URL of the profile: a parameter may be typed into it and sent once more.",
                ),
                PageError::Redirect(error) => of_redirect(error),
            };
            if let PageError::Redirect(RedirectError::NotListed { sent, .. }) = error {
                entry.redirect_uri = Some(sent.clone()).filter(|sent| sent.len() <= MAX_REDIRECT_URI);
            }
            ("invalid_request", words, Some(fix))
        }
        Asked::SentBack { error, description } => (*error, description.clone(), fix_of_authorization(error)),
    };
    let asked_for = params.get("response_type").filter(|asked| *asked != "code");
    let suspicion = asked_for.map(|asked| {
        let known = RESPONSE_TYPES.into_iter().find(|known| *known == asked);
        (format!("response_type was {}", known.unwrap_or("another")), None)
    });
    let (words, fix) = with_suspicions(words, fix, suspicion);
    entry.refused(*status, error, words, fix);
    Some(entry)
}

/// The words with what may have been the cause, and the first remedy that is more precise than `fix`.
fn with_suspicions(
    words: String,
    fix: Option<&'static str>,
    suspicions: impl IntoIterator<Item = Suspicion>,
) -> (String, Option<&'static str>) {
    let (suspected, fixes): (Vec<_>, Vec<_>) = suspicions.into_iter().unzip();
    let words: Vec<String> = std::iter::once(words).chain(suspected).collect();
    (words.join(": "), fixes.into_iter().flatten().next().or(fix))
}

/// Describes the names of a scope that were ignored. They are values that were sent, so only those that are products of
/// Plaid are repeated.
fn ignored_names(params: &Params, own: Option<&[String]>, lists: &ProductLists) -> Option<String> {
    // Strangers send as many names as they like; only the first ones are compared.
    const MOST: usize = 16;
    // Letters in which a mistyped name differs.
    const TYPO: usize = 2;
    let ignored = scope::ignored(params.get("scope")?, own, lists);
    let configured = scope::names(lists);
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
    (!parts.is_empty()).then(|| format!("names in scope were ignored: {}", parts.join(", ")))
}

fn of_redirect(error: &RedirectError) -> (String, &'static str) {
    let (words, fix) = match error {
        RedirectError::Missing { any_registered: true } => (
            "there was no redirect_uri, and no single callback is on the list",
            "The client has to send redirect_uri.",
        ),
        RedirectError::Missing { .. } => (
            "there was no redirect_uri, and no callback is on the list",
            "Put the callback URL of the profile into PLAID_REDIRECT_URI, or allow it on this page.",
        ),
        RedirectError::NotListed { sent, nearest } => {
            let fix = "If it is the callback that your profile shows, allow it here, or put it into PLAID_REDIRECT_URI.";
            if let Some(nearest) = nearest {
                return (format!("the redirect URI {}", difference(sent, nearest)), fix);
            }
            (
                "the redirect URI is not on the list, and no listed one is similar",
                fix,
            )
        }
    };
    (words.to_owned(), fix)
}

/// What to do about an error that an authorization request was answered with.
fn fix_of_authorization(error: &str) -> Option<&'static str> {
    Some(match error {
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
    })
}

/// One of the page's own calls; only those of an OAuth client have an entry.
fn page_call(request: &Observed, endpoint: Endpoint) -> Option<Entry> {
    let mut entry = Entry {
        client: Some(request.facts.known().client?),
        ..Entry::new(endpoint, request.at)
    };
    let answer = request.answer.as_ref();
    let error = answer.and_then(|answer| answer.extensions.get::<Arc<PageCallError>>());
    match (answer, error) {
        (_, Some(error)) => {
            let (status, code) = error.code();
            entry.refused(status, code, error.to_string(), fix_of_page_call(error));
        }
        // Only its failures are of interest.
        _ if endpoint == Endpoint::LinkToken => return None,
        (Some(answer), None) if endpoint == Endpoint::Cancel => {
            entry.good(
                answer.status,
                "the person cancelled, and was sent back with access_denied",
            );
        }
        (Some(answer), None) => {
            entry.good(
                answer.status,
                "Link succeeded, and the browser was sent back with a code",
            );
        }
        (None, None) => {}
    }
    Some(entry)
}

fn fix_of_page_call(error: &PageCallError) -> Option<&'static str> {
    Some(match error {
        PageCallError::Plaid(error) if error.verdict() == Verdict::Configuration => {
            "Compare PLAID_CLIENT_ID, PLAID_SECRET, PLAID_ENV and PLAID_PRODUCTS with dashboard.plaid.com; the checks on \
             this page say more."
        }
        PageCallError::Over => "Begin once more: each authorization is good once and for four hours.",
        PageCallError::CallbackRemoved => {
            "If the callback should work, allow it again on this page, or put it back into PLAID_REDIRECT_URI or the clients \
             file."
        }
        _ => return None,
    })
}

/// A request to the token, revocation or introspection endpoint.
fn token(request: &Observed, endpoint: Endpoint) -> Entry {
    let known = request.facts.known();
    let clients = request.app.clients();
    let answer = request.answer.as_ref();
    let error = answer.and_then(|answer| answer.extensions.get::<Arc<TokenError>>());
    let good = answer.filter(|answer| answer.status.is_success());
    // Where the body could not be read, the headers may still name the client.
    let named = || named_by_headers(&request.headers, &clients).map(|client| client.id.clone());
    let unread = known.method.is_none();
    let mut entry = Entry {
        client: known.client.clone().or_else(|| named().filter(|_| unread)),
        // Whoever had the right token is not a stranger, even where no secret is asked for.
        proven: known.proven || known.found || (good.is_some() && endpoint == Endpoint::Token),
        parameters: known.parameters.clone(),
        others: known.others,
        content_type: Some(content_type(&request.headers)),
        authentication: known.method.map(Method::as_str),
        grant_type: known.grant_type,
        remarks: diagnose::remarks(&known, endpoint, good.is_some()),
        ..Entry::new(endpoint, request.at)
    };
    if let Some(error) = error {
        let (status, code) = error.code();
        let (words, fix) = match diagnose::cause(&known, &clients) {
            // With a known cause what looked odd besides would only mislead.
            Some((words, fix)) => (words, Some(fix)),
            None => with_suspicions(
                error.to_string(),
                fix_of_token(error),
                diagnose::suspicions(&known),
            ),
        };
        entry.refused(status, code, words, fix);
    } else if let Some(good) = good {
        entry.good(good.status, outcome(endpoint, &known));
    }
    entry
}

fn outcome(endpoint: Endpoint, known: &Known) -> &'static str {
    match (endpoint, known.found, known.grant) {
        (Endpoint::Revocation, true, _) => "the grant was ended",
        (Endpoint::Revocation, false, _) => "there was nothing to end: the token is not one that is good now",
        (Endpoint::Introspection, true, _) => "the token is good",
        (Endpoint::Introspection, false, _) => "the token is not good",
        (_, _, Some("refresh_token")) => "the access token was given again: Plaid says nothing against it",
        (_, _, Some("public_token")) => "the public token was exchanged, and the access token given",
        _ => "the code was redeemed, and the access token given",
    }
}

/// What to do about an error of the token endpoint, where its words alone do not say it.
fn fix_of_token(error: &TokenError) -> Option<&'static str> {
    Some(match error {
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
    })
}
