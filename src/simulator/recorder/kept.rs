//! What is kept of a body.
//!
//! A list of what must not stay is never complete: people put secrets into wrong fields. So it is the other way
//! around: what Plaid publishes may stay (names of fields, words that a field can have, products, banks), and days,
//! small numbers and switches in fields of that kind. All other text is masked, also in names.

use jiff::civil::Date;
use serde_json::{Map, Number, Value};

use super::{Known, MASK};
use crate::simulator::fields::{Field, Kind};
use crate::simulator::{institutions, products, tokens_in};

/// What stands for the name of a field that the path does not know.
const UNKNOWN: &str = "(unknown)";

/// Objects and fields that are about a person: nothing in them stays but their form.
const PERSONAL: &[&str] = &[
    "address",
    "bacs",
    "consumer_report_user_identity",
    "counterparty_address",
    "counterparty_date_of_birth",
    "date_of_birth",
    "device",
    "iban",
    "identity",
    "payer_details",
    "user",
];

/// The longest number that stays, as text: `999.99`. It is too short for a number of a person or an account.
const LONGEST_NUMBER: usize = 6;
/// Numbers from here on are masked.
const LARGE: f64 = 1_000.0;

pub(super) struct Kept<'a>(&'a Known<'a>);

impl<'a> Kept<'a> {
    pub(super) fn new(known: &'a Known<'a>) -> Self {
        Self(known)
    }

    /// The body of a call of a path that takes these fields, and keys.
    pub(super) fn body(&self, fields: &[Field], body: &Value) -> Value {
        let Value::Object(body) = body else {
            return masked(body);
        };
        let mut kept = self.object(fields, body, false);
        if let Some(client_id) = body.get("client_id") {
            let known = client_id.as_str().is_some_and(self.0.is_client_id);
            let client_id = if known {
                client_id.clone()
            } else {
                masked(client_id)
            };
            kept.insert("client_id".to_owned(), client_id);
        }
        if let Some(secret) = body.get("secret") {
            kept.insert("secret".to_owned(), masked(secret));
        }
        kept.into()
    }

    fn object(&self, fields: &[Field], object: &Map<String, Value>, personal: bool) -> Map<String, Value> {
        let kept = object
            .iter()
            .filter(|(name, _)| *name != "client_id" && *name != "secret");
        let kept = kept.map(
            |(name, value)| match fields.iter().find(|field| field.name == name) {
                Some(field) => {
                    let personal = personal || PERSONAL.contains(&field.name);
                    (field.name.to_owned(), self.value(&field.kind, value, personal))
                }
                None => (UNKNOWN.to_owned(), masked(value)),
            },
        );
        kept.collect()
    }

    fn value(&self, kind: &Kind, value: &Value, personal: bool) -> Value {
        match (kind, value) {
            (Kind::Object(fields) | Kind::Settings(fields), Value::Object(inner)) => {
                self.object(fields, inner, personal).into()
            }
            (Kind::List { of, .. }, Value::Array(values)) => values
                .iter()
                .map(|value| self.value(of, value, personal))
                .collect(),
            (Kind::Bool, Value::Bool(_)) => value.clone(),
            (Kind::Integer { .. } | Kind::Number, Value::Number(number)) if !personal && is_small(number) => {
                value.clone()
            }
            (kind, Value::String(text)) if !personal && is_public(kind, text) => value.clone(),
            (_, Value::String(text)) => tokens_in::mark(text).unwrap_or(MASK).into(),
            _ => masked(value),
        }
    }
}

/// Nothing but null, emptiness and the form of lists of nothing is left.
fn masked(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::String(text) => tokens_in::mark(text).unwrap_or(MASK).into(),
        _ => MASK.into(),
    }
}

fn is_small(number: &Number) -> bool {
    number.as_f64().is_some_and(|value| value.abs() < LARGE) && number.to_string().len() <= LONGEST_NUMBER
}

fn is_public(kind: &Kind, text: &str) -> bool {
    match kind {
        _ if text.is_empty() => true,
        Kind::OneOf(words) => words.contains(&text),
        Kind::Date => text.len() == "YYYY-MM-DD".len() && text.parse::<Date>().is_ok(),
        Kind::Text { .. } => products::is_known(text) || institutions::by_id(text).is_some(),
        _ => false,
    }
}
