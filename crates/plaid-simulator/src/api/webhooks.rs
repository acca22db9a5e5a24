//! `/item/webhook/update`, `/webhook_verification_key/get` and `/sandbox/item/fire_webhook`:
//! <https://plaid.com/docs/api/webhooks/>.

use std::time::Duration;

use super::prelude::*;
use crate::items::Item;
use crate::spec::guesses::FireMismatch;
use crate::spec::{Guesses, ids, lock, time_text};
use crate::webhooks::Webhook;
use plaid_token_broker_core::clock::Timestamp;

request! {
    pub(super) struct Update {
        required access_token: TEXT => String,
        nullable webhook: Kind::Url => Option<String>,
    }

    pub(super) struct KeyGet {
        required key_id: TEXT => String,
    }

    pub(super) struct Fire {
        required access_token: TEXT => String,
        optional webhook_type: Kind::OneOf(&[
            "AUTH", "HOLDINGS", "INVESTMENTS_TRANSACTIONS", "ITEM", "LIABILITIES", "TRANSACTIONS", "ASSETS", "IDENTITY",
        ]) => Option<String>,
        required webhook_code: Kind::OneOf(&[
            "DEFAULT_UPDATE", "NEW_ACCOUNTS_AVAILABLE", "SMS_MICRODEPOSITS_VERIFICATION", "AUTHORIZATION_GRANTED",
            "USER_PERMISSION_REVOKED", "USER_ACCOUNT_REVOKED", "PENDING_DISCONNECT", "RECURRING_TRANSACTIONS_UPDATE",
            "LOGIN_REPAIRED", "SYNC_UPDATES_AVAILABLE", "PRODUCT_READY", "ERROR",
        ]) => String,
        optional options: FireOptions::OBJECT => FireOptions,
    }

    pub(super) struct FireOptions {
        optional new_transactions: FROM_ZERO => Option<i64>,
    }
}

/// `/item/webhook/update`: a webhook is sent to the new URL at once.
pub(super) fn update(call: &Call<'_>, request: Update) -> Result<Value, PlaidError> {
    let mut state = call.simulator.state();
    let item = state.item(&call.client_id, &request.access_token, &call.guesses)?;
    item.draft.webhook.clone_from(&request.webhook);
    if let Some(url) = request.webhook {
        call.simulator
            .send_webhook(item, Webhook::update_acknowledged(&url), call.now);
    }
    Ok(json!({"item": call.item_json(item)}))
}

/// `/webhook_verification_key/get`
pub(super) fn key_get(call: &Call<'_>, request: KeyGet) -> Result<Value, PlaidError> {
    let key = lock(&call.simulator.0.webhook_keys)
        .jwk(&request.key_id)
        .ok_or_else(PlaidError::invalid_webhook_key)?;
    Ok(json!({"key": key}))
}

/// `/sandbox/item/fire_webhook`: sends, and changes nothing about the Item.
pub(super) fn fire(call: &Call<'_>, request: Fire) -> Result<Value, PlaidError> {
    let mut state = call.simulator.state();
    let item = state.item(&call.client_id, &request.access_token, &call.guesses)?;
    if item.draft.webhook.is_none() {
        return Err(webhook_invalid(
            "this Item has no webhook: give it one with /item/webhook/update",
        ));
    }
    let kind = request.webhook_type.as_deref();
    let (kind, code) = fired(item, kind, &request.webhook_code, &call.guesses)?;
    let mut webhook = Webhook::new(kind, code, details(item, kind, code, call.now));
    if let (Some(count), Some(field)) = (
        request.options.new_transactions,
        webhook.fields.get_mut("new_transactions"),
    ) {
        *field = count.into();
    }
    call.simulator.send_webhook(item, webhook, call.now);
    Ok(json!({"webhook_fired": true}))
}

fn webhook_invalid(message: &str) -> PlaidError {
    PlaidError::new("SANDBOX_ERROR", "SANDBOX_WEBHOOK_INVALID", message)
}

/// The webhook of a type and code. Without a type, the first that has the code is meant.
fn fired(
    item: &Item,
    kind: Option<&str>,
    code: &str,
    guesses: &Guesses,
) -> Result<(&'static str, &'static str), PlaidError> {
    /// Type, code, and the product that the Item has to have for it.
    #[rustfmt::skip]
    const PAIRS: &[(&str, &str, Option<&str>)] = &[
        ("TRANSACTIONS", "DEFAULT_UPDATE", Some("transactions")),
        ("HOLDINGS", "DEFAULT_UPDATE", Some("investments")),
        ("INVESTMENTS_TRANSACTIONS", "DEFAULT_UPDATE", Some("investments")),
        ("LIABILITIES", "DEFAULT_UPDATE", Some("liabilities")),
        ("AUTH", "DEFAULT_UPDATE", Some("auth")),
        ("IDENTITY", "DEFAULT_UPDATE", Some("identity")),
        ("AUTH", "SMS_MICRODEPOSITS_VERIFICATION", Some("auth")),
        ("TRANSACTIONS", "RECURRING_TRANSACTIONS_UPDATE", Some("transactions")),
        ("TRANSACTIONS", "SYNC_UPDATES_AVAILABLE", Some("transactions")),
        ("ASSETS", "PRODUCT_READY", Some("assets")),
        ("ASSETS", "ERROR", Some("assets")),
        ("ITEM", "NEW_ACCOUNTS_AVAILABLE", None),
        ("ITEM", "AUTHORIZATION_GRANTED", None),
        ("ITEM", "USER_PERMISSION_REVOKED", None),
        ("ITEM", "USER_ACCOUNT_REVOKED", None),
        ("ITEM", "PENDING_DISCONNECT", None),
        ("ITEM", "LOGIN_REPAIRED", None),
    ];
    let mut pairs = PAIRS
        .iter()
        .filter(|(of, with, _)| *with == code && kind.is_none_or(|kind| kind == *of))
        .peekable();
    if pairs.peek().is_none() {
        let why = "this webhook_type has no webhook_code of this name";
        return Err(match guesses.fire_mismatch {
            FireMismatch::SandboxWebhookInvalid => webhook_invalid(why),
            FireMismatch::InvalidField => PlaidError::invalid_field(why),
        });
    }
    let pair = pairs
        .find(|(_, _, product)| product.is_none_or(|product| item.has(product)))
        .ok_or_else(PlaidError::webhook_of_other_product);
    pair.map(|(kind, code, _)| (*kind, *code))
}

/// The fields beside those that all webhooks about Items have.
fn details(item: &Item, kind: &str, code: &str, now: Timestamp) -> Value {
    const A_WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
    let account_ids = item.view(now).account_ids;
    let first_account = account_ids.first();
    match (kind, code) {
        ("TRANSACTIONS", "DEFAULT_UPDATE") => json!({"error": null, "new_transactions": 1}),
        ("HOLDINGS", _) => json!({"error": null, "new_holdings": 1, "updated_holdings": 0}),
        ("INVESTMENTS_TRANSACTIONS", _) => {
            json!({"error": null, "new_investments_transactions": 1, "canceled_investments_transactions": 0})
        }
        ("LIABILITIES", _) => json!({
            "error": null,
            "account_ids_with_new_liabilities": [],
            "account_ids_with_updated_liabilities": {},
        }),
        ("AUTH", "DEFAULT_UPDATE") => json!({
            "error": null,
            "account_ids_with_new_auth": [],
            "account_ids_with_updated_auth": first_account
                .map_or_else(|| json!({}), |id| json!({id.as_str(): ["ACCOUNT_NUMBER"]})),
        }),
        ("IDENTITY", _) => json!({
            "error": null,
            "account_ids_with_updated_identity": first_account
                .map_or_else(|| json!({}), |id| json!({id.as_str(): ["PHONES"]})),
        }),
        ("AUTH", _) => json!({"account_id": first_account, "error": null, "status": "MANUALLY_VERIFIED"}),
        (_, "RECURRING_TRANSACTIONS_UPDATE") => json!({"account_ids": account_ids}),
        (_, "SYNC_UPDATES_AVAILABLE") => {
            json!({"initial_update_complete": true, "historical_update_complete": true})
        }
        ("ASSETS", "PRODUCT_READY") => json!({"asset_report_id": ids::new_uuid(), "report_type": "FULL"}),
        ("ASSETS", _) => {
            let error = PlaidError::assets_not_enabled();
            json!({
                "asset_report_id": ids::new_uuid(),
                "error": crate::webhooks::carried(&error),
            })
        }
        (_, "USER_PERMISSION_REVOKED") => Value::Object(Webhook::permission_revoked().fields),
        (_, "USER_ACCOUNT_REVOKED") => json!({"account_id": first_account}),
        (_, "PENDING_DISCONNECT") => json!({
            "reason": "INSTITUTION_MIGRATION",
            "disconnect_time": time_text(now.plus(A_WEEK)),
        }),
        _ => json!({"error": null}),
    }
}
