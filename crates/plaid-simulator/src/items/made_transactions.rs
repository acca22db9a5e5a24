//! Transactions that `/sandbox/transactions/create` put on an Item, beside those that its seed makes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::data::calendar::date_of;
use crate::data::transaction::Style;

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
        let mut json = json!({
            "account_id": self.account_id,
            "account_owner": null,
            "amount": self.amount,
            "authorized_date": date_of(self.transacted).to_string(),
            "authorized_datetime": null,
            "category": null,
            "category_id": null,
            "check_number": null,
            "counterparties": [],
            "date": date_of(self.posted).to_string(),
            "datetime": null,
            "iso_currency_code": self.currency,
            "location": {
                "address": null,
                "city": null,
                "region": null,
                "postal_code": null,
                "country": null,
                "lat": null,
                "lon": null,
                "store_number": null,
            },
            "logo_url": null,
            "merchant_entity_id": null,
            "merchant_name": null,
            "name": self.description,
            "payment_channel": "other",
            "payment_meta": {
                "by_order_of": null,
                "payee": null,
                "payer": null,
                "payment_method": null,
                "payment_processor": null,
                "ppd_id": null,
                "reason": null,
                "reference_number": null,
            },
            "pending": false,
            "pending_transaction_id": null,
            "personal_finance_category": {
                "primary": primary,
                "detailed": "GENERAL_MERCHANDISE_OTHER_GENERAL_MERCHANDISE",
                "confidence_level": "LOW",
                "version": if style.second_taxonomy { "v2" } else { "v1" },
            },
            "personal_finance_category_icon_url":
                format!("https://plaid-category-icons.plaid.com/PFC_{primary}.png"),
            "transaction_code": null,
            "transaction_id": self.transaction_id,
            "transaction_type": "special",
            "unofficial_currency_code": null,
            "website": null,
        });
        if let (true, Some(json)) = (style.original_description, json.as_object_mut()) {
            json.insert("original_description".to_owned(), self.description.clone().into());
        }
        json
    }
}
