//! Settings: one struct per concern, read from the environment and then `.env`, all problems reported at once.
//!
//! `settings.rs` declares each setting; `Values` holds what was given; the other files combine it into the structs here.

mod address;
mod auth_filter;
mod choices;
mod client;
mod client_keys;
mod client_table;
mod clients_file;
mod dotenv;
mod http;
mod link;
mod listen;
mod log;
pub(crate) mod nearest;
mod oauth;
mod parse;
mod plaid;
mod problem;
mod products;
mod redact;
mod redirect_uri;
mod secret_file;
mod settings;
mod sources;
mod store;
mod tunnel;
mod values;
mod variable;

pub use address::is_loopback;
pub use auth_filter::AuthFilter;
pub use choices::{ClientAuthPolicy, Environment, ExplorerMode, LogFormat};
pub use client::{ClientConfig, ClientKind, Clients, RedirectUris, credential_error};
pub use http::{HttpConfig, TunnelApis};
pub use link::LinkConfig;
pub use listen::is_same_place;
pub use log::{AuditConfig, LogConfig};
pub use oauth::OAuthConfig;
pub use plaid::{PlaidConfig, SIMULATOR_CLIENT_ID, SIMULATOR_SECRET};
pub use problem::{Problem, Problems};
pub use products::{ProductLists, is_product};
pub use redirect_uri::redirect_uri_of;
pub use settings::known;
pub use sources::Sources;
pub use tunnel::TunnelSettings;
pub use variable::Variable;

use std::path::PathBuf;

pub use crate::store::config::{DatabaseUrl, KeySource, PostgresUrl, SealingKey, StoreConfig, TlsMode};

use crate::secret::{AdminToken, StoredSecret};
use values::Values;

/// All settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Plaid's account and environment.
    pub plaid: PlaidConfig,
    /// What Link is asked for.
    pub link: LinkConfig,
    /// The OAuth clients and the lives of what they are given.
    pub oauth: OAuthConfig,
    /// Addresses, proxies and limits.
    pub http: HttpConfig,
    /// Where connections are kept and what seals them.
    pub store: StoreConfig,
    /// `BROKER_CONTROL_SOCKET`: where operator commands reach the running broker.
    pub control_socket: PathBuf,
    /// The audit log.
    pub audit: AuditConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// Things that are odd but stop nothing, to be logged once at the start.
    pub warnings: Vec<String>,
}

/// What [`Config::load`] must know of the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoadOptions {
    /// Whether people read the log: decides the default of `BROKER_LOG`.
    pub stderr_is_terminal: bool,
    /// Does not read the clients file, for a command that serves no client. While the running broker keeps its earlier
    /// clients because the file is broken, it is healthy, and its health check must say so.
    pub without_clients: bool,
}

impl Config {
    /// Reads all settings: `env` wins over the lines of `.env` (see [`Sources`] for those of the process), and an
    /// empty value counts as unset. Files are read only for secrets (`…_FILE`) and for the clients.
    ///
    /// # Errors
    /// Every problem that was found, each with what to do. No text holds a secret.
    pub fn load(
        env: impl IntoIterator<Item = (String, String)>,
        dotenv: Option<&str>,
        options: LoadOptions,
    ) -> Result<Self, Problems> {
        let mut values = Values::collect(env, dotenv);
        let environment = plaid::read_environment(&mut values);
        let plaid = PlaidConfig::read(&mut values, environment);
        let http = HttpConfig::read(&mut values, environment);
        let link = LinkConfig::read(&mut values, environment, &http);
        let mut oauth = OAuthConfig::read(&mut values, environment, &plaid, &http);
        if !options.without_clients {
            let secrets: Vec<&str> = values.secrets().collect();
            match oauth.reread(&link.products, &http, &secrets) {
                Ok(clients) => oauth.clients = clients,
                Err(Problems(problems)) => values.problems.extend(problems),
            }
        }
        let store = store::read(&mut values, environment);
        let control_socket = store::control_socket(&mut values, &store.database, environment);
        let audit = AuditConfig::read(&mut values);
        let log = LogConfig::read(&mut values, options);
        listen::refuse_duplicates(&mut values, &http, &plaid);
        let Values {
            mut problems,
            warnings,
            unknown,
            ..
        } = values;
        if options.without_clients && http.public_url.is_none() {
            // The broker may have its PUBLIC_URL from a tunnel, and then this is right.
            problems.retain(|problem| problem.variable != settings::PLAID_LINK_REDIRECT_URI.name);
        }
        if problems.is_empty() {
            Ok(Self {
                plaid,
                link,
                oauth,
                http,
                store,
                control_socket,
                audit,
                log,
                warnings,
            })
        } else {
            // What is missing may be there, under a misspelled name.
            problems.extend(unknown);
            Err(Problems(problems))
        }
    }

    /// What the broker listens on, each with its setting; those that the system chooses are left out.
    #[must_use]
    pub fn listens_on(&self) -> Vec<(&'static str, std::net::SocketAddr)> {
        let all = listen::addresses(&self.http, &self.plaid).into_iter();
        all.map(|(variable, address)| (variable.name, address)).collect()
    }

    /// All clients, those of the file as it is now.
    ///
    /// # Errors
    /// Every problem of the file, each with what to do. No text holds a secret or a hash of one.
    pub fn reread_clients(&self) -> Result<Clients, Problems> {
        let mut secrets = vec![self.plaid.secret.expose()];
        secrets.extend(self.http.admin_token.as_ref().map(AdminToken::expose));
        for client in &self.oauth.clients {
            if let ClientKind::Confidential(StoredSecret::Plain(secret)) = &client.kind {
                secrets.push(secret.expose());
            }
        }
        self.oauth
            .reread(&self.link.products, &self.http, &secrets)
            .map(Clients::new)
    }
}
