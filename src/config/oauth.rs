//! The OAuth side: who may ask, and how long what they get lives.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::address;
use super::choices::{ClientAuthPolicy, Environment};
use super::client::{ClientConfig, ClientKind, RedirectUris};
use super::client_keys::ClientRules;
use super::clients_file;
use super::http::HttpConfig;
use super::plaid::PlaidConfig;
use super::problem::Problems;
use super::products::ProductLists;
use super::redirect_uri::redirect_uri;
use super::settings::{self, OAUTH_CLIENT_SECRET, PLAID_REDIRECT_URI};
use super::values::Values;
use crate::secret::{ClientSecret, StoredSecret};

/// Shorter secrets can be guessed.
const SECRET_CHARS: usize = 16;

/// The OAuth side.
#[derive(Clone, Debug)]
pub struct OAuthConfig {
    /// The clients at the start; the first is the one of `OAUTH_CLIENT_ID`, and there always is one. The file may
    /// have been read again since: requests ask [`App::clients`](crate::app::App::clients).
    pub clients: Vec<ClientConfig>,
    /// `OAUTH_CLIENTS_FILE`.
    pub clients_file: Option<PathBuf>,
    /// `OAUTH_CLIENT_AUTH`.
    pub client_auth: ClientAuthPolicy,
    /// `OAUTH_CODE_TTL`.
    pub code_ttl: Duration,
    /// `OAUTH_EXPIRES_IN`, in seconds; Plaid's tokens do not expire, so none by default.
    pub expires_in: Option<u64>,
    /// `BROKER_UNREDEEMED_TTL`.
    pub unredeemed_ttl: Duration,
}

impl OAuthConfig {
    pub(super) fn read(
        values: &mut Values,
        environment: Option<Environment>,
        plaid: &PlaidConfig,
        http: &HttpConfig,
    ) -> Self {
        let first = first_client(values, environment, plaid, http);
        let code_ttl = values.get(&settings::OAUTH_CODE_TTL);
        let unredeemed_ttl = values.get(&settings::BROKER_UNREDEEMED_TTL);
        if unredeemed_ttl < code_ttl {
            values.problem(
                &settings::BROKER_UNREDEEMED_TTL,
                "make it at least as long as OAUTH_CODE_TTL: a connection must not be removed while its code is good",
            );
        }
        Self {
            clients: vec![first],
            clients_file: values.optional(&settings::OAUTH_CLIENTS_FILE),
            client_auth: values.get(&settings::OAUTH_CLIENT_AUTH),
            code_ttl: Duration::from_secs(code_ttl),
            expires_in: values.optional(&settings::OAUTH_EXPIRES_IN),
            unredeemed_ttl: Duration::from_secs(unredeemed_ttl),
        }
    }

    /// The first client, and the ones that the clients file holds now. No problem shows one of the secrets.
    pub(super) fn reread(
        &self,
        products: &ProductLists,
        http: &HttpConfig,
        secrets: &[&str],
    ) -> Result<Vec<ClientConfig>, Problems> {
        let mut clients: Vec<ClientConfig> = self.clients.first().cloned().into_iter().collect();
        if let Some(path) = &self.clients_file {
            let rules = ClientRules {
                first_id: clients.first().map_or("", |first| first.id.as_str()),
                products,
                public_url: http.public_url.as_ref(),
                secrets,
            };
            clients.extend(clients_file::read(path, &rules)?);
        }
        Ok(clients)
    }
}

fn first_client(
    values: &mut Values,
    environment: Option<Environment>,
    plaid: &PlaidConfig,
    http: &HttpConfig,
) -> ClientConfig {
    let id = values.optional(&settings::OAUTH_CLIENT_ID);
    let secret = values.optional(&OAUTH_CLIENT_SECRET);
    let is_short = |secret: &String| secret.chars().count() < SECRET_CHARS;
    if secret.as_ref().is_some_and(is_short) {
        values.warn(format!(
            "OAUTH_CLIENT_SECRET has less than {SECRET_CHARS} characters and can be guessed."
        ));
    }
    let secret = secret.unwrap_or_else(|| plaid.secret.expose().to_owned());
    ClientConfig {
        id: id.unwrap_or_else(|| plaid.client_id.clone()),
        name: None,
        kind: ClientKind::Confidential(StoredSecret::Plain(ClientSecret::new(secret))),
        redirect_uris: read_redirect_uris(values, environment, http),
        products: None,
        raw_public_tokens: true,
        send_iss: values.get(&settings::OAUTH_SEND_ISS),
        refresh_lifetime: None,
        expires_in: None,
    }
}

fn read_redirect_uris(
    values: &mut Values,
    environment: Option<Environment>,
    http: &HttpConfig,
) -> RedirectUris {
    if !values.is_given(&PLAID_REDIRECT_URI) && environment == Some(Environment::Simulator) {
        return RedirectUris::AnyLoopback;
    }
    let uris = values.each(&PLAID_REDIRECT_URI, |uri| {
        Ok((redirect_uri(uri)?, uri.to_owned()))
    });
    for (_, uri) in uris.iter().filter(|(url, _)| is_mistaken(url, http)) {
        let uri = values.redact(uri);
        values.warn(format!(
            "PLAID_REDIRECT_URI is {uri}, which is not the callback of an OAuth client. It means the callback URL of \
             your auth profile (for Kore.ai for example https://idp.kore.com/workflows/callback), not the redirect URI \
             registered at Plaid: that one is PLAID_LINK_REDIRECT_URI."
        ));
    }
    RedirectUris::Listed(uris.into_iter().map(|(_, uri)| uri).collect())
}

/// Our own pages and Plaid's Quickstart: what users set who think of the redirect URI that Plaid knows.
fn is_mistaken(url: &Url, http: &HttpConfig) -> bool {
    let port = url.port_or_known_default();
    let own = http
        .public_url
        .as_ref()
        .is_some_and(|public| public.origin() == url.origin());
    let local = address::is_loopback(url) && http.port != 0 && port == Some(http.port);
    let quickstart = url.as_str() == "http://localhost:3000/";
    own || local || quickstart
}
