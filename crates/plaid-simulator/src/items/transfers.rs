//! Transfers: what was authorized, and what was made of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bounded_map::BoundedMap;
use crate::spec::PlaidError;
use crate::spec::error::refuse_if;
use plaid_token_broker_core::clock::Timestamp;

/// An authorization can be used this long
/// (<https://plaid.com/docs/api/products/transfer/initiating-transfers/#transferauthorizationcreate>).
const AUTHORIZATION_LIFETIME: Duration = Duration::from_secs(60 * 60);
/// An idempotency key is remembered this long.
const KEY_LIFETIME: Duration = Duration::from_secs(48 * 60 * 60);
const MOST_AUTHORIZATIONS: usize = 2_000;

/// One authorization.
#[derive(Deserialize, Serialize)]
pub(crate) struct Authorization {
    pub(crate) client_id: String,
    pub(crate) item_id: String,
    pub(crate) account_id: String,
    pub(crate) created_at: Timestamp,
    pub(crate) approved: bool,
    /// Plaid's `authorization` object.
    pub(crate) json: Value,
    /// Plaid's `transfer` object, once there is one: the authorization's id is the transfer's idempotency key.
    pub(crate) transfer: Option<Value>,
}

/// All of them, by id; and the ids by idempotency key.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct Transfers {
    authorizations: BoundedMap<Authorization, MOST_AUTHORIZATIONS>,
    keys: BoundedMap<String, MOST_AUTHORIZATIONS>,
}

impl Transfers {
    /// The authorization that this key made before.
    pub(crate) fn earlier(&self, client_id: &str, key: &str, now: Timestamp) -> Option<&Authorization> {
        let id = self.keys.get(&format!("{client_id}/{key}"))?;
        self.authorizations
            .get(id)
            .filter(|authorization| now.since(authorization.created_at) < KEY_LIFETIME)
    }

    pub(crate) fn keep(&mut self, id: &str, key: Option<&str>, authorization: Authorization) {
        if let Some(key) = key {
            let key = format!("{}/{key}", authorization.client_id);
            self.keys.remove(&key);
            self.keys.insert(key, id.to_owned());
        }
        self.authorizations.insert(id.to_owned(), authorization);
    }

    /// The client's authorization for this account, if it can still be used.
    pub(crate) fn usable(
        &mut self,
        client_id: &str,
        id: &str,
        account_id: &str,
        now: Timestamp,
    ) -> Result<&mut Authorization, PlaidError> {
        let authorization = self
            .authorizations
            .get_mut(id)
            .filter(|authorization| authorization.client_id == client_id)
            .filter(|authorization| authorization.account_id == account_id)
            .ok_or_else(|| {
                PlaidError::invalid_field("authorization_id names no authorization for this account")
            })?;
        refuse_if(!authorization.approved, "the authorization was not approved")?;
        let old = now.since(authorization.created_at) >= AUTHORIZATION_LIFETIME;
        refuse_if(
            old && authorization.transfer.is_none(),
            "the authorization is older than an hour; make a new one",
        )?;
        Ok(authorization)
    }
}
