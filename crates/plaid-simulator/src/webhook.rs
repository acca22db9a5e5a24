//! Webhooks: what is in them (<https://plaid.com/docs/api/webhooks/>), and where they wait to be sent.

pub(super) mod delivery;
pub(super) mod keys;
mod outbox;

use serde_json::{Map, Value, json};

pub(super) use self::outbox::Outbox;
pub use self::outbox::{WebhookState, WebhookView};
use super::Simulator;
use super::error::PlaidError;
use super::ids::{ENVIRONMENT, time_text};
use super::item::Item;
use super::lock;
use plaid_token_broker_core::clock::Timestamp;

/// One webhook: its type and code, and the fields beside those that all have.
#[derive(Clone, Debug)]
pub(super) struct Webhook {
    pub(super) kind: &'static str,
    pub(super) code: &'static str,
    pub(super) fields: Map<String, Value>,
}

impl Webhook {
    /// A webhook about an Item, with these fields beside `item_id`.
    pub(super) fn new(kind: &'static str, code: &'static str, fields: Value) -> Self {
        Self {
            kind,
            code,
            fields: match fields {
                Value::Object(fields) => fields,
                _ => Map::new(),
            },
        }
    }

    /// `ITEM` / `ERROR`: the Item needs update mode.
    pub(super) fn item_error(error: &PlaidError) -> Self {
        Self::new("ITEM", "ERROR", json!({"error": carried(error)}))
    }

    /// `ITEM` / `USER_PERMISSION_REVOKED`: the person ended the connection at my.plaid.com or at the bank.
    pub(super) fn permission_revoked() -> Self {
        let error = carried(&PlaidError::user_permission_revoked("ITEM_ERROR"));
        Self::new("ITEM", "USER_PERMISSION_REVOKED", json!({"error": error}))
    }

    /// `TRANSACTIONS` / `SYNC_UPDATES_AVAILABLE`, when the whole history is there.
    pub(super) fn sync_updates_available() -> Self {
        let fields = json!({"initial_update_complete": true, "historical_update_complete": true});
        Self::new("TRANSACTIONS", "SYNC_UPDATES_AVAILABLE", fields)
    }

    /// `ITEM` / `WEBHOOK_UPDATE_ACKNOWLEDGED`.
    pub(super) fn update_acknowledged(url: &str) -> Self {
        Self::new(
            "ITEM",
            "WEBHOOK_UPDATE_ACKNOWLEDGED",
            json!({"error": null, "new_webhook_url": url}),
        )
    }

    /// The bytes that are sent, indented by two spaces like Plaid's: a receiver that checks the signature over
    /// its own rendering of the JSON notices here, and not in Production.
    fn body(mut self, item_id: Option<&str>) -> String {
        let fields = &mut self.fields;
        fields.insert("webhook_type".to_owned(), self.kind.into());
        fields.insert("webhook_code".to_owned(), self.code.into());
        fields.insert("environment".to_owned(), ENVIRONMENT.into());
        if let Some(item_id) = item_id {
            fields.insert("item_id".to_owned(), item_id.into());
        }
        format!("{:#}", Value::Object(self.fields))
    }
}

/// An error inside a webhook: with the status, without a request (<https://plaid.com/docs/errors/>).
pub(super) fn carried(error: &PlaidError) -> Value {
    let mut body = error.body("");
    if let Some(body) = body.as_object_mut() {
        body.remove("request_id");
        body.insert("status".to_owned(), error.status.as_u16().into());
    }
    body
}

impl Simulator {
    /// Sends a webhook about an Item to the Item's URL, when it has one. `at` may lie ahead.
    pub(super) fn send_webhook(&self, item: &mut Item, webhook: Webhook, at: Timestamp) {
        let Some(url) = item.webhook().map(str::to_owned) else {
            return;
        };
        item.note_webhook(webhook.code, at);
        let body = (webhook.kind, webhook.code, webhook.body(Some(item.id())));
        self.post_webhook(&url, body, at);
    }

    /// Sends a webhook that is about no Item, at this time: those of Link sessions and reports.
    pub(super) fn send_webhook_to(&self, url: &str, webhook: Webhook, at: Timestamp) {
        let body = (webhook.kind, webhook.code, webhook.body(None));
        self.post_webhook(url, body, at);
    }

    fn post_webhook(
        &self,
        url: &str,
        (kind, code, body): (&'static str, &'static str, String),
        now: Timestamp,
    ) {
        lock(&self.0.outbox).post(url, kind, code, body, now);
        self.0.outbox_changed.notify_waiters();
    }
}

/// What `/item/get` tells of the last webhook.
pub(super) fn last_json(code: &str, at: Timestamp) -> Value {
    json!({"sent_at": time_text(at), "code_sent": code})
}
