//! `POST /api/link_exit`: how Link ended without success, and the person's wish to go back.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::api_error::PageCallError;
use super::authorization::{self, Tab};
use super::complete::loggable;
use crate::app::App;
use crate::http::body;
use crate::store::model::{Authorization, CancelOutcome, Flow};
use crate::telemetry::audit::Origin;

/// What the page sends: Link's `onExit` (<https://plaid.com/docs/link/web/#onexit>) and the person's choice.
#[derive(Default, Deserialize)]
struct Exit {
    error: Option<ExitError>,
    metadata: Option<ExitMetadata>,
    #[serde(default)]
    cancel: bool,
    /// The sealed request that the page has: the person may cancel before anything is stored.
    request: Option<String>,
}

#[derive(Deserialize)]
struct ExitError {
    error_code: Option<String>,
}

#[derive(Deserialize)]
struct ExitMetadata {
    status: Option<String>,
    link_session_id: Option<String>,
    request_id: Option<String>,
}

/// Records how Link ended. With `cancel` the authorization is over, and in the OAuth flow the client learns of it
/// (`access_denied`, RFC 6749 4.1.2.1).
pub async fn link_exit(State(app): State<App>, tab: Tab, body: Body) -> Result<Response, PageCallError> {
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
    tab.note_client(&authorization);
    cancel(&app, &authorization, tab.origin()).await
}

async fn cancel(app: &App, authorization: &Authorization, origin: Origin) -> Result<Response, PageCallError> {
    let store = app.store.by(origin);
    match store.cancel(authorization.unchanging(), app.clock.now()).await? {
        CancelOutcome::Cancelled => app.metrics.flow.transaction("cancelled"),
        CancelOutcome::TooLate => return Err(PageCallError::Over),
    }
    let answer = match &authorization.flow {
        Flow::OAuth(request) => {
            let redirect_to = authorization::redirect(app, request, |target, issuer| {
                target.with_error("access_denied", "the person cancelled", issuer)
            })?;
            json!({ "redirect_to": redirect_to })
        }
        Flow::Browser => json!({}),
    };
    Ok(Json(answer).into_response())
}
