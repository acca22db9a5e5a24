//! The authorization request (RFC 6749 4.1.1), decided without any I/O.
//!
//! What fails before the redirect URI is proven stays on our page (RFC 6749 4.1.2.1); what fails after it goes to
//! the client. A missing `response_type` means `code` and a missing `client_id` the first client, because what
//! Kore.ai sends is not documented and `redirect_uri` alone is what its Plaid guide relied on.

use super::params::{Params, ParamsError, raw_query_value};
use super::pkce;
use super::redirect::{RedirectError, RedirectTarget};
use super::scope;
use crate::config::{ClientConfig, ClientKind, Clients, ProductLists};
use crate::store::model::OAuthRequest;

/// The parameters that make a request an OAuth one. Without any, `GET /` is the browser login flow.
const OAUTH_PARAMETERS: [&str; 8] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "scope",
    "code_challenge",
    "code_challenge_method",
    "response_mode",
];

/// Request objects (RFC 9101) and the error that refuses each (`OpenID` Connect Core 3.1.2.6). Ignored, they would let a
/// request pass whose real parameters were never read.
const REQUEST_OBJECTS: [(&str, &str); 2] = [
    ("request", "request_not_supported"),
    ("request_uri", "request_uri_not_supported"),
];
/// `state` as it is sent, still percent-encoded, in bytes.
const MAX_STATE: usize = 4096;

/// Whether a query holds any OAuth parameter.
#[must_use]
pub fn is_oauth(params: &Params) -> bool {
    params.has_any(&OAUTH_PARAMETERS)
}

/// The client that a request names, or means by naming none.
#[must_use]
pub fn named_client<'a>(clients: &'a Clients, query: &str) -> Option<&'a ClientConfig> {
    let params = Params::from_query(query.as_bytes()).unwrap_or_default();
    match params.get("client_id") {
        Some(id) => clients.find(id),
        None if params.is_doubled("client_id") => None,
        None => clients.first(),
    }
}

#[derive(Debug)]
pub struct Authorization<'a> {
    pub client: &'a ClientConfig,
    /// Where the browser goes back to.
    pub target: RedirectTarget,
    pub request: OAuthRequest,
    /// The products it was narrowed to; `None`: all that are configured.
    pub scope: Option<Vec<String>>,
}

/// A request that is refused.
#[derive(Debug)]
pub enum AuthorizeError<'a> {
    /// On our page: the redirect URI is not proven.
    Page(PageError),
    /// To the client (RFC 6749 4.1.2.1).
    Redirect {
        client: &'a ClientConfig,
        target: RedirectTarget,
        /// The RFC's code.
        error: &'static str,
        description: String,
    },
}

/// Why a person sees a refusal page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageError {
    /// The query cannot be read, or `client_id` or `redirect_uri` is doubled.
    Params(ParamsError),
    /// No client of this id.
    UnknownClient,
    Redirect(RedirectError),
}

impl PageError {
    /// What was refused, without anything that was sent.
    #[must_use]
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Params(_) => "the parameters cannot be used",
            Self::UnknownClient => "the client_id is not known",
            Self::Redirect(RedirectError::Missing { .. }) => "the redirect_uri is missing",
            Self::Redirect(RedirectError::NotListed { .. }) => "the redirect_uri is not registered",
        }
    }
}

/// Checks an authorization request's query string.
pub fn authorize<'a>(
    query: &str,
    clients: &'a [ClientConfig],
    lists: &ProductLists,
) -> Result<Authorization<'a>, AuthorizeError<'a>> {
    let page = AuthorizeError::Page;
    let params = Params::from_query(query.as_bytes()).map_err(|error| page(PageError::Params(error)))?;
    for decisive in ["client_id", "redirect_uri"] {
        if params.is_doubled(decisive) {
            return Err(page(PageError::Params(ParamsError::Doubled(decisive.to_owned()))));
        }
    }
    let client = match params.get("client_id") {
        Some(id) => clients.iter().find(|client| client.id == id),
        None => clients.first(),
    }
    .ok_or(page(PageError::UnknownClient))?;
    // A state that cannot be used is not sent back either.
    let state = if params.is_doubled("state") {
        None
    } else {
        raw_query_value(query, "state").filter(|state| state.len() <= MAX_STATE)
    };
    let target = RedirectTarget::check(&client.redirect_uris, params.get("redirect_uri"), state)
        .map_err(|error| page(PageError::Redirect(error)))?;

    match protocol(query, &params, client, lists) {
        Ok((code_challenge, scope)) => {
            let request = OAuthRequest {
                client_id: client.id.clone(),
                redirect_uri: target.uri().to_owned(),
                state: target.state().map(str::to_owned),
                code_challenge,
            };
            Ok(Authorization {
                client,
                target,
                request,
                scope,
            })
        }
        Err((error, description)) => Err(AuthorizeError::Redirect {
            client,
            target,
            error,
            description,
        }),
    }
}

type Refusal = (&'static str, String);
type Protocol = (Option<String>, Option<Vec<String>>);

/// What is checked once the redirect URI is proven: challenge and scope come out.
fn protocol(
    query: &str,
    params: &Params,
    client: &ClientConfig,
    lists: &ProductLists,
) -> Result<Protocol, Refusal> {
    params
        .none_doubled()
        .map_err(|error| ("invalid_request", error.to_string()))?;
    for (name, error) in REQUEST_OBJECTS {
        if params.get(name).is_some() {
            let description = format!("{name} is not supported: send the parameters themselves");
            return Err((error, description));
        }
    }
    let refused = |error, description: &str| Err((error, description.to_owned()));
    if raw_query_value(query, "state").is_some_and(|state| state.len() > MAX_STATE) {
        let description =
            "state is longer than 4096 bytes; send a short random value and keep the rest in the client";
        return refused("invalid_request", description);
    }
    if params.get("response_type").is_some_and(|asked| asked != "code") {
        return refused(
            "unsupported_response_type",
            "only response_type=code is supported",
        );
    }
    if params.get("response_mode").is_some_and(|mode| mode != "query") {
        return refused("invalid_request", "only response_mode=query is supported");
    }
    let is_public = matches!(client.kind, ClientKind::Public);
    let challenge = pkce::check_challenge(
        params.get("code_challenge"),
        params.get("code_challenge_method"),
        is_public,
    )
    .map_err(|error| ("invalid_request", error.to_string()))?;
    let scope = scope::narrow(params.get("scope"), client.products.as_deref(), lists)
        .map_err(|error| ("invalid_scope", error.to_string()))?;
    Ok((challenge, scope))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::config::RedirectUris;
    use crate::secret::ClientSecret;

    const CB: &str = "https%3A%2F%2Fc.example%2Fcb";

    fn clients() -> Vec<ClientConfig> {
        let client = |id: &str, kind| ClientConfig {
            id: id.to_owned(),
            name: None,
            kind,
            redirect_uris: RedirectUris::Listed(vec!["https://c.example/cb".to_owned()]),
            products: None,
            raw_public_tokens: false,
            refresh_lifetime: None,
            expires_in: None,
            send_iss: true,
        };
        vec![
            client("first", ClientKind::Confidential(ClientSecret::new("s").into())),
            client("app", ClientKind::Public),
        ]
    }

    fn ask(query: &str) -> Result<(String, Option<String>), String> {
        let clients = clients();
        let lists = ProductLists {
            products: vec!["auth".to_owned()],
            ..ProductLists::default()
        };
        match authorize(query, &clients, &lists) {
            Ok(granted) => Ok((granted.client.id.clone(), granted.request.state)),
            Err(AuthorizeError::Page(error)) => Err(format!("page {error:?}")),
            Err(AuthorizeError::Redirect {
                target,
                error,
                description,
                ..
            }) => Err(target.with_error(error, &description, None)),
        }
    }

    #[test]
    fn what_is_missing_has_a_meaning() {
        assert_eq!(ask(&format!("redirect_uri={CB}")), Ok(("first".to_owned(), None)));
        assert_eq!(
            ask("state=x%2By"),
            Ok(("first".to_owned(), Some("x%2By".to_owned())))
        );
        assert_eq!(
            ask("response_type=code&response_type=code"),
            Ok(("first".to_owned(), None))
        );
    }

    #[test]
    fn before_the_redirect_uri_is_proven_nothing_is_redirected() {
        for query in [
            "client_id=nobody",
            "redirect_uri=https%3A%2F%2Fevil.example",
            "client_id=first&client_id=app",
            &format!("redirect_uri={CB}&redirect_uri=https%3A%2F%2Fevil.example"),
        ] {
            let error = ask(query).unwrap_err();
            assert!(error.starts_with("page "), "{query}: {error}");
        }
    }

    #[test]
    fn after_it_errors_go_to_the_client_with_its_state() {
        let error = |query: &str| ask(query).unwrap_err();
        assert!(error("response_type=token&state=a").contains("error=unsupported_response_type"));
        assert!(error("response_type=token&state=a").ends_with("&state=a"));
        assert!(error("scope=assets").contains("error=invalid_scope"));
        assert!(error("response_mode=fragment").contains("error=invalid_request"));
        assert!(error("request=e30.e30.").contains("error=request_not_supported"));
        assert!(error("request_uri=urn:x").contains("error=request_uri_not_supported"));
        assert!(error("code_challenge=x&code_challenge_method=plain").contains("error=invalid_request"));
        let longest = ask(&format!("state={}", "s".repeat(MAX_STATE))).unwrap();
        assert_eq!(longest.1.unwrap().len(), MAX_STATE);
        let long = error(&format!("state={}", "s".repeat(MAX_STATE + 1)));
        assert!(
            long.contains("error=invalid_request") && long.contains("4096") && !long.contains("&state="),
            "{long}"
        );
        assert!(error("client_id=app").contains("error=invalid_request"));
        let doubled = error("state=a&state=b");
        assert!(
            doubled.contains("error=invalid_request") && !doubled.contains("&state="),
            "{doubled}"
        );
    }

    #[test]
    fn only_oauth_parameters_make_a_request_oauth() {
        assert!(is_oauth(&Params::from_query(b"state=1").unwrap()));
        assert!(is_oauth(&Params::from_query(b"state=1&state=2").unwrap()));
        assert!(!is_oauth(&Params::from_query(b"utm_source=x").unwrap()));
        assert!(!is_oauth(&Params::from_query(b"").unwrap()));
    }
}
