//! `/transactions/sync` and `/transactions/get` over time.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Plaid, text};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn sync(plaid: &Plaid, token: &str, cursor: &str, count: u64) -> Value {
    let body = json!({"access_token": token, "cursor": cursor, "count": count});
    plaid.call("/transactions/sync", body).await.ok()
}

/// What a client that follows the cursors has.
#[derive(Default)]
struct Copy {
    cursor: String,
    transactions: BTreeMap<String, Value>,
    modified: usize,
    removed: usize,
}

impl Copy {
    async fn update(&mut self, plaid: &Plaid, token: &str, count: u64) -> usize {
        let mut pages = 0;
        loop {
            let page = sync(plaid, token, &self.cursor, count).await;
            pages += 1;
            let list = |name: &str| page[name].as_array().unwrap().clone();
            let on_page = list("added").len() + list("modified").len() + list("removed").len();
            assert!(on_page as u64 <= count);
            for removed in list("removed") {
                let id = text(&removed, "transaction_id");
                assert!(self.transactions.remove(&id).is_some(), "{id} was never added");
                self.removed += 1;
            }
            for added in list("added") {
                let id = text(&added, "transaction_id");
                assert!(self.transactions.insert(id, added).is_none());
            }
            for modified in list("modified") {
                let id = text(&modified, "transaction_id");
                assert!(self.transactions.insert(id, modified).is_some());
                self.modified += 1;
            }
            self.cursor = text(&page, "next_cursor");
            if page["has_more"] == false {
                return pages;
            }
        }
    }
}

/// All that `/transactions/get` has, page by page.
async fn get_all(plaid: &Plaid, token: &str) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let body = json!({"access_token": token, "start_date": "2020-01-01", "end_date": "2030-01-01",
                          "options": {"count": 100, "offset": all.len()}});
        let page = plaid.call("/transactions/get", body).await.ok();
        let transactions = page["transactions"].as_array().unwrap();
        all.extend(transactions.iter().cloned());
        if transactions.is_empty() {
            assert_eq!(page["total_transactions"], all.len());
            return all;
        }
    }
}

#[tokio::test]
async fn data_comes_in_steps() {
    let plaid = Plaid::start().await;
    let token = plaid.access_token().await;
    let early = sync(&plaid, &token, "", 500).await;
    assert_eq!(early["transactions_update_status"], "NOT_READY");
    assert_eq!((&early["next_cursor"], &early["added"]), (&json!(""), &json!([])));
    let period = json!({"access_token": token, "start_date": "2025-01-01", "end_date": "2025-06-15"});
    plaid
        .call("/transactions/get", period)
        .await
        .refused(400, "ITEM_ERROR", "PRODUCT_NOT_READY");

    plaid.clock.advance(Duration::from_secs(1));
    let initial = sync(&plaid, &token, "", 500).await;
    assert_eq!(initial["transactions_update_status"], "INITIAL_UPDATE_COMPLETE");
    let first = initial["added"].as_array().unwrap().len();

    plaid.clock.advance(Duration::from_secs(2));
    let history = sync(&plaid, &token, &text(&initial, "next_cursor"), 500).await;
    assert_eq!(
        history["transactions_update_status"],
        "HISTORICAL_UPDATE_COMPLETE"
    );
    let more = history["added"].as_array().unwrap().len();
    assert!(first > 10 && more > first, "{first} {more}");
    let oldest = history["added"][0]["authorized_date"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        oldest.as_str() >= "2025-03-17",
        "90 days are the default: {oldest}"
    );
}

#[tokio::test]
async fn a_copy_kept_by_cursors_is_what_get_tells() {
    let plaid = Plaid::start().await;
    let token = plaid.item_of("user_yuppie", "any", &["transactions"]).await;
    let mut copy = Copy::default();
    assert!(copy.update(&plaid, &token, 25).await > 3);
    for _ in 0..28 {
        plaid.clock.advance(DAY);
        copy.update(&plaid, &token, 3).await;
    }
    let told: BTreeMap<_, _> = get_all(&plaid, &token)
        .await
        .into_iter()
        .map(|transaction| (text(&transaction, "transaction_id"), transaction))
        .collect();
    assert_eq!(copy.transactions, told);
    assert!(
        copy.removed > 10 && copy.modified > 0,
        "{} {}",
        copy.removed,
        copy.modified
    );
}

#[tokio::test]
async fn pending_ones_post_under_a_new_id() {
    let plaid = Plaid::start().await;
    let token = plaid
        .item_of("user_transactions_dynamic", "any", &["transactions"])
        .await;
    let before = get_all(&plaid, &token).await;
    let pending: Vec<_> = before.iter().filter(|t| t["pending"] == true).collect();
    assert!(!pending.is_empty());
    assert!(pending.iter().all(|t| t["pending_transaction_id"].is_null()));
    plaid.clock.advance(DAY * 5);
    let after = get_all(&plaid, &token).await;
    let mut posted = 0;
    for old in pending {
        let id = &old["transaction_id"];
        assert!(after.iter().all(|new| &new["transaction_id"] != id));
        posted += after
            .iter()
            .filter(|new| &new["pending_transaction_id"] == id && new["pending"] == false)
            .count();
    }
    assert!(posted > 0);
}

#[tokio::test]
async fn a_change_between_pages_restarts_the_loop() {
    let plaid = Plaid::start().await;
    let token = plaid
        .item_of("user_transactions_dynamic", "any", &["transactions"])
        .await;
    let page = sync(&plaid, &token, "", 10).await;
    assert_eq!(page["has_more"], true);
    plaid.clock.advance(HOUR);
    let body = json!({"access_token": token, "cursor": page["next_cursor"], "count": 10});
    plaid.call("/transactions/sync", body).await.refused(
        400,
        "TRANSACTIONS_ERROR",
        "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION",
    );
    let mut copy = Copy::default();
    copy.update(&plaid, &token, 500).await;
    assert!(copy.transactions.len() > 100);
}

#[tokio::test]
async fn cursors_belong_to_one_item_and_choice() {
    let plaid = Plaid::start().await;
    let token = plaid.item_with(&["transactions"]).await;
    let other = plaid.item_with(&["transactions"]).await;
    let accounts = plaid.of_item("/accounts/get", &token).await.ok();
    let account_id = text(&accounts["accounts"][3], "account_id");
    let cursor = text(&sync(&plaid, &token, "", 500).await, "next_cursor");
    for (token, options) in [(&other, json!({})), (&token, json!({"account_id": account_id}))] {
        let body = json!({"access_token": token, "cursor": cursor, "options": options});
        plaid
            .call("/transactions/sync", body)
            .await
            .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    }
    let body = json!({"access_token": token, "count": 500, "options": {"account_id": account_id}});
    let of_account = plaid.call("/transactions/sync", body).await.ok();
    let added = of_account["added"].as_array().unwrap();
    assert!(!added.is_empty() && added.iter().all(|t| t["account_id"] == account_id.as_str()));

    let now = sync(&plaid, &token, "now", 500).await;
    assert_eq!((&now["added"], &now["has_more"]), (&json!([]), &json!(false)));
}

/// An Item that has no Transactions yet, and the person's consent to them.
async fn consented(plaid: &Plaid, changes: Value) -> String {
    let mut request = json!({"products": ["auth"], "additional_consented_products": ["transactions"]});
    for (name, value) in changes.as_object().unwrap() {
        request[name] = value.clone();
    }
    let link_token = plaid.link_token(request).await;
    let success = plaid.simulator().complete_link(&link_token).unwrap();
    let exchanged = plaid.exchange(success.public_token.unwrap().expose()).await.ok();
    plaid.clock.advance(Duration::from_secs(3));
    text(&exchanged, "access_token")
}

async fn get_of_days(plaid: &Plaid, token: &str, days: u64) -> Value {
    let body = json!({"access_token": token, "start_date": "2020-01-01", "end_date": "2030-01-01",
                      "options": {"days_requested": days, "count": 1, "include_original_description": true,
                                  "personal_finance_category_version": "v2"}});
    plaid.call("/transactions/get", body).await.ok()
}

#[tokio::test]
async fn the_call_that_adds_transactions_says_how_far_back() {
    let plaid = Plaid::start().await;
    let token = consented(&plaid, json!({})).await;
    let long = get_of_days(&plaid, &token, 730).await;
    assert!(
        long["total_transactions"].as_u64().unwrap() > 300,
        "two years of checking and savings"
    );
    assert!(long["transactions"][0]["original_description"].is_string());
    assert_eq!(
        long["transactions"][0]["personal_finance_category"]["version"],
        "v2"
    );
    let later = get_of_days(&plaid, &token, 30).await;
    assert_eq!(later["total_transactions"], long["total_transactions"]);

    let token = consented(&plaid, json!({"transactions": {"days_requested": 30}})).await;
    let by_link = get_of_days(&plaid, &token, 730).await;
    assert_eq!(
        get_all(&plaid, &token).await.len() as u64,
        by_link["total_transactions"]
    );
    assert!(by_link["total_transactions"].as_u64() < long["total_transactions"].as_u64());
}

/// How far back they go is fixed once Transactions is on the Item, so a copy kept by cursors stays whole.
#[tokio::test]
async fn no_later_call_reaches_further_back() {
    let plaid = Plaid::start().await;
    let token = plaid.item_with(&["transactions"]).await;
    let mut copy = Copy::default();
    copy.update(&plaid, &token, 500).await;
    let longer = get_of_days(&plaid, &token, 365).await;
    assert_eq!(longer["total_transactions"], copy.transactions.len());
    let body = json!({"access_token": token, "count": 500, "options": {"days_requested": 365}});
    let again = plaid.call("/transactions/sync", body).await.ok();
    assert_eq!(again["added"].as_array().unwrap().len(), copy.transactions.len());
    copy.update(&plaid, &token, 500).await;
    assert_eq!(get_all(&plaid, &token).await.len(), copy.transactions.len());
}
