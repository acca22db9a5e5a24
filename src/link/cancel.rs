//! `POST /api/link_exit`: how Link ended without success, and the person's wish to go back.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::api_error::PageCallError;
use super::authorization::Tab;
use super::complete::loggable;
use super::{callback, recorded};
use crate::app::App;
use crate::audit::Origin;
use crate::middleware::body;
use crate::middleware::peer::Peer;
use crate::middleware::request_id;
use crate::record::Endpoint;
use crate::store::model::{Authorization, CancelOutcome, Flow};

/// What the page sends: Link's `onExit` (<https://plaid.com/docs/link/web/#onexit>) and the person's choice.
#[derive(Default, Deserialize)]
struct Exit {
    #[serde(default)]
    error: Option<ExitError>,
    #[serde(default)]
    metadata: Option<ExitMetadata>,
    #[serde(default)]
    cancel: bool,
    /// The sealed request that the page has: the person may cancel before anything is stored.
    #[serde(default)]
    request: Option<String>,
}

#[derive(Deserialize)]
struct ExitError {
    #[serde(default)]
    error_code: Option<String>,
}

#[derive(Deserialize)]
struct ExitMetadata {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    link_session_id: Option<String>,
    #[serde(default)]
    request_id: Option<String>,
}

/// Records how Link ended. With `cancel` the authorization is over, and in the OAuth flow the client is told so
/// (`access_denied`, RFC 6749 4.1.2.1).
pub async fn link_exit(
    State(app): State<App>,
    axum::Extension(peer): axum::Extension<Peer>,
    tab: Tab,
    body: Body,
) -> Result<Response, PageCallError> {
    let bytes = body::read(body).await?;
    let exit: Exit = body::json_object(&bytes).ok_or(PageCallError::BadRequest("no report of Link's end"))?;
    let authorization = tab.authorization(&app, exit.request.as_deref()).await?;
    let metadata = exit.metadata.as_ref();
    tracing::info!(
        transaction = %authorization.id,
        plaid.error_code = exit.error.as_ref().and_then(|e| e.error_code.as_deref()).and_then(loggable),
        link.status = metadata.and_then(|m| m.status.as_deref()).and_then(loggable),
        link_session_id = metadata.and_then(|m| m.link_session_id.as_deref()).and_then(loggable),
        plaid.request_id = metadata.and_then(|m| m.request_id.as_deref()).and_then(loggable),
        cancel = exit.cancel,
        "Link ended without success"
    );
    if !exit.cancel {
        return Ok(Json(json!({})).into_response());
    }
    let attempt = recorded::attempt(&app, Endpoint::Cancel, &authorization);
    let origin = Origin::request(peer.address, request_id::current());
    let answer = cancel(&app, &authorization, origin).await;
    recorded::finish(
        attempt,
        &answer,
        "the person cancelled, and was sent back with access_denied",
    );
    answer
}

async fn cancel(app: &App, authorization: &Authorization, origin: Origin) -> Result<Response, PageCallError> {
    let store = app.store.by(origin);
    match store.cancel(authorization.unchanging(), app.clock.now()).await? {
        CancelOutcome::Cancelled => app.metrics.flow.transaction("cancelled"),
        CancelOutcome::TooLate => return Err(PageCallError::Over),
    }
    let answer = match &authorization.flow {
        Flow::OAuth(request) => {
            let redirect_to = callback::redirect(app, request, |target, issuer| {
                target.with_error("access_denied", "the person cancelled", issuer)
            })?;
            json!({ "redirect_to": redirect_to })
        }
        Flow::Browser => json!({}),
    };
    Ok(Json(answer).into_response())
}
