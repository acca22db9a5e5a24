//! Hosted Link (<https://plaid.com/docs/link/hosted-link/>): Link as a page of the simulator's own, which sends the
//! browser on when it ends, whichever way.

use serde::{Deserialize, Serialize};
use url::Url;

use super::link_request::HostedLink;
use crate::spec::error::refuse_if;
use crate::spec::guesses::{CompletionQuery, CompletionUri};
use crate::spec::{Guesses, PlaidError, ids, redirect_list};

/// Where the page is, below the simulator's own address.
pub(crate) const PATH: &str = "/_simulator/hosted/";

/// Schemes that run or read something in the browser; everything else may be an app's own.
#[rustfmt::skip]
const REFUSED_SCHEMES: &[&str] = &[
    "javascript", "data", "vbscript", "blob", "file", "about", "filesystem",
];

/// The page that runs Link for one link token.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Hosted {
    /// The last part of the page's address: who knows it can run Link.
    pub(crate) id: String,
    /// `hosted_link_url`.
    pub(crate) url: String,
    pub(crate) completion_redirect_uri: Option<String>,
}

impl Hosted {
    /// `host` is the simulator's host and port as the caller addressed it.
    ///
    /// # Errors
    /// `INVALID_FIELD` when a browser could not be sent to `completion_redirect_uri`.
    pub(crate) fn new(
        request: &HostedLink,
        host: &str,
        listed: Option<&[String]>,
        guesses: &Guesses,
    ) -> Result<Self, PlaidError> {
        let refused = || {
            PlaidError::invalid_field(
                "hosted_link.completion_redirect_uri must be an address that a browser can be sent to",
            )
        };
        let mut completion_redirect_uri = request.completion_redirect_uri.clone();
        if let Some(text) = &mut completion_redirect_uri {
            let mut uri = Url::parse(text).map_err(|_| refused())?;
            if REFUSED_SCHEMES.contains(&uri.scheme()) {
                return Err(refused());
            }
            let unlisted = listed.is_some_and(|listed| !redirect_list::allows(listed, text, guesses));
            refuse_if(
                unlisted && guesses.completion_uri == CompletionUri::Listed,
                "hosted_link.completion_redirect_uri must be configured in the developer dashboard",
            )?;
            if guesses.completion_query == CompletionQuery::Dropped && uri.query().is_some() {
                uri.set_query(None);
                *text = uri.into();
            }
        }
        let id = ids::new_uuid();
        Ok(Self {
            url: format!("http://{host}{PATH}{id}"),
            id,
            completion_redirect_uri,
        })
    }
}
