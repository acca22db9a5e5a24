//! For the record: what a request looks like that will be refused, in words that name the mistake and hold no value.
//!
//! Nothing in here decides anything, and none of it is told to whoever sent the request.

use http::HeaderMap;

use super::client_auth::{Authenticated, ClientAuthError, Method, Presented, header_is, presented};
use super::params::Params;
use crate::app::App;
use crate::config::{ClientConfig, ClientKind, Clients};
use crate::request_log::Attempt;
use crate::store::TokenKind;

/// What was meant to be presented.
const CODE: &str = "a code of this broker";
const REFRESH_TOKEN: &str = "a refresh token of this broker";
/// Ours once, and not whole.
const CUT_CODE: &str = "a code that is cut short, changed, or of a broker with another key";
const CUT_REFRESH_TOKEN: &str = "a refresh token that is cut short, changed, or of a broker with another key";
/// A template of the client that went out as it stands.
const PLACEHOLDER: &str = "a placeholder that nobody filled in";

/// Looks at the tokens that were sent.
pub(super) fn tokens(app: &App, params: &Params, attempt: &mut Attempt) {
    if !attempt.is_recorded() {
        return;
    }
    for (name, expected) in [
        ("code", CODE),
        ("refresh_token", REFRESH_TOKEN),
        ("token", REFRESH_TOKEN),
    ] {
        let Some(value) = params.get(name) else { continue };
        let found = looks_like(app, value);
        if found != expected && !(name == "code" && found == "a public token of Plaid") {
            attempt.suspect(
                format!("{name} is {found} and not {expected}"),
                fix_of(name, found),
            );
        }
    }
    if let Some(value) = params.get("client_secret")
        && value.trim() != value
    {
        attempt.suspect("client_secret has a blank at its beginning or end", None);
    }
}

/// What to do where the profile sends something else than a token of ours: a new authorization would not cure it.
fn fix_of(name: &str, found: &str) -> Option<&'static str> {
    match (name, found) {
        (_, CUT_CODE | CUT_REFRESH_TOKEN) => None,
        (_, PLACEHOLDER) => Some(
            "The profile sends the placeholder itself. Take the field out of its Additional Fields: the client fills in code \
             and refresh_token by itself.",
        ),
        ("refresh_token", _) => Some(
            "The profile has to send the refresh_token of the last token answer: take a field of that name out of its \
             Additional Fields, and authorize once more.",
        ),
        (
            "code",
            "an access token of Plaid" | "a link token of Plaid" | "an Authorization header" | REFRESH_TOKEN,
        ) => Some(
            "The profile has to send the code that its callback got: take a field of that name out of its Additional Fields.",
        ),
        _ => None,
    }
}

/// What a token looks like.
fn looks_like(app: &App, value: &str) -> &'static str {
    if let Some(kind) = TokenKind::of(value) {
        let whole = app.store.tokens().parse(kind, value).is_some();
        return match kind {
            TokenKind::Code if whole => CODE,
            TokenKind::RefreshToken if whole => REFRESH_TOKEN,
            TokenKind::Code => CUT_CODE,
            TokenKind::RefreshToken => CUT_REFRESH_TOKEN,
            _ => "a cookie or handle of a page",
        };
    }
    for (prefix, found) in [
        ("access-", "an access token of Plaid"),
        ("public-", "a public token of Plaid"),
        ("link-", "a link token of Plaid"),
        ("{{", PLACEHOLDER),
        ("Bearer ", "an Authorization header"),
    ] {
        if value.starts_with(prefix) {
            return found;
        }
    }
    "something that this broker never made"
}

/// Looks at Plaid's own headers, which Kore.ai's profile adds to its calls of Plaid, and maybe to these.
pub(super) fn plaid_headers(app: &App, headers: &HeaderMap, presented: &Presented, attempt: &mut Attempt) {
    if !attempt.is_recorded() || presented.method == Method::PlaidHeaders {
        return;
    }
    let plaid = &app.config.plaid;
    if header_is(headers, "plaid-secret", |sent| plaid.secret.matches(sent)) == Some(false) {
        attempt.remark(
            "the header PLAID-SECRET contradicts this broker's PLAID_SECRET: it does not count here, but the client's \
             own calls to Plaid fail with it",
        );
    }
    if header_is(headers, "plaid-client-id", |sent| sent == plaid.client_id) == Some(false) {
        attempt.remark(
            "the header PLAID-CLIENT-ID contradicts this broker's PLAID_CLIENT_ID: it does not count here, but the \
             client's own calls to Plaid fail with it",
        );
    }
}

/// Notes which client its headers name, where nothing more of the request can be used.
pub(super) fn named_by_headers(app: &App, headers: &HeaderMap, attempt: &mut Attempt) {
    let Ok(presented) = presented(headers, &Params::default()) else {
        return;
    };
    let clients = app.clients();
    if let Some(client) = presented.named(clients.as_slice()).next()
        && presented.id().is_some()
    {
        attempt.client(&client.id);
    }
}

/// Notes which client it is, and why it is not authenticated.
pub(super) fn client(
    app: &App,
    clients: &Clients,
    presented: &Presented,
    believed: &Result<Authenticated<'_>, ClientAuthError>,
    attempt: &mut Attempt,
) {
    if !attempt.is_recorded() {
        return;
    }
    let client = match believed {
        Ok(authenticated) => Some(authenticated.client),
        Err(_) => presented.named(clients.as_slice()).next(),
    };
    if let Some(client) = client {
        attempt.client(&client.id);
    }
    if presented.ignores_header() && believed.is_ok() {
        attempt.remark("its Authorization header is empty or not Basic and was ignored");
    }
    match believed {
        Ok(client) if client.proven => attempt.proven(),
        Err(ClientAuthError::Unknown) => {
            let id = presented.id().unwrap_or_default();
            let (words, fix) = unknown_id(app, clients, id);
            attempt.because(words, Some(fix.to_owned()));
        }
        Err(ClientAuthError::WrongSecret) => {
            let (words, fix) = wrong_secret(app, clients, presented, client);
            attempt.because(words, Some(fix.to_owned()));
        }
        Ok(_) | Err(_) => {}
    }
}

/// What an id looks like that no client has. It is not told itself: people also paste secrets into this field.
pub(super) fn unknown_id(app: &App, clients: &Clients, id: &str) -> (&'static str, &'static str) {
    let plaid = &app.config.plaid;
    let any = |is: &dyn Fn(&ClientConfig) -> bool| clients.as_slice().iter().any(is);
    let hex = id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words = if plaid.secret.matches(id) {
        "the client_id is this broker's Plaid secret: id and secret are swapped or the secret stands in both fields"
    } else if any(&|client| client.id == id.trim()) {
        "the client_id has a blank at its beginning or end"
    } else if any(&|client| client.id.eq_ignore_ascii_case(id)) {
        "the client_id is written in other upper and lower case"
    } else if id == plaid.client_id {
        "the client_id is this broker's Plaid client id, but its OAuth client has an id of its own (OAUTH_CLIENT_ID)"
    } else if id.len() == 24 && hex {
        "the client_id is not one of this broker: it looks like the client id of another Plaid account"
    } else if id.len() == 30 && hex {
        "the client_id is not one of this broker: it looks like a Plaid secret, so id and secret may be swapped"
    } else if id.contains("{{") {
        "the client_id is a placeholder that nobody filled in"
    } else {
        "the client_id is not one of this broker"
    };
    let fix = "Copy the Client ID of this page into the OAuth profile, or set OAUTH_CLIENT_ID to what the profile sends.";
    (words, fix)
}

fn wrong_secret(
    app: &App,
    clients: &Clients,
    presented: &Presented,
    client: Option<&ClientConfig>,
) -> (String, &'static str) {
    let plaid = &app.config.plaid;
    let secret_field = match presented.method {
        Method::PlaidHeaders => "the secret in the header PLAID-SECRET",
        _ => "the client secret",
    };
    if client.is_some_and(|client| matches!(client.kind, ClientKind::Public)) {
        return (
            "a secret was sent for a public client, which has none".to_owned(),
            "Leave the client secret empty, or use another client.",
        );
    }
    let is_client = |sent: &str| match client.map(|client| &client.kind) {
        Some(ClientKind::Confidential(secret)) => secret.matches(sent),
        _ => false,
    };
    let why = if presented.any_secret(|sent| is_client(sent.trim())) {
        " (it has a blank at its beginning or end)"
    } else if presented.any_secret(|sent| client.is_some_and(|client| client.id == sent)) {
        " (it is the client id)"
    } else if presented.any_secret(|sent| plaid.secret.matches(sent)) {
        " (it is PLAID_SECRET, but this client has a secret of its own)"
    } else if presented.any_secret(|sent| sent.contains("{{")) {
        " (it is a placeholder that nobody filled in)"
    } else if presented
        .any_secret(|sent| sent.len() == 30 && sent.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        " (it looks like a Plaid secret, perhaps that of another environment)"
    } else {
        ""
    };
    let is_first = client.is_some_and(|client| clients.first().is_some_and(|first| first.id == client.id));
    let fix = if is_first {
        "Copy the value of OAUTH_CLIENT_SECRET (by default PLAID_SECRET, the one of this environment) into the profile."
    } else {
        "Copy the client's secret into the profile once more; the clients file has only its hash."
    };
    (format!("{secret_field} was wrong{why}"), fix)
}
