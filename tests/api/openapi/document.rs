//! Real answers held against the document.

use std::sync::LazyLock;

use serde_json::Value;

use super::schema::{check as check_schema, resolve};
use crate::harness::Answer;

/// As it is embedded in the broker.
pub static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../static/openapi.json")).unwrap());

/// Every documented path and method.
pub fn operations() -> Vec<(&'static str, &'static str, &'static Value)> {
    let mut all = Vec::new();
    for (path, methods) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            all.push((path.as_str(), method.as_str(), operation));
        }
    }
    all
}

/// Holds an answer against the document. `None`: the document has no such path and method. Else the path as the document
/// has it.
pub fn check(method: &str, path: &str, answer: &Answer) -> Option<&'static str> {
    let all = operations();
    let found = all
        .iter()
        .find(|(template, documented, _)| matches(template, path) && documented.eq_ignore_ascii_case(method));
    let (template, _, operation) = found?;
    if let Err(problem) = check_answer(operation, answer) {
        let status = answer.status;
        panic!(
            "{method} {path} answered {status}, which is not as documented: {problem}\n{}",
            answer.body
        );
    }
    Some(template)
}

fn matches(template: &str, path: &str) -> bool {
    match template.split_once('{') {
        None => template == path,
        Some((before, _)) => path
            .strip_prefix(before)
            .is_some_and(|rest| !rest.is_empty() && !rest.contains('/')),
    }
}

fn check_answer(operation: &'static Value, answer: &Answer) -> Result<(), String> {
    let documented = &operation["responses"][answer.status.to_string()];
    if documented.is_null() {
        return Err("the status is not documented".to_owned());
    }
    let documented = followed(documented)?;
    for (name, header) in documented["headers"].as_object().into_iter().flatten() {
        let header = followed(header)?;
        match answer.header(name) {
            Some(value) if header["schema"]["type"] == "integer" => {
                let number: Result<u64, _> = value.parse();
                number.map_err(|_| format!("{name} is no number: {value}"))?;
            }
            None if header["required"] == true => return Err(format!("the header {name} is missing")),
            _ => {}
        }
    }
    match (documented["content"].as_object(), answer.header("content-type")) {
        (None, None) if answer.body.is_empty() => Ok(()),
        (None, _) => Err("no body is documented".to_owned()),
        (Some(content), sent) => {
            let media_type = sent.unwrap_or_default().split(';').next().unwrap();
            let documented = content
                .get(media_type)
                .ok_or_else(|| format!("the content type '{media_type}' is not documented"))?;
            let body = match media_type {
                "application/json" => answer.json.clone(),
                _ => Value::from(answer.body.as_str()),
            };
            check_schema(&DOCUMENT, &documented["schema"], &body)
        }
    }
}

fn followed(part: &'static Value) -> Result<&'static Value, String> {
    match &part["$ref"] {
        Value::Null => Ok(part),
        reference => resolve(&DOCUMENT, reference),
    }
}
