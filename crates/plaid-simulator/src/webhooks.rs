//! Webhooks: what is in them (<https://plaid.com/docs/api/webhooks/>), and where they wait to be sent.

pub(crate) mod keys;
pub(crate) mod outbox;

use serde_json::{Map, Value, json};

pub(crate) use self::outbox::Outbox;
pub use self::outbox::{WebhookState, WebhookView};
use crate::spec::PlaidError;
use crate::spec::ids::ENVIRONMENT;
use crate::spec::json::set;

/// One webhook: its type and code, and the fields beside those that all have.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) kind: &'static str,
    pub(crate) code: &'static str,
    pub(crate) fields: Map<String, Value>,
}

impl Webhook {
    /// A webhook about an Item, with these fields beside `item_id`.
    pub(crate) fn new(kind: &'static str, code: &'static str, fields: Value) -> Self {
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
    pub(crate) fn item_error(error: &PlaidError) -> Self {
        Self::new("ITEM", "ERROR", json!({"error": carried(error)}))
    }

    /// `ITEM` / `USER_PERMISSION_REVOKED`: the person ended the connection at my.plaid.com or at the bank.
    pub(crate) fn permission_revoked() -> Self {
        let error = carried(&PlaidError::user_permission_revoked("ITEM_ERROR"));
        Self::new("ITEM", "USER_PERMISSION_REVOKED", json!({"error": error}))
    }

    /// `TRANSACTIONS` / `SYNC_UPDATES_AVAILABLE`, when the whole history is there.
    pub(crate) fn sync_updates_available() -> Self {
        let fields = json!({"initial_update_complete": true, "historical_update_complete": true});
        Self::new("TRANSACTIONS", "SYNC_UPDATES_AVAILABLE", fields)
    }

    /// `ITEM` / `WEBHOOK_UPDATE_ACKNOWLEDGED`.
    pub(crate) fn update_acknowledged(url: &str) -> Self {
        Self::new(
            "ITEM",
            "WEBHOOK_UPDATE_ACKNOWLEDGED",
            json!({"error": null, "new_webhook_url": url}),
        )
    }

    /// The bytes that are sent, indented by two spaces like Plaid's: a receiver that checks the signature over
    /// its own rendering of the JSON notices here, and not in Production.
    pub(crate) fn body(mut self, item_id: Option<&str>) -> String {
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
pub(crate) fn carried(error: &PlaidError) -> Value {
    let mut body = error.body(None);
    set(&mut body, "status", error.status.as_u16());
    body
}
