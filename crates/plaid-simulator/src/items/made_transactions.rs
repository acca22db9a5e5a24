//! Transactions that `/sandbox/transactions/create` put on an Item, beside those that its seed makes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::data::calendar::date_of;
use crate::data::transaction::{self, Style};
use crate::spec::json::set;

/// How many an Item can have.
pub(crate) const MOST_PER_ITEM: usize = 1_000;

/// One of them.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Made {
    pub(crate) transaction_id: String,
    pub(crate) account_id: String,
    /// Days, counted as [`crate::data::calendar`] does.
    pub(crate) transacted: i64,
    pub(crate) posted: i64,
    /// Money that leaves the account is positive.
    pub(crate) amount: Value,
    pub(crate) description: String,
    pub(crate) currency: String,
}

impl Made {
    /// Plaid's transaction object. Nobody knows the merchant, so the category is that of anything.
    pub(crate) fn json(&self, style: Style) -> Value {
        let primary = "GENERAL_MERCHANDISE";
        let detailed = "GENERAL_MERCHANDISE_OTHER_GENERAL_MERCHANDISE";
        let mut json = json!({
            "account_id": self.account_id,
            "amount": self.amount,
            "authorized_date": date_of(self.transacted).to_string(),
            "counterparties": [],
            "date": date_of(self.posted).to_string(),
            "iso_currency_code": self.currency,
            "name": self.description,
            "payment_channel": "other",
            "pending": false,
            "personal_finance_category": transaction::category(primary, detailed, false, style),
            "transaction_id": self.transaction_id,
            "transaction_type": "special",
        });
        if style.original_description {
            set(&mut json, "original_description", &*self.description);
        }
        transaction::whole(json, primary)
    }
}
