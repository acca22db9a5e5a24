//! Client authentication (RFC 6749 2.3): Basic, the body, or the headers `PLAID-CLIENT-ID` and `PLAID-SECRET`.
//!
//! Kore.ai's profile may add Plaid's headers to any request, so they count only when no secret came by a standard
//! method. Ids that were sent must agree, two secrets are refused, and a wrong secret always fails.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use thiserror::Error;
use url::form_urlencoded;

use super::params::Params;
use crate::config::{ClientAuthPolicy, ClientConfig, ClientKind, Environment};
use crate::secret::ClientSecret;

/// By which way a client showed its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `Authorization: Basic`.
    Basic,
    /// `client_secret` in the body.
    Body,
    /// The header `PLAID-SECRET`.
    PlaidHeaders,
    /// No secret was shown.
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

/// Who a request says it comes from, not yet believed.
#[derive(Debug)]
pub struct Presented {
    /// `client_id`, when one was sent.
    pub client_id: Option<String>,
    /// How the secret came.
    pub method: Method,
    /// The readings of the secret that was shown: none, one, or two for Basic (see [`basic`]).
    secrets: Vec<ClientSecret>,
}

/// A client that is not believed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ClientAuthError {
    /// More than one secret (RFC 6749 2.3).
    #[error("two client secrets were sent: use the Authorization header or the body, not both")]
    TwoMethods,
    /// Ids that differ.
    #[error("the client ids that were sent differ from each other")]
    IdsDiffer,
    /// The `Authorization` header is not readable Basic.
    #[error("the Authorization header is not valid Basic authentication")]
    Malformed,
    /// No client of this id.
    #[error("there is no client with this client_id")]
    Unknown,
    /// The secret is wrong.
    #[error("the client secret is wrong")]
    WrongSecret,
    /// None was sent, and this client must.
    #[error("client authentication is required: send the client secret by Basic or in the body")]
    SecretMissing,
}

impl Presented {
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
pub fn presented(headers: &HeaderMap, params: &Params) -> Result<Presented, ClientAuthError> {
    let basic = basic(headers)?;
    let body_secret = params.get("client_secret").map(ClientSecret::new);
    let mut ids: Vec<Vec<String>> = Vec::new();
    let mut presented = Presented {
        client_id: None,
        method: Method::None,
        secrets: Vec::new(),
    };
    if let Some((id_readings, secrets)) = basic {
        ids.push(id_readings);
        if !secrets.is_empty() {
            presented.method = Method::Basic;
            presented.secrets = secrets;
        }
    }
    if let Some(secret) = body_secret {
        if presented.method == Method::Basic {
            return Err(ClientAuthError::TwoMethods);
        }
        presented.method = Method::Body;
        presented.secrets = vec![secret];
    }
    ids.extend(params.get("client_id").map(|id| vec![id.to_owned()]));
    if presented.method == Method::None {
        ids.extend(header(headers, "plaid-client-id")?.map(|id| vec![id]));
        if let Some(secret) = header(headers, "plaid-secret")? {
            presented.method = Method::PlaidHeaders;
            presented.secrets = vec![ClientSecret::new(secret)];
        }
    }
    presented.client_id = agreed(ids)?;
    Ok(presented)
}

/// The id that all the ways agree on.
fn agreed(ids: Vec<Vec<String>>) -> Result<Option<String>, ClientAuthError> {
    let mut ids = ids.into_iter();
    let Some(mut common) = ids.next() else {
        return Ok(None);
    };
    for readings in ids {
        common.retain(|id| readings.contains(id));
    }
    common
        .into_iter()
        .next()
        .map(Some)
        .ok_or(ClientAuthError::IdsDiffer)
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
    let value = value.to_str().map_err(|_| ClientAuthError::Malformed)?;
    let (scheme, credentials) = value.split_once(' ').ok_or(ClientAuthError::Malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(ClientAuthError::Malformed);
    }
    let decoded = STANDARD
        .decode(credentials.trim())
        .map_err(|_| ClientAuthError::Malformed)?;
    let decoded =
        zeroize::Zeroizing::new(String::from_utf8(decoded).map_err(|_| ClientAuthError::Malformed)?);
    let (id, secret) = decoded.split_once(':').ok_or(ClientAuthError::Malformed)?;
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

/// A client that is believed.
#[derive(Clone, Copy, Debug)]
pub struct Authenticated<'a> {
    /// Which.
    pub client: &'a ClientConfig,
    /// Whether it showed its secret. Never so for a public client.
    pub proven: bool,
    /// How.
    pub method: Method,
    /// It came without the secret that production would demand: to be warned of.
    pub lenient: bool,
}

/// Decides whether a client is believed. Without any id it is the first one.
pub fn authenticate<'a>(
    presented: &Presented,
    clients: &'a [ClientConfig],
    policy: ClientAuthPolicy,
    environment: Environment,
) -> Result<Authenticated<'a>, ClientAuthError> {
    let method = presented.method;
    let client = match &presented.client_id {
        Some(id) => clients.iter().find(|client| client.id == *id),
        None => clients.first(),
    }
    .ok_or(ClientAuthError::Unknown)?;
    match &client.kind {
        ClientKind::Confidential(secret) if !presented.secrets.is_empty() => {
            let matches = presented
                .secrets
                .iter()
                .fold(false, |any, sent| any | secret.matches(sent.expose()));
            if !matches {
                return Err(ClientAuthError::WrongSecret);
            }
            Ok(Authenticated {
                client,
                proven: true,
                method,
                lenient: false,
            })
        }
        ClientKind::Confidential(_) => {
            let is_first = clients.first().is_some_and(|first| first.id == client.id);
            let lenient =
                policy == ClientAuthPolicy::Auto && environment != Environment::Production && is_first;
            if !lenient {
                return Err(ClientAuthError::SecretMissing);
            }
            Ok(Authenticated {
                client,
                proven: false,
                method,
                lenient,
            })
        }
        ClientKind::Public if !presented.secrets.is_empty() => Err(ClientAuthError::WrongSecret),
        ClientKind::Public => Ok(Authenticated {
            client,
            proven: false,
            method,
            lenient: false,
        }),
    }
}

#[cfg(test)]
#[path = "client_auth_tests.rs"]
mod tests;
