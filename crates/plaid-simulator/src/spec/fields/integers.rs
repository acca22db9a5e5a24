//! Integers that are written with a decimal point.

use serde_json::{Map, Number, Value};

use super::{Field, Kind};

/// The integer that a number is: for JSON schema `100.0` is one.
pub(super) fn whole(number: &Number) -> Option<i64> {
    /// From here on neighbours of a float are further apart than 1.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    number.as_i64().or_else(|| {
        let float = number
            .as_f64()
            .filter(|float| float.fract() == 0.0 && float.abs() < EXACT)?;
        format!("{float:.0}").parse().ok()
    })
}

/// Writes the integers of a checked body as integers, for those who read it.
pub(crate) fn write_integers(fields: &[Field], body: &mut Map<String, Value>) {
    for field in fields {
        if let Some(value) = body.get_mut(field.name) {
            write_integer(&field.kind, value);
        }
    }
}

fn write_integer(kind: &Kind, value: &mut Value) {
    match (kind, &mut *value) {
        (Kind::Integer { .. }, Value::Number(number)) => {
            if let Some(whole) = whole(number) {
                *value = whole.into();
            }
        }
        (Kind::List { of, .. }, Value::Array(values)) => {
            for value in values {
                write_integer(of, value);
            }
        }
        (Kind::Object(fields) | Kind::Settings(fields), Value::Object(inner)) => {
            write_integers(fields, inner);
        }
        _ => {}
    }
}
