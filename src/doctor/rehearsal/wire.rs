//! Requests as an outside client sends them, with answers that can be told without their secrets.

use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, SET_COOKIE};
use reqwest::{Client, RequestBuilder, redirect};
use serde_json::Value;
use url::Url;

use super::Failure;
use crate::config::is_loopback;

/// As Kore.ai's own time-out is not known: what people wait for.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Answers of the broker and of the calls to Plaid are far smaller.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// An answer, read whole.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) json: Value,
    pub(super) text: String,
    headers: HeaderMap,
}

impl Answer {
    /// A text member of its JSON.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.json.get(name).and_then(Value::as_str)
    }

    /// What may be told of it: the status, and an error's own words.
    pub(super) fn outline(&self) -> String {
        let words = [
            "error",
            "error_description",
            "message",
            "error_code",
            "plaid_error_code",
        ];
        let told: Vec<String> = words
            .iter()
            .filter_map(|name| self.text_of(name))
            .map(shown)
            .collect();
        if told.is_empty() {
            let json = if self.json.is_null() { ", and no JSON" } else { "" };
            return format!("status {}{json}", self.status);
        }
        format!("status {}: {}", self.status, told.join(": "))
    }

    pub(super) fn is_json(&self) -> bool {
        let content_type = self.headers.get(CONTENT_TYPE);
        content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
    }

    pub(super) fn is_not_stored(&self) -> bool {
        let cached = self.headers.get(CACHE_CONTROL);
        cached
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.contains("no-store"))
    }

    /// The cookies that a browser would send back.
    pub(super) fn cookies(&self) -> String {
        let pairs: Vec<&str> = self
            .headers
            .get_all(SET_COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok()?.split(';').next())
            .filter(|pair| !pair.ends_with('='))
            .collect();
        pairs.join("; ")
    }
}

/// What others said, short and printable.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// A client for this address. A proxy from the environment must not see what stays on this machine.
pub(super) fn client(url: &str) -> Result<Client, Failure> {
    // Ring is the one provider of this build; another that is installed already is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url =
        Url::parse(url).map_err(|_| Failure::new(format!("{url} is no address"), "correct PUBLIC_URL"))?;
    let mut builder = Client::builder()
        .user_agent(concat!(
            "plaid-token-broker/",
            env!("CARGO_PKG_VERSION"),
            " (rehearsal)"
        ))
        .timeout(TIMEOUT)
        .redirect(redirect::Policy::none());
    if is_loopback(&url) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|_| {
        Failure::new(
            "no HTTP client could be made",
            "see whether this system has root certificates",
        )
    })
}

/// Sends a request. `whose` and `fix` are for the case that nobody answers.
pub(super) async fn send(request: RequestBuilder, whose: &str, fix: &str) -> Result<Answer, Failure> {
    let lost = |found: String| Failure {
        unreachable: true,
        ..Failure::new(found, fix)
    };
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => return Err(lost(format!("{whose} {}", cause(&error)))),
    };
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= MOST_BYTES => bytes.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(Failure::new(format!("{whose} sends far too much"), fix)),
            Ok(None) => break,
            Err(error) => return Err(lost(format!("{whose} {}", cause(&error)))),
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Answer {
        status,
        json: serde_json::from_str(&text).unwrap_or_default(),
        text,
        headers,
    })
}

/// The innermost cause says most ("connection refused") and names no URL.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("does not answer within {} s", TIMEOUT.as_secs());
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    format!("cannot be reached ({})", shown(&cause.to_string()))
}
