//! Recipients, payments and consents of Payment Initiation
//! (<https://plaid.com/docs/api/products/payment-initiation/>), in Plaid's form.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::spec::PlaidError;
use crate::spec::json::set;

/// Of each kind; the oldest leave first.
const MOST: usize = 1_000;

/// One client's object.
#[derive(Debug, Deserialize, Serialize)]
struct Entry {
    client_id: String,
    id: String,
    json: Value,
}

/// Objects of one kind, oldest first.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Pile(VecDeque<Entry>);

impl Pile {
    pub(crate) fn keep(&mut self, client_id: &str, id: &str, json: Value) {
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(Entry {
            client_id: client_id.to_owned(),
            id: id.to_owned(),
            json,
        });
    }

    /// The client's object with this id; `field` is what the caller named it by.
    pub(crate) fn get(&mut self, client_id: &str, id: &str, field: &str) -> Result<&mut Value, PlaidError> {
        self.0
            .iter_mut()
            .find(|entry| entry.client_id == client_id && entry.id == id)
            .map(|entry| &mut entry.json)
            .ok_or_else(|| PlaidError::invalid_field(format!("{field} was not found")))
    }

    /// The client's objects, newest first.
    pub(crate) fn of<'a>(&'a self, client_id: &'a str) -> impl Iterator<Item = &'a Value> {
        self.0
            .iter()
            .rev()
            .filter(move |entry| entry.client_id == client_id)
            .map(|entry| &entry.json)
    }
}

/// Everything of Payment Initiation.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct PaymentBook {
    pub(crate) recipients: Pile,
    pub(crate) payments: Pile,
    pub(crate) consents: Pile,
    /// Answers by what they were asked with: reversals and payments by consent.
    pub(crate) repeats: Pile,
}

impl PaymentBook {
    /// The person agreed in Link to the payment or consent that the link token names.
    pub(crate) fn agreed(&mut self, client_id: &str, payment_initiation: &Value, now: &str) {
        let id = |name: &str| payment_initiation.get(name).and_then(Value::as_str);
        if let Some(Ok(payment)) = id("payment_id").map(|id| self.payments.get(client_id, id, "payment_id")) {
            set(payment, "status", json!("PAYMENT_STATUS_INITIATED"));
            set(payment, "last_status_update", json!(now));
        }
        if let Some(Ok(consent)) = id("consent_id").map(|id| self.consents.get(client_id, id, "consent_id")) {
            set(consent, "status", json!("AUTHORISED"));
        }
    }
}
