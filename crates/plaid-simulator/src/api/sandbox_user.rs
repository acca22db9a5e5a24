//! `/sandbox/user/reset_login`: <https://plaid.com/docs/api/sandbox/#sandboxuserreset_login>.

use super::prelude::*;
use crate::webhooks::Webhook;

request! {
    pub(super) struct ResetLogin {
        optional user_id: TEXT => Option<String>,
        optional user_token: TEXT => Option<String>,
        nullable item_ids: TEXTS => Option<Vec<String>>,
    }
}

/// `/sandbox/user/reset_login`: the logins of a user's Items stop working, of all or of those that are named.
pub(super) fn reset_login(call: &Call<'_>, request: ResetLogin) -> Result<Value, PlaidError> {
    let (id, token) = (request.user_id.as_deref(), request.user_token.as_deref());
    if id.is_none() && token.is_none() {
        return Err(PlaidError::missing_fields(&["user_id".to_owned()]));
    }
    let mut state = call.simulator.state();
    let (code, word) = if id.is_some() {
        ("INVALID_USER_ID", "user_id")
    } else {
        ("INVALID_USER_TOKEN", "user_token")
    };
    let user = state.user(&call.client_id, id, token).map(|user| user.id.clone());
    let unknown = || PlaidError::new("INVALID_INPUT", code, format!("could not find matching {word}"));
    let owned = state.items_of_user(&user.ok_or_else(unknown)?);
    let named = request.item_ids.unwrap_or_default();
    if let Some(foreign) = named.iter().find(|id| !owned.contains(*id)) {
        return Err(PlaidError::invalid_field(format!(
            "item_ids names an Item that is not this user's: {foreign:?}"
        )));
    }
    for item_id in if named.is_empty() { &owned } else { &named } {
        if let Some(item) = state.item_by_id(item_id) {
            item.reset_login(call.now)?;
            let webhook = Webhook::item_error(&PlaidError::item_login_required());
            call.simulator.send_webhook(item, webhook, call.now);
        }
    }
    Ok(json!({}))
}
