//! Request parameters as RFC 6749 wants them: a name at most once, an empty value as if it were absent (3.1, 3.2).
//!
//! One tolerance: a parameter that comes twice with the same value counts once, because clients append theirs to
//! an authorization URL that already has a query. Differing values are refused.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;
use url::form_urlencoded;

/// More parameters than any client sends.
const MAX_PARAMETERS: usize = 64;

/// A query that is longer is refused: its `state` is kept for hours, and strangers choose it. In bytes.
const MAX_QUERY: usize = 8 * 1024;

/// The parameters that some endpoint reads. Others MUST be ignored (RFC 6749 3.1, 3.2), however often and in whatever
/// form they come.
const KNOWN: [&str; 18] = [
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "public_token",
    "redirect_uri",
    "refresh_token",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "token",
    "token_type_hint",
];

/// A set of parameters that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParamsError {
    /// The same name with two values. Holds the name as it may be shown.
    #[error("the parameter '{0}' was sent more than once with different values")]
    Doubled(String),
    #[error("the query is longer than {MAX_QUERY} bytes")]
    TooLong,
    #[error("there are more than {MAX_PARAMETERS} parameters")]
    TooMany,
    /// A JSON member that is not a string.
    #[error("the parameter '{0}' is not a string")]
    NotAString(String),
    /// Not JSON, or JSON that is not an object.
    #[error("the body is not a JSON object")]
    NotAnObject,
}

/// Parameters by name, none of them empty.
#[derive(Default)]
pub struct Params {
    values: BTreeMap<String, String>,
    /// The names that came with differing values, which are not kept.
    doubled: BTreeSet<String>,
    others: usize,
}

impl std::fmt::Debug for Params {
    /// Names only: values are codes, tokens and secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Params {
    /// Reads the body of a form (`application/x-www-form-urlencoded`). A doubled parameter is remembered and not refused
    /// yet, see [`none_doubled`](Self::none_doubled).
    pub fn from_form(text: &[u8]) -> Result<Self, ParamsError> {
        let mut params = Self::default();
        for (count, (name, value)) in form_urlencoded::parse(text).enumerate() {
            if count >= MAX_PARAMETERS {
                return Err(ParamsError::TooMany);
            }
            params.add(name, &value);
        }
        Ok(params)
    }

    /// Reads a query string. A doubled parameter is remembered and not refused yet: whether the refusal may go to
    /// the redirect URI depends on which one it is.
    pub fn from_query(text: &[u8]) -> Result<Self, ParamsError> {
        if text.len() > MAX_QUERY {
            return Err(ParamsError::TooLong);
        }
        Self::from_form(text)
    }

    /// Reads a JSON object of strings. `null` is absent; what is not a string is refused.
    pub fn from_json(text: &[u8]) -> Result<Self, ParamsError> {
        let object: Pairs = serde_json::from_slice(text).map_err(|_| ParamsError::NotAnObject)?;
        if object.0.len() > MAX_PARAMETERS {
            return Err(ParamsError::TooMany);
        }
        let mut params = Self::default();
        for (name, value) in object.0 {
            match value {
                serde_json::Value::String(value) => params.add(Cow::Owned(name), &value),
                serde_json::Value::Null => {}
                _ if !KNOWN.contains(&name.as_str()) => params.others += 1,
                _ => return Err(ParamsError::NotAString(name)),
            }
        }
        Ok(params)
    }

    /// The names of the known parameters that came, doubled ones included.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        let came = |name: &&'static str| self.has_any(&[*name]);
        KNOWN.into_iter().filter(came)
    }

    /// How many parameters came that no endpoint reads.
    #[must_use]
    pub fn others(&self) -> usize {
        self.others
    }

    /// Whether this parameter came with differing values.
    #[must_use]
    pub fn is_doubled(&self, name: &str) -> bool {
        self.doubled.contains(name)
    }

    /// Refuses a parameter that came with differing values.
    pub fn none_doubled(&self) -> Result<(), ParamsError> {
        let refused = |name: &String| Err(ParamsError::Doubled(name.clone()));
        self.doubled.first().map_or(Ok(()), refused)
    }

    /// The value of a parameter, when it was sent and is not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Whether any of these parameters was sent.
    #[must_use]
    pub fn has_any(&self, names: &[&str]) -> bool {
        let sent = |name: &&str| self.values.contains_key(*name) || self.is_doubled(name);
        names.iter().any(sent)
    }

    fn add(&mut self, name: Cow<'_, str>, value: &str) {
        if !KNOWN.contains(&name.as_ref()) {
            self.others += 1;
            return;
        }
        if value.is_empty() || self.is_doubled(&name) {
            return;
        }
        match self.values.get(name.as_ref()) {
            Some(earlier) if earlier == value => {}
            Some(_) => {
                self.values.remove(name.as_ref());
                self.doubled.insert(name.into_owned());
            }
            None => {
                self.values.insert(name.into_owned(), value.to_owned());
            }
        }
    }
}

/// A JSON object that keeps duplicate names, which `serde_json::Map` would silently drop.
struct Pairs(Vec<(String, serde_json::Value)>);

impl<'de> serde::Deserialize<'de> for Pairs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Pairs;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// The decoded value of a parameter in the query of one of our own pages.
#[must_use]
pub fn one(query: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, value) = pairs.find(|(found, _)| found == name)?;
    (!value.is_empty()).then(|| value.into_owned())
}

/// The raw value of a query parameter as it stood in the URL, so that it can be returned byte for byte whatever
/// the client's idea of encoding is. What may not stand in a query (RFC 3986 3.4) is percent-encoded.
#[must_use]
pub fn raw_query_value(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (raw_name, raw_value) = pair.split_once('=').unwrap_or((pair, ""));
        let named = form_urlencoded::parse(raw_name.as_bytes())
            .next()
            .is_some_and(|(n, _)| n == name);
        (named && !raw_value.is_empty()).then(|| query_safe(raw_value))
    })
}

fn query_safe(raw: &str) -> String {
    let mut safe = String::with_capacity(raw.len());
    for byte in raw.bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._~!$'()*+,;=:@/?%".contains(&byte) => {
                safe.push(char::from(byte));
            }
            other => {
                use std::fmt::Write as _;
                // Writing to a String cannot fail.
                let _ = write!(safe, "%{other:02X}");
            }
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn identical_duplicates_count_once_and_differing_ones_are_refused() {
        let params = Params::from_form(b"code=1&code=1&scope=&state=x%20y+z&resource=a&resource=b").unwrap();
        assert_eq!(params.get("code"), Some("1"));
        assert_eq!(params.get("scope"), None);
        assert_eq!(params.get("state"), Some("x y z"));
        assert_eq!(
            Params::from_form(b"code=1&code=2").unwrap().none_doubled(),
            Err(ParamsError::Doubled("code".to_owned()))
        );
    }

    #[test]
    fn json_is_an_object_of_strings_and_its_duplicates_are_seen() {
        let params = Params::from_json(br#"{"code":"1","code":"1","scope":null,"ttl":5}"#).unwrap();
        assert_eq!(params.get("code"), Some("1"));
        assert_eq!(
            Params::from_json(br#"{"code":"1","code":"2"}"#)
                .unwrap()
                .none_doubled(),
            Err(ParamsError::Doubled("code".to_owned()))
        );
        assert_eq!(
            Params::from_json(br#"{"code":1}"#).unwrap_err(),
            ParamsError::NotAString("code".to_owned())
        );
        assert_eq!(Params::from_json(b"[]").unwrap_err(), ParamsError::NotAnObject);
        assert_eq!(
            Params::from_json(b"{\"a\"").unwrap_err(),
            ParamsError::NotAnObject
        );
    }

    #[test]
    fn debug_shows_names_only() {
        assert_eq!(
            format!("{:?}", Params::from_form(b"code=secret").unwrap()),
            r#"{"code"}"#
        );
    }

    #[test]
    fn state_is_found_raw() {
        assert_eq!(
            raw_query_value("a=b&state=x%2By+z%ff==&c", "state").as_deref(),
            Some("x%2By+z%ff==")
        );
        assert_eq!(
            raw_query_value("state=%22\"<é", "state").as_deref(),
            Some("%22%22%3C%C3%A9")
        );
        assert_eq!(raw_query_value("%73tate=q", "state").as_deref(), Some("q"));
        assert_eq!(raw_query_value("state=", "state"), None);
        assert_eq!(raw_query_value("mystate=1", "state"), None);
    }

    proptest::proptest! {
        #[test]
        fn reading_never_panics_and_state_stays_in_the_query(bytes: Vec<u8>, text: String) {
            let _ = Params::from_form(&bytes);
            let _ = Params::from_json(&bytes);
            if let Some(raw) = raw_query_value(&format!("state={text}"), "state") {
                assert!(raw.bytes().all(|b| b.is_ascii_graphic() && !b"#&\"<>".contains(&b)));
            }
        }
    }
}
