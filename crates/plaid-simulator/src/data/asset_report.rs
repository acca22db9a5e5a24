//! What an asset report says of one account: <https://plaid.com/docs/api/products/assets/>.

use serde_json::{Value, json};

use super::Account;
use super::balance::Balances;
use super::calendar::date_of;
use super::movement::{Form, Movement};
use super::transaction::{self, Style};
use crate::spec::json::set;

/// An account with its history, newest first, from `first` to `last`.
pub(crate) fn account(
    account: &Account,
    owners: &Value,
    movements: &[(Movement<'_>, Form)],
    balances: &Balances,
    (first, last): (i64, i64),
    item_id: &str,
    insights: bool,
) -> Value {
    let mut json = account.json(item_id);
    let transactions: Vec<_> = movements
        .iter()
        .map(|(movement, form)| entry(movement, *form, item_id, insights))
        .collect();
    if let Some(json) = json.as_object_mut() {
        json.remove("holder_category");
        if let Some(balances) = json.get_mut("balances") {
            set(balances, "margin_loan_amount", Value::Null);
        }
        json.insert("days_available".to_owned(), json!(last - first));
        json.insert("transactions".to_owned(), Value::Array(transactions));
        json.insert("owners".to_owned(), owners.clone());
        json.insert("ownership_type".to_owned(), Value::Null);
        json.insert(
            "historical_balances".to_owned(),
            historical(account, balances, (first, last)),
        );
    }
    json
}

/// A transaction with the fewer fields that reports have.
fn entry(movement: &Movement<'_>, form: Form, item_id: &str, insights: bool) -> Value {
    const KEPT: [&str; 12] = [
        "account_id",
        "account_owner",
        "amount",
        "date",
        "iso_currency_code",
        "location",
        "name",
        "payment_meta",
        "pending",
        "pending_transaction_id",
        "transaction_id",
        "unofficial_currency_code",
    ];
    let style = Style {
        original_description: true,
        second_taxonomy: false,
    };
    let mut json = transaction::json(movement, form, item_id, style);
    let merchant = json.get("merchant_name").cloned();
    if let Some(json) = json.as_object_mut() {
        json.retain(|name, _| {
            KEPT.contains(&name.as_str())
                || name == "original_description"
                || name == "transaction_type"
                || (insights && name == "merchant_name")
        });
        json.insert(
            "date_transacted".to_owned(),
            json!(date_of(movement.day).to_string()),
        );
        if insights {
            json.insert("merchant_name".to_owned(), merchant.into());
        }
    }
    json
}

/// The balance at the end of each day.
fn historical(account: &Account, balances: &Balances, (first, last): (i64, i64)) -> Value {
    let days: Vec<_> = (first..=last)
        .rev()
        .map(|day| {
            json!({
                "date": date_of(day).to_string(),
                "current": balances.on(day).json(),
                "iso_currency_code": account.currency,
                "unofficial_currency_code": null,
            })
        })
        .collect();
    Value::Array(days)
}
