//! `POST /setup/rehearse`: the rehearsal at the push of a button. One at a time.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use tokio::sync::Semaphore;
use tracing::Instrument as _;
use url::Url;

use super::findings::Lines;
use crate::app::App;
use crate::app::Routes;
use crate::app::admin::Admin;
use crate::doctor::rehearsal::{Identity, Rehearsal};

pub(super) fn routes() -> Routes {
    let place = Arc::new(Semaphore::new(1));
    Routes::default().post(
        "/setup/rehearse",
        async move |State(app): State<App>, _admin: Admin| rehearse(&app, place.clone()),
    )
}

fn rehearse(app: &App, place: Arc<Semaphore>) -> Response {
    let Ok(place) = place.try_acquire_owned() else {
        return refused(
            StatusCode::CONFLICT,
            "a rehearsal is already running; wait until it ends",
        );
    };
    let rehearsal = match rehearsal(app) {
        Ok(rehearsal) => rehearsal,
        Err(problem) => return refused(StatusCode::CONFLICT, &problem),
    };
    let (lines, response) = Lines::answer();
    // A task of its own: a page that is closed does not leave test Items behind.
    let work = async move {
        let report = rehearsal.run(|finding| lines.finding(finding)).await;
        lines.verdict(&report);
        tracing::info!(verdict = report.verdict().as_str(), "rehearsed");
        drop(place);
    };
    tokio::spawn(work.in_current_span());
    response
}

fn rehearsal(app: &App) -> Result<Rehearsal, String> {
    let plaid =
        Url::parse(app.plaid.base_url()).map_err(|_| "PLAID_BASE_URL is not a valid URL".to_owned())?;
    // With the callbacks that were allowed on the page.
    let clients = app.clients();
    Rehearsal::new(
        &app.config,
        clients.first(),
        &app.public_url,
        &plaid,
        Identity::Store(app.store.tokens().clone()),
        Arc::clone(&app.clock),
    )
}

fn refused(status: StatusCode, message: &str) -> Response {
    (
        status,
        Json(json!({ "error": "not_rehearsed", "message": message })),
    )
        .into_response()
}
