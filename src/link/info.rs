//! `POST /api/info`: what the Quickstart's front end asks at its start, without the token that it used to give away.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::session::{Session, SessionError};
use crate::app::App;
use crate::oauth::scope;

/// Products, environment and the session's item; never a token.
#[derive(Serialize)]
pub struct Info {
    products: Vec<String>,
    environment: &'static str,
    item_id: Option<String>,
}

/// Tells what this broker asks Link for, and which Item this browser has connected.
pub async fn info(
    State(app): State<App>,
    session: Result<Session, SessionError>,
) -> Result<Json<Info>, SessionError> {
    let item_id = match session {
        Ok(Session(connection)) => Some(connection.item_id),
        Err(SessionError::None) => None,
        Err(error) => return Err(error),
    };
    Ok(Json(Info {
        products: scope::names(&app.config.link.products),
        environment: app.config.plaid.environment.name(),
        item_id,
    }))
}
