//! Answers with long lists, written as text one entry at a time: five hundred transactions take several times their
//! text as values.

use serde_json::{Map, Value};

/// The text of an answer that is not closed yet.
pub(super) struct Listing(String);

impl Listing {
    /// An answer that begins with these fields.
    pub(super) fn of(fields: Map<String, Value>) -> Self {
        let mut text = Value::Object(fields).to_string();
        text.pop();
        Self(text)
    }

    /// Adds a list; there is a field before it.
    pub(super) fn list(&mut self, name: &str, entries: impl Iterator<Item = Value>) {
        self.key(name);
        self.0.push('[');
        for (at, entry) in entries.enumerate() {
            if at > 0 {
                self.0.push(',');
            }
            self.0.push_str(&entry.to_string());
        }
        self.0.push(']');
    }

    /// The whole text, with the request's id.
    pub(super) fn end(mut self, request_id: String) -> String {
        self.key("request_id");
        self.0.push_str(&Value::String(request_id).to_string());
        self.0.push('}');
        self.0
    }

    fn key(&mut self, name: &str) {
        self.0.push(',');
        self.0.push_str(&Value::String(name.to_owned()).to_string());
        self.0.push(':');
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests fail by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_the_json_that_values_would_make() {
        let fields = json!({"has_more": true, "next": "a\"b"});
        let mut listing = Listing::of(fields.as_object().cloned().expect("an object"));
        listing.list("none", std::iter::empty());
        listing.list("some", [json!({"a": 1}), json!("x")].into_iter());
        let text = listing.end("id".to_owned());
        let read: Value = serde_json::from_str(&text).expect("JSON");
        let expected = json!({
            "has_more": true, "next": "a\"b", "none": [], "some": [{"a": 1}, "x"], "request_id": "id",
        });
        assert_eq!(read, expected);
    }
}
