//! LINK webhooks: <https://plaid.com/docs/api/link/#webhooks>.

use std::time::Duration;

use serde_json::{Value, json};

use super::turn::Turn;
use crate::items::Session;
use crate::simulator::Simulator;
use crate::spec::guesses::SessionStatus;
use crate::spec::json::set;
use crate::webhooks::Webhook;
use plaid_token_broker_core::clock::Timestamp;

/// Plaid says five to fifteen minutes after the person's last action.
const ABANDONED_AFTER: Duration = Duration::from_secs(10 * 60);

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
    let public_token = session.success.get("public_token").cloned();
    let public_token = public_token.filter(Value::is_string);
    let adds_item = !session.updating;
    let mut finished = json!({
        "status": match (session.success.is_object(), letters) {
            (true, SessionStatus::Upper) => "SUCCESS",
            (true, SessionStatus::Lower) => "success",
            (false, SessionStatus::Upper) => "EXITED",
            (false, SessionStatus::Lower) => "exited",
        },
        "link_session_id": id,
        "link_token": token,
    });
    let mut webhooks = Vec::new();
    if let Some(public_token) = public_token {
        let added = json!({"link_session_id": id, "link_token": token, "public_token": public_token});
        if adds_item {
            webhooks.push(Webhook::new("LINK", "ITEM_ADD_RESULT", added));
        }
        set(&mut finished, "public_tokens", json!([public_token]));
        set(&mut finished, "public_token", public_token);
    }
    webhooks.push(Webhook::new("LINK", "SESSION_FINISHED", finished));
    webhooks.push(events(session, &token));
    for webhook in webhooks {
        simulator.send_webhook_to(&url, webhook, now);
    }
}

/// The events of a session so far, newest first.
fn events(session: &Session, link_token: &str) -> Webhook {
    let fields = json!({
        "events": session.events,
        "link_session_id": session.id,
        "link_token": link_token,
    });
    Webhook::new("LINK", "EVENTS", fields)
}

impl Simulator {
    /// Sends webhooks about abandoned sessions.
    pub(crate) fn announce_abandoned(&self, now: Timestamp) {
        let all_sessions = self.switches().link.link_events;
        for link_token in self.state().link_tokens.values_mut() {
            if link_token.hosted.is_none() && !all_sessions {
                continue;
            }
            let Some(url) = link_token.request.webhook.clone() else {
                continue;
            };
            let token = link_token.token.clone();
            for session in link_token.sessions_mut() {
                if session.is_abandoned(now, ABANDONED_AFTER) {
                    self.send_webhook_to(&url, events(session, &token), now);
                }
            }
        }
    }
}
