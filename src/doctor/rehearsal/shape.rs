//! The shapes that a token request may come in. Kore.ai does not document which one it sends, so each is tried.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use reqwest::RequestBuilder;
use serde_json::{Map, Value};
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::secret::ClientSecret;

/// Form or JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Form,
    Json,
}

/// How the client shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Authentication {
    /// `Authorization: Basic`.
    Basic,
    /// `client_id` and `client_secret` in the body.
    Body,
    /// The headers `PLAID-CLIENT-ID` and `PLAID-SECRET`.
    Headers,
    /// Not at all.
    None,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) encoding: Encoding,
    pub(super) authentication: Authentication,
}

/// All that prove the client.
pub(super) const SHAPES: [Shape; 6] = [
    Shape::new(Encoding::Form, Authentication::Body),
    Shape::new(Encoding::Form, Authentication::Basic),
    Shape::new(Encoding::Form, Authentication::Headers),
    Shape::new(Encoding::Json, Authentication::Body),
    Shape::new(Encoding::Json, Authentication::Basic),
    Shape::new(Encoding::Json, Authentication::Headers),
];

impl Shape {
    pub(super) const fn new(encoding: Encoding, authentication: Authentication) -> Self {
        Self {
            encoding,
            authentication,
        }
    }

    /// As in "form, secret in the body".
    pub(super) fn name(self) -> String {
        let encoding = match self.encoding {
            Encoding::Form => "form",
            Encoding::Json => "JSON",
        };
        let authentication = match self.authentication {
            Authentication::Basic => "secret with HTTP Basic",
            Authentication::Body => "secret in the body",
            Authentication::Headers => "secret in PLAID-SECRET",
            Authentication::None => "no secret",
        };
        format!("{encoding}, {authentication}")
    }

    /// The request in this shape.
    pub(super) fn of(
        self,
        request: RequestBuilder,
        client_id: &str,
        secret: &ClientSecret,
        fields: &[(&str, &str)],
    ) -> RequestBuilder {
        let mut fields: Vec<(&str, &str)> = fields.to_vec();
        let mut request = request.header(ACCEPT, "application/json");
        match self.authentication {
            Authentication::Basic => {
                let pair = Zeroizing::new(format!("{}:{}", encoded(client_id), encoded(secret.expose())));
                let value = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
                request = request.header(AUTHORIZATION, value.as_str());
            }
            Authentication::Body => {
                fields.push(("client_id", client_id));
                fields.push(("client_secret", secret.expose()));
            }
            Authentication::Headers => {
                request = request
                    .header("PLAID-CLIENT-ID", client_id)
                    .header("PLAID-SECRET", secret.expose());
            }
            Authentication::None => fields.push(("client_id", client_id)),
        }
        match self.encoding {
            Encoding::Form => {
                let form = form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(&fields)
                    .finish();
                request
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(form)
            }
            Encoding::Json => {
                let object: Map<String, Value> = fields
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
                    .collect();
                request.json(&object)
            }
        }
    }
}

/// Ids and secrets are form-encoded before they go into a Basic header (RFC 6749 2.3.1).
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
