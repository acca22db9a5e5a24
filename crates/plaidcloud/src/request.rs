//! What is sent: a method with its parameters, or a REST path, as one HTTP request.

mod rest;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;
use thiserror::Error;
use url::Url;

pub use rest::RestRequest;

/// A request that cannot be sent as it is.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RequestError {
    /// The method's name is malformed.
    #[error("{0:?} is not a method's name; write it with slashes, as in analyze/project/list")]
    Method(String),
    /// The parameters are malformed.
    #[error("the parameters must be one JSON object: {0}")]
    Params(String),
    /// Two values for one parameter.
    #[error("the parameters have another {0} than the option does; leave one of them out")]
    Conflict(String),
    /// The REST path is malformed.
    #[error("{0:?} is not a path below /rest/v1/, as in analyze/dimension/dimensions")]
    Path(String),
    /// The REST body is no JSON.
    #[error("the body must be JSON: {0}")]
    Body(String),
}

/// A JSON object whose values keep their text: numbers lose no digits.
pub type Params = BTreeMap<String, Box<RawValue>>;

/// One call of a JSON-RPC method.
#[derive(Clone, Debug)]
pub struct Call {
    method: String,
    params: Params,
}

impl Call {
    /// A call without parameters.
    pub fn new(method: &str) -> Result<Self, RequestError> {
        let is_part = |part: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            !part.is_empty() && part.chars().all(plain)
        };
        if !method.split('/').all(is_part) {
            return Err(RequestError::Method(method.to_owned()));
        }
        Ok(Self {
            method: method.to_owned(),
            params: Params::new(),
        })
    }

    /// Adds the members of a JSON object.
    pub fn with_params(mut self, json: &str) -> Result<Self, RequestError> {
        let params: Params =
            serde_json::from_str(json).map_err(|error| RequestError::Params(place(&error)))?;
        self.params.extend(params);
        Ok(self)
    }

    /// Adds one parameter. The same value may be there already.
    pub fn with(mut self, name: &str, value: &impl Serialize) -> Result<Self, RequestError> {
        let value =
            serde_json::value::to_raw_value(value).map_err(|error| RequestError::Params(place(&error)))?;
        match self.params.insert(name.to_owned(), value.clone()) {
            Some(other) if other.get() != value.get() => Err(RequestError::Conflict(name.to_owned())),
            _ => Ok(self),
        }
    }

    /// The method's name.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Whether the method only reads, so that a repetition does no harm.
    pub(crate) fn reads(&self) -> bool {
        READS.contains(&self.method.as_str())
    }

    pub(crate) fn prepare(&self, rpc_uri: &Url, id: &str) -> Result<Prepared, RequestError> {
        #[derive(Serialize)]
        struct Body<'a> {
            jsonrpc: &'static str,
            method: &'a str,
            params: &'a Params,
            id: &'a str,
        }
        let body = Body {
            jsonrpc: "2.0",
            method: &self.method,
            params: &self.params,
            id,
        };
        let url = rpc_uri.join(&self.method);
        Ok(Prepared {
            method: HttpMethod::Post,
            url: url.map_err(|_| RequestError::Method(self.method.clone()))?,
            body: Some(serde_json::to_string(&body).map_err(|error| RequestError::Params(place(&error)))?),
        })
    }
}

/// Methods in PlaidCloud's own client that change nothing. `analyze/query/query` is missing: it runs any SQL.
const READS: [&str; 13] = [
    "identity/me/scopes",
    "analyze/project/list",
    "analyze/project/project",
    "analyze/project/lookup_by_name",
    "analyze/project/variables",
    "analyze/table/table",
    "analyze/table/table_meta",
    "analyze/table/search_by_name",
    "analyze/query/download_csv",
    "analyze/query/get_dataframe_from_select",
    "analyze/step/step",
    "analyze/udf/udfs",
    "analyze/udf/get_code",
];

/// Where JSON is wrong, without its content.
pub(crate) fn place(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Eof => "it ends early",
        serde_json::error::Category::Data => "it is of another type",
        _ => "it is not JSON",
    };
    format!("{kind} (line {}, column {})", error.line(), error.column())
}

/// The HTTP methods that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpMethod {
    /// GET.
    Get,
    /// POST.
    Post,
}

/// One HTTP request without its token. Its text form is for people: it shows no secret of the configuration.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The HTTP method.
    pub method: HttpMethod,
    /// The address.
    pub url: Url,
    /// JSON.
    pub body: Option<String>,
}

impl fmt::Display for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match self.method {
            HttpMethod::Get => "GET",
            HttpMethod::Post => "POST",
        };
        writeln!(f, "{method} {}", self.url)?;
        f.write_str("authorization: Bearer (hidden)")?;
        match &self.body {
            Some(body) => write!(f, "\ncontent-type: application/json\n\n{body}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_joined_to_the_address_and_keeps_its_numbers() {
        let call = Call::new("identity/me/scopes")
            .unwrap()
            .with_params(r#"{"n": 12345678901234567890.10, "project_id": "p"}"#)
            .unwrap();
        let address = Url::parse("https://h/json-rpc/").unwrap();
        let prepared = call
            .clone()
            .with("project_id", &"p")
            .unwrap()
            .prepare(&address, "1-2")
            .unwrap();
        assert_eq!(prepared.url.as_str(), "https://h/json-rpc/identity/me/scopes");
        assert_eq!(
            prepared.body.unwrap(),
            r#"{"jsonrpc":"2.0","method":"identity/me/scopes","params":{"n":12345678901234567890.10,"project_id":"p"},"id":"1-2"}"#
        );
        assert!(matches!(
            call.with("project_id", &"q"),
            Err(RequestError::Conflict(_))
        ));
        // The trailing slash matters.
        let address = Url::parse("https://h/json-rpc").unwrap();
        let prepared = Call::new("a/b").unwrap().prepare(&address, "1").unwrap();
        assert_eq!(prepared.url.as_str(), "https://h/a/b");
    }

    #[test]
    fn names_and_parameters_that_cannot_be_meant_are_refused() {
        for bad in [
            "",
            "/a/b",
            "a//b",
            "a/../b",
            "identity.me.scopes",
            "a/b?c",
            "https://x/",
            "a b",
        ] {
            assert!(Call::new(bad).is_err(), "{bad}");
        }
        for bad in ["", "[]", "1", "{\"a\": s3cr3t}", "{\"a\": \"s3cr3t", "{} {}"] {
            let error = Call::new("a/b")
                .unwrap()
                .with_params(bad)
                .unwrap_err()
                .to_string();
            assert!(!error.contains("s3cr3t"), "{error}");
        }
    }

    #[test]
    fn the_text_form_hides_the_token() {
        let address = Url::parse("https://h/json-rpc/").unwrap();
        let text = Call::new("a/b")
            .unwrap()
            .prepare(&address, "1")
            .unwrap()
            .to_string();
        assert_eq!(
            text,
            "POST https://h/json-rpc/a/b\nauthorization: Bearer (hidden)\ncontent-type: application/json\n\n\
             {\"jsonrpc\":\"2.0\",\"method\":\"a/b\",\"params\":{},\"id\":\"1\"}"
        );
    }
}
