//! The OAuth side: who may ask, and how long what they get lives.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::address;
use super::client::{ClientConfig, ClientKind, RedirectUris};
use super::clients_file::{self, ClientRules};
use super::http::HttpConfig;
use super::plaid::{Environment, PlaidConfig};
use super::problem::Problems;
use super::products::ProductLists;
use super::settings::Settings;
use super::values::{list, seconds, switch};
use crate::secret::{ClientSecret, StoredSecret};

/// What the profile form of Kore.ai takes, for the id and for the secret.
const CREDENTIAL_CHARS: usize = 255;
/// Shorter secrets can be guessed.
const SECRET_CHARS: usize = 16;
/// The greatest `expires_in` that also clients with 32-bit numbers understand.
const LONGEST_EXPIRES_IN: u64 = i32::MAX as u64;
/// The bounds of `expires_in`, in seconds.
pub(super) const EXPIRES_IN: std::ops::RangeInclusive<u64> = 60..=LONGEST_EXPIRES_IN;

/// `OAUTH_CLIENT_AUTH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthPolicy {
    /// Required in production; in simulator and sandbox the first client may come without a secret.
    Auto,
    /// Required everywhere.
    Required,
}

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
        settings: &mut Settings,
        environment: Option<Environment>,
        plaid: &PlaidConfig,
        http: &HttpConfig,
    ) -> Self {
        let first = first_client(settings, environment, plaid, http);
        let clients_file = settings.text("OAUTH_CLIENTS_FILE").map(PathBuf::from);
        let client_auth = settings.parsed("OAUTH_CLIENT_AUTH", |text| {
            match text.to_ascii_lowercase().as_str() {
                "auto" => Ok(ClientAuthPolicy::Auto),
                "required" => Ok(ClientAuthPolicy::Required),
                _ => Err("choose auto or required".to_owned()),
            }
        });
        let code_ttl = settings.parsed("OAUTH_CODE_TTL", |text| seconds(text, 10, 600));
        let expires_in = settings.parsed("OAUTH_EXPIRES_IN", |text| {
            seconds(text, *EXPIRES_IN.start(), *EXPIRES_IN.end())
        });
        let unredeemed_ttl = settings.parsed("BROKER_UNREDEEMED_TTL", |text| seconds(text, 60, 604_800));
        let (code_ttl, unredeemed_ttl) = (code_ttl.unwrap_or(300), unredeemed_ttl.unwrap_or(3600));
        if unredeemed_ttl < code_ttl {
            settings.problem(
                "BROKER_UNREDEEMED_TTL",
                "make it at least as long as OAUTH_CODE_TTL: a connection must not be removed while its code is good",
            );
        }
        Self {
            clients: vec![first],
            clients_file,
            client_auth: client_auth.unwrap_or(ClientAuthPolicy::Auto),
            code_ttl: Duration::from_secs(code_ttl),
            expires_in,
            unredeemed_ttl: Duration::from_secs(unredeemed_ttl),
        }
    }

    /// The first client, and the ones that the clients file holds now. None of the secrets is told in a problem.
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
            let further = clients_file::read(path, &rules)?;
            clients.extend(further);
        }
        Ok(clients)
    }
}

fn first_client(
    settings: &mut Settings,
    environment: Option<Environment>,
    plaid: &PlaidConfig,
    http: &HttpConfig,
) -> ClientConfig {
    for name in ["OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"] {
        if let Some(error) = settings.text(name).and_then(credential_error) {
            settings.problem(name, &error);
        }
    }
    if settings
        .text("OAUTH_CLIENT_SECRET")
        .is_some_and(|secret| secret.chars().count() < SECRET_CHARS)
    {
        settings.warn(format!(
            "OAUTH_CLIENT_SECRET has less than {SECRET_CHARS} characters and can be guessed."
        ));
    }
    let redirect_uris = read_redirect_uris(settings, environment, http);
    let send_iss = settings.parsed("OAUTH_SEND_ISS", switch).unwrap_or(true);
    ClientConfig {
        id: settings
            .text("OAUTH_CLIENT_ID")
            .unwrap_or(&plaid.client_id)
            .to_owned(),
        name: None,
        kind: ClientKind::Confidential(StoredSecret::Plain(ClientSecret::new(
            settings
                .text("OAUTH_CLIENT_SECRET")
                .unwrap_or_else(|| plaid.secret.expose()),
        ))),
        redirect_uris,
        products: None,
        raw_public_tokens: true,
        send_iss,
        refresh_lifetime: None,
        expires_in: None,
    }
}

/// What keeps this text from being a client's id or secret, as an instruction. RFC 6749, appendix A.1 and A.2: they are
/// printable ASCII.
#[must_use]
pub fn credential_error(text: &str) -> Option<String> {
    if text.len() > CREDENTIAL_CHARS {
        return Some(format!(
            "make it {CREDENTIAL_CHARS} characters or shorter, which is what profile forms take"
        ));
    }
    let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (!printable).then(|| "use letters, digits and signs of ASCII alone (RFC 6749, appendix A)".to_owned())
}

fn read_redirect_uris(
    settings: &mut Settings,
    environment: Option<Environment>,
    http: &HttpConfig,
) -> RedirectUris {
    if !settings.is_given("PLAID_REDIRECT_URI") {
        if environment == Some(Environment::Simulator) {
            return RedirectUris::AnyLoopback;
        }
        return RedirectUris::Listed(Vec::new());
    }
    let given: Vec<String> = settings
        .text("PLAID_REDIRECT_URI")
        .map(owned_list)
        .unwrap_or_default();
    if given.is_empty() && settings.text("PLAID_REDIRECT_URI").is_some() {
        settings.problem(
            "PLAID_REDIRECT_URI",
            "write at least one address, or leave it empty",
        );
    }
    let mut listed: Vec<String> = Vec::new();
    for uri in given {
        match redirect_uri(&uri) {
            Err(expected) => settings.problem_with("PLAID_REDIRECT_URI", &uri, &expected),
            Ok(url) => {
                if is_mistaken(&url, http) {
                    let uri = settings.shown(&uri);
                    settings.warn(format!(
                        "PLAID_REDIRECT_URI is {uri}, which is not the callback of an OAuth client. It means the callback \
                         URL of your auth profile (for Kore.ai for example https://idp.kore.com/workflows/callback), not \
                         the redirect URI registered at Plaid: that one is PLAID_LINK_REDIRECT_URI."
                    ));
                }
                if !listed.contains(&uri) {
                    listed.push(uri);
                }
            }
        }
    }
    RedirectUris::Listed(listed)
}

fn owned_list(text: &str) -> Vec<String> {
    list(text).map(str::to_owned).collect()
}

/// RFC 6749 3.1.2: absolute and without a fragment; RFC 9700 2.1: compared exactly, so no wildcards. The error says
/// what to write instead.
fn redirect_uri(text: &str) -> Result<Url, String> {
    without_wildcard_and_quotes(text)?;
    address::secure_url(text)
}

/// The same for a client of this kind: a public one may also have a private-use scheme in reverse-domain form (RFC 8252,
/// 7.1), such as `com.example.app:/callback`. Its dot keeps out every scheme that a browser gives a meaning to.
pub fn redirect_uri_of(kind: &ClientKind, text: &str) -> Result<Url, String> {
    match (kind, text.split_once(':')) {
        (ClientKind::Public, Some((scheme, rest))) if !is_http(scheme) => {
            without_wildcard_and_quotes(text)?;
            private_use_url(text, scheme, rest)
        }
        _ => redirect_uri(text),
    }
}

fn is_http(scheme: &str) -> bool {
    ["http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
}

fn private_use_url(text: &str, scheme: &str, rest: &str) -> Result<Url, String> {
    let mut labels = scheme.split('.');
    // The top-level domain: it has letters alone.
    let is_domain = labels
        .next()
        .is_some_and(|first| first.len() >= 2 && first.bytes().all(|b| b.is_ascii_lowercase()));
    let is_label = |label: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !label.is_empty() && label.bytes().all(plain)
    };
    if !is_domain || !scheme.contains('.') || !labels.all(is_label) || !rest.starts_with('/') {
        return Err(
            "begin it with https:// (or http:// on this machine), or with a scheme that is a domain name of the app's \
             maker in reverse and in lower case, such as com.example.app:/callback"
                .to_owned(),
        );
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return Err("remove the spaces, backslashes and characters that are not ASCII".to_owned());
    }
    if text.contains(['#', '@']) {
        return Err("remove the # and the @: an app's callback has no fragment, user or password".to_owned());
    }
    Url::parse(text).map_err(|error| format!("write a whole address ({error})"))
}

fn without_wildcard_and_quotes(text: &str) -> Result<(), String> {
    if text.contains('*') {
        return Err(
            "write each callback URL out: they are compared exactly, so * is not understood".to_owned(),
        );
    }
    if text.contains(['"', '\'', '`', '“', '”', '‘', '’']) {
        return Err("remove the quotes".to_owned());
    }
    Ok(())
}

/// Our own pages and Plaid's Quickstart: what people set who think of the redirect URI that Plaid knows.
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
