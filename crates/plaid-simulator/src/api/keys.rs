//! What every call must bring: the right content type, a version that exists, and keys.
//! <https://plaid.com/docs/api/#api-protocols-and-headers>

use std::sync::Arc;

use http::{HeaderMap, header};
use serde_json::{Map, Value};

use crate::simulator::Simulator;
use crate::spec::guesses::{KeysTwice, NoContentType, OtherContentType};
use crate::spec::{Guesses, PlaidError};

/// The versions that Plaid's API has had (<https://plaid.com/docs/api/versioning/>). All are answered as the newest.
pub(super) const VERSIONS: &[&str] = &["2017-03-08", "2018-05-22", "2019-05-29", "2020-09-14"];

/// Content type and version.
pub(super) fn check_headers(headers: &HeaderMap, guesses: &Guesses) -> Result<(), PlaidError> {
    let invalid = |message: &str| PlaidError::new("INVALID_REQUEST", "INVALID_HEADERS", message);
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else {
        return Err(match guesses.no_content_type {
            NoContentType::InvalidHeaders => {
                invalid("the header Content-Type is missing: it must be application/json")
            }
            NoContentType::InvalidBody => PlaidError::invalid_body(),
        });
    };
    let media_type = content_type
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/json") {
        return Err(match guesses.other_content_type {
            OtherContentType::InvalidBody => PlaidError::invalid_body(),
            OtherContentType::InvalidHeaders => invalid("the header Content-Type must be application/json"),
        });
    }
    match headers.get("plaid-version") {
        Some(version) if !VERSIONS.iter().any(|known| version == known) => Err(invalid(
            "the header Plaid-Version names no version of the API: the newest is 2020-09-14",
        )),
        _ => Ok(()),
    }
}

/// The keys of a call, as they came.
pub(super) struct Keys {
    client_id: Option<Value>,
    secret: Option<Value>,
}

/// Takes the keys out of body or headers; one of them counts when both speak.
pub(super) fn take(headers: &HeaderMap, body: &mut Map<String, Value>, guesses: &Guesses) -> Keys {
    let mut key = |field: &str, header: &str| {
        let in_body = body.remove(field).filter(|value| !value.is_null());
        let in_headers = headers
            .get(header)
            .map(|value| Value::String(value.to_str().unwrap_or_default().to_owned()));
        match guesses.keys_twice {
            KeysTwice::Body => in_body.or(in_headers),
            KeysTwice::Headers => in_headers.or(in_body),
        }
    };
    Keys {
        client_id: key("client_id", "plaid-client-id"),
        secret: key("secret", "plaid-secret"),
    }
}

/// The client whose keys these are.
pub(super) fn authenticate(simulator: &Simulator, keys: Keys) -> Result<Arc<str>, PlaidError> {
    let (client_id, secret) = match (keys.client_id, keys.secret) {
        (Some(client_id), Some(secret)) => (client_id, secret),
        (client_id, secret) => {
            let missing: Vec<_> = [("client_id", client_id.is_none()), ("secret", secret.is_none())]
                .into_iter()
                .filter(|(_, missing)| *missing)
                .map(|(name, _)| name.to_owned())
                .collect();
            return Err(PlaidError::missing_fields(&missing));
        }
    };
    let malformed = |name: &str| {
        PlaidError::invalid_field(format!("{name} must be a properly formatted, non-empty string"))
    };
    let client_id = client_id
        .as_str()
        .filter(|id| is_client_id(id))
        .ok_or_else(|| malformed("client_id"))?;
    let secret = secret
        .as_str()
        .filter(|secret| !secret.is_empty())
        .ok_or_else(|| malformed("secret"))?;
    simulator
        .client(client_id, secret)
        .ok_or_else(PlaidError::invalid_api_keys)
}

/// Plaid's client ids are 24 hexadecimal digits.
fn is_client_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
