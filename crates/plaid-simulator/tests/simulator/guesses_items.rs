//! Guesses about Items and their data, observed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::guesses::{Expected, outcome};
use crate::support::{Plaid, text};

const CONSENT: &str = "INVALID_INPUT/ADDITIONAL_CONSENT_REQUIRED";

pub(crate) const CASES: &[Expected] = &[
    (
        "permission_revoked",
        &[
            (
                "invalid_input",
                "INVALID_INPUT/USER_PERMISSION_REVOKED INVALID_INPUT",
            ),
            ("item_error", "ITEM_ERROR/USER_PERMISSION_REVOKED ITEM_ERROR"),
        ],
    ),
    (
        "accounts_while_login_required",
        &[
            ("refused", "ITEM_ERROR/ITEM_LOGIN_REQUIRED"),
            ("cached", "ok 200"),
        ],
    ),
    ("auth_accounts", &[("all", "9"), ("fitting", "2")]),
    ("product_accounts", &[("all", "9 9 9"), ("fitting", "2 3 2")]),
    (
        "missing_consent",
        &[
            (
                "by_country",
                "INVALID_INPUT/ADDITIONAL_CONSENT_REQUIRED ITEM_ERROR/PRODUCT_NOT_ENABLED",
            ),
            (
                "additional_consent_required",
                "INVALID_INPUT/ADDITIONAL_CONSENT_REQUIRED INVALID_INPUT/ADDITIONAL_CONSENT_REQUIRED",
            ),
            (
                "product_not_enabled",
                "ITEM_ERROR/PRODUCT_NOT_ENABLED ITEM_ERROR/PRODUCT_NOT_ENABLED",
            ),
        ],
    ),
    (
        "transfer_with_auth",
        &[("allowed", "ok 200"), ("refused", CONSENT)],
    ),
    (
        "duplicate_items",
        &[
            ("named_banks", "true false"),
            ("oauth_banks", "true true"),
            ("kept", "false false"),
        ],
    ),
    (
        "signal_scores",
        &[("by_transaction", "true"), ("random", "false")],
    ),
    ("bank_news", &[("daily", "false"), ("hourly", "true")]),
    ("custom_seed", &[("by_text", "true"), ("fresh", "false")]),
];

async fn item_at(plaid: &Plaid, institution: &str, products: &[&str], options: Value) -> String {
    let body = json!({"institution_id": institution, "initial_products": products, "options": options});
    let created = plaid.call("/sandbox/public_token/create", body).await.ok();
    let item = plaid.exchange(&text(&created, "public_token")).await.ok();
    plaid.clock.advance(Duration::from_secs(3));
    text(&item, "access_token")
}

async fn count(plaid: &Plaid, path: &str, token: &str) -> usize {
    let answer = plaid.of_item(path, token).await.ok();
    answer["accounts"].as_array().unwrap().len()
}

/// Whether an older Item at this bank asks for a login once another one has other accounts.
async fn replaced(plaid: &Plaid, institution: &str) -> bool {
    let older = item_at(plaid, institution, &["auth"], json!({})).await;
    let link_token = plaid.link_token(json!({"products": ["auth"]})).await;
    let mut link = crate::link_support::Link::at(plaid, &link_token, institution).await;
    let pane = link.pane("again", json!({})).await;
    link.step("oauth", json!({"popup": true})).await.ok();
    let decide = json!({"oauth_state_id": pane["oauth_state_id"], "granted": true});
    plaid.post("/_simulator/link/bank/decide", &decide).await;
    let pane = link.pane("oauth_result", json!({})).await;
    link.take_all(&pane).await;
    let told = plaid.of_item("/item/get", &older).await.ok();
    told["item"]["error"]["error_code"] == "ITEM_LOGIN_REQUIRED"
}

/// What is seen of the guess with this name.
#[expect(clippy::too_many_lines, reason = "one arm for each guess")]
pub(crate) async fn of_items(plaid: &Plaid, name: &str) -> String {
    match name {
        "permission_revoked" => {
            let token = plaid.access_token().await;
            let item_id = plaid.simulator().items()[0].item_id.clone();
            plaid.simulator().revoke_item(&item_id).unwrap();
            let told = plaid.of_item("/item/get", &token).await.ok();
            let read = plaid.of_item("/accounts/get", &token).await;
            format!(
                "{} {}",
                outcome(&read),
                text(&told["item"]["error"], "error_type")
            )
        }
        "accounts_while_login_required" => {
            let token = plaid.access_token().await;
            plaid.of_item("/sandbox/item/reset_login", &token).await.ok();
            outcome(&plaid.of_item("/accounts/get", &token).await)
        }
        "auth_accounts" => {
            let token = item_at(plaid, "ins_109508", &["auth"], json!({})).await;
            count(plaid, "/accounts/get", &token).await.to_string()
        }
        "product_accounts" => {
            let token = plaid.item_with(&["auth", "liabilities", "investments"]).await;
            let auth = count(plaid, "/auth/get", &token).await;
            let liabilities = count(plaid, "/liabilities/get", &token).await;
            format!(
                "{auth} {liabilities} {}",
                count(plaid, "/investments/holdings/get", &token).await
            )
        }
        "missing_consent" => {
            let american = item_at(plaid, "ins_109508", &["auth"], json!({})).await;
            let british = item_at(plaid, "ins_117650", &["auth"], json!({})).await;
            let american = outcome(&plaid.of_item("/identity/get", &american).await);
            format!(
                "{american} {}",
                outcome(&plaid.of_item("/identity/get", &british).await)
            )
        }
        "transfer_with_auth" => {
            let token = item_at(plaid, "ins_109508", &["auth"], json!({})).await;
            let accounts = plaid.of_item("/accounts/get", &token).await.ok();
            let body = json!({
                "access_token": token,
                "account_id": accounts["accounts"][0]["account_id"],
                "type": "debit",
                "network": "ach",
                "ach_class": "web",
                "amount": "1.00",
                "user": {"legal_name": "A"},
            });
            outcome(&plaid.call("/transfer/authorization/create", body).await)
        }
        "duplicate_items" => format!(
            "{} {}",
            replaced(plaid, "ins_56").await,
            replaced(plaid, "ins_127287").await
        ),
        "signal_scores" => {
            let token = plaid.item_with(&["signal"]).await;
            let accounts = plaid.of_item("/accounts/get", &token).await.ok();
            let score = async || {
                let body = json!({
                    "access_token": token,
                    "account_id": accounts["accounts"][0]["account_id"],
                    "client_transaction_id": "one",
                    "amount": 1,
                });
                plaid.call("/signal/evaluate", body).await.ok()["scores"].clone()
            };
            let first = score().await;
            // Two scores of 99 each: chance gives the same pair eight times in a row never.
            let mut same = true;
            for _ in 0..8 {
                same &= score().await == first;
            }
            same.to_string()
        }
        "bank_news" => {
            let token = plaid.item_with(&["transactions"]).await;
            let sync = async |cursor: &str| {
                let body = json!({"access_token": token, "cursor": cursor, "count": 500});
                plaid.call("/transactions/sync", body).await.ok()
            };
            let mut cursor = text(&sync("").await, "next_cursor");
            let mut moved = 0;
            // From 15:06 UTC to 05:06, when purchases post: no bank that is asked at 06:00 has news.
            for _ in 0..14 {
                plaid.clock.advance(Duration::from_secs(60 * 60));
                let answer = sync(&cursor).await;
                cursor = text(&answer, "next_cursor");
                moved += ["added", "modified", "removed"]
                    .map(|kind| answer[kind].as_array().unwrap().len())
                    .iter()
                    .sum::<usize>();
            }
            (moved > 0).to_string()
        }
        "custom_seed" => {
            let read = async || {
                let token = plaid.item_of("user_custom", "{}", &["transactions"]).await;
                let body =
                    json!({"access_token": token, "start_date": "2025-03-01", "end_date": "2025-06-01"});
                let answer = plaid.call("/transactions/get", body).await.ok();
                let amounts = answer["transactions"].as_array().unwrap().iter();
                amounts.map(|one| one["amount"].to_string()).collect::<Vec<_>>()
            };
            (read().await == read().await).to_string()
        }
        other => panic!("{other} is not observed"),
    }
}
