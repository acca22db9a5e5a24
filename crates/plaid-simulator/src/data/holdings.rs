//! What investment accounts hold; the values add up to the balance exactly.
//! <https://plaid.com/docs/api/products/investments/>

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Value, json};

use super::custom::{Holding, Security as CustomSecurity};
use super::securities::{self, BOUGHT, CASH, Security};
use super::{Account, Money, Person};
use crate::spec::json::with_nulls;

/// Holdings, and the securities that they are of, each once.
#[derive(Default)]
pub(crate) struct Portfolio {
    pub(crate) holdings: Vec<Value>,
    pub(crate) securities: BTreeMap<String, Value>,
}

/// Whether an account holds securities.
pub(crate) fn is_investment(account: &Account) -> bool {
    matches!(account.kind, "investment" | "brokerage")
}

/// What these accounts hold on a day.
pub(crate) fn portfolio<'a>(
    person: &Person,
    accounts: impl Iterator<Item = &'a Account>,
    item_id: &str,
    today: Date,
) -> Portfolio {
    let mut portfolio = Portfolio::default();
    for account in accounts.filter(|account| is_investment(account)) {
        let own = person
            .override_of(account)
            .and_then(|wanted| wanted.holdings.as_ref());
        if let Some(own) = own {
            for holding in own {
                portfolio.hold_custom(account, holding, item_id, today);
            }
        } else {
            portfolio.hold_standard(account, item_id, today);
        }
    }
    portfolio
}

/// The ticker of a custom user's security.
pub(super) fn ticker_of(security: &CustomSecurity) -> &str {
    security.ticker_symbol.as_deref().unwrap_or("UNKNOWN")
}

/// What no holding has here.
const UNKNOWN: &str = "institution_price_datetime unofficial_currency_code vested_quantity vested_value";

impl Portfolio {
    fn hold_standard(&mut self, account: &Account, item_id: &str, today: Date) {
        let mut rest = account.current;
        for security in BOUGHT {
            let quantity = security
                .price
                .quantity_in(account.current.percent(security.share));
            let value = security.price.times(quantity);
            if value > Money::ZERO {
                rest = rest - value;
                self.hold(
                    account,
                    security,
                    Money::ten_thousandths(quantity),
                    value,
                    item_id,
                    today,
                );
            }
        }
        self.hold(account, &CASH, rest, rest, item_id, today);
    }

    fn hold(
        &mut self,
        account: &Account,
        security: &Security,
        quantity: Money,
        value: Money,
        item_id: &str,
        today: Date,
    ) {
        let cost_basis = if security.kind == "cash" {
            value
        } else {
            value.percent(88).floor_to_cents()
        };
        self.holdings.push(with_nulls(
            json!({
                "account_id": account.id(item_id),
                "security_id": securities::id_of(security.ticker),
                "institution_price": security.price.json(),
                "institution_price_as_of": today.to_string(),
                "institution_value": value.json(),
                "cost_basis": cost_basis.json(),
                "quantity": quantity.json(),
                "iso_currency_code": account.currency,
            }),
            UNKNOWN,
        ));
        self.securities
            .insert(security.ticker.to_owned(), securities::json(security, today));
    }

    fn hold_custom(&mut self, account: &Account, holding: &Holding, item_id: &str, today: Date) {
        let ticker = ticker_of(&holding.security);
        let currency = holding.currency.as_deref().unwrap_or(&account.currency);
        let value = Money::of(holding.institution_price.number() * holding.quantity.number());
        let as_of = holding.institution_price_as_of.map_or(today, |day| day.0);
        self.holdings.push(with_nulls(
            json!({
                "account_id": account.id(item_id),
                "security_id": securities::id_of(ticker),
                "institution_price": holding.institution_price.json(),
                "institution_price_as_of": as_of.to_string(),
                "institution_value": value.json(),
                "cost_basis": holding.cost_basis.map(Money::json),
                "quantity": holding.quantity.json(),
                "iso_currency_code": currency,
            }),
            UNKNOWN,
        ));
        let currency = holding.security.currency.as_deref().unwrap_or(currency);
        self.securities
            .insert(ticker.to_owned(), securities::bare(ticker, currency));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::accounts;

    #[test]
    fn holdings_add_up_to_balances() {
        let person = Person::default();
        let today = jiff::civil::date(2025, 6, 15);
        for account in accounts::ALL.iter().filter(|account| is_investment(account)) {
            let portfolio = portfolio(&person, std::iter::once(account), "item", today);
            let values = portfolio.holdings.iter().filter_map(|holding| {
                let value = holding.get("institution_value")?.as_f64()?;
                Some(Money::of(value))
            });
            assert_eq!(values.sum::<Money>(), account.current);
            assert_eq!(portfolio.holdings.len(), portfolio.securities.len());
            assert!(portfolio.holdings.len() > 2);
        }
    }
}
