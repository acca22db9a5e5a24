//! Client authentication (RFC 6749 2.3): Basic, the body, or the headers `PLAID-CLIENT-ID` and `PLAID-SECRET`.
//!
//! Kore.ai's profile may add Plaid's headers to any request, so they count only when no secret came by a standard
//! method. Ids that were sent must agree, two different secrets are refused, and a wrong secret always fails.
//!
//! Two deviations from RFC 6749 2.3, because libraries and proxies add what their user cannot remove: the same credentials
//! sent with Basic and in the body count once, and an `Authorization` header that is empty or not Basic is ignored where the
//! client authenticates in another way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use thiserror::Error;
use url::form_urlencoded;

use super::params::Params;
use crate::config::{ClientAuthPolicy, ClientConfig, ClientKind, Clients, Environment};
use crate::secret::ClientSecret;

/// By which way a client showed its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Basic,
    Body,
    PlaidHeaders,
    None,
}

impl Method {
    /// The name in logs, as RFC 7591 spells the registered ones.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Body => "client_secret_post",
            Self::PlaidHeaders => "plaid_headers",
            Self::None => "none",
        }
    }
}

/// The client that a request names, not yet authenticated.
#[derive(Debug)]
pub struct Credentials {
    /// The readings of the `client_id`: none when no id was sent, two where they differ for Basic (see [`basic`]).
    ids: Vec<String>,
    pub method: Method,
    /// The readings of the secret that was shown: none, one, or two for Basic.
    secrets: Vec<ClientSecret>,
    /// Whether there is an `Authorization` header that does not name a client.
    pub(super) not_basic: bool,
}

/// Why a client is not authenticated.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ClientAuthError {
    /// Two secrets that differ (RFC 6749 2.3).
    #[error("two different client secrets were sent: use the Authorization header or the body, not both")]
    TwoMethods,
    #[error("the client ids that were sent differ from each other")]
    IdsDiffer,
    /// The `Authorization` header is not readable Basic.
    #[error("the Authorization header is not valid Basic authentication")]
    Malformed,
    /// The `Authorization` header has another scheme or no credentials, and nothing else authenticates the client.
    #[error(
        "the Authorization header is empty or not Basic: send the client id and secret with HTTP Basic or in the body"
    )]
    NotBasic,
    /// No client of this id.
    #[error("there is no client with this client_id")]
    Unknown,
    #[error("the client secret is wrong")]
    WrongSecret,
    /// None was sent, and this client must.
    #[error("client authentication is required: send the client secret with HTTP Basic or in the body")]
    SecretMissing,
}

impl Credentials {
    /// The `client_id`, in the first of its readings.
    pub(super) fn id(&self) -> Option<&str> {
        self.ids.first().map(String::as_str)
    }

    /// The clients that the readings of the id name. Without an id it is the first configured client.
    pub(super) fn named<'a>(&self, clients: &'a [ClientConfig]) -> impl Iterator<Item = &'a ClientConfig> {
        let find = |id: &String| clients.iter().find(|client| client.id == *id);
        let by_id = self.ids.iter().filter_map(find).collect::<Vec<_>>();
        let unnamed = clients.first().filter(|_| self.ids.is_empty());
        by_id.into_iter().chain(unnamed)
    }

    /// Whether this holds of any reading of the secret.
    pub(super) fn any_secret(&self, is: impl Fn(&str) -> bool) -> bool {
        self.secrets.iter().any(|secret| is(secret.expose()))
    }
}

/// Whether this holds of a header; `None` where it was not sent, or cannot be read.
pub(super) fn header_is(headers: &HeaderMap, name: &str, is: impl Fn(&str) -> bool) -> Option<bool> {
    Some(is(&header(headers, name).ok()??))
}

/// Reads what a token request says of its client.
pub fn credentials(headers: &HeaderMap, params: &Params) -> Result<Credentials, ClientAuthError> {
    let (basic, not_basic) = match basic(headers) {
        Err(ClientAuthError::NotBasic) => (None, true),
        basic => (basic?, false),
    };
    let body_secret = params.get("client_secret").map(ClientSecret::new);
    let mut ids: Vec<Vec<String>> = Vec::new();
    let mut credentials = Credentials {
        ids: Vec::new(),
        method: Method::None,
        secrets: Vec::new(),
        not_basic,
    };
    if let Some((id_readings, secrets)) = basic {
        ids.push(id_readings);
        if !secrets.is_empty() {
            credentials.method = Method::Basic;
            credentials.secrets = secrets;
        }
    }
    if let Some(secret) = body_secret {
        if credentials.method == Method::Basic {
            credentials
                .secrets
                .retain(|reading| reading.matches(secret.expose()));
            if credentials.secrets.is_empty() {
                return Err(ClientAuthError::TwoMethods);
            }
        } else {
            credentials.method = Method::Body;
            credentials.secrets = vec![secret];
        }
    }
    ids.extend(params.get("client_id").map(|id| vec![id.to_owned()]));
    if credentials.method == Method::None {
        ids.extend(header(headers, "plaid-client-id")?.map(|id| vec![id]));
        if let Some(secret) = header(headers, "plaid-secret")? {
            credentials.method = Method::PlaidHeaders;
            credentials.secrets = vec![ClientSecret::new(secret)];
        }
    }
    credentials.ids = agreed(ids)?;
    Ok(credentials)
}

/// The readings of the id that all methods agree on; empty where none has an id.
fn agreed(ids: Vec<Vec<String>>) -> Result<Vec<String>, ClientAuthError> {
    let mut ids = ids.into_iter();
    let Some(mut common) = ids.next() else {
        return Ok(Vec::new());
    };
    for readings in ids {
        common.retain(|id| readings.contains(id));
    }
    if common.is_empty() {
        return Err(ClientAuthError::IdsDiffer);
    }
    Ok(common)
}

type BasicCredentials = (Vec<String>, Vec<ClientSecret>);

/// Basic credentials. Id and secret are form-encoded before they are joined (RFC 6749 2.3.1), which many clients
/// leave out; where the two readings differ both are kept, and each needs the whole secret to match.
fn basic(headers: &HeaderMap) -> Result<Option<BasicCredentials>, ClientAuthError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(ClientAuthError::Malformed);
    }
    let value = value.to_str().map_err(|_| ClientAuthError::NotBasic)?.trim();
    let (scheme, credentials) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("basic") || credentials.is_empty() {
        return Err(ClientAuthError::NotBasic);
    }
    let decoded = STANDARD
        .decode(credentials.trim())
        .map_err(|_| ClientAuthError::Malformed)?;
    let decoded =
        zeroize::Zeroizing::new(String::from_utf8(decoded).map_err(|_| ClientAuthError::Malformed)?);
    let (id, secret) = decoded.split_once(':').ok_or(ClientAuthError::Malformed)?;
    if decoded.as_str() == ":" {
        return Err(ClientAuthError::NotBasic);
    }
    if id.is_empty() {
        return Err(ClientAuthError::Malformed);
    }
    let secrets = match secret {
        "" => Vec::new(),
        secret => readings(secret).into_iter().map(ClientSecret::new).collect(),
    };
    Ok(Some((readings(id), secrets)))
}

/// The form-decoded text, then the text as it is when that differs.
fn readings(text: &str) -> Vec<String> {
    // The text may hold "=" and "&", which mean nothing here: each byte is decoded on its own.
    let escaped = text.replace('=', "%3D").replace('&', "%26");
    let decoded = form_urlencoded::parse(escaped.as_bytes())
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default();
    if decoded == text {
        vec![decoded]
    } else {
        vec![decoded, text.to_owned()]
    }
}

fn header(headers: &HeaderMap, name: &str) -> Result<Option<String>, ClientAuthError> {
    let mut found: Option<String> = None;
    for value in headers.get_all(name) {
        let value = value.to_str().map_err(|_| ClientAuthError::Malformed)?.trim();
        match &found {
            Some(earlier) if earlier != value => return Err(ClientAuthError::IdsDiffer),
            _ if value.is_empty() => {}
            _ => found = Some(value.to_owned()),
        }
    }
    Ok(found)
}

/// The client that the headers alone name, where the rest of a request cannot be used.
#[must_use]
pub fn named_by_headers<'a>(headers: &HeaderMap, clients: &'a Clients) -> Option<&'a ClientConfig> {
    let credentials = credentials(headers, &Params::default()).ok()?;
    credentials.id()?;
    credentials.named(clients.as_slice()).next()
}

#[derive(Clone, Copy, Debug)]
pub struct Authenticated<'a> {
    pub client: &'a ClientConfig,
    /// Whether it showed its secret. Never so for a public client.
    pub proven: bool,
    pub method: Method,
    /// It came without the secret that production would demand: to be warned of.
    pub lenient: bool,
}

/// Authenticates a client. Where the readings of its id name two clients, the secret decides between them.
pub fn authenticate<'a>(
    credentials: &Credentials,
    clients: &'a [ClientConfig],
    policy: ClientAuthPolicy,
    environment: Environment,
) -> Result<Authenticated<'a>, ClientAuthError> {
    let mut refused = None;
    for client in credentials.named(clients) {
        match as_client(client, credentials, clients, policy, environment) {
            Ok(authenticated) => return Ok(authenticated),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or(ClientAuthError::Unknown))
}

fn as_client<'a>(
    client: &'a ClientConfig,
    credentials: &Credentials,
    clients: &[ClientConfig],
    policy: ClientAuthPolicy,
    environment: Environment,
) -> Result<Authenticated<'a>, ClientAuthError> {
    let answer = |proven, lenient| {
        Ok(Authenticated {
            client,
            proven,
            method: credentials.method,
            lenient,
        })
    };
    match &client.kind {
        ClientKind::Confidential(secret) if !credentials.secrets.is_empty() => {
            // Each reading is compared, whichever matches.
            let compared = credentials
                .secrets
                .iter()
                .map(|sent| secret.matches(sent.expose()));
            if compared.fold(false, |any, one| any | one) {
                answer(true, false)
            } else {
                Err(ClientAuthError::WrongSecret)
            }
        }
        ClientKind::Confidential(_) if credentials.not_basic => Err(ClientAuthError::NotBasic),
        ClientKind::Confidential(_) => {
            let is_first = clients.first().is_some_and(|first| first.id == client.id);
            if policy == ClientAuthPolicy::Auto && environment != Environment::Production && is_first {
                answer(false, true)
            } else {
                Err(ClientAuthError::SecretMissing)
            }
        }
        ClientKind::Public if !credentials.secrets.is_empty() => Err(ClientAuthError::WrongSecret),
        ClientKind::Public => answer(false, false),
    }
}

#[cfg(test)]
mod tests;
