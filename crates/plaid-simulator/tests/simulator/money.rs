//! What different paths tell of one person's money fits together, and stays as it was told.

use std::time::Duration;

use serde_json::{Value, json};

use crate::data::ALL;
use crate::support::{Plaid, text};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn report(plaid: &Plaid, token: &str, days: u64) -> Value {
    let body = json!({"access_tokens": [token], "days_requested": days});
    let created = plaid.call("/asset_report/create", body).await.ok();
    plaid.clock.advance(Duration::from_secs(2));
    let get = json!({"asset_report_token": created["asset_report_token"]});
    let report = plaid.call("/asset_report/get", get).await.ok();
    report["report"]["items"][0]["accounts"].clone()
}

fn balance_on(account: &Value, date: &str) -> Value {
    let balances = account["historical_balances"].as_array().unwrap();
    let of_day = balances.iter().find(|balance| balance["date"] == date);
    of_day.unwrap()["current"].clone()
}

async fn transactions(plaid: &Plaid, token: &str, account_id: &str) -> Vec<Value> {
    let body = json!({"access_token": token, "start_date": "2025-01-01", "end_date": "2030-01-01",
                      "options": {"count": 500, "account_ids": [account_id]}});
    let told = plaid.call("/transactions/get", body).await.ok();
    told["transactions"].as_array().unwrap().clone()
}

#[tokio::test]
async fn balances_move_by_what_posts() {
    let plaid = Plaid::start().await;
    let token = plaid.item_with(&["transactions"]).await;
    let before = plaid.of_item("/accounts/get", &token).await.ok();
    plaid.clock.advance(DAY * 18);
    let after = plaid.of_item("/accounts/balance/get", &token).await.ok();
    for (before, after) in before["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .zip(after["accounts"].as_array().unwrap())
    {
        let current = |account: &Value| account["balances"]["current"].as_f64().unwrap();
        let posted: f64 = transactions(&plaid, &token, &text(before, "account_id"))
            .await
            .iter()
            .filter(|told| told["pending"] == false && told["date"].as_str().unwrap() > "2025-06-15")
            .map(|told| told["amount"].as_f64().unwrap())
            .sum();
        let debt = matches!(&*text(before, "type"), "credit" | "loan");
        let grown = if debt { posted } else { -posted };
        let name = text(before, "name");
        assert!((current(after) - current(before) - grown).abs() < 0.001, "{name}");
        let available = |account: &Value| account["balances"]["available"].as_f64();
        if let (Some(before_it), Some(after_it)) = (available(before), available(after)) {
            assert!((after_it - before_it - grown).abs() < 0.001, "{name}");
        }
    }
    let checking = &after["accounts"][0]["balances"];
    assert_ne!(checking, &before["accounts"][0]["balances"]);
}

#[tokio::test]
async fn a_past_day_is_told_the_same_later() {
    let plaid = Plaid::start().await;
    let token = plaid.item_with(ALL).await;
    let first = report(&plaid, &token, 400).await;
    let debts = plaid.of_item("/liabilities/get", &token).await.ok()["liabilities"].clone();
    plaid.clock.advance(DAY * 28);
    let second = report(&plaid, &token, 430).await;
    for (first, second) in first.as_array().unwrap().iter().zip(second.as_array().unwrap()) {
        for date in [
            "2024-07-01",
            "2025-01-14",
            "2025-06-04",
            "2025-06-05",
            "2025-06-14",
        ] {
            let name = text(first, "name");
            assert_eq!(
                balance_on(first, date),
                balance_on(second, date),
                "{name} on {date}"
            );
        }
    }
    let later = plaid.of_item("/liabilities/get", &token).await.ok()["liabilities"].clone();
    for field in [
        "/mortgage/0/origination_date",
        "/mortgage/0/maturity_date",
        "/student/0/origination_date",
        "/student/0/expected_payoff_date",
    ] {
        assert_eq!(debts.pointer(field), later.pointer(field), "{field}");
    }
    assert_ne!(
        debts["credit"][0]["last_payment_date"],
        later["credit"][0]["last_payment_date"]
    );
}

#[tokio::test]
async fn liabilities_are_what_the_transactions_say() {
    let plaid = Plaid::start().await;
    let token = plaid.item_with(ALL).await;
    for _ in 0..2 {
        let told = plaid.of_item("/liabilities/get", &token).await.ok();
        let card = &told["liabilities"]["credit"][0];
        let moved = transactions(&plaid, &token, &text(card, "account_id")).await;
        let payment = moved
            .iter()
            .find(|told| told["amount"].as_f64().unwrap() < 0.0)
            .unwrap();
        assert_eq!(payment["date"], card["last_payment_date"]);
        let amount = -payment["amount"].as_f64().unwrap();
        assert_eq!(card["last_payment_amount"], json!(amount));
        let interest = moved
            .iter()
            .find(|told| text(told, "name").starts_with("INTEREST"))
            .unwrap();
        assert_eq!(interest["date"], card["last_statement_issue_date"]);
        assert_eq!(interest["amount"], card["aprs"][2]["interest_charge_amount"]);
        let accounts = report(&plaid, &token, 60).await;
        let statement = balance_on(&accounts[3], &text(card, "last_statement_issue_date"));
        assert_eq!(statement, card["last_statement_balance"]);
        plaid.clock.advance(DAY * 14);
    }
}
