//! LINK webhooks: <https://plaid.com/docs/api/link/#webhooks>.

use serde_json::json;

use super::calls::Turn;
use crate::simulator::guesses::SessionStatus;
use crate::simulator::webhook::Webhook;

/// Tells the link token's `webhook` how a session ended. Plaid does so for Hosted Link, and for other sessions on
/// request.
pub(super) fn session_ended(turn: &mut Turn<'_>) {
    let (simulator, now, id) = (turn.simulator, turn.now, turn.call.link_session_id.clone());
    let letters = turn.guesses().session_status;
    let Some(link_token) = turn.any_link_token() else {
        return;
    };
    let (token, is_hosted) = (link_token.token.clone(), link_token.hosted.is_some());
    let Some(url) = link_token.request.webhook.clone() else {
        return;
    };
    let Some(session) = link_token.session(&id) else {
        return;
    };
    if !is_hosted && !simulator.switches().link.link_events {
        return;
    }
    let public_token = session.success().get("public_token").cloned();
    let mut finished = json!({
        "status": match (public_token.is_some(), letters) {
            (true, SessionStatus::Upper) => "SUCCESS",
            (true, SessionStatus::Lower) => "success",
            (false, SessionStatus::Upper) => "EXITED",
            (false, SessionStatus::Lower) => "exited",
        },
        "link_session_id": id,
        "link_token": token,
    });
    let mut webhooks = Vec::new();
    if let (Some(public_token), Some(finished)) = (public_token, finished.as_object_mut()) {
        let added = json!({"link_session_id": id, "link_token": token, "public_token": public_token});
        webhooks.push(Webhook::new("LINK", "ITEM_ADD_RESULT", added));
        finished.insert("public_tokens".to_owned(), json!([public_token]));
        finished.insert("public_token".to_owned(), public_token);
    }
    webhooks.push(Webhook::new("LINK", "SESSION_FINISHED", finished));
    let events = json!({"events": session.events(), "link_session_id": id, "link_token": token});
    webhooks.push(Webhook::new("LINK", "EVENTS", events));
    for webhook in webhooks {
        simulator.send_webhook_to(&url, webhook, now);
    }
}
