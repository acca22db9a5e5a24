//! What happens to Items by themselves, and the webhooks about it: logins and consents that lapse, micro-deposits
//! that are found, and banks that have news.

use serde_json::json;

use crate::data::sync::{Change, Stage};
use crate::items::Item;
use crate::simulator::Simulator;
use crate::simulator::ledger_view::{ledger, stage};
use crate::spec::{PlaidError, institutions, time_text};
use crate::webhooks::Webhook;
use plaid_token_broker_core::clock::Timestamp;

impl Simulator {
    /// Sends the webhooks for all that has happened since the last look.
    pub(crate) fn announce(&self) {
        let now = self.now();
        self.announce_abandoned(now);
        let mut changed = Vec::new();
        {
            let lapsed = PlaidError::item_login_required();
            let mut state = self.state();
            for item in state.items_mut() {
                if item.lapses(now) {
                    self.send_webhook(item, Webhook::item_error(&lapsed), now);
                }
                if let Some(ends) = item.consent_warning(now) {
                    self.send_webhook(item, consent_ends(item, ends), now);
                }
                if let Some(account_id) = item.verifies_itself(now) {
                    let found = json!({"account_id": account_id});
                    self.send_webhook(item, Webhook::new("AUTH", "AUTOMATICALLY_VERIFIED", found), now);
                }
                let reported = item.draft.webhook.is_some() && item.has("transactions");
                if reported && !item.login_required(now) && stage(self, item, now) == Stage::Historical {
                    changed.push(item.shared_id());
                }
            }
        }
        for item_id in changed {
            // Making up data takes milliseconds, in which other calls need not wait.
            let item = self.state().item_by_id(&item_id).map(|item| item.clone());
            if let Some(webhook) = item.and_then(|item| self.changed_transactions(&item, now))
                && let Some(item) = self.state().item_by_id(&item_id)
            {
                item.news_told_at = now;
                self.send_webhook(item, webhook, now);
            }
        }
    }

    /// The webhook of transactions that have come, gone or changed since the last one.
    fn changed_transactions(&self, item: &Item, now: Timestamp) -> Option<Webhook> {
        let ledger = ledger(self, item, item.accounts().collect());
        let from = ledger.version(Stage::Historical, item.news_told_at);
        let changes = ledger.changes(from, ledger.version(Stage::Historical, now));
        if changes.is_empty() {
            return None;
        }
        Some(if item.syncs {
            Webhook::sync_updates_available()
        } else {
            let added = changes
                .iter()
                .filter(|change| matches!(change, Change::Added(..)));
            let fields = json!({"error": null, "new_transactions": added.count()});
            Webhook::new("TRANSACTIONS", "DEFAULT_UPDATE", fields)
        })
    }
}

/// The webhook a week before a consent ends: Europe has `PENDING_EXPIRATION`, America `PENDING_DISCONNECT`.
fn consent_ends(item: &Item, ends: Timestamp) -> Webhook {
    let ends = time_text(ends);
    if institutions::is_american(item.draft.institution) {
        let fields = json!({"reason": "INSTITUTION_TOKEN_EXPIRATION", "disconnect_time": ends});
        Webhook::new("ITEM", "PENDING_DISCONNECT", fields)
    } else {
        Webhook::new(
            "ITEM",
            "PENDING_EXPIRATION",
            json!({"consent_expiration_time": ends}),
        )
    }
}
