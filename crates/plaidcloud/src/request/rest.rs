//! The REST interface at `/rest/v1/` on the host of the JSON-RPC interface.

use serde_json::value::RawValue;
use url::Url;

use super::{HttpMethod, Prepared, RequestError, place};

const ROOT: &str = "/rest/v1/";

/// One request to the REST interface.
#[derive(Clone, Debug)]
pub struct RestRequest {
    method: HttpMethod,
    path: String,
    query: Vec<(String, String)>,
    body: Option<String>,
}

impl RestRequest {
    /// A request to a path below `/rest/v1/`.
    pub fn new(method: HttpMethod, path: &str) -> Result<Self, RequestError> {
        let path = path.trim_start_matches('/');
        let is_part = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['?', '#', '\\']);
        let below = path.trim_end_matches('/');
        if !below.split('/').all(is_part) || below.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(RequestError::Path(path.to_owned()));
        }
        Ok(Self {
            method,
            path: path.to_owned(),
            query: Vec::new(),
            body: None,
        })
    }

    /// Adds a query parameter; a name may be repeated.
    #[must_use]
    pub fn with_query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the JSON body.
    pub fn with_body(mut self, json: &str) -> Result<Self, RequestError> {
        let body: Box<RawValue> =
            serde_json::from_str(json).map_err(|error| RequestError::Body(place(&error)))?;
        self.body = Some(body.get().to_owned());
        Ok(self)
    }

    pub(crate) fn reads(&self) -> bool {
        self.method == HttpMethod::Get
    }

    pub(crate) fn prepare(&self, rpc_uri: &Url) -> Result<Prepared, RequestError> {
        let refused = || RequestError::Path(self.path.clone());
        let mut url = rpc_uri
            .join(&format!("{ROOT}{}", self.path))
            .map_err(|_| refused())?;
        if !url.path().starts_with(ROOT) {
            return Err(refused());
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(Prepared {
            method: self.method,
            url,
            body: self.body.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_joined_to_the_host() {
        let address = Url::parse("https://h/prefix/json-rpc/").unwrap();
        let request = RestRequest::new(HttpMethod::Get, "/analyze/dimension/dimensions").unwrap();
        let request = request
            .with_query("project_id", "a b")
            .with_query("id", "1")
            .with_query("id", "2");
        let url = request.prepare(&address).unwrap().url;
        assert_eq!(
            url.as_str(),
            "https://h/rest/v1/analyze/dimension/dimensions?project_id=a+b&id=1&id=2"
        );
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_refused() {
        let address = Url::parse("https://h/json-rpc/").unwrap();
        for bad in ["", "/", "../x", "a/../../x", "a?b", "a#b", "a b", "a\\b", "a//b"] {
            assert!(RestRequest::new(HttpMethod::Get, bad).is_err(), "{bad}");
        }
        for tricky in ["//elsewhere/x", "https://elsewhere/x", "%2e%2e/x"] {
            let prepared =
                RestRequest::new(HttpMethod::Get, tricky).and_then(|request| request.prepare(&address));
            if let Ok(prepared) = prepared {
                assert_eq!(prepared.url.host_str(), Some("h"), "{tricky}");
                assert!(prepared.url.path().starts_with(ROOT), "{tricky}");
            }
        }
    }
}
