//! One Item: a person's login at one institution, and how it lives and ends.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::ItemView;
use super::accounts::{self, Account};
use super::data::Source;
use super::error::PlaidError;
use super::ids;
use super::institutions::{self, Institution};
use super::webhook;
use crate::clock::Timestamp;

/// Sandbox Items ask for a new login after this time (<https://plaid.com/docs/sandbox/>).
const LOGIN_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Where an Item is in its life. Removal is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
enum Stage {
    Linked,
    LoginRequired,
    /// The person ended the connection at my.plaid.com or at the bank.
    Revoked,
    Removed,
}

/// What an Item is made of.
#[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
pub(super) struct Draft {
    pub(super) item_id: String,
    pub(super) client_id: String,
    #[serde(with = "institutions::as_id")]
    pub(super) institution: &'static Institution,
    /// On the Item from the start.
    pub(super) products: Vec<String>,
    /// Consented to beside `products`.
    pub(super) consented_products: Vec<String>,
    pub(super) webhook: Option<String>,
    /// What the Item's data is made of.
    pub(super) source: Source,
    /// Keys of the chosen accounts; `None`: all.
    #[serde(deserialize_with = "accounts::as_keys::deserialize")]
    pub(super) accounts: Option<Vec<&'static str>>,
}

/// An Item that was exchanged.
#[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
pub(super) struct Item {
    draft: Draft,
    stage: Stage,
    created_at: Timestamp,
    logged_in_at: Timestamp,
    /// The newest access token, for the modes that give it again.
    pub(super) access_token: String,
    /// Code and time of the last webhook.
    last_webhook: Option<(String, Timestamp)>,
    /// Whether a webhook told that the login lapsed.
    lapse_announced: bool,
    /// Whether `/transactions/sync` was called.
    syncs: bool,
    /// What `/sandbox/item/set_verification_status` said, by account id.
    verification: BTreeMap<String, String>,
}

impl Item {
    pub(super) fn new(draft: Draft, access_token: String, now: Timestamp) -> Self {
        Self {
            draft,
            stage: Stage::Linked,
            created_at: now,
            logged_in_at: now,
            access_token,
            last_webhook: None,
            lapse_announced: false,
            syncs: false,
            verification: BTreeMap::new(),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.draft.item_id
    }

    pub(super) fn client_id(&self) -> &str {
        &self.draft.client_id
    }

    pub(super) fn institution(&self) -> &'static Institution {
        self.draft.institution
    }

    pub(super) fn webhook(&self) -> Option<&str> {
        self.draft.webhook.as_deref()
    }

    pub(super) fn set_webhook(&mut self, webhook: Option<String>) {
        self.draft.webhook = webhook;
    }

    pub(super) fn note_webhook(&mut self, code: &str, now: Timestamp) {
        self.last_webhook = Some((code.to_owned(), now));
    }

    pub(super) fn set_verification(&mut self, account_id: String, status: String) {
        self.verification.insert(account_id, status);
    }

    pub(super) fn verification(&self, account_id: &str) -> Option<&str> {
        self.verification.get(account_id).map(String::as_str)
    }

    /// Whether the login has lapsed and nobody was told yet; whoever asks tells.
    pub(super) fn lapses(&mut self, now: Timestamp) -> bool {
        let lapses = self.login_required(now) && !self.lapse_announced;
        self.lapse_announced |= lapses;
        lapses
    }

    /// Whether this is the first call of `/transactions/sync`: from then on webhooks tell of updates.
    pub(super) fn begins_sync(&mut self) -> bool {
        !std::mem::replace(&mut self.syncs, true)
    }

    pub(super) fn source(&self) -> &Source {
        &self.draft.source
    }

    pub(super) fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// Whether `product` is on the Item.
    pub(super) fn has(&self, product: &str) -> bool {
        self.draft.products.iter().any(|has| has == product)
    }

    /// Lets a product be read: one that the person consented to joins the Item with its first call
    /// (<https://plaid.com/docs/link/initializing-products/>); without consent the documented errors say why not.
    pub(super) fn enable(&mut self, product: &str) -> Result<(), PlaidError> {
        if self.has(product) {
            return Ok(());
        }
        if !self.draft.institution.supports(product) {
            return Err(PlaidError::products_not_supported(product));
        }
        if self.draft.consented_products.iter().any(|has| has == product) {
            self.draft.products.push(product.to_owned());
            return Ok(());
        }
        // Data Transparency Messaging is for the United States and Canada.
        Err(if matches!(self.draft.institution.country, "US" | "CA") {
            PlaidError::additional_consent_required(product)
        } else {
            PlaidError::product_not_enabled(product)
        })
    }

    /// The first call for transactions may say how far back they go, if Link did not.
    pub(super) fn request_days(&mut self, days: Option<u16>) {
        if self.draft.source.days_requested.is_none() {
            self.draft.source.days_requested = days;
        }
    }

    pub(super) fn is_removed(&self) -> bool {
        self.stage == Stage::Removed
    }

    pub(super) fn login_required(&self, now: Timestamp) -> bool {
        self.stage == Stage::LoginRequired
            || (self.stage == Stage::Linked && now.since(self.logged_in_at) >= LOGIN_LIFETIME)
    }

    /// The person's login stops working.
    pub(super) fn reset_login(&mut self) -> Result<(), PlaidError> {
        self.moved_to(Stage::LoginRequired)?;
        self.lapse_announced = true;
        Ok(())
    }

    /// The person takes the permission back.
    pub(super) fn revoke(&mut self) -> Result<(), PlaidError> {
        self.moved_to(Stage::Revoked)
    }

    /// Update mode succeeded.
    pub(super) fn repair(&mut self, now: Timestamp) -> Result<(), PlaidError> {
        self.moved_to(Stage::Linked)?;
        self.logged_in_at = now;
        self.lapse_announced = false;
        Ok(())
    }

    /// The person chose these accounts anew.
    pub(super) fn choose(&mut self, accounts: Vec<&'static str>) {
        self.draft.accounts = Some(accounts);
    }

    pub(super) fn remove(&mut self) -> Result<(), PlaidError> {
        self.moved_to(Stage::Removed)
    }

    fn moved_to(&mut self, stage: Stage) -> Result<(), PlaidError> {
        if self.is_removed() {
            return Err(PlaidError::item_not_found());
        }
        self.stage = stage;
        Ok(())
    }

    /// What keeps the Item from being read.
    fn error(&self, now: Timestamp) -> Option<PlaidError> {
        if self.stage == Stage::Revoked {
            Some(PlaidError::user_permission_revoked())
        } else {
            self.login_required(now).then(PlaidError::item_login_required)
        }
    }

    /// Refuses reads of data while the Item waits for a login.
    pub(super) fn readable(&self, now: Timestamp) -> Result<(), PlaidError> {
        self.error(now).map_or(Ok(()), Err)
    }

    /// The accounts that the person chose.
    pub(super) fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.draft.source.person.accounts().iter().filter(|account| {
            self.draft
                .accounts
                .as_ref()
                .is_none_or(|chosen| chosen.contains(&account.key))
        })
    }

    /// Plaid's Item object, as calls for data embed it.
    pub(super) fn json(&self, now: Timestamp) -> Value {
        let error = self.error(now).map(|error| {
            let mut body = error.body("");
            if let Some(body) = body.as_object_mut() {
                body.remove("request_id");
            }
            body
        });
        let draft = &self.draft;
        let available: Vec<_> = draft
            .institution
            .products()
            .filter(|product| !draft.products.iter().any(|billed| billed == product))
            .collect();
        json!({
            "item_id": draft.item_id,
            "institution_id": draft.institution.id,
            "institution_name": draft.institution.name,
            "webhook": draft.webhook,
            "auth_method": draft.products.iter().any(|product| product == "auth").then_some("INSTANT_AUTH"),
            "error": error,
            "available_products": available,
            "billed_products": draft.products,
            "products": draft.products,
            "consent_expiration_time": null,
            "update_type": "background",
        })
    }

    /// Plaid's Item object with what only `/item/get` tells.
    pub(super) fn full_json(&self, now: Timestamp) -> Value {
        let mut item = self.json(now);
        if let Some(item) = item.as_object_mut() {
            let consented: Vec<_> = self
                .draft
                .products
                .iter()
                .chain(&self.draft.consented_products)
                .collect();
            item.insert("consented_products".to_owned(), json!(consented));
            item.insert("created_at".to_owned(), json!(ids::time_text(self.created_at)));
        }
        item
    }

    /// The `status` of `/item/get`.
    pub(super) fn status_json(&self) -> Value {
        let updated = |product: &str| {
            self.draft
                .products
                .iter()
                .any(|listed| listed == product)
                .then(|| {
                    json!({
                        "last_successful_update": ids::time_text(self.logged_in_at),
                        "last_failed_update": null,
                    })
                })
        };
        json!({
            "investments": updated("investments"),
            "transactions": updated("transactions"),
            "last_webhook": self.last_webhook.as_ref().map(|(code, at)| webhook::last_json(code, *at)),
        })
    }

    pub(super) fn view(&self, now: Timestamp) -> ItemView {
        ItemView {
            item_id: self.draft.item_id.clone(),
            client_id: self.draft.client_id.clone(),
            institution_id: self.draft.institution.id.to_owned(),
            products: self.draft.products.clone(),
            account_ids: self
                .accounts()
                .map(|account| account.id(&self.draft.item_id))
                .collect(),
            login_required: self.login_required(now),
            removed: self.is_removed(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::expect_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]

    use super::*;
    use crate::simulator::institutions;

    fn item() -> Item {
        let draft = Draft {
            item_id: ids::new_item_id(),
            client_id: "client".to_owned(),
            institution: &institutions::ALL[0],
            products: vec!["transactions".to_owned()],
            consented_products: vec!["auth".to_owned()],
            webhook: None,
            source: Source::default(),
            accounts: Some(vec!["0000"]),
        };
        Item::new(draft, "access".to_owned(), Timestamp::from_millis(0))
    }

    #[test]
    fn a_login_lasts_thirty_days_and_can_be_repaired() {
        let mut item = item();
        let end = Timestamp::from_millis(0).plus(LOGIN_LIFETIME);
        assert!(!item.login_required(end.minus(Duration::from_millis(1))));
        assert!(item.login_required(end));
        assert!(item.readable(end).is_err());
        assert_eq!(item.json(end)["error"]["error_code"], "ITEM_LOGIN_REQUIRED");
        item.repair(end).expect("repaired");
        assert!(item.readable(end).is_ok());
    }

    #[test]
    fn removal_is_final() {
        let mut item = item();
        item.remove().expect("removed");
        for refused in [
            item.remove(),
            item.reset_login(),
            item.repair(Timestamp::from_millis(1)),
        ] {
            assert_eq!(refused.expect_err("refused").error_code, "ITEM_NOT_FOUND");
        }
        assert!(item.is_removed());
    }

    #[test]
    fn billed_and_available_products_are_disjoint() {
        let json = item().full_json(Timestamp::from_millis(0));
        let available = json["available_products"].as_array().expect("list");
        assert!(available.contains(&json!("auth")) && !available.contains(&json!("transactions")));
        assert_eq!(json["consented_products"], json!(["transactions", "auth"]));
        assert_eq!(item().accounts().count(), 1);
    }
}
