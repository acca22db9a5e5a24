//! What a server's response means: `{id, ok: true, result}`, `{id, ok: false, error}`, or something that is neither.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::secret::Secret;
use crate::text::printable;
use crate::token::TokenSource;

/// PlaidCloud's code for a warning.
const WARNING: i64 = -1000;

/// The server responded, and not with what was asked for.
#[derive(Debug, Error)]
pub enum ServerError {
    /// The method failed.
    #[error("the server reports an error: {message} (code {code}){data}")]
    Method {
        /// JSON-RPC's or PlaidCloud's code.
        code: i64,
        /// The server's text.
        message: String,
        /// More of the server's text, in parentheses, or empty.
        data: String,
    },
    /// Code -1000: the method did not finish, for a reason that PlaidCloud calls a warning. There is no result.
    #[error("warning from the server: {0}")]
    Warning(String),
    /// 401, also with a new token.
    #[error("the server refuses the token (401). It comes from {}{}", token_source.description(), explain(*expired_since, *clock_differs))]
    Unauthorized {
        /// Where the token comes from.
        token_source: TokenSource,
        /// For how many seconds it has been expired, by the clock of this machine.
        expired_since: Option<i64>,
        /// By how many seconds the clock of this machine is ahead of the server's, when that is much.
        clock_differs: Option<i64>,
    },
    /// A redirect, which is not followed: the token would go elsewhere.
    #[error("the server redirects to {to} (status {status}), which is not followed. Is hostname correct?")]
    Redirect {
        /// The HTTP status.
        status: u16,
        /// The host of the target.
        to: String,
    },
    /// Another HTTP error.
    #[error("the server responds with status {status}{detail}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// The server's text after a colon, or empty.
        detail: String,
    },
    /// A page.
    #[error("the server responds with an HTML page and not with JSON. Is hostname correct?")]
    Html,
    /// A body that is no JSON.
    #[error("the server's response is not valid JSON: {0}")]
    NotJson(String),
    /// JSON that is no JSON-RPC response.
    #[error(
        "the server's response is JSON, but not a response of the JSON-RPC interface. Is hostname correct?"
    )]
    NotAnAnswer,
    /// Too large for memory.
    #[error("the server's response is larger than {} MiB; use download", .0 >> 20)]
    TooLarge(usize),
    /// A value where a file was expected.
    #[error("the method responds with a value and not with a file; use call")]
    NotAFile,
}

fn explain(expired_since: Option<i64>, clock_differs: Option<i64>) -> String {
    let expired =
        expired_since.map(|seconds| format!(" and expired {seconds} s ago by the clock of this machine"));
    let clock = clock_differs.map(|seconds| {
        let direction = if seconds > 0 { "ahead of" } else { "behind" };
        let seconds = seconds.abs();
        format!(". The clock of this machine is {seconds} s {direction} the server's: set it")
    });
    [expired, clock].into_iter().flatten().collect()
}

#[derive(Deserialize)]
struct Reported {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: serde_json::Value,
}

/// The result, as the server wrote it.
pub(crate) fn interpret(body: &[u8], secrets: &[&Secret]) -> Result<Box<RawValue>, ServerError> {
    if is_html(body) {
        return Err(ServerError::Html);
    }
    let place = |error: &serde_json::Error| ServerError::NotJson(crate::request::place(error));
    let any: Box<RawValue> = serde_json::from_slice(body).map_err(|error| place(&error))?;
    let members: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(any.get()).map_err(|_| ServerError::NotAnAnswer)?;
    let is = |name: &str, text: &str| members.get(name).is_some_and(|value| value.get() == text);
    let error = members.get("error").filter(|value| value.get() != "null");
    match (error, members.get("result")) {
        (Some(error), _) if !is("ok", "true") => Err(reported(error, secrets)),
        (_, Some(result)) if !is("ok", "false") => Ok(result.clone()),
        (None, _) if is("ok", "false") => Err(ServerError::Method {
            code: 0,
            message: "no message".to_owned(),
            data: String::new(),
        }),
        _ => Err(ServerError::NotAnAnswer),
    }
}

/// Whether a body is a JSON-RPC response, where a file is expected otherwise.
pub(crate) fn is_answer(body: &[u8]) -> bool {
    serde_json::from_slice::<BTreeMap<String, &RawValue>>(body).is_ok_and(|members| {
        let ok = members
            .get("ok")
            .is_some_and(|ok| matches!(ok.get(), "true" | "false"));
        ok || (members.contains_key("id")
            && (members.contains_key("result") || members.contains_key("error")))
    })
}

fn reported(error: &RawValue, secrets: &[&Secret]) -> ServerError {
    let clean = |text: &str| printable(text, secrets.iter().copied());
    let Ok(reported) = serde_json::from_str::<Reported>(error.get()) else {
        return ServerError::Method {
            code: 0,
            message: clean(error.get()),
            data: String::new(),
        };
    };
    let message = clean(&reported.message);
    if reported.code == WARNING {
        return ServerError::Warning(message);
    }
    let data = match &reported.data {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => format!(" ({})", clean(text)),
        other => format!(" ({})", clean(&other.to_string())),
    };
    ServerError::Method {
        code: reported.code,
        message,
        data,
    }
}

pub(crate) fn is_html(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> Result<String, String> {
        let secret = Secret::new("s3cr3t");
        let outcome = interpret(body.as_bytes(), &[&secret]);
        outcome
            .map(|raw| raw.get().to_owned())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn results_keep_their_text_also_without_ok() {
        assert_eq!(
            of(r#"{"id":"1","ok":true,"result":{"n":1.10}}"#).unwrap(),
            r#"{"n":1.10}"#
        );
        assert_eq!(of(r#"{"id":"1","result":null,"error":null}"#).unwrap(), "null");
        assert_eq!(
            of(r#"{"id":"1","ok":true,"result":[12345678901234567890]}"#).unwrap(),
            "[12345678901234567890]"
        );
    }

    #[test]
    fn errors_and_warnings_are_told_apart() {
        let error = |body: &str| of(body).unwrap_err();
        let text = error(
            r#"{"id":"1","ok":false,"error":{"code":-32601,"message":"Method not found","data":"s3cr3t"}}"#,
        );
        assert_eq!(
            text,
            "the server reports an error: Method not found (code -32601) ((hidden))"
        );
        let text = error(r#"{"id":"1","ok":false,"error":{"code":-1000,"message":"no rows","data":null}}"#);
        assert_eq!(text, "warning from the server: no rows");
        assert!(error(r#"{"id":"1","error":{"code":1,"message":"m"}}"#).contains("m (code 1)"));
        assert!(error(r#"{"id":"1","ok":false,"error":"m"}"#).contains('m'));
        assert!(error(r#"{"id":"1","ok":false}"#).contains("no message"));
        assert!(error(r#"{"id":"1","ok":false,"result":7}"#).contains("error"));
    }

    #[test]
    fn what_is_no_response_is_named() {
        let error = |body: &str| of(body).unwrap_err();
        assert!(error(" <!doctype html>").contains("HTML"));
        assert!(error(r#"{"id":"1","ok":true,"resu"#).contains("ends early"));
        assert!(error("").contains("ends early"));
        assert!(error("hello").contains("not valid JSON"));
        for body in ["[]", "1", "{}", r#"{"hello":1}"#] {
            assert!(error(body).contains("not a response"), "{body}");
        }
    }

    #[test]
    fn a_json_document_is_a_file_and_a_response_is_not() {
        assert!(is_answer(br#"{"id":"1","ok":false,"error":{}}"#));
        assert!(is_answer(br#"{"id":"1","result":7}"#));
        for file in [
            &br#"{"result": 7}"#[..],
            b"[1]",
            b"a,b\n1,2\n",
            b"{",
            b"",
            br#"{"ok": 1}"#,
        ] {
            assert!(!is_answer(file), "{}", String::from_utf8_lossy(file));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_body_makes_it_panic(body in "[{}\\[\\]\":,a-z0-9 ]{0,60}|\\PC{0,40}") {
            let _ = interpret(body.as_bytes(), &[]);
            is_answer(body.as_bytes());
        }
    }
}
