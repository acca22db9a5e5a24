//! What is kept of a body.
//!
//! A list of what must not stay is never complete: people put secrets into wrong fields. So it is the other way
//! around: what Plaid publishes may stay (names of fields, words that a field can have, products, banks), days, small
//! numbers and switches in fields of that kind, and what an application says of itself. All other text is masked, also in names.

use jiff::civil::Date;
use serde_json::{Map, Number, Value};

use super::{Known, MASK};
use crate::spec::fields::{Field, Kind};
use crate::spec::{institutions, products, redact};

/// What stands for the name of a field that the path does not know.
const UNKNOWN: &str = "(unknown)";

/// Objects and fields that are about a person: nothing in them stays but their form.
#[rustfmt::skip]
const PERSONAL: &[&str] = &[
    "address", "bacs", "consumer_report_user_identity", "counterparty_address",
    "counterparty_date_of_birth", "date_of_birth", "device", "iban", "identity", "payer_details", "user",
];

/// What an application says of itself: a test wants to know what it sent. Whatever looks like a secret, a token or
/// somebody's number is masked in it too.
#[rustfmt::skip]
const OWN: &[&str] = &[
    "android_package_name", "client_name", "completion_redirect_uri", "language", "link_customization_name",
    "redirect_uri", "webhook",
];
/// Longer runs of letters and digits are no words: secrets, keys, encoded things.
const LONGEST_WORD: usize = 19;
/// The shortest number of a person or an account.
const SHORTEST_NUMBER: usize = 9;

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
                    let value = match value {
                        Value::String(text) if !personal && OWN.contains(&field.name) => own(text).into(),
                        value => self.value(&field.kind, value, personal),
                    };
                    (field.name.to_owned(), value)
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
            (_, Value::String(text)) => redact::mark(text).unwrap_or(MASK).into(),
            _ => masked(value),
        }
    }
}

/// Nothing but null, emptiness and the form of lists of nothing is left.
fn masked(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::String(text) => redact::mark(text).unwrap_or(MASK).into(),
        _ => MASK.into(),
    }
}

/// An application's own word, without what may follow an address, where values are.
fn own(text: &str) -> String {
    let text = redact::masked(text);
    let (head, values) = match text.split_once(['?', '#']) {
        Some((head, _)) => (head, "?***"),
        None => (text.as_str(), ""),
    };
    if is_wordy(head) {
        format!("{head}{values}")
    } else {
        MASK.to_owned()
    }
}

/// Whether it consists of words and small numbers.
fn is_wordy(text: &str) -> bool {
    let digits = |run: &str| run.bytes().filter(u8::is_ascii_digit).count();
    let mut words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    // A person's number may be written in groups.
    let mut numbers = text.split(|letter: char| !letter.is_ascii_digit() && letter != '-' && letter != ' ');
    !text.contains('@')
        && words.all(|word| word.len() <= LONGEST_WORD)
        && numbers.all(|number| digits(number) < SHORTEST_NUMBER)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_applications_own_words_stay_and_what_looks_secret_does_not() {
        for kept in [
            "Kore.ai bot",
            "http://127.0.0.1:45123/link/return",
            "https://bank.example.com/hook/v2",
            "en",
        ] {
            assert_eq!(own(kept), kept);
        }
        for (sent, kept) in [
            ("https://a.example/cb?code=1#x", "https://a.example/cb?***"),
            (
                "https://a.example/access-sandbox-1-2",
                "https://a.example/access-sandbox-***",
            ),
            ("51a11a7ed5ec4e7000000000000001", MASK),
            ("https://a.example/0123456789", MASK),
            ("078-05-1120", MASK),
            ("jo@example.com", MASK),
            ("GB29NWBK60161331926819", MASK),
        ] {
            assert_eq!(own(sent), kept);
        }
    }
}
