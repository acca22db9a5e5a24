//! Parts of asset reports: an account's investments, and the text of the PDF.

use serde_json::{Value, json};

use super::Money;
use super::holdings::Portfolio;

/// The investments of one account, in the fewer fields that reports have.
pub(crate) fn investments(portfolio: Portfolio) -> Value {
    let securities: Vec<_> = portfolio
        .securities
        .into_values()
        .map(|security| {
            json!({
                "security_id": security.get("security_id"),
                "name": security.get("name"),
                "ticker_symbol": security.get("ticker_symbol"),
                "type": security.get("type"),
            })
        })
        .collect();
    let holdings: Vec<_> = portfolio
        .holdings
        .into_iter()
        .map(|mut holding| {
            let id = holding.get("security_id").cloned().unwrap_or_default();
            let ticker = securities
                .iter()
                .find(|security| security.get("security_id") == Some(&id))
                .and_then(|security| security.get("ticker_symbol").cloned());
            if let Some(holding) = holding.as_object_mut() {
                holding.retain(|name, _| {
                    !matches!(
                        name.as_str(),
                        "vested_quantity" | "vested_value" | "institution_price_datetime"
                    )
                });
                holding.insert("ticker_symbol".to_owned(), ticker.unwrap_or_default());
            }
            holding
        })
        .collect();
    json!({"holdings": holdings, "securities": securities, "transactions": []})
}

/// The report for people.
pub(crate) fn lines(report: &Value) -> Vec<String> {
    let text = |value: &Value, name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let list = |value: &Value, name: &str| {
        value
            .get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let mut lines = vec![
        "Asset report (simulated)".to_owned(),
        format!("Report {}", text(report, "asset_report_id")),
        format!("Made {}", text(report, "date_generated")),
    ];
    for item in list(report, "items") {
        lines.push(String::new());
        lines.push(text(&item, "institution_name"));
        for account in list(&item, "accounts") {
            let current = account
                .pointer("/balances/current")
                .and_then(Value::as_f64)
                .unwrap_or_default();
            lines.push(format!(
                "  {:<40}{:>16}  {} transactions",
                text(&account, "name"),
                Money::of(current).two_decimals(),
                list(&account, "transactions").len()
            ));
        }
    }
    lines
}
