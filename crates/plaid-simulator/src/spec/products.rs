//! Plaid's product names and which of them an Item can start with.

use crate::spec::PlaidError;

/// Every product that the API knows.
#[rustfmt::skip]
const KNOWN: &[&str] = &[
    "assets", "auth", "balance", "balance_plus", "beacon", "cra_base_report", "cra_cashflow_insights",
    "cra_income_insights", "cra_lend_score", "cra_monitoring", "cra_network_insights",
    "cra_partner_insights", "cra_plaid_credit_score", "credit_details", "employment", "identity",
    "identity_match", "identity_verification", "income", "income_verification", "investments",
    "investments_auth", "layer", "liabilities", "pay_by_bank", "payment_initiation", "processor_identity",
    "processor_payments", "profile", "protect_linked_bank", "protect_transactions",
    "recurring_transactions", "signal", "standing_orders", "statements", "transactions",
    "transactions_refresh", "transfer",
];

/// Known, and yet refused at the start of an Item (<https://plaid.com/docs/errors/invalid-input/#invalid_product>).
const NOT_INITIAL: &[&str] = &["balance", "recurring_transactions"];

/// The products that Items without a login can have.
pub(crate) const MANUAL_PRODUCTS: &[&str] = &["auth", "transfer"];

/// Whether the API knows a product of this name.
#[must_use]
pub fn is_known(name: &str) -> bool {
    KNOWN.contains(&name)
}

/// The known ones of these names, as they are kept.
pub(crate) fn of_names<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<&'static str> {
    let known = |name: &String| KNOWN.iter().find(|known| *known == name).copied();
    names.into_iter().filter_map(known).collect()
}

/// Checks that Items can start with each of `products`.
pub(crate) fn check_initial<'a>(products: impl IntoIterator<Item = &'a String>) -> Result<(), PlaidError> {
    for product in products {
        if !is_known(product) {
            return Err(PlaidError::invalid_product(format!(
                "there is no product with the name {product:?}"
            )));
        }
        if NOT_INITIAL.contains(&product.as_str()) {
            return Err(PlaidError::invalid_product(format!(
                "{product} cannot be used to initialize Link; call its endpoint on any Item instead"
            )));
        }
    }
    Ok(())
}

/// Kept products as their names, in snapshots.
pub(crate) mod as_names {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer};

    use super::of_names;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<&'static str>, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        let known = of_names(&names);
        if known.len() == names.len() {
            Ok(known)
        } else {
            Err(D::Error::custom("there is no product of this name"))
        }
    }
}
