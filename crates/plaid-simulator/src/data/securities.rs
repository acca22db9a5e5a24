//! What test users invest in. None of it exists.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::Money;
use crate::spec::ids::derived_id;
use crate::spec::json::{set, with_nulls};

/// A security.
#[derive(Debug)]
pub(super) struct Security {
    pub(super) ticker: &'static str,
    pub(super) name: &'static str,
    /// `cash`, `equity`, `etf`, `fixed income` or `mutual fund`.
    pub(super) kind: &'static str,
    pub(super) subtype: &'static str,
    pub(super) price: Money,
    /// Of a hundred of an account's value.
    pub(super) share: i64,
    sector: Option<(&'static str, &'static str)>,
}

const fn security(
    (ticker, name): (&'static str, &'static str),
    (kind, subtype): (&'static str, &'static str),
    cents: i64,
    share: i64,
) -> Security {
    Security {
        ticker,
        name,
        kind,
        subtype,
        price: Money::cents(cents),
        share,
        sector: None,
    }
}

/// The position that takes what the others leave.
pub(super) static CASH: Security = security(("CUR:USD", "U S Dollar"), ("cash", "cash"), 100, 0);

/// What is bought, and how much of it.
pub(super) static BOUGHT: &[Security] = &[
    security(
        ("PLTIX", "Platypus Total Market Index Fund"),
        ("mutual fund", "mutual fund"),
        4_218,
        35,
    ),
    security(("GNGM", "Gingham World Stocks ETF"), ("etf", "etf"), 9_105, 25),
    Security {
        sector: Some(("Technology Services", "Packaged Software")),
        ..security(
            ("TRTN", "Tartan Software Inc"),
            ("equity", "common stock"),
            1_840,
            15,
        )
    },
    security(
        ("HNDB30", "Houndstooth City 3.25% Bond"),
        ("fixed income", "municipal bond"),
        9_870,
        15,
    ),
];

/// The id of a security, the same on every Item.
pub(super) fn id_of(ticker: &str) -> String {
    derived_id("security", "", ticker)
}

/// Plaid's security object.
pub(super) fn json(security: &Security, as_of: Date) -> Value {
    let bond = (security.kind == "fixed income").then(|| {
        json!({
            "yield_rate": {"percentage": 3.25, "type": "coupon"},
            "maturity_date": "2035-06-01",
            "issue_date": "2015-06-01",
            "face_value": 100,
        })
    });
    let mut json = bare(security.ticker, "USD");
    for (name, value) in [
        ("name", json!(security.name)),
        ("type", json!(security.kind)),
        ("subtype", json!(security.subtype)),
        ("is_cash_equivalent", json!(security.kind == "cash")),
        ("close_price", security.price.json()),
        ("close_price_as_of", json!(as_of.to_string())),
        ("sector", json!(security.sector.map(|(sector, _)| sector))),
        ("industry", json!(security.sector.map(|(_, industry)| industry))),
        ("fixed_income", json!(bond)),
    ] {
        set(&mut json, name, value);
    }
    json
}

/// A security of which only a custom user's entry is known.
pub(super) fn bare(ticker: &str, currency: &str) -> Value {
    let json = json!({
        "security_id": id_of(ticker),
        "name": ticker,
        "ticker_symbol": ticker,
        "is_cash_equivalent": false,
        "type": "equity",
        "iso_currency_code": currency,
    });
    with_nulls(
        json,
        "isin cusip figi sedol institution_security_id institution_id proxy_security_id close_price close_price_as_of \
         update_datetime unofficial_currency_code market_identifier_code sector industry cfi_code option_contract \
         fixed_income",
    )
}
