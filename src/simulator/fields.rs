//! What a request may contain, as tables, and the check of a body against them.
//!
//! The order is missing fields, unknown fields, values: Plaid does not publish its own.

use jiff::civil::Date;
use serde_json::{Map, Value};
use url::Url;

use super::error::PlaidError;

/// What a field's value must be.
pub(super) enum Kind {
    /// Text of at least and at most so many characters.
    Text {
        min: usize,
        max: usize,
    },
    Url,
    Bool,
    Date,
    DateTime,
    Number,
    Integer {
        min: i64,
        max: i64,
    },
    OneOf(&'static [&'static str]),
    List {
        of: &'static Kind,
        min: usize,
    },
    /// An object whose fields are named in errors like those of the body.
    Object(&'static [Field]),
    /// An object of settings: whatever is wrong inside it is `INVALID_CONFIGURATION`.
    Settings(&'static [Field]),
    /// An object that is not looked into.
    AnyObject,
}

/// Any text, the empty one included.
pub(super) const TEXT: Kind = Kind::Text {
    min: 0,
    max: usize::MAX,
};
/// Text that is not empty.
pub(super) const NON_EMPTY: Kind = Kind::Text {
    min: 1,
    max: usize::MAX,
};

/// One field of a request.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) need: Need,
}

/// Whether a field may be absent or null.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
    /// May be absent or null, which mean the same.
    Nullable,
    /// Must be there, and may be null.
    Stated,
}

pub(super) const fn required(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        need: Need::Required,
    }
}

pub(super) const fn stated(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        need: Need::Stated,
    }
}

pub(super) const fn optional(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        need: Need::Optional,
    }
}

pub(super) const fn nullable(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        need: Need::Nullable,
    }
}

/// Checks a whole body.
pub(super) fn check(fields: &[Field], body: &Map<String, Value>) -> Result<(), PlaidError> {
    let mut missing = Vec::new();
    find_missing(fields, body, "", &mut missing);
    if !missing.is_empty() {
        return Err(PlaidError::missing_fields(&missing));
    }
    let mut unknown = Vec::new();
    find_unknown(fields, body, "", &mut unknown);
    if !unknown.is_empty() {
        return Err(PlaidError::unknown_fields(&unknown));
    }
    check_values(fields, body, "")
}

/// Goes into objects, and into the objects of lists.
fn missing_inside(kind: &Kind, value: &Value, name: &str, missing: &mut Vec<String>) {
    match (kind, value) {
        (Kind::Object(fields), Value::Object(inner)) => {
            find_missing(fields, inner, &format!("{name}."), missing);
        }
        (Kind::List { of, .. }, Value::Array(values)) => {
            for (at, value) in values.iter().enumerate() {
                missing_inside(of, value, &format!("{name}[{at}]"), missing);
            }
        }
        _ => {}
    }
}

fn unknown_inside(kind: &Kind, value: &Value, name: &str, unknown: &mut Vec<String>) {
    match (kind, value) {
        (Kind::Object(fields), Value::Object(inner)) => {
            find_unknown(fields, inner, &format!("{name}."), unknown);
        }
        (Kind::List { of, .. }, Value::Array(values)) => {
            for (at, value) in values.iter().enumerate() {
                unknown_inside(of, value, &format!("{name}[{at}]"), unknown);
            }
        }
        _ => {}
    }
}

fn find_missing(fields: &[Field], body: &Map<String, Value>, prefix: &str, missing: &mut Vec<String>) {
    for field in fields {
        match (body.get(field.name), &field.kind) {
            (None | Some(Value::Null), _) if field.need == Need::Required => {
                missing.push(format!("{prefix}{}", field.name));
            }
            (None, _) if field.need == Need::Stated => {
                missing.push(format!("{prefix}{}", field.name));
            }
            (Some(value), kind) => missing_inside(kind, value, &format!("{prefix}{}", field.name), missing),
            (None, _) => {}
        }
    }
}

fn find_unknown(fields: &[Field], body: &Map<String, Value>, prefix: &str, unknown: &mut Vec<String>) {
    for (name, value) in body {
        match (
            fields
                .iter()
                .find(|field| field.name == name)
                .map(|field| &field.kind),
            value,
        ) {
            (None, _) => unknown.push(format!("{prefix}{name}")),
            (Some(kind), value) => unknown_inside(kind, value, &format!("{prefix}{name}"), unknown),
        }
    }
}

fn check_values(fields: &[Field], body: &Map<String, Value>, prefix: &str) -> Result<(), PlaidError> {
    for field in fields {
        match body.get(field.name) {
            None => {}
            Some(Value::Null) if matches!(field.need, Need::Nullable | Need::Stated) => {}
            Some(value) => check_value(&field.kind, value, &format!("{prefix}{}", field.name))?,
        }
    }
    Ok(())
}

fn check_value(kind: &Kind, value: &Value, name: &str) -> Result<(), PlaidError> {
    let wanted = match (kind, value) {
        (Kind::Text { min, max }, Value::String(text)) => {
            let length = text.chars().count();
            if length < *min {
                return Err(PlaidError::invalid_field(format!(
                    "{name} must be a non-empty string"
                )));
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
        (Kind::Bool, Value::Bool(_))
        | (Kind::Number, Value::Number(_))
        | (Kind::AnyObject, Value::Object(_)) => return Ok(()),
        (Kind::Integer { min, max }, Value::Number(number)) => {
            if number
                .as_i64()
                .is_some_and(|number| (*min..=*max).contains(&number))
            {
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
                .try_for_each(|(at, value)| check_value(of, value, &format!("{name}[{at}]")));
        }
        (Kind::Object(fields), Value::Object(inner)) => {
            return check_values(fields, inner, &format!("{name}."));
        }
        (Kind::Settings(fields), Value::Object(inner)) => {
            return check(fields, inner).map_err(|error| invalid_configuration(name, &error.message));
        }
        (Kind::Settings(_), _) => return Err(invalid_configuration(name, "it must be an object")),
        (Kind::Text { .. } | Kind::OneOf(_), _) => "a string",
        (Kind::Url, _) => "a URL",
        (Kind::Date, _) => "a date (YYYY-MM-DD)",
        (Kind::DateTime, _) => "a date and time with a zone (RFC 3339)",
        (Kind::Bool, _) => "a boolean",
        (Kind::Number, _) => "a number",
        (Kind::Integer { .. }, _) => "an integer",
        (Kind::List { .. }, _) => "an array",
        (Kind::Object(_) | Kind::AnyObject, _) => "an object",
    };
    Err(PlaidError::invalid_field(format!("{name} must be {wanted}")))
}

fn invalid_configuration(name: &str, why: &str) -> PlaidError {
    PlaidError::new(
        "INVALID_REQUEST",
        "INVALID_CONFIGURATION",
        format!("please ensure that the request body is formatted correctly: {name}: {why}"),
    )
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

    const FIELDS: &[Field] = &[
        required("name", NON_EMPTY),
        optional("flag", Kind::Bool),
        nullable("day", Kind::Date),
        optional("at", Kind::DateTime),
        optional("hook", Kind::Url),
        optional(
            "list",
            Kind::List {
                of: &Kind::OneOf(&["A", "B"]),
                min: 1,
            },
        ),
        optional(
            "user",
            Kind::Object(&[required("id", Kind::Text { min: 1, max: 3 })]),
        ),
        optional(
            "settings",
            Kind::Settings(&[required("days", Kind::Integer { min: 1, max: 730 })]),
        ),
        optional("open", Kind::AnyObject),
    ];

    fn code(body: &Value) -> Option<String> {
        let body = body.as_object().cloned().unwrap_or_default();
        check(FIELDS, &body)
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
            let error = check(FIELDS, &body).expect_err(&format!("{field} = {value}"));
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
