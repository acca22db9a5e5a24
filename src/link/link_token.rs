//! `POST /api/create_link_token`: made on the person's click, because link tokens are short-lived.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::api_error::PageCallError;
use super::recorded;
use super::transaction::ProvenTransaction;
use crate::app::App;
use crate::config::ProductLists;
use crate::plaid::{self, LinkProducts, LinkTokenRequest, LinkTokenUser};
use crate::record::Endpoint;
use crate::store::model::{Stage, Transaction};

/// What Link needs to start.
#[derive(Serialize)]
pub struct LinkTokenAnswer {
    link_token: String,
    expiration: String,
}

/// Makes a link token for this transaction's person.
pub async fn create_link_token(
    State(app): State<App>,
    ProvenTransaction(transaction): ProvenTransaction,
) -> Result<Json<LinkTokenAnswer>, PageCallError> {
    let answer = create(&app, &transaction).await;
    if let Err(error) = &answer {
        recorded::failed(recorded::attempt(&app, Endpoint::LinkToken, &transaction), error);
    }
    answer
}

async fn create(app: &App, transaction: &Transaction) -> Result<Json<LinkTokenAnswer>, PageCallError> {
    let now = app.clock.now();
    if transaction.stage != Stage::Open || now >= transaction.expires_at {
        return Err(PageCallError::Over);
    }
    let link = &app.config.link;
    let products = LinkProducts::new(lists_of(app, transaction)?, now);
    let request = LinkTokenRequest {
        client_name: &link.client_name,
        language: &link.language,
        country_codes: &link.country_codes,
        user: LinkTokenUser {
            client_user_id: &transaction.client_user_id,
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
    let created = app.plaid.link_token_create(&request).await?;
    tracing::info!(transaction = %transaction.id, plaid.request_id = %created.request_id, "link token made");
    Ok(Json(LinkTokenAnswer {
        link_token: created.link_token.expose().to_owned(),
        expiration: created.expiration,
    }))
}

/// The configured lists, narrowed to the transaction's scope. Where the settings have changed so that nothing of it is left,
/// the page has to begin again: never with everything.
fn lists_of(app: &App, transaction: &Transaction) -> Result<ProductLists, PageCallError> {
    let configured = &app.config.link.products;
    match &transaction.scope {
        None => Ok(configured.clone()),
        Some(scope) => plaid::narrow(configured, scope).ok_or(PageCallError::Over),
    }
}
