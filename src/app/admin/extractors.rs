//! The extractors that keep everybody else out.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde_json::json;
use thiserror::Error;
use zeroize::Zeroizing;

use super::Next;
use crate::app::App;
use crate::http::body::{self, BodyError};
use crate::http::client_ip::Peer;
use crate::http::request_id;
use crate::http::{CrossSite, Refusal, refuse_cross_site, root_from, wants_page};

/// The header in which a page's script sends [`Admin::proof`].
pub const PROOF_HEADER: &str = "x-broker-admin";
/// The field in which a form sends [`Admin::proof`].
pub const PROOF_FIELD: &str = "proof";

/// An admin's request. Where it may change something (any method but GET and HEAD) it also came from our own origin
/// and carries the session's proof in [`PROOF_HEADER`]; a form without script is taken by [`AdminForm`].
///
/// Others are sent to the login page when they ask for a page, and get 401 as JSON when they do not.
#[derive(Clone, Debug)]
pub struct Admin {
    pub(crate) name: String,
    pub(crate) proof: String,
}

/// An admin's form: as [`Admin`], with the proof in [`PROOF_FIELD`].
pub struct AdminForm {
    pub admin: Admin,
    pub fields: Fields,
}

pub struct Fields(Vec<(String, Zeroizing<String>)>);

impl Fields {
    /// Reads a form, or a query (`application/x-www-form-urlencoded`).
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let pairs = url::form_urlencoded::parse(bytes);
        Self(
            pairs
                .map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned())))
                .collect(),
        )
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Rejected {
    #[error("no admin session")]
    NoSession,
    #[error(transparent)]
    CrossSite(#[from] CrossSite),
    #[error("the request does not carry the proof of its page")]
    NoProof,
    #[error("the request is no form")]
    NoForm,
    #[error(transparent)]
    Body(#[from] BodyError),
}

impl FromRequestParts<App> for Admin {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let admin = session(parts, app).and_then(|admin| {
            if parts.method.is_safe() {
                return Ok(admin);
            }
            refuse_cross_site(&parts.headers)?;
            let sent = parts
                .headers
                .get(PROOF_HEADER)
                .and_then(|value| value.to_str().ok());
            proven(admin, sent)
        });
        admin.map_err(|rejected: Rejected| rejected.answer(app, parts.uri.path(), &parts.headers))
    }
}

impl FromRequest<App> for AdminForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let form = async {
            let admin = session(&parts, app)?;
            refuse_cross_site(&parts.headers)?;
            if !is_form(&parts.headers) {
                return Err(Rejected::NoForm);
            }
            let fields = Fields::read(&body::read(body).await?);
            let admin = proven(admin, fields.get(PROOF_FIELD))?;
            Ok(Self { admin, fields })
        };
        form.await
            .map_err(|rejected: Rejected| rejected.answer(app, parts.uri.path(), &parts.headers))
    }
}

fn session(parts: &Parts, app: &App) -> Result<Admin, Rejected> {
    let https = parts.extensions.get::<Peer>().is_some_and(|peer| peer.https);
    Admin::of(app, &parts.headers, https).ok_or(Rejected::NoSession)
}

fn proven(admin: Admin, sent: Option<&str>) -> Result<Admin, Rejected> {
    if sent.is_some_and(|sent| admin.proven_by(sent)) {
        Ok(admin)
    } else {
        Err(Rejected::NoProof)
    }
}

pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"))
}

impl Rejected {
    /// A person gets a page, a script JSON.
    pub(crate) fn answer(self, app: &App, path: &str, headers: &HeaderMap) -> Response {
        tracing::info!(cause = %self, "administration request refused");
        let root = root_from(path);
        let as_page = wants_page(headers);
        if as_page && self == Self::NoSession {
            let next = Next::of_path(path);
            return Redirect::to(&format!("{root}setup/login{}", next.query())).into_response();
        }
        let (status, error, message) = self.parts();
        if as_page {
            let refusal = Refusal {
                status,
                title: "Nothing was changed".to_owned(),
                message: message.to_owned(),
                advice: vec!["Go back, reload that page, and try again.".to_owned()],
            };
            return app.error_page(root, &refusal);
        }
        let body = json!({ "error": error, "message": message, "request_id": request_id::current() });
        (status, Json(body)).into_response()
    }

    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NoSession => (
                StatusCode::UNAUTHORIZED,
                "login_required",
                "This is for the broker's admin. Log in at /setup/login.",
            ),
            Self::CrossSite(_) => (
                StatusCode::FORBIDDEN,
                "cross_site",
                "This request came from another site.",
            ),
            Self::NoProof => (
                StatusCode::FORBIDDEN,
                "out_of_date",
                "The page that sent this belongs to an earlier session. Reload it, and try again.",
            ),
            Self::NoForm => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "bad_request",
                "This address takes a form of its page.",
            ),
            Self::Body(BodyError::TooLarge) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                "The page sent too much.",
            ),
            Self::Body(BodyError::TooSlow | BodyError::Broken) => (
                StatusCode::REQUEST_TIMEOUT,
                "too_slow",
                "The request did not arrive in time.",
            ),
        }
    }
}
