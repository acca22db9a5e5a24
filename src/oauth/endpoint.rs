//! What the token, revocation and introspection endpoints share: reading the request, authenticating its client, limits.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::client_auth::{self, Authenticated, ClientAuthError, Presented};
use super::cors::OtherPage;
use super::error::TokenError;
use super::params::Params;
use super::{suspicions, told};
use crate::app::App;
use crate::config::{ClientKind, Clients};
use crate::http::body::{self, BodyError};
use crate::http::client_ip::Peer;
use crate::http::limits::Kind;
use crate::http::request_id;
use crate::request_log;
use crate::telemetry::audit::{Actor, AuditEvent, AuditOutcome, NewAudit, Origin};

/// A request as it came.
pub(super) struct Sent<'r> {
    query: Option<&'r str>,
    headers: &'r HeaderMap,
    body: Body,
}

impl<'r> Sent<'r> {
    pub(super) fn new(query: Option<&'r str>, headers: &'r HeaderMap, body: Body) -> Self {
        Self { query, headers, body }
    }
}

/// A request that was read, from a client that is not authenticated yet.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) params: Params,
    presented: Presented,
    /// The web page that sent it.
    page: Option<OtherPage>,
    /// Whether the address has parameters, which are not read.
    in_query: bool,
}

/// One request to an endpoint, for the audit log and the record of requests.
pub(super) struct Attempt {
    endpoint: &'static str,
    peer: Peer,
    /// The client that it says it comes from, when there is one of that id.
    client_id: Option<String>,
    /// Its entry in the record.
    pub(super) entry: request_log::Attempt,
}

impl Attempt {
    /// Of this endpoint.
    pub(super) fn new(app: &App, endpoint: request_log::Endpoint, peer: Peer) -> Self {
        Self {
            endpoint: match endpoint {
                request_log::Endpoint::Revocation => "revoke",
                request_log::Endpoint::Introspection => "introspect",
                _ => "token",
            },
            peer,
            client_id: None,
            entry: app.record.attempt(endpoint),
        }
    }

    /// Finishes the request's entry in the record, and makes the answer: with the words for a good outcome, or the
    /// error, which the audit log gets as well.
    pub(super) fn answered(
        self,
        app: &App,
        answer: Result<(Response, &'static str), TokenError>,
    ) -> Response {
        match answer {
            Ok((response, words)) => {
                self.entry.good(response.status(), words);
                response
            }
            Err(error) => {
                self.refused(app, &error);
                let (status, code) = error.code();
                self.entry
                    .refused(status, code, error.to_string(), told::fix(&error));
                error.into_response()
            }
        }
    }

    /// Where decisions of this request come from.
    pub(super) fn origin(&self) -> Origin {
        Origin::request(self.peer.address, request_id::current())
    }

    /// Notes what it was refused for. What is our fault or Plaid's is no refused attempt.
    fn refused(&self, app: &App, error: &TokenError) {
        let Some(words) = error.words() else { return };
        let detail = format!("{}: {words}", self.endpoint);
        let new = NewAudit {
            client_id: self.client_id.clone(),
            ..NewAudit::new(AuditEvent::TokenRefused, Actor::Client)
        };
        app.audit
            .note(new.outcome(AuditOutcome::Refused, detail).from(&self.origin()));
    }
}

/// Reads a request. What cannot be read counts for its address.
pub(super) async fn read(
    app: &App,
    peer: Peer,
    sent: Sent<'_>,
    attempt: &mut Attempt,
) -> Result<Request, TokenError> {
    let Sent { query, headers, body } = sent;
    let entry = &mut attempt.entry;
    entry.headers(headers);
    let read = async {
        let bytes = body::read(body).await.map_err(body_error)?;
        let params = params(headers, &bytes)?;
        entry.parameters(params.names(), params.others());
        suspicions::tokens(app, &params, entry);
        params.none_doubled()?;
        let presented = client_auth::presented(headers, &params)?;
        entry.authentication(presented.method.as_str());
        suspicions::plaid_headers(app, headers, &presented, entry);
        Ok(Request {
            params,
            presented,
            page: OtherPage::of(headers),
            in_query: has_parameters(query.unwrap_or_default()),
        })
    };
    match read.await {
        Ok(request) => Ok(request),
        Err(error) => {
            suspicions::named_by_headers(app, headers, entry);
            app.limits.address(Kind::Token, peer.address)?;
            Err(error)
        }
    }
}

impl Request {
    /// The client, once it is authenticated. A request with the right secret counts for its client, any other for the
    /// address.
    pub(super) fn client<'a>(
        &self,
        app: &App,
        clients: &'a Clients,
        attempt: &mut Attempt,
    ) -> Result<Authenticated<'a>, TokenError> {
        let peer = attempt.peer;
        let named = self.presented.named(clients.as_slice()).next();
        attempt.client_id = named.map(|client| client.id.clone());
        let oauth = &app.config.oauth;
        let environment = app.config.plaid.environment;
        let believed = client_auth::authenticate(
            &self.presented,
            clients.as_slice(),
            oauth.client_auth,
            environment,
        );
        suspicions::client(app, clients, &self.presented, &believed, &mut attempt.entry);
        match &believed {
            Ok(client) if client.proven => app.limits.client(&client.client.id)?,
            _ => app.limits.address(Kind::Token, peer.address)?,
        }
        let client = believed.map_err(|error| self.explained(error.into()))?;
        attempt.client_id = Some(client.client.id.clone());
        if self.page.as_ref().is_some_and(|page| !page.is_of(client.client)) {
            tracing::warn!(security.event = "request_of_another_origin", oauth.client_id = %client.client.id,
                "a web page sent a request for a client that has no redirect URI of its origin");
            return Err(TokenError::OtherOrigin);
        }
        Ok(client)
    }

    /// Refuses a confidential client without its secret, even where the token endpoint accepts it (in the sandbox).
    pub(super) fn must_be_proven(&self, client: &Authenticated<'_>) -> Result<(), TokenError> {
        match client.client.kind {
            ClientKind::Confidential(_) if !client.proven => Err(self.secret_missing()),
            _ => Ok(()),
        }
    }

    /// The error of a request that needs a secret.
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
            TokenError::Missing(_) | TokenError::Client(ClientAuthError::SecretMissing) if self.in_query => {
                TokenError::InQuery
            }
            other => other,
        }
    }
}

/// Whether a query has parameters that belong in the body.
fn has_parameters(query: &str) -> bool {
    Params::from_query(query.as_bytes()).is_ok_and(|params| params.names().next().is_some())
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
        "application/x-www-form-urlencoded" => Ok(Params::from_form_unrefused(bytes)?),
        "application/json" => Ok(Params::from_json_unrefused(bytes)?),
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
