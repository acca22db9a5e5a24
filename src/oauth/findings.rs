//! What looks wrong about the secrets, ids and tokens of a request. They are compared here, and only the findings are kept:
//! they decide nothing, hold no value, and are not sent to the client.

use http::HeaderMap;

use super::client_auth::{Authenticated, ClientAuthError, Credentials, Method, header_is};
use super::params::Params;
use crate::app::App;
use crate::config::{ClientKind, Clients};
use crate::store::TokenKind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The parameter of this name holds something else than belongs there.
    Token(&'static str, Token),
    /// `client_secret` begins or ends with whitespace.
    SecretHasSpace,
    /// An `Authorization` header that names no client was ignored.
    HeaderIgnored,
    /// This header of Plaid's differs from the broker's setting.
    Contradicts(&'static str),
    UnknownId(Id),
    WrongSecret(Secret),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    Code,
    RefreshToken,
    /// Begins like one of ours and is not whole, or of another key.
    BrokenCode,
    BrokenRefreshToken,
    /// A cookie or handle of a page.
    OfPage,
    PlaidAccess,
    PlaidPublic,
    PlaidLink,
    Placeholder,
    AuthorizationHeader,
    Unknown,
}

/// What a client id looks like that no client has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id {
    OwnPlaidSecret,
    Spaced,
    OtherCase,
    OwnPlaidClientId,
    LikePlaidClientId,
    LikePlaidSecret,
    Placeholder,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    Spaced,
    ClientId,
    OwnPlaidSecret,
    Placeholder,
    LikePlaidSecret,
    Unknown,
}

/// The grant types that are kept by name.
const GRANT_TYPES: [&str; 6] = [
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "password",
    "implicit",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
];

pub(super) fn grant_type(params: &Params) -> Option<&'static str> {
    let sent = params.get("grant_type")?;
    Some(
        GRANT_TYPES
            .into_iter()
            .find(|known| *known == sent)
            .unwrap_or("another"),
    )
}

/// Looks at the tokens of a request.
pub(super) fn tokens(app: &App, params: &Params) -> Vec<Finding> {
    let expected = [
        ("code", Token::Code),
        ("refresh_token", Token::RefreshToken),
        ("token", Token::RefreshToken),
    ];
    let mut findings: Vec<Finding> = Vec::new();
    for (name, expected) in expected {
        let Some(value) = params.get(name) else { continue };
        let found = token(app, value);
        if found != expected && (name, found) != ("code", Token::PlaidPublic) {
            findings.push(Finding::Token(name, found));
        }
    }
    if params
        .get("client_secret")
        .is_some_and(|secret| secret.trim() != secret)
    {
        findings.push(Finding::SecretHasSpace);
    }
    findings
}

fn token(app: &App, value: &str) -> Token {
    if let Some(kind) = TokenKind::of(value) {
        let is_whole = app.store.tokens().parse(kind, value).is_some();
        return match kind {
            TokenKind::Code if is_whole => Token::Code,
            TokenKind::RefreshToken if is_whole => Token::RefreshToken,
            TokenKind::Code => Token::BrokenCode,
            TokenKind::RefreshToken => Token::BrokenRefreshToken,
            _ => Token::OfPage,
        };
    }
    let beginnings = [
        ("access-", Token::PlaidAccess),
        ("public-", Token::PlaidPublic),
        ("link-", Token::PlaidLink),
        ("{{", Token::Placeholder),
        ("Bearer ", Token::AuthorizationHeader),
    ];
    let found = beginnings
        .into_iter()
        .find(|(prefix, _)| value.starts_with(prefix));
    found.map_or(Token::Unknown, |(_, found)| found)
}

/// Looks at what a request says of its client.
pub(super) fn client(
    app: &App,
    clients: &Clients,
    headers: &HeaderMap,
    credentials: &Credentials,
    result: &Result<Authenticated<'_>, ClientAuthError>,
) -> Vec<Finding> {
    let plaid = &app.config.plaid;
    let mut findings: Vec<Finding> = Vec::new();
    if credentials.method != Method::PlaidHeaders {
        if header_is(headers, "plaid-secret", |sent| plaid.secret.matches(sent)) == Some(false) {
            findings.push(Finding::Contradicts("PLAID-SECRET"));
        }
        if header_is(headers, "plaid-client-id", |sent| sent == plaid.client_id) == Some(false) {
            findings.push(Finding::Contradicts("PLAID-CLIENT-ID"));
        }
    }
    match result {
        Ok(_) if credentials.not_basic => findings.push(Finding::HeaderIgnored),
        Err(ClientAuthError::Unknown) => {
            findings.push(Finding::UnknownId(id(
                app,
                clients,
                credentials.id().unwrap_or_default(),
            )));
        }
        Err(ClientAuthError::WrongSecret) => {
            findings.push(Finding::WrongSecret(secret(app, clients, credentials)));
        }
        Ok(_) | Err(_) => {}
    }
    findings
}

/// People also paste secrets into the field of the client id.
#[must_use]
pub fn id(app: &App, clients: &Clients, id: &str) -> Id {
    let plaid = &app.config.plaid;
    let any = |is: &dyn Fn(&str) -> bool| clients.as_slice().iter().any(|client| is(&client.id));
    first(
        Id::Unknown,
        [
            (plaid.secret.matches(id), Id::OwnPlaidSecret),
            (any(&|own| own == id.trim()), Id::Spaced),
            (any(&|own| own.eq_ignore_ascii_case(id)), Id::OtherCase),
            (id == plaid.client_id, Id::OwnPlaidClientId),
            (is_hex(id, 24), Id::LikePlaidClientId),
            (is_hex(id, 30), Id::LikePlaidSecret),
            (id.contains("{{"), Id::Placeholder),
        ],
    )
}

fn secret(app: &App, clients: &Clients, credentials: &Credentials) -> Secret {
    let client = credentials.named(clients.as_slice()).next();
    let is_own = |sent: &str| match client.map(|client| &client.kind) {
        Some(ClientKind::Confidential(secret)) => secret.matches(sent),
        _ => false,
    };
    let is_id = |sent: &str| client.is_some_and(|client| client.id == sent);
    let is_plaids = |sent: &str| app.config.plaid.secret.matches(sent);
    first(
        Secret::Unknown,
        [
            (credentials.any_secret(|sent| is_own(sent.trim())), Secret::Spaced),
            (credentials.any_secret(is_id), Secret::ClientId),
            (credentials.any_secret(is_plaids), Secret::OwnPlaidSecret),
            (
                credentials.any_secret(|sent| sent.contains("{{")),
                Secret::Placeholder,
            ),
            (
                credentials.any_secret(|sent| is_hex(sent, 30)),
                Secret::LikePlaidSecret,
            ),
        ],
    )
}

/// The first of these that holds.
fn first<T>(otherwise: T, looks: impl IntoIterator<Item = (bool, T)>) -> T {
    let found = looks.into_iter().find(|(holds, _)| *holds);
    found.map_or(otherwise, |(_, looks)| looks)
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
