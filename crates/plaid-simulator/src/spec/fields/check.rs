//! The check of a body against a table of fields.
//!
//! The usual order is missing fields, unknown fields, values: Plaid does not publish its own.

use jiff::civil::Date;
use serde_json::{Map, Value};
use url::Url;

use super::integers::whole;
use super::{Field, Kind, Need};
use crate::spec::guesses::{FieldOrder, NullRequired, SettingsErrors};
use crate::spec::{Guesses, PlaidError};

/// Checks a whole body.
pub(crate) fn check(
    fields: &[Field],
    body: &Map<String, Value>,
    guesses: &Guesses,
) -> Result<(), PlaidError> {
    let checker = Checker(*guesses);
    match guesses.field_order {
        FieldOrder::MissingFirst => {
            checker.no_missing(fields, body)?;
            checker.no_unknown(fields, body)?;
            checker.values(fields, body, "")
        }
        FieldOrder::UnknownFirst => {
            checker.no_unknown(fields, body)?;
            checker.no_missing(fields, body)?;
            checker.values(fields, body, "")
        }
        FieldOrder::ValuesFirst => {
            checker.values(fields, body, "")?;
            checker.no_missing(fields, body)?;
            checker.no_unknown(fields, body)
        }
    }
}

/// How the guesses about fields are set.
#[derive(Clone, Copy)]
struct Checker(Guesses);

/// Collects names of fields, with what stands before them.
type Find = fn(Checker, &[Field], &Map<String, Value>, &str, &mut Vec<String>);

impl Checker {
    fn no_missing(self, fields: &[Field], body: &Map<String, Value>) -> Result<(), PlaidError> {
        let missing = self.found(Self::find_missing, fields, body);
        if missing.is_empty() {
            return Ok(());
        }
        Err(PlaidError::missing_fields(&missing))
    }

    fn no_unknown(self, fields: &[Field], body: &Map<String, Value>) -> Result<(), PlaidError> {
        let unknown = self.found(Self::find_unknown, fields, body);
        if unknown.is_empty() {
            return Ok(());
        }
        Err(PlaidError::unknown_fields(&unknown))
    }

    fn found(self, find: Find, fields: &[Field], body: &Map<String, Value>) -> Vec<String> {
        let mut found = Vec::new();
        find(self, fields, body, "", &mut found);
        found
    }

    /// The fields of an object whose errors are reported like those of the body.
    fn inside(self, kind: &Kind) -> Option<&'static [Field]> {
        match kind {
            Kind::Object(fields) => Some(fields),
            Kind::Settings(fields) if self.0.settings_errors == SettingsErrors::ByField => Some(fields),
            _ => None,
        }
    }

    /// Goes into objects, and into the objects of lists.
    fn find_inside(self, find: Find, kind: &Kind, value: &Value, name: &str, found: &mut Vec<String>) {
        match (self.inside(kind), kind, value) {
            (Some(fields), _, Value::Object(inner)) => {
                find(self, fields, inner, &format!("{name}."), found);
            }
            (None, Kind::List { of, .. }, Value::Array(values)) => {
                for (at, value) in values.iter().enumerate() {
                    self.find_inside(find, of, value, &format!("{name}[{at}]"), found);
                }
            }
            _ => {}
        }
    }

    fn find_missing(
        self,
        fields: &[Field],
        body: &Map<String, Value>,
        prefix: &str,
        missing: &mut Vec<String>,
    ) {
        let null_is_missing = self.0.null_required == NullRequired::MissingFields;
        for field in fields {
            let is_missing = match (body.get(field.name), field.need) {
                (None, Need::Required | Need::Stated) => true,
                (Some(Value::Null), Need::Required) => null_is_missing,
                _ => false,
            };
            let name = format!("{prefix}{}", field.name);
            match body.get(field.name) {
                _ if is_missing => missing.push(name),
                Some(value) => self.find_inside(Self::find_missing, &field.kind, value, &name, missing),
                None => {}
            }
        }
    }

    fn find_unknown(
        self,
        fields: &[Field],
        body: &Map<String, Value>,
        prefix: &str,
        unknown: &mut Vec<String>,
    ) {
        for (name, value) in body {
            match fields.iter().find(|field| field.name == name) {
                None => unknown.push(format!("{prefix}{name}")),
                Some(field) => {
                    self.find_inside(
                        Self::find_unknown,
                        &field.kind,
                        value,
                        &format!("{prefix}{name}"),
                        unknown,
                    );
                }
            }
        }
    }

    fn values(self, fields: &[Field], body: &Map<String, Value>, prefix: &str) -> Result<(), PlaidError> {
        for field in fields {
            match body.get(field.name) {
                None => {}
                Some(Value::Null) if matches!(field.need, Need::Nullable | Need::Stated) => {}
                Some(value) => self.value(&field.kind, value, &format!("{prefix}{}", field.name))?,
            }
        }
        Ok(())
    }

    fn value(self, kind: &Kind, value: &Value, name: &str) -> Result<(), PlaidError> {
        let wanted = match (kind, value) {
            (Kind::Text { min, max }, Value::String(text)) => {
                let length = text.chars().count();
                if length < *min {
                    return Err(PlaidError::invalid_field(if *min == 1 {
                        format!("{name} must be a non-empty string")
                    } else {
                        format!("{name} must have at least {min} characters")
                    }));
                }
                if length > *max {
                    return Err(PlaidError::invalid_field(format!(
                        "{name} must have at most {max} characters"
                    )));
                }
                return Ok(());
            }
            (Kind::Url, Value::String(text)) if is_web_url(text) => return Ok(()),
            (Kind::Date, Value::String(text)) if is_date(text) => return Ok(()),
            (Kind::DateTime, Value::String(text)) if text.parse::<jiff::Timestamp>().is_ok() => return Ok(()),
            (Kind::Any, _)
            | (Kind::Bool, Value::Bool(_))
            | (Kind::Number, Value::Number(_))
            | (Kind::AnyObject, Value::Object(_)) => return Ok(()),
            (Kind::Integer { min, max }, Value::Number(number)) => {
                if whole(number).is_some_and(|number| (*min..=*max).contains(&number)) {
                    return Ok(());
                }
                return Err(PlaidError::invalid_field(format!(
                    "{name} must be an integer between {min} and {max}"
                )));
            }
            (Kind::OneOf(words), Value::String(text)) => {
                if words.contains(&text.as_str()) {
                    return Ok(());
                }
                return Err(PlaidError::invalid_field(format!(
                    "{name} must be one of: {}",
                    words.join(", ")
                )));
            }
            (Kind::List { of, min }, Value::Array(values)) => {
                if values.len() < *min {
                    return Err(PlaidError::invalid_field(format!(
                        "{name} must have at least {min} element"
                    )));
                }
                return values
                    .iter()
                    .enumerate()
                    .try_for_each(|(at, value)| self.value(of, value, &format!("{name}[{at}]")));
            }
            (kind, Value::Object(inner)) if self.inside(kind).is_some() => {
                return self.values(self.inside(kind).unwrap_or_default(), inner, &format!("{name}."));
            }
            (Kind::Settings(fields), Value::Object(inner)) => {
                return check(fields, inner, &self.0).map_err(|error| misconfigured(name, &error.message));
            }
            (Kind::Settings(_), _) if self.0.settings_errors == SettingsErrors::InvalidConfiguration => {
                return Err(misconfigured(name, "it must be an object"));
            }
            (Kind::Text { .. } | Kind::OneOf(_), _) => "a string",
            (Kind::Url, _) => "a URL",
            (Kind::Date, _) => "a date (YYYY-MM-DD)",
            (Kind::DateTime, _) => "a date and time with a zone (RFC 3339)",
            (Kind::Bool, _) => "a boolean",
            (Kind::Number, _) => "a number",
            (Kind::Integer { .. }, _) => "an integer",
            (Kind::List { .. }, _) => "an array",
            (Kind::Object(_) | Kind::Settings(_) | Kind::AnyObject, _) => "an object",
        };
        Err(PlaidError::invalid_field(format!("{name} must be {wanted}")))
    }
}

fn misconfigured(name: &str, why: &str) -> PlaidError {
    PlaidError::invalid_configuration(&format!("{name}: {why}"))
}

fn is_web_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Plaid's dates are `YYYY-MM-DD` and nothing more; jiff's parser also takes a date with a time.
fn is_date(text: &str) -> bool {
    text.len() == "YYYY-MM-DD".len() && text.parse::<Date>().is_ok()
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::expect_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]

    use serde_json::json;

    use super::*;
    use crate::spec::fields::{NON_EMPTY, fields, int, some, text};

    const FIELDS: &[Field] = fields! {
        required name: NON_EMPTY,
        optional flag: Kind::Bool,
        nullable day: Kind::Date,
        optional at: Kind::DateTime,
        optional hook: Kind::Url,
        optional list: some(&Kind::OneOf(&["A", "B"])),
        optional user: Kind::Object(fields! { required id: text(1, 3), }),
        optional settings: Kind::Settings(fields! { required days: int(1, 730), }),
        optional open: Kind::AnyObject,
    };

    fn code(body: &Value) -> Option<String> {
        let body = body.as_object().cloned().unwrap_or_default();
        check(FIELDS, &body, &Guesses::default())
            .err()
            .map(|error| error.error_code.into_owned())
    }

    #[test]
    fn a_good_body_passes() {
        let body = json!({
            "name": "x", "flag": true, "day": null, "at": "2019-12-12T22:35:49Z", "hook": "https://a.test/b",
            "list": ["A", "B"], "user": {"id": "abc"}, "settings": {"days": 730}, "open": {"any": [1]},
        });
        assert_eq!(code(&body), None);
    }

    #[test]
    fn missing_comes_before_unknown_before_values() {
        assert_eq!(
            code(&json!({"extra": 1, "flag": 1})).as_deref(),
            Some("MISSING_FIELDS")
        );
        assert_eq!(code(&json!({"name": null})).as_deref(), Some("MISSING_FIELDS"));
        assert_eq!(
            code(&json!({"name": "x", "user": {}})).as_deref(),
            Some("MISSING_FIELDS")
        );
        assert_eq!(
            code(&json!({"name": "x", "extra": 1, "flag": 1})).as_deref(),
            Some("UNKNOWN_FIELDS")
        );
        assert_eq!(
            code(&json!({"name": "x", "user": {"id": "a", "more": 1}})).as_deref(),
            Some("UNKNOWN_FIELDS")
        );
    }

    #[test]
    fn each_bad_value_is_named() {
        for (field, value) in [
            ("name", json!("")),
            ("name", json!(1)),
            ("flag", json!("true")),
            ("flag", Value::Null),
            ("day", json!("2020-02-30")),
            ("day", json!("2020-02-03T00:00")),
            ("at", json!("2019-12-12T22:35:49")),
            ("hook", json!("ftp://a.test")),
            ("hook", json!("not a url")),
            ("list", json!([])),
            ("list", json!(["A", "C"])),
            ("list", json!("A")),
            ("user", json!([])),
            ("user", json!({"id": "abcd"})),
            ("open", json!("x")),
        ] {
            let mut body = json!({"name": "x"});
            body[field] = value.clone();
            let body = body.as_object().cloned().unwrap_or_default();
            let error = check(FIELDS, &body, &Guesses::default()).expect_err(&format!("{field} = {value}"));
            let expected = if body["name"].is_null() {
                "MISSING_FIELDS"
            } else {
                "INVALID_FIELD"
            };
            assert_eq!(error.error_code, expected, "{field} = {value}");
            assert!(error.message.contains(field), "{}", error.message);
        }
    }

    #[test]
    fn settings_have_an_error_of_their_own() {
        for settings in [
            json!(1),
            json!({}),
            json!({"days": 0}),
            json!({"days": 1, "more": 2}),
            json!({"days": 1.5}),
        ] {
            let body = json!({"name": "x", "settings": settings});
            assert_eq!(code(&body).as_deref(), Some("INVALID_CONFIGURATION"), "{body}");
        }
    }
}
