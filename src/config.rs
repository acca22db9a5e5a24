//! Settings: one struct per concern, read from the environment and then `.env`, all problems told at once.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::secret::{AdminToken, ClientSecret, PlaidSecret};

/// Everything the broker is told from outside.
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
    /// What is logged, and how.
    pub log: LogConfig,
    /// Things that are odd but stop nothing, to be logged once at the start.
    pub warnings: Vec<String>,
}

/// A Plaid environment (`PLAID_ENV`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// The embedded simulator.
    Simulator,
    /// `https://sandbox.plaid.com`.
    Sandbox,
    /// `https://production.plaid.com`.
    Production,
}

/// Plaid's account: `PLAID_ENV`, `PLAID_CLIENT_ID`, `PLAID_SECRET`, `PLAID_BASE_URL`.
#[derive(Clone, Debug)]
pub struct PlaidConfig {
    /// Which of Plaid's environments.
    pub environment: Environment,
    /// Plaid's client id; not a secret.
    pub client_id: String,
    /// Plaid's secret for that environment.
    pub secret: PlaidSecret,
    /// `PLAID_BASE_URL`, when set; else the environment decides.
    pub base_url: Option<Url>,
    /// Where the embedded simulator listens (`BROKER_SIMULATOR_BIND`), used in [`Environment::Simulator`].
    pub simulator_bind: SocketAddr,
}

/// The four product lists of `/link/token/create`, checked to be disjoint. Names as Plaid spells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductLists {
    /// `PLAID_PRODUCTS`: what every offered institution must support.
    pub products: Vec<String>,
    /// `PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS`.
    pub required_if_supported: Vec<String>,
    /// `PLAID_OPTIONAL_PRODUCTS`.
    pub optional: Vec<String>,
    /// `PLAID_ADDITIONAL_CONSENTED_PRODUCTS`.
    pub additional_consented: Vec<String>,
}

/// `PLAID_LINK_MODE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkMode {
    /// Link runs on our page.
    Embedded,
    /// The browser goes to Plaid's Hosted Link page.
    Hosted,
}

/// What Link is asked for.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// The four product lists.
    pub products: ProductLists,
    /// `PLAID_COUNTRY_CODES`, upper case.
    pub country_codes: Vec<String>,
    /// `PLAID_LANGUAGE`.
    pub language: String,
    /// `PLAID_CLIENT_NAME`: who asks, as Link shows it.
    pub client_name: String,
    /// `PLAID_LINK_CUSTOMIZATION_NAME`.
    pub customization_name: Option<String>,
    /// `PLAID_LINK_MODE`.
    pub mode: LinkMode,
    /// `PLAID_LINK_REDIRECT_URI`: our own `/link/return` once it is registered at Plaid.
    pub redirect_uri: Option<String>,
    /// `PLAID_WEBHOOK_URL` when set; its default is made of the public URL at the start.
    pub webhook_url: Option<String>,
}

/// Which redirect URIs a client may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectUris {
    /// Exactly these strings.
    Listed(Vec<String>),
    /// Any `http://` URL on loopback, any port and path: the simulator's default, so that it can be tried at once.
    AnyLoopback,
}

/// How a client proves who it is.
#[derive(Clone, Debug)]
pub enum ClientKind {
    /// Has a secret and must (see [`ClientAuthPolicy`]) show it.
    Confidential(ClientSecret),
    /// Has none; PKCE is required of it.
    Public,
}

/// An OAuth client.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// `client_id`.
    pub id: String,
    /// What the Link page calls it.
    pub name: String,
    /// With or without a secret.
    pub kind: ClientKind,
    /// Where its browsers may be sent back to.
    pub redirect_uris: RedirectUris,
    /// The products it may ask for; `None`: all that are configured.
    pub products: Option<Vec<String>>,
    /// Whether it may bring raw Plaid public tokens to the token endpoint.
    pub raw_public_tokens: bool,
    /// Whether `iss` is added to its authorization responses (RFC 9207).
    pub send_iss: bool,
}

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
    /// The clients; the first is the one of `OAUTH_CLIENT_ID`, and there always is one.
    pub clients: Vec<ClientConfig>,
    /// `OAUTH_CLIENT_AUTH`.
    pub client_auth: ClientAuthPolicy,
    /// `OAUTH_CODE_TTL`.
    pub code_ttl: Duration,
    /// `OAUTH_EXPIRES_IN`, in seconds; Plaid's tokens do not expire, so none by default.
    pub expires_in: Option<u64>,
    /// `BROKER_UNREDEEMED_TTL`.
    pub unredeemed_ttl: Duration,
}

/// `BROKER_EXPLORER`: who may use the browser login flow and its data pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExplorerMode {
    /// Everybody who reaches the broker.
    On,
    /// The admin session.
    Admin,
    /// Nobody.
    Off,
}

/// Addresses, proxies and limits.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// `BROKER_BIND`.
    pub bind: IpAddr,
    /// `APP_PORT`, else `PORT`; 0 lets the system choose.
    pub port: u16,
    /// `PUBLIC_URL` without a trailing slash, when set.
    pub public_url: Option<Url>,
    /// `BROKER_TRUSTED_PROXIES`: whose `X-Forwarded-*` is believed. Loopback is spelt out as its networks.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// `BROKER_RATE_LIMIT`.
    pub rate_limit: bool,
    /// `BROKER_OPS_BIND`.
    pub ops_bind: SocketAddr,
    /// `BROKER_EXPLORER`.
    pub explorer: ExplorerMode,
    /// `BROKER_ADMIN_TOKEN`.
    pub admin_token: Option<AdminToken>,
}

/// `DATABASE_URL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file (`sqlite://path`).
    Sqlite(PathBuf),
}

/// What seals the rows: `BROKER_KEYS` or the key file.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// `BROKER_KEYS`: `id:base64` pairs, the first seals and all open.
    Given(Vec<SealingKey>),
    /// A file beside the database that is made once with mode 0600.
    File(PathBuf),
}

/// One key of the key ring.
#[derive(Clone)]
pub struct SealingKey {
    /// Its id: 1 to 32 of `A-Z a-z 0-9 - .`; stands in every envelope that it sealed.
    pub id: String,
    /// 32 bytes.
    pub key: zeroize::Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealingKey({}, …)", self.id)
    }
}

/// Where connections are kept.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// `DATABASE_URL`.
    pub database: DatabaseUrl,
    /// `BROKER_KEYS` or the key file.
    pub keys: KeySource,
}

/// `BROKER_LOG`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// `RUST_LOG`, a `tracing` filter.
    pub filter: String,
    /// `BROKER_LOG`; the default depends on whether standard error is a terminal.
    pub format: LogFormat,
}
