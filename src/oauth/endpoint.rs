//! What the token, revocation and introspection endpoints share: reading the request, authenticating its client, limits.

use axum::Extension;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::extract::rejection::ExtensionRejection;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http::request::Parts;

use super::client_auth::{self, Authenticated, ClientAuthError, Credentials};
use super::cors::is_of_another_page;
use super::error::TokenError;
use super::facts::Facts;
use super::findings;
use super::params::Params;
use crate::app::App;
use crate::config::Clients;
use crate::http::body::{self, BodyError};
use crate::http::client_ip::Peer;
use crate::http::limits::Kind;
use crate::http::request_id;
use crate::telemetry::audit::{Actor, AuditEvent, AuditOutcome, NewAudit, Origin};

/// A request to one of these endpoints, apart from its body.
pub struct Call {
    endpoint: &'static str,
    peer: Peer,
    /// Whether the address has parameters that belong in the body; they are not read.
    in_query: bool,
    headers: HeaderMap,
    pub(super) facts: Facts,
}

impl FromRequestParts<App> for Call {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ExtensionRejection> {
        let Extension(peer) = Extension::from_request_parts(parts, app).await?;
        let Extension(facts) = Extension::from_request_parts(parts, app).await?;
        let query = Params::from_query(parts.uri.query().unwrap_or_default().as_bytes());
        Ok(Self {
            endpoint: match parts.uri.path() {
                "/oauth/revoke" => "revoke",
                "/oauth/introspect" => "introspect",
                _ => "token",
            },
            peer,
            in_query: query.is_ok_and(|params| params.names().next().is_some()),
            headers: parts.headers.clone(),
            facts,
        })
    }
}

impl Call {
    /// Reads the request. What cannot be read counts for its address.
    pub(super) async fn read(&self, app: &App, body: Body) -> Result<Request<'_>, TokenError> {
        let read = async {
            let bytes = body::read(body).await.map_err(body_error)?;
            let params = params(&self.headers, &bytes)?;
            self.facts.note(|known| {
                known.parameters = params.names().collect();
                known.others = params.others();
                known.grant_type = findings::grant_type(&params);
                known.findings = findings::tokens(app, &params);
            });
            params.none_doubled()?;
            let credentials = client_auth::credentials(&self.headers, &params)?;
            Ok(Request {
                call: self,
                params,
                credentials,
            })
        };
        match read.await {
            Ok(request) => Ok(request),
            Err(error) => {
                app.limits.address(Kind::Token, self.peer.address)?;
                Err(error)
            }
        }
    }

    /// Where decisions of this request come from.
    pub(super) fn origin(&self) -> Origin {
        Origin::request(self.peer.address, request_id::current())
    }

    /// Makes the answer. Refused requests are audited; what is our fault or Plaid's is no refused request.
    pub(super) fn answer(&self, app: &App, answer: Result<Response, TokenError>) -> Response {
        let error = match answer {
            Ok(response) => return response,
            Err(error) => error,
        };
        if let Some(words) = error.words() {
            let new = NewAudit {
                client_id: self.facts.known().client,
                ..NewAudit::new(AuditEvent::TokenRefused, Actor::Client)
            };
            let detail = format!("{}: {words}", self.endpoint);
            app.audit
                .note(new.outcome(AuditOutcome::Refused, detail).from(&self.origin()));
        }
        error.into_response()
    }
}

/// A request that was read, from a client that is not authenticated yet.
pub(super) struct Request<'c> {
    call: &'c Call,
    pub(super) params: Params,
    credentials: Credentials,
}

impl Request<'_> {
    /// The client, once it is authenticated. A request with the right secret counts for its client, any other for the
    /// address.
    pub(super) fn authenticate<'a>(
        &self,
        app: &App,
        clients: &'a Clients,
    ) -> Result<Authenticated<'a>, TokenError> {
        let Call {
            peer, headers, facts, ..
        } = self.call;
        let credentials = &self.credentials;
        let all = clients.as_slice();
        let policy = app.config.oauth.client_auth;
        let result = client_auth::authenticate(credentials, all, policy, app.config.plaid.environment);
        let is_proven = result.as_ref().is_ok_and(|client| client.proven);
        facts.note(|known| {
            let client = result.as_ref().map(|authenticated| authenticated.client).ok();
            let client = client.or_else(|| credentials.named(all).next());
            known.client = client.map(|client| client.id.clone());
            known.method = Some(credentials.method);
            known.proven = is_proven;
            known.lenient = result.as_ref().is_ok_and(|client| client.lenient);
            known
                .findings
                .extend(findings::client(app, clients, headers, credentials, &result));
        });
        match &result {
            Ok(client) if is_proven => app.limits.client(&client.client.id)?,
            _ => app.limits.address(Kind::Token, peer.address)?,
        }
        let client = result.map_err(|error| self.explained(error.into()))?;
        if is_of_another_page(headers, client.client) {
            tracing::warn!(security.event = "request_of_another_origin", oauth.client_id = %client.client.id,
                "a web page sent a request for a client that has no redirect URI of its origin");
            return Err(TokenError::OtherOrigin);
        }
        Ok(client)
    }

    pub(super) fn secret_missing(&self) -> TokenError {
        self.explained(ClientAuthError::SecretMissing.into())
    }

    /// The parameter of revocation and introspection.
    pub(super) fn token(&self) -> Result<&str, TokenError> {
        let missing = || self.explained(TokenError::Missing("token"));
        self.params.get("token").ok_or_else(missing)
    }

    /// The error with its cause, where something is missing because it is in the address.
    pub(super) fn explained(&self, error: TokenError) -> TokenError {
        match error {
            TokenError::Missing(_) | TokenError::Client(ClientAuthError::SecretMissing)
                if self.call.in_query =>
            {
                TokenError::InQuery
            }
            other => other,
        }
    }
}

/// Reads form or JSON, by what the request says it is. Without a content type a body that begins like an object is
/// JSON.
fn params(headers: &HeaderMap, bytes: &[u8]) -> Result<Params, TokenError> {
    let mut named = headers.get_all(CONTENT_TYPE).iter();
    let media_type = match (named.next(), named.next()) {
        // Of two, a proxy before us may have read the other one (RFC 9110 8.3: it is one field with one value).
        (Some(_), Some(_)) => return Err(TokenError::ContentType),
        (Some(value), None) => value.to_str().map_err(|_| TokenError::ContentType)?,
        (None, _) if bytes.trim_ascii_start().starts_with(b"{") => "application/json",
        (None, _) => "application/x-www-form-urlencoded",
    };
    let essence = media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match essence.as_str() {
        "application/x-www-form-urlencoded" if is_json_object(bytes) => Err(TokenError::JsonAsForm),
        "application/x-www-form-urlencoded" => Ok(Params::from_form(bytes)?),
        "application/json" => Ok(Params::from_json(bytes)?),
        _ => Err(TokenError::ContentType),
    }
}

fn is_json_object(bytes: &[u8]) -> bool {
    let begins = bytes.trim_ascii_start().starts_with(b"{");
    begins && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

fn body_error(error: BodyError) -> TokenError {
    match error {
        BodyError::TooLarge => TokenError::TooLarge,
        BodyError::TooSlow => TokenError::TooSlow,
        BodyError::Broken => TokenError::InvalidRequest("the body is incomplete"),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn the_content_type_decides_and_its_absence_is_tolerated() {
        let with = |value: Option<&'static str>, body: &[u8]| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(CONTENT_TYPE, value.parse().unwrap());
            }
            params(&headers, body).map(|params| params.get("code").map(str::to_owned))
        };
        let found = Some("a".to_owned());
        assert_eq!(
            with(Some("application/json; charset=utf-8"), br#"{"code":"a"}"#).unwrap(),
            found
        );
        assert_eq!(
            with(Some("APPLICATION/X-WWW-FORM-URLENCODED"), b"code=a").unwrap(),
            found
        );
        assert_eq!(with(None, br#" {"code":"a"}"#).unwrap(), found);
        assert_eq!(with(None, b"code=a").unwrap(), found);
        assert!(matches!(
            with(Some("text/plain"), b"code=a"),
            Err(TokenError::ContentType)
        ));
        assert!(matches!(
            with(Some("application/json"), b"code=a"),
            Err(TokenError::Params(_))
        ));
        let form = Some("application/x-www-form-urlencoded");
        assert!(matches!(
            with(form, br#" {"code":"a"}"#),
            Err(TokenError::JsonAsForm)
        ));
        assert_eq!(with(form, br#"{"code":&code=a"#).unwrap(), found);
    }
}
