//! The rehearsal: plays an OAuth client such as Kore.ai through `PUBLIC_URL`, step by step, and says for each one that it
//! works or what to do.
//!
//! It is an outside client on purpose. It uses what the settings say and what travels over the network, and nothing of the
//! broker that it talks to: so a wrong `PUBLIC_URL`, a proxy in between, or settings that differ from the running broker's
//! are found. Only whether it is the right broker is asked beforehand, by what the store's key proves. Link, which needs a person, is skipped by `/sandbox/public_token/create`
//! (<https://plaid.com/docs/api/sandbox/#sandboxpublic_tokencreate>) in simulator and sandbox. Every Item that it makes is
//! removed again.

mod actions;
mod browser;
mod items;
mod plan;
mod shape;
mod token;
mod wire;

use std::time::Duration;

use serde::Serialize;
use url::Url;

use crate::clock::SharedClock;
use crate::config::{ClientConfig, ClientKind, Config, Environment, ProductLists, RedirectUris};
use crate::plaid;
use crate::secret::{ClientSecret, PlaidSecret, StoredSecret};
use crate::store::tokens::TokenKey;

pub use actions::Action;

/// How long all steps may take together; cleaning up has time of its own.
pub const LONGEST: Duration = Duration::from_secs(150);

/// Where the simulator lets any loopback address be a callback; nothing has to listen there, as redirects are only read.
const ANY_CALLBACK: &str = "http://127.0.0.1/callback";

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it should.
    Ok,
    /// Not as it should: `fix` says what to do.
    Failed,
    /// It was not tried; `found` says why.
    Skipped,
}

/// One step, as it is told. No text in here holds a token or a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What was tried, in a few words.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What was seen.
    pub found: String,
    /// What to do; only with [`Outcome::Failed`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// How the whole rehearsal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every step that was tried is good.
    Ok,
    /// At least one failed.
    Failed,
    /// At least one failed because the broker or Plaid could not be reached.
    Unreachable,
}

impl Verdict {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
        }
    }
}

/// By what the broker is known from any other, before anything is made at it.
#[derive(Clone)]
pub enum Identity {
    /// By the key of its store.
    Store(TokenKey),
    /// It is not: why, in words.
    Unknown(String),
}

/// The header by which the request log tells a rehearsal's requests from the client's own.
pub const HEADER: &str = "x-broker-rehearsal";

/// What is rehearsed with.
#[derive(Clone)]
pub struct Rehearsal {
    /// The broker, without a trailing slash.
    public_url: String,
    client_id: String,
    client_secret: ClientSecret,
    callbacks: Vec<String>,
    raw_public_tokens: bool,
    environment: Environment,
    plaid_url: String,
    plaid_client_id: String,
    plaid_secret: PlaidSecret,
    /// As the client may ask for them.
    lists: ProductLists,
    actions: Vec<Action>,
    clock: SharedClock,
    identity: Identity,
    /// What is said of the address besides.
    remark: Option<String>,
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
        Ok(Self {
            public_url: public_url.to_owned(),
            client_id: client.id.clone(),
            client_secret: secret.clone(),
            callbacks,
            raw_public_tokens: client.raw_public_tokens,
            environment: config.plaid.environment,
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

    /// With something to be said of the address.
    #[must_use]
    pub fn with_remark(mut self, remark: Option<String>) -> Self {
        self.remark = remark;
        self
    }

    /// With this callback alone, whether it is configured or not.
    #[must_use]
    pub fn with_callback(mut self, callback: String) -> Self {
        self.callbacks = vec![callback];
        self
    }

    /// With these of Kore.ai's actions alone.
    #[must_use]
    pub fn with_actions(mut self, actions: Vec<Action>) -> Self {
        self.actions = actions;
        self
    }

    /// Rehearses. Each step is handed to `tell` when it has ended; bounded by [`LONGEST`] and a while for cleaning up.
    pub async fn run(&self, tell: &mut (dyn FnMut(Step) + Send)) -> Verdict {
        plan::run(self, tell).await
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

/// Hands over the steps and remembers the worst.
struct Teller<'t> {
    tell: &'t mut (dyn FnMut(Step) + Send),
    verdict: Verdict,
}

impl Teller<'_> {
    fn say(&mut self, name: &str, outcome: Outcome, found: String, fix: Option<String>) {
        let name = name.to_owned();
        (self.tell)(Step {
            name,
            outcome,
            found,
            fix,
        });
    }

    fn ok(&mut self, name: &str, found: impl Into<String>) {
        self.say(name, Outcome::Ok, found.into(), None);
    }

    fn skipped(&mut self, name: &str, why: impl Into<String>) {
        self.say(name, Outcome::Skipped, why.into(), None);
    }

    fn failed(&mut self, name: &str, failure: Failure) {
        let Failure {
            found,
            fix,
            unreachable,
        } = failure;
        self.verdict = match self.verdict {
            Verdict::Unreachable => Verdict::Unreachable,
            _ if unreachable => Verdict::Unreachable,
            _ => Verdict::Failed,
        };
        self.say(name, Outcome::Failed, found, Some(fix));
    }

    /// Tells how a step ended; gives what it made, if it did.
    fn told<T>(&mut self, name: &str, ended: Result<(T, String), Failure>) -> Option<T> {
        match ended {
            Ok((made, found)) => {
                self.ok(name, found);
                Some(made)
            }
            Err(failure) => {
                self.failed(name, failure);
                None
            }
        }
    }
}
