//! An Item as JSON.

use serde_json::{Value, json};

use crate::data::Account;
use crate::items::item::health::Updates;
use crate::items::{Item, ItemView};
use crate::spec::json::set;
use crate::spec::{Guesses, ids};
use plaid_token_broker_core::clock::Timestamp;

impl Item {
    /// An account as in calls for data.
    pub(crate) fn account_json(&self, account: &Account, now: Timestamp) -> Value {
        let draft = &self.draft;
        let mut json = account.json(&draft.item_id);
        self.set_verification_status(&mut json, account, now);
        if draft.institution.tokenizes_numbers {
            let id = draft
                .source
                .persistent_account_id(draft.institution, draft.login.as_deref(), account);
            set(&mut json, "persistent_account_id", id);
        }
        json
    }

    /// Of an account with typed numbers: how far their verification got, and nothing that only a bank knows.
    fn set_verification_status(&self, json: &mut Value, account: &Account, now: Timestamp) {
        if let Some(status) = self.verification(account, now) {
            set(json, "verification_status", status);
        }
        let deposit = self
            .draft
            .deposit
            .as_ref()
            .filter(|deposit| deposit.is_of(account));
        if let Some(holder) = deposit.and_then(|deposit| deposit.holder.as_deref()) {
            set(json, "verification_name", holder);
        }
        if self.draft.is_manual() {
            set(json, "holder_category", Value::Null);
            if let Some(balances) = json.get_mut("balances") {
                set(balances, "current", Value::Null);
            }
        }
    }

    /// Plaid's Item object, as calls for data embed it.
    pub(crate) fn json(&self, now: Timestamp, guesses: &Guesses) -> Value {
        let error = self.error(now, guesses).map(|error| error.body(None));
        let draft = &self.draft;
        let available: Vec<_> = draft
            .institution
            .products()
            .filter(|product| draft.supports(product) && !draft.products.contains(product))
            .collect();
        let institution = draft.institution.known();
        let auth_method = match &draft.deposit {
            Some(deposit) => Some(deposit.method.name()),
            None => self.has("auth").then_some("INSTANT_AUTH"),
        };
        json!({
            "item_id": draft.item_id,
            "institution_id": institution.map(|institution| institution.id),
            "institution_name": institution.map(|institution| institution.name),
            "webhook": draft.webhook,
            "auth_method": auth_method,
            "error": error,
            "available_products": available,
            "billed_products": draft.products,
            "products": draft.products,
            "consent_expiration_time": self.consent_ends.map(ids::time_text),
            "update_type": "background",
        })
    }

    /// Plaid's Item object with the members that only `/item/get` has.
    pub(crate) fn full_json(&self, now: Timestamp, guesses: &Guesses) -> Value {
        let mut item = self.json(now, guesses);
        let draft = &self.draft;
        let consented: Vec<_> = draft.products.iter().chain(&draft.consented_products).collect();
        set(&mut item, "consented_products", json!(consented));
        set(&mut item, "created_at", ids::time_text(self.created_at));
        item
    }

    /// The `status` of `/item/get`.
    pub(crate) fn status_json(&self, updates: &Updates, now: Timestamp) -> Value {
        let update = |product: &str| {
            self.has(product).then(|| {
                json!({
                    "last_successful_update": self.last_success(updates, now).map(ids::time_text),
                    "last_failed_update": self.last_failure(updates, now).map(ids::time_text),
                })
            })
        };
        json!({
            "investments": update("investments"),
            "transactions": update("transactions"),
            "last_webhook": self.last_webhook.as_ref().map(|(code, at)| json!({"sent_at": ids::time_text(*at), "code_sent": code})),
        })
    }

    pub(crate) fn view(&self, now: Timestamp) -> ItemView {
        ItemView {
            item_id: self.draft.item_id.to_string(),
            client_id: self.draft.client_id.to_string(),
            institution_id: self.draft.institution.id.to_owned(),
            products: self
                .draft
                .products
                .iter()
                .map(|product| (*product).to_owned())
                .collect(),
            account_ids: self
                .accounts()
                .map(|account| account.id(&self.draft.item_id))
                .collect(),
            login_required: self.login_required(now),
            removed: self.is_removed(),
        }
    }
}
