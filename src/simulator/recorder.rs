//! The last calls, with everything secret masked.

use std::collections::{HashMap, VecDeque};

use http::HeaderMap;
use serde::Serialize;
use serde_json::Value;

use super::ids::time_text;
use crate::clock::Timestamp;

/// How many calls are remembered.
const MOST_REQUESTS: usize = 1_000;
/// How many paths are counted; more are not Plaid's but somebody's scan.
const MOST_PATHS: usize = 256;
/// A body longer than this is remembered by its length alone.
const LONGEST_BODY: usize = 16 * 1024;

/// One call of a path of Plaid's.
#[derive(Clone, Debug, Serialize)]
pub struct RecordedRequest {
    /// When it came, RFC 3339.
    pub at: String,
    /// The HTTP method.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// What is worth knowing of the headers.
    pub headers: RecordedHeaders,
    /// The body when it was JSON: secrets, tokens and passwords masked. Null when it was something else.
    pub body: Value,
}

/// The headers that Plaid's API looks at.
#[derive(Clone, Debug, Serialize)]
pub struct RecordedHeaders {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Plaid-Version`.
    pub plaid_version: Option<String>,
    /// `PLAID-CLIENT-ID`.
    pub plaid_client_id: Option<String>,
    /// Whether `PLAID-SECRET` was sent.
    pub plaid_secret: bool,
}

/// The recorder.
#[derive(Default)]
pub(super) struct Recorder {
    requests: VecDeque<RecordedRequest>,
    counts: HashMap<String, usize>,
}

impl Recorder {
    pub(super) fn record(&mut self, parts: &http::request::Parts, body: &[u8], now: Timestamp) {
        let path = parts.uri.path();
        if let Some(count) = self.counts.get_mut(path) {
            *count = count.saturating_add(1);
        } else if self.counts.len() < MOST_PATHS {
            self.counts.insert(path.to_owned(), 1);
        }
        if self.requests.len() >= MOST_REQUESTS {
            self.requests.pop_front();
        }
        let body = if body.len() > LONGEST_BODY {
            format!("({} bytes)", body.len()).into()
        } else {
            serde_json::from_slice(body).map(masked).unwrap_or_default()
        };
        self.requests.push_back(RecordedRequest {
            at: time_text(now),
            method: parts.method.to_string(),
            path: path.to_owned(),
            headers: RecordedHeaders::of(&parts.headers),
            body,
        });
    }

    pub(super) fn requests(&self) -> Vec<RecordedRequest> {
        self.requests.iter().cloned().collect()
    }

    pub(super) fn count(&self, path: &str) -> usize {
        self.counts.get(path).copied().unwrap_or(0)
    }
}

impl RecordedHeaders {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        Self {
            content_type: text("content-type"),
            plaid_version: text("plaid-version"),
            plaid_client_id: text("plaid-client-id"),
            plaid_secret: headers.contains_key("plaid-secret"),
        }
    }
}

/// The value with secrets, passwords and everything that looks like a token of Plaid's masked.
pub(super) fn masked(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(masked_text(text)),
        Value::Array(values) => values.into_iter().map(masked).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let secret = name.contains("secret") || name.contains("password") || name == "ssn";
                let value = if secret && !value.is_null() {
                    "***".into()
                } else {
                    masked(value)
                };
                (name, value)
            })
            .collect(),
        other => other,
    }
}

fn masked_text(text: String) -> String {
    let mut parts = text.splitn(3, '-');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(kind), Some(environment @ ("sandbox" | "production" | "development")), Some(_)) => {
            format!("{kind}-{environment}-***")
        }
        _ => text,
    }
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

    fn parts(path: &str) -> http::request::Parts {
        let request = http::Request::post(path)
            .header("PLAID-SECRET", "hush")
            .body(())
            .expect("request");
        request.into_parts().0
    }

    #[test]
    fn nothing_secret_is_kept() {
        let mut recorder = Recorder::default();
        let body = json!({
            "client_id": "id", "secret": "hush", "access_token": "access-sandbox-hush",
            "options": {"override_password": "hush", "list": ["public-sandbox-hush"]},
        });
        recorder.record(
            &parts("/item/get?hush=1"),
            body.to_string().as_bytes(),
            Timestamp::from_millis(0),
        );
        let requests = recorder.requests();
        let text = serde_json::to_string(&requests).expect("JSON");
        assert!(!text.contains("hush"), "{text}");
        assert_eq!(requests[0].body["access_token"], "access-sandbox-***");
        assert_eq!(requests[0].body["client_id"], "id");
        assert!(requests[0].headers.plaid_secret);
    }

    #[test]
    fn memory_is_bounded() {
        let mut recorder = Recorder::default();
        for number in 0..2_000 {
            recorder.record(&parts(&format!("/{number}")), b"", Timestamp::from_millis(0));
        }
        recorder.record(
            &parts("/0"),
            &vec![b' '; LONGEST_BODY + 1],
            Timestamp::from_millis(0),
        );
        assert_eq!(recorder.requests().len(), MOST_REQUESTS);
        assert_eq!(recorder.counts.len(), MOST_PATHS);
        assert_eq!(recorder.count("/0"), 2);
        assert_eq!(recorder.requests().last().expect("one").body, "(16385 bytes)");
    }
}
