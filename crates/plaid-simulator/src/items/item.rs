//! One Item: a person's login at one institution, and how it lives and ends.

mod consent;
mod draft;
pub(crate) mod health;
mod json;
mod verification;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::draft::Draft;
use crate::data::Account;
use crate::spec::guesses::MissingConsent;
use crate::spec::{Guesses, Institution, PlaidError, institutions};
use plaid_token_broker_core::clock::Timestamp;

/// Sandbox Items ask for a new login after this time (<https://plaid.com/docs/sandbox/>).
const LOGIN_LIFETIME: Duration = Duration::from_secs(30 * DAY);
/// Webhooks announce the end of a consent this long before (<https://plaid.com/docs/api/items/#pending_expiration>).
const WARNING: Duration = Duration::from_secs(7 * DAY);
const DAY: u64 = 24 * 60 * 60;

/// Where an Item is in its life. Removal is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
enum Stage {
    Linked,
    LoginRequired,
    /// The person ended the connection at my.plaid.com or at the bank.
    Revoked,
    Removed,
}

/// An Item that was exchanged.
#[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
pub(crate) struct Item {
    pub(crate) draft: Draft,
    stage: Stage,
    pub(crate) created_at: Timestamp,
    logged_in_at: Timestamp,
    /// The newest access token, for the modes that return it again.
    pub(crate) access_token: Arc<str>,
    /// Code and time of the last webhook.
    last_webhook: Option<(String, Timestamp)>,
    /// Whether a webhook announced that the login lapsed.
    lapse_announced: bool,
    /// When the person's consent ends, if it does.
    consent_ends: Option<Timestamp>,
    /// Whether a webhook announced that it is about to.
    consent_end_announced: bool,
    /// Whether `/transactions/sync` was called.
    pub(crate) syncs: bool,
    /// When the login stopped working before its time.
    #[serde(default)]
    broke_at: Option<Timestamp>,
    /// The last time that the login did not work, from when to when.
    #[serde(default)]
    last_outage: Option<(Timestamp, Timestamp)>,
    /// Up to when webhooks have announced changed transactions.
    pub(crate) news_told_at: Timestamp,
    /// What `/sandbox/item/set_verification_status` or a webhook said, by account id.
    verification: BTreeMap<String, String>,
}

impl Item {
    pub(crate) fn new(draft: Draft, access_token: Arc<str>, now: Timestamp) -> Self {
        Self {
            consent_ends: consent_end(draft.institution, now),
            consent_end_announced: false,
            news_told_at: now,
            draft,
            stage: Stage::Linked,
            created_at: now,
            logged_in_at: now,
            access_token,
            last_webhook: None,
            lapse_announced: false,
            syncs: false,
            broke_at: None,
            last_outage: None,
            verification: BTreeMap::new(),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.draft.item_id
    }

    pub(crate) fn shared_id(&self) -> Arc<str> {
        self.draft.item_id.clone()
    }

    pub(crate) fn note_webhook(&mut self, code: &str, now: Timestamp) {
        self.last_webhook = Some((code.to_owned(), now));
    }

    /// Whether the login has lapsed; true once: the caller sends the webhook.
    pub(crate) fn lapses(&mut self, now: Timestamp) -> bool {
        let lapses = self.login_required(now) && !self.lapse_announced;
        self.lapse_announced |= lapses;
        lapses
    }

    /// When the consent ends, if that is near; once: the caller sends the webhook.
    pub(crate) fn consent_warning(&mut self, now: Timestamp) -> Option<Timestamp> {
        let ends = self.consent_ends?;
        let due = self.stage == Stage::Linked
            && !self.login_required(now)
            && now >= ends.minus(WARNING)
            && !self.consent_end_announced;
        self.consent_end_announced |= due;
        due.then_some(ends)
    }

    /// The consent ends in a week.
    pub(crate) fn end_consent(&mut self, now: Timestamp) -> Result<(), PlaidError> {
        self.moved_to(self.stage)?;
        self.consent_ends = Some(now.plus(WARNING));
        self.consent_end_announced = false;
        Ok(())
    }

    /// Whether this is the first call of `/transactions/sync`: from then on webhooks announce updates.
    pub(crate) fn begins_sync(&mut self) -> bool {
        !std::mem::replace(&mut self.syncs, true)
    }

    /// Whether `product` is on the Item.
    pub(crate) fn has(&self, product: &str) -> bool {
        self.draft.products.contains(&product)
    }

    /// Lets a product be read: one that the person consented to joins the Item with its first call
    /// (<https://plaid.com/docs/link/initializing-products/>); without consent the documented errors say why not.
    pub(crate) fn enable(&mut self, product: &str, refusal: MissingConsent) -> Result<(), PlaidError> {
        if self.has(product) {
            return Ok(());
        }
        if !self.draft.supports(product) {
            return Err(PlaidError::products_not_supported(product));
        }
        if let Some(product) = self.draft.consented_products.iter().find(|has| **has == product) {
            self.draft.products.push(product);
            return Ok(());
        }
        let asks = match refusal {
            MissingConsent::ByCountry => institutions::is_american(self.draft.institution),
            MissingConsent::AdditionalConsentRequired => true,
            MissingConsent::ProductNotEnabled => false,
        };
        Err(if asks {
            PlaidError::additional_consent_required(product)
        } else {
            PlaidError::product_not_enabled(product)
        })
    }

    /// The call with which Transactions joins the Item may say how far back they go, if Link did not; once they are on
    /// it that is fixed (<https://plaid.com/docs/api/products/transactions/#transactionssync>).
    pub(crate) fn request_days(&mut self, days: Option<u16>) {
        const PRODUCT: &str = "transactions";
        let joins = !self.has(PRODUCT) && self.draft.consented_products.contains(&PRODUCT);
        if joins && self.draft.source.days_requested.is_none() {
            self.draft.source.days_requested = days;
        }
    }

    pub(crate) fn is_removed(&self) -> bool {
        self.stage == Stage::Removed
    }

    pub(crate) fn login_required(&self, now: Timestamp) -> bool {
        self.stage == Stage::LoginRequired
            || (self.stage == Stage::Linked
                && !self.draft.is_manual()
                && (now.since(self.logged_in_at) >= LOGIN_LIFETIME
                    || self.consent_ends.is_some_and(|ends| now >= ends)))
    }

    /// The person's login stops working.
    pub(crate) fn reset_login(&mut self, now: Timestamp) -> Result<(), PlaidError> {
        self.moved_to(Stage::LoginRequired)?;
        self.broke_at.get_or_insert(now);
        self.lapse_announced = true;
        Ok(())
    }

    /// The person takes the permission back.
    pub(crate) fn revoke(&mut self, now: Timestamp) -> Result<(), PlaidError> {
        self.moved_to(Stage::Revoked)?;
        self.broke_at.get_or_insert(now);
        Ok(())
    }

    /// Update mode succeeded.
    pub(crate) fn repair(&mut self, now: Timestamp) -> Result<(), PlaidError> {
        let broken_since = self.broken_since(now);
        self.moved_to(Stage::Linked)?;
        self.last_outage = broken_since.map(|since| (since, now)).or(self.last_outage);
        self.broke_at = None;
        self.logged_in_at = now;
        self.lapse_announced = false;
        self.consent_ends = consent_end(self.draft.institution, now);
        self.consent_end_announced = false;
        Ok(())
    }

    /// The person chose these accounts anew.
    pub(crate) fn choose(&mut self, accounts: Vec<&'static str>) {
        self.draft.accounts = Some(accounts);
    }

    pub(crate) fn remove(&mut self) -> Result<(), PlaidError> {
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
    fn error(&self, now: Timestamp, guesses: &Guesses) -> Option<PlaidError> {
        if self.stage == Stage::Revoked {
            Some(consent::revoked(guesses))
        } else {
            self.login_required(now).then(PlaidError::item_login_required)
        }
    }

    /// Refuses reads of data while the Item waits for a login.
    pub(crate) fn readable(&self, now: Timestamp, guesses: &Guesses) -> Result<(), PlaidError> {
        self.error(now, guesses).map_or(Ok(()), Err)
    }

    /// Whether `newer` is of the same login at the same bank and has other accounts.
    pub(crate) fn is_replaced_by(&self, newer: &Draft) -> bool {
        let mine = &self.draft;
        self.stage == Stage::Linked
            && mine.item_id != newer.item_id
            && mine.client_id == newer.client_id
            && mine.institution.id == newer.institution.id
            && mine.login == newer.login
            && mine.source.person == newer.source.person
            && !mine
                .accounts()
                .map(|account| account.key)
                .eq(newer.accounts().map(|account| account.key))
    }

    /// The accounts that the person chose.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.draft.accounts()
    }
}

/// When a consent that is given now ends by itself.
fn consent_end(institution: &Institution, now: Timestamp) -> Option<Timestamp> {
    let days = institution.consent_days?;
    Some(now.plus(Duration::from_secs(u64::from(days) * DAY)))
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::expect_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]

    use serde_json::json;

    use super::*;
    use crate::spec::{ids, institutions};

    fn item() -> Item {
        let draft = Draft {
            item_id: ids::new_item_id().into(),
            client_id: "client".into(),
            institution: &institutions::ALL[0],
            products: vec!["transactions"],
            consented_products: vec!["auth"],
            auth_hides_accounts: false,
            webhook: None,
            login: None,
            deposit: None,
            source: crate::data::Source::default(),
            accounts: Some(vec!["0000"]),
        };
        Item::new(draft, "access".into(), Timestamp::from_millis(0))
    }

    #[test]
    fn a_login_lasts_thirty_days_and_can_be_repaired() {
        let mut item = item();
        let end = Timestamp::from_millis(0).plus(LOGIN_LIFETIME);
        assert!(!item.login_required(end.minus(Duration::from_millis(1))));
        assert!(item.login_required(end));
        assert!(item.readable(end, &Guesses::default()).is_err());
        assert_eq!(
            item.json(end, &Guesses::default())["error"]["error_code"],
            "ITEM_LOGIN_REQUIRED"
        );
        item.repair(end).expect("repaired");
        assert!(item.readable(end, &Guesses::default()).is_ok());
    }

    #[test]
    fn removal_is_final() {
        let mut item = item();
        item.remove().expect("removed");
        for refused in [
            item.remove(),
            item.reset_login(Timestamp::from_millis(1)),
            item.repair(Timestamp::from_millis(1)),
        ] {
            assert_eq!(refused.expect_err("refused").error_code, "ITEM_NOT_FOUND");
        }
        assert!(item.is_removed());
    }

    #[test]
    fn billed_and_available_products_are_disjoint() {
        let json = item().full_json(Timestamp::from_millis(0), &Guesses::default());
        let available = json["available_products"].as_array().expect("list");
        assert!(available.contains(&json!("auth")) && !available.contains(&json!("transactions")));
        assert_eq!(json["consented_products"], json!(["transactions", "auth"]));
        assert_eq!(item().accounts().count(), 1);
    }
}
