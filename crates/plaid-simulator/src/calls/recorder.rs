//! The last calls, without anything secret or personal.

mod kept;

use std::collections::{HashMap, VecDeque};

use http::HeaderMap;
use serde::Serialize;
use serde_json::Value;

use self::kept::Kept;
use crate::spec::fields::Field;
use crate::spec::time_text;
use plaid_token_broker_core::clock::Timestamp;

/// How many calls are remembered.
const MOST_REQUESTS: usize = 1_000;
/// A body longer than this is remembered by its length alone.
const LONGEST_BODY: usize = 16 * 1024;
/// What stands for a path that Plaid does not have, which may have anything in it.
pub(crate) const NO_PATH: &str = "(no path of Plaid's)";
/// What stands for everything else that is not kept.
const MASK: &str = "***";

const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const CONTENT_TYPES: &[&str] = &[
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=utf-8",
    "application/x-www-form-urlencoded",
    "application/xml",
    "multipart/form-data",
    "text/html",
    "text/plain",
    "text/plain; charset=utf-8",
    "text/plain;charset=utf-8",
];

/// One call of a path of Plaid's.
#[derive(Clone, Debug, Serialize)]
pub struct RecordedRequest {
    /// When it came, RFC 3339.
    pub at: String,
    /// The HTTP method; `***` for one that HTTP does not define.
    pub method: String,
    /// The path, without its query; `(no path of Plaid's)` for any that is not answered.
    pub path: String,
    /// What is worth knowing of the headers.
    pub headers: RecordedHeaders,
    /// The body when it was JSON. Names of fields and values that Plaid publishes stay, everything else is `***`.
    /// Null when it was something else.
    pub body: Value,
}

/// The headers that Plaid's API looks at; `***` stands for values that are not known.
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

/// What the simulator knows beforehand about a call: only this and what Plaid publishes may be kept of it.
pub(crate) struct Known<'a> {
    /// The path and what it takes, if it is one of Plaid's.
    pub(crate) endpoint: Option<(&'static str, &'static [Field])>,
    /// Whether this is a client id that the simulator has.
    pub(crate) is_client_id: &'a dyn Fn(&str) -> bool,
    /// The versions of the API.
    pub(crate) versions: &'a [&'a str],
}

/// The recorder.
#[derive(Default)]
pub(crate) struct Recorder {
    requests: VecDeque<RecordedRequest>,
    counts: HashMap<&'static str, usize>,
}

impl Recorder {
    pub(crate) fn record(
        &mut self,
        parts: &http::request::Parts,
        body: &[u8],
        known: &Known<'_>,
        now: Timestamp,
    ) {
        let (path, fields) = known.endpoint.unwrap_or((NO_PATH, &[]));
        if known.endpoint.is_some() {
            let count = self.counts.entry(path).or_default();
            *count = count.saturating_add(1);
        }
        if self.requests.len() >= MOST_REQUESTS {
            self.requests.pop_front();
        }
        let body = if body.len() > LONGEST_BODY {
            format!("({} bytes)", body.len()).into()
        } else {
            let body = serde_json::from_slice(body).unwrap_or_default();
            Kept::new(known).body(fields, &body)
        };
        self.requests.push_back(RecordedRequest {
            at: time_text(now),
            method: one_of(METHODS, parts.method.as_str()),
            path: path.to_owned(),
            headers: RecordedHeaders::of(&parts.headers, known),
            body,
        });
    }

    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.requests.iter().cloned().collect()
    }

    pub(crate) fn count(&self, path: &str) -> usize {
        self.counts.get(path).copied().unwrap_or(0)
    }
}

impl RecordedHeaders {
    fn of(headers: &HeaderMap, known: &Known<'_>) -> Self {
        // A value that is not text is there too.
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or(MASK));
        let client_id = text("plaid-client-id");
        Self {
            content_type: text("content-type")
                .map(|value| one_of(CONTENT_TYPES, &value.trim().to_ascii_lowercase())),
            plaid_version: text("plaid-version").map(|value| one_of(known.versions, value)),
            plaid_client_id: client_id.map(|id| if (known.is_client_id)(id) { id } else { MASK }.to_owned()),
            plaid_secret: headers.contains_key("plaid-secret"),
        }
    }
}

fn one_of(words: &[&str], text: &str) -> String {
    let known = words.iter().find(|word| **word == text);
    (*known.unwrap_or(&MASK)).to_owned()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests fail by panicking")]

    use super::*;

    fn parts(path: &str) -> http::request::Parts {
        http::Request::post(path)
            .body(())
            .expect("request")
            .into_parts()
            .0
    }

    #[test]
    fn memory_is_bounded() {
        let mut recorder = Recorder::default();
        let known = |endpoint| Known {
            endpoint,
            is_client_id: &|_| false,
            versions: &[],
        };
        let now = Timestamp::from_millis(0);
        for number in 0..2_000 {
            recorder.record(&parts(&format!("/{number}")), b"", &known(None), now);
        }
        let item: Option<(_, &[Field])> = Some(("/item/get", &[]));
        recorder.record(
            &parts("/item/get"),
            &vec![b' '; LONGEST_BODY + 1],
            &known(item),
            now,
        );
        recorder.record(&parts("/item/get"), b"{}", &known(item), now);
        assert_eq!(recorder.requests().len(), MOST_REQUESTS);
        assert_eq!(recorder.counts.len(), 1);
        assert_eq!(recorder.count("/item/get"), 2);
        let [.., long, _] = recorder.requests.make_contiguous() else {
            unreachable!("two")
        };
        assert_eq!(long.body, "(16385 bytes)");
    }
}
