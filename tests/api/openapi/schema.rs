//! As much of JSON Schema as the document uses. A keyword that is not known here fails: nothing goes unchecked.

use serde_json::Value;

/// What tells something and asks for nothing.
const ANNOTATIONS: [&str; 5] = ["default", "description", "examples", "format", "title"];

/// Checks a value. References lead into the document.
pub fn check(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let keywords = schema.as_object().ok_or("a schema is an object")?;
    for (keyword, wanted) in keywords {
        let fits = match keyword.as_str() {
            "$ref" => {
                check(document, resolve(document, wanted)?, value)?;
                true
            }
            "type" => types(wanted).any(|name| is_a(name, value)),
            "enum" => wanted.as_array().is_some_and(|all| all.contains(value)),
            "const" => wanted == value,
            "minimum" => value
                .as_f64()
                .is_none_or(|number| number >= wanted.as_f64().unwrap()),
            "minLength" => value
                .as_str()
                .is_none_or(|text| text.len() as u64 >= wanted.as_u64().unwrap()),
            "required" => required(wanted, value),
            "properties" | "additionalProperties" => {
                members(document, schema, value)?;
                true
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    check(document, wanted, item)?;
                }
                true
            }
            "allOf" | "anyOf" | "oneOf" => {
                let all = wanted.as_array().ok_or("a list of schemas")?;
                let fitting = all
                    .iter()
                    .filter(|one| check(document, one, value).is_ok())
                    .count();
                match keyword.as_str() {
                    "allOf" => fitting == all.len(),
                    "oneOf" => fitting == 1,
                    _ => fitting > 0,
                }
            }
            annotation if ANNOTATIONS.contains(&annotation) => true,
            unknown => return Err(format!("the keyword {unknown} is not understood")),
        };
        if !fits {
            return Err(format!("{value} does not fit {keyword}: {wanted}"));
        }
    }
    Ok(())
}

/// What a `$ref` stands for.
pub fn resolve<'d>(document: &'d Value, reference: &Value) -> Result<&'d Value, String> {
    let pointer = reference
        .as_str()
        .and_then(|text| text.strip_prefix('#'))
        .ok_or("references stay in the document")?;
    document
        .pointer(pointer)
        .ok_or_else(|| format!("there is no {pointer}"))
}

fn types(wanted: &Value) -> impl Iterator<Item = &str> {
    let one = wanted.as_str();
    let many = wanted.as_array().into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(many)
}

fn is_a(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    }
}

fn required(wanted: &Value, value: &Value) -> bool {
    let Some(object) = value.as_object() else {
        return true;
    };
    let mut names = wanted.as_array().into_iter().flatten().filter_map(Value::as_str);
    names.all(|name| object.contains_key(name))
}

fn members(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    for (name, member) in value.as_object().into_iter().flatten() {
        match (
            &schema["properties"][name.as_str()],
            &schema["additionalProperties"],
        ) {
            (Value::Null, Value::Bool(false)) => return Err(format!("the member {name} is not documented")),
            (Value::Null, Value::Null | Value::Bool(true)) => {}
            (Value::Null, other) => check(document, other, member)?,
            (known, _) => check(document, known, member).map_err(|error| format!("{name}: {error}"))?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_does_not_fit_is_found() {
        let document = json!({ "word": { "enum": ["a", "b"] } });
        let schema = json!({
            "type": "object",
            "required": ["w"],
            "additionalProperties": false,
            "properties": {
                "w": { "$ref": "#/word" },
                "n": { "type": ["integer", "null"], "minimum": 1 },
                "l": { "type": "array", "items": { "type": "string" } },
                "o": { "oneOf": [{ "const": true }, { "type": "boolean" }] },
            },
        });
        for (value, fits) in [
            (json!({ "w": "a" }), true),
            (json!({ "w": "b", "n": 1, "l": ["x"], "o": false }), true),
            (json!({ "w": "a", "n": null }), true),
            (json!([]), false),
            (json!({}), false),
            (json!({ "w": "c" }), false),
            (json!({ "w": "a", "more": 1 }), false),
            (json!({ "w": "a", "n": 0 }), false),
            (json!({ "w": "a", "n": "1" }), false),
            (json!({ "w": "a", "l": [1] }), false),
            (json!({ "w": "a", "o": true }), false),
        ] {
            assert_eq!(check(&document, &schema, &value).is_ok(), fits, "{value}");
        }
        assert!(check(&document, &json!({ "pattern": "x" }), &json!("x")).is_err());
        assert!(check(&document, &json!({ "$ref": "#/nothing" }), &json!("x")).is_err());
    }
}
