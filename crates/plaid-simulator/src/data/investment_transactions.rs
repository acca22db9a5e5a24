//! What was bought and paid out in investment accounts: <https://plaid.com/docs/api/products/investments/>.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Value, json};

use super::calendar::{date_of, number_of};
use super::custom::InvestmentTransaction;
use super::holdings::{is_investment, ticker_of};
use super::rng::Rng;
use super::securities::{self, BOUGHT, CASH, Security};
use super::{Account, History, Money};
use crate::spec::ids::derived_id;

/// Transactions, newest first, and the securities that they are of.
#[derive(Default)]
pub(crate) struct Trades {
    pub(crate) transactions: Vec<Value>,
    pub(crate) securities: BTreeMap<String, Value>,
}

/// The transactions of these accounts from one day to another, both included.
pub(crate) fn trades<'a>(
    history: &History<'_>,
    accounts: impl Iterator<Item = &'a Account>,
    item_id: &str,
    (first, last): (i64, i64),
) -> Trades {
    let mut trades = Trades::default();
    for account in accounts.filter(|account| is_investment(account)) {
        let own = history
            .person
            .override_of(account)
            .and_then(|wanted| wanted.investment_transactions.as_ref());
        if let Some(own) = own {
            for (at, given) in own.iter().enumerate() {
                if (first..=last).contains(&number_of(given.date.0)) {
                    trades.custom(account, given, at, item_id);
                }
            }
        } else {
            for day in first..=last {
                trades.of_day(&history.seed, account, day, item_id);
            }
        }
    }
    let date = |transaction: &Value| {
        let date = transaction.get("date").and_then(Value::as_str);
        date.unwrap_or_default().to_owned()
    };
    trades
        .transactions
        .sort_by_key(|transaction| std::cmp::Reverse(date(transaction)));
    trades
}

/// What a standard account does on a day.
struct Trade {
    name: String,
    kind: &'static str,
    subtype: &'static str,
    quantity: Money,
    price: Money,
    amount: Money,
}

impl Trades {
    /// A deposit on the 2nd, a purchase on the 16th, a dividend each quarter and a fee each year.
    fn of_day(&mut self, seed: &str, account: &Account, day: i64, item_id: &str) {
        let date = date_of(day);
        let mut rng = Rng::new(&[seed, account.key, "trade"], day);
        let deposit = account.current.percent(1).floor_to_cents();
        let trade = |name: &str, kind, subtype, amount| Trade {
            name: name.to_owned(),
            kind,
            subtype,
            quantity: Money::ZERO,
            price: Money::ZERO,
            amount,
        };
        let (security, trade) = match (date.month(), date.day()) {
            (_, 2) => (&CASH, trade("CONTRIBUTION", "cash", "contribution", -deposit)),
            (_, 16) => {
                let Some(security) = rng.pick(BOUGHT) else { return };
                let quantity = security.price.quantity_in(deposit);
                let name = format!("BUY {}", security.name);
                let bought = Trade {
                    quantity: Money::ten_thousandths(quantity),
                    price: security.price,
                    ..trade(&name, "buy", "buy", security.price.times(quantity))
                };
                (security, bought)
            }
            (3 | 6 | 9 | 12, 20) => {
                let Some(security) = BOUGHT.first() else { return };
                let name = format!("DIVIDEND {}", security.name);
                let paid = deposit.percent(40).floor_to_cents();
                (security, trade(&name, "cash", "dividend", -paid))
            }
            (12, 30) => {
                let fee = deposit.percent(10).floor_to_cents();
                (&CASH, trade("ANNUAL ACCOUNT FEE", "fee", "account fee", fee))
            }
            _ => return,
        };
        self.keep(account, security, date, item_id, &trade);
    }

    fn keep(&mut self, account: &Account, security: &Security, date: Date, item_id: &str, trade: &Trade) {
        let name = format!("{}/{date}/{}", account.key, trade.subtype);
        self.transactions.push(json!({
            "investment_transaction_id": derived_id("trade", item_id, &name),
            "account_id": account.id(item_id),
            "security_id": securities::id_of(security.ticker),
            "date": date.to_string(),
            "name": trade.name,
            "quantity": trade.quantity.json(),
            "amount": trade.amount.json(),
            "price": trade.price.json(),
            "fees": 0,
            "type": trade.kind,
            "subtype": trade.subtype,
            "iso_currency_code": account.currency,
            "unofficial_currency_code": null,
        }));
        self.securities
            .insert(security.ticker.to_owned(), securities::json(security, date));
    }

    fn custom(&mut self, account: &Account, given: &InvestmentTransaction, at: usize, item_id: &str) {
        let kind = given.kind.as_deref().unwrap_or("buy");
        // The kinds have subtypes of the same name, but for two.
        let subtype = match kind {
            "cash" => "deposit",
            "cancel" => "adjustment",
            "fee" => "account fee",
            kind => kind,
        };
        let currency = given.currency.as_deref().unwrap_or(&account.currency);
        let ticker = given.security.as_ref().map(ticker_of);
        let amount = Money::of(given.price.number() * given.quantity.number());
        self.transactions.push(json!({
            "investment_transaction_id": derived_id("trade", item_id, &format!("{}/{at}", account.key)),
            "account_id": account.id(item_id),
            "security_id": ticker.map(securities::id_of),
            "date": given.date.0.to_string(),
            "name": given.name,
            "quantity": given.quantity.json(),
            "amount": if kind == "sell" { -amount } else { amount }.json(),
            "price": given.price.json(),
            "fees": given.fees.map(Money::json),
            "type": kind,
            "subtype": subtype,
            "iso_currency_code": currency,
            "unofficial_currency_code": null,
        }));
        if let Some(ticker) = ticker {
            self.securities
                .insert(ticker.to_owned(), securities::bare(ticker, currency));
        }
    }
}
