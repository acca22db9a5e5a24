//! `POST /api/create_link_token`: made on the person's click, because link tokens are short-lived.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api_error::PageCallError;
use super::authorization::{self, Tab};
use crate::app::App;
use crate::config::ProductLists;
use crate::http::body;
use crate::plaid::{self, LinkProducts, LinkTokenRequest, LinkTokenUser};
use crate::store::model::{Authorization, LinkStart, Stage};
use crate::telemetry::audit::Origin;

/// Link tokens that one authorization gets: a person needs one, and a few more after mistakes.
const MOST_LINK_TOKENS: u32 = 20;

#[derive(Default, Deserialize)]
struct Start {
    /// The sealed request that the page has; not needed once the authorization is stored.
    request: Option<String>,
}

/// Makes a link token for this authorization's person.
pub async fn create_link_token(
    State(app): State<App>,
    tab: Tab,
    body: Body,
) -> Result<Json<Value>, PageCallError> {
    let bytes = body::read(body).await?;
    let start: Start = if bytes.is_empty() {
        Start::default()
    } else {
        body::json_object(&bytes).ok_or(PageCallError::BadRequest("no JSON object"))?
    };
    let authorization = tab.authorization(&app, start.request.as_deref()).await?;
    tab.note_client(&authorization);
    create(&app, &authorization, tab.origin()).await
}

async fn create(
    app: &App,
    authorization: &Authorization,
    origin: Origin,
) -> Result<Json<Value>, PageCallError> {
    let now = app.clock.now();
    if authorization.stage != Stage::Open {
        return Err(PageCallError::Over);
    }
    authorization::check_callback(app, &authorization.flow)?;
    let store = app.store.by(origin);
    match store
        .start_link(authorization.unchanging(), MOST_LINK_TOKENS, now)
        .await?
    {
        LinkStart::Allowed { first: true } => {
            app.metrics.flow.transaction("opened");
            tracing::info!(transaction = %authorization.id, "authorization opened");
        }
        LinkStart::Allowed { first: false } => {}
        LinkStart::TooMany => return Err(PageCallError::TooManyLinkTokens),
        LinkStart::NotOpen => return Err(PageCallError::Over),
    }
    let link = &app.config.link;
    let products = LinkProducts::new(lists_of(app, authorization)?, now);
    let request = LinkTokenRequest {
        client_name: &link.client_name,
        language: &link.language,
        country_codes: &link.country_codes,
        user: LinkTokenUser {
            client_user_id: &authorization.client_user_id,
        },
        products: &products.lists.products,
        required_if_supported_products: &products.lists.required_if_supported,
        optional_products: &products.lists.optional,
        additional_consented_products: &products.lists.additional_consented,
        webhook: link.webhook_url.as_deref(),
        link_customization_name: link.customization_name.as_deref(),
        redirect_uri: link.redirect_uri.as_deref(),
        statements: products.statements,
    };
    let created = match app.plaid.link_token_create(&request).await {
        Ok(created) => created,
        Err(failed) => {
            // An outage must not use up the authorization. If the store fails too, the token stays counted.
            if let Err(error) = store.return_link_token(authorization.id).await {
                tracing::warn!(%error, transaction = %authorization.id, "a link token that was not made stays counted");
            }
            return Err(failed.into());
        }
    };
    tracing::info!(transaction = %authorization.id, plaid.request_id = %created.request_id, "link token made");
    let link_token = created.link_token.expose();
    Ok(Json(
        json!({ "link_token": link_token, "expiration": created.expiration }),
    ))
}

/// The configured lists, narrowed to the authorization's scope. Where the settings have changed so that nothing of it is left,
/// the page has to begin again: never with everything.
fn lists_of(app: &App, authorization: &Authorization) -> Result<ProductLists, PageCallError> {
    let configured = &app.config.link.products;
    match &authorization.scope {
        None => Ok(configured.clone()),
        Some(scope) => plaid::narrow(configured, scope).ok_or(PageCallError::Over),
    }
}
