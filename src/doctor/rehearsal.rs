//! The rehearsal: plays an OAuth client such as Kore.ai through `PUBLIC_URL`, and reports for each step that it works or
//! what to do.
//!
//! It is an outside client on purpose. It uses what the settings say and what travels over the network, and nothing of the
//! broker that it talks to: so a wrong `PUBLIC_URL`, a proxy in between, or settings that differ from the running broker's
//! are found. Only whether it is the right broker is asked beforehand, by what the store's key proves. Link, which needs a
//! person, is replaced by `/sandbox/public_token/create` (
//! <https://plaid.com/docs/api/sandbox/#sandboxpublic_tokencreate>) in simulator and sandbox. Every Item that it makes is
//! removed again.

mod actions;
mod browser;
mod items;
mod plan;
mod shape;
mod token;

use std::borrow::Cow;
use std::time::Duration;

use http::header::SET_COOKIE;
use reqwest::{Client, RequestBuilder};
use url::Url;

use super::finding::{Finding, Report, Status};
use super::probe::{self, Answer, Trouble};
use super::reporter::{self, Reporter};
use crate::clock::SharedClock;
use crate::config::{ClientConfig, ClientKind, Config, Environment, ProductLists, RedirectUris};
use crate::plaid;
use crate::secret::{ClientSecret, PlaidSecret, StoredSecret};
use crate::store::tokens::TokenKey;

pub use actions::Action;

/// How long all steps may take together; cleaning up has time of its own.
pub const LIMIT: Duration = Duration::from_secs(150);

/// Where the simulator lets any loopback address be a callback; nothing has to listen there, as redirects are only read.
const ANY_CALLBACK: &str = "http://127.0.0.1/callback";

/// How the broker is recognized before anything is made at it.
#[derive(Clone)]
pub enum Identity {
    Store(TokenKey),
    /// It is not known: why.
    Unknown(String),
}

/// The header by which the request log distinguishes a rehearsal's requests from the client's own.
pub const HEADER: &str = "x-broker-rehearsal";

#[derive(Clone)]
pub struct Rehearsal {
    /// The broker, without a trailing slash.
    public_url: String,
    broker: Client,
    client_id: String,
    client_secret: ClientSecret,
    pub callbacks: Vec<String>,
    raw_public_tokens: bool,
    environment: Environment,
    plaid_url: String,
    plaid: Client,
    plaid_client_id: String,
    plaid_secret: PlaidSecret,
    /// As the client may ask for them.
    lists: ProductLists,
    /// Those of Kore.ai's.
    pub actions: Vec<Action>,
    clock: SharedClock,
    identity: Identity,
    /// Reported with the address.
    pub remark: Option<String>,
}

impl Rehearsal {
    /// Rehearses with these settings as this client: each of its callbacks, all actions. `public_url` has no trailing
    /// slash; `plaid_url` is where Plaid's API is.
    ///
    /// # Errors
    /// What is missing in the settings, as an instruction.
    pub fn new(
        config: &Config,
        client: Option<&ClientConfig>,
        public_url: &str,
        plaid_url: &Url,
        identity: Identity,
        clock: SharedClock,
    ) -> Result<Self, String> {
        let client = client.ok_or("there is no OAuth client: set OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET")?;
        let ClientKind::Confidential(StoredSecret::Plain(secret)) = &client.kind else {
            return Err("the first client has no secret here: set OAUTH_CLIENT_SECRET".to_owned());
        };
        let callbacks = match &client.redirect_uris {
            RedirectUris::Listed(uris) | RedirectUris::Native(uris) => uris.clone(),
            RedirectUris::AnyLoopback => vec![ANY_CALLBACK.to_owned()],
            RedirectUris::AnyLoopbackAnd(uris) => [ANY_CALLBACK.to_owned()]
                .into_iter()
                .chain(uris.clone())
                .collect(),
        };
        let configured = &config.link.products;
        let own = client.products.as_deref();
        let lists = own.and_then(|own| plaid::narrow(configured, own));
        let http = |url| {
            probe::client(url, AGENT).map_err(|error| {
                format!("no HTTP client: check the root certificates of this system ({error})")
            })
        };
        Ok(Self {
            public_url: public_url.to_owned(),
            broker: http(public_url)?,
            client_id: client.id.clone(),
            client_secret: secret.clone(),
            callbacks,
            raw_public_tokens: client.raw_public_tokens,
            environment: config.plaid.environment,
            plaid: http(plaid_url.as_str())?,
            plaid_url: plaid_url.as_str().trim_end_matches('/').to_owned(),
            plaid_client_id: config.plaid.client_id.clone(),
            plaid_secret: config.plaid.secret.clone(),
            lists: lists.unwrap_or_else(|| configured.clone()),
            actions: Action::ALL.to_vec(),
            clock,
            identity,
            remark: None,
        })
    }

    /// Runs all steps. `on_finding` gets each when it has ended; bounded by [`LIMIT`] and a while for cleaning up.
    pub async fn run(&self, on_finding: impl FnMut(&Finding) + Send) -> Report {
        let secrets = vec![self.client_secret.expose(), self.plaid_secret.expose()];
        reporter::run(
            secrets,
            async |reporter: Reporter<'_>| plan::run(self, &reporter).await,
            on_finding,
        )
        .await
    }
}

/// Why a step did not end well.
#[derive(Clone, Debug)]
struct Failure {
    found: String,
    fix: String,
    unreachable: bool,
}

impl Failure {
    fn new(found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            found: found.into(),
            fix: fix.into(),
            unreachable: false,
        }
    }
}

/// An answer that is not the broker's.
fn altered(found: &str) -> Failure {
    let fix = "something between this machine and the broker changes its answers, or the versions differ: compare the \
               versions, and rehearse without the proxy";
    Failure::new(found, fix)
}

/// Kore.ai's own timeout is not documented: what people wait for.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
const AGENT: &str = concat!("plaid-token-broker/", env!("CARGO_PKG_VERSION"), " (rehearsal)");

/// `address` and `fix` are for the case that nothing answers.
async fn send(request: RequestBuilder, address: &str, fix: &str) -> Result<Answer, Failure> {
    let answer = probe::send(request, ANSWER_LIMIT).await;
    answer.map_err(|trouble| Failure {
        unreachable: !matches!(trouble, Trouble::TooLong),
        ..Failure::new(format!("could not reach {address}: {trouble}"), fix)
    })
}

impl Answer {
    /// The status, and an error's own message.
    fn outline(&self) -> String {
        let names = [
            "error",
            "error_description",
            "message",
            "error_code",
            "plaid_error_code",
        ];
        let said: Vec<&str> = names.iter().filter_map(|name| self.text_of(name)).collect();
        let json = if self.json.is_null() { ", and no JSON" } else { "" };
        match said.as_slice() {
            [] => format!("status {}{json}", self.status),
            said => format!("status {}: {}", self.status, said.join(": ")),
        }
    }

    /// The cookies that a browser would send back.
    fn cookies(&self) -> String {
        let sent = self.headers.get_all(SET_COOKIE).iter();
        let pairs = sent.filter_map(|value| value.to_str().ok()?.split(';').next());
        pairs
            .filter(|pair| !pair.ends_with('='))
            .collect::<Vec<_>>()
            .join("; ")
    }
}

impl Reporter<'_> {
    /// Reports how a step ended; returns what it made, if it did.
    fn step<T>(
        &self,
        id: &'static str,
        title: impl Into<Cow<'static, str>>,
        ended: Result<(T, String), Failure>,
    ) -> Option<T> {
        let (made, status, found, fix, unreachable) = match ended {
            Ok((made, found)) => (Some(made), Status::Ok, found, None, false),
            Err(failure) => (
                None,
                Status::Failed,
                failure.found,
                Some(failure.fix),
                failure.unreachable,
            ),
        };
        self.report(Finding {
            id,
            title: title.into(),
            status,
            found,
            fix,
            unreachable,
        });
        made
    }

    fn skipped(&self, id: &'static str, title: impl Into<Cow<'static, str>>, why: &str) {
        self.report(Finding {
            id,
            title: title.into(),
            status: Status::Skipped,
            found: why.to_owned(),
            fix: None,
            unreachable: false,
        });
    }
}
