//! The list of all settings: the one place where a name, its default and its meaning stand.
//!
//! `--help`, `.env.example` and `docs/settings.md` are checked against it by tests.

use std::sync::LazyLock;

/// A setting, as people are told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The environment variable.
    pub name: &'static str,
    /// The heading it stands under.
    pub group: &'static str,
    /// What holds when it is unset, in words or as the value itself; empty: nothing.
    pub default: &'static str,
    /// What it is for, in a sentence or two.
    pub help: &'static str,
    /// Whether its value must never be shown. Each secret can also come from a file: `NAME_FILE`.
    pub secret: bool,
}

/// Every variable that is read, in the order in which they are best explained.
#[must_use]
pub fn known() -> &'static [Variable] {
    KNOWN
}

pub(super) fn find(name: &str) -> Option<&'static Variable> {
    KNOWN.iter().find(|variable| variable.name == name)
}

/// The `…_FILE` names of all secrets.
pub(super) fn twins() -> &'static [String] {
    static TWINS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let secrets = KNOWN.iter().filter(|variable| variable.secret);
        secrets
            .map(|variable| format!("{}_FILE", variable.name))
            .collect()
    });
    &TWINS
}

/// The secret that this `…_FILE` name is the twin of.
pub(super) fn twin_of(name: &str) -> Option<&'static Variable> {
    find(name.strip_suffix("_FILE")?).filter(|variable| variable.secret)
}

const fn open(
    group: &'static str,
    name: &'static str,
    default: &'static str,
    help: &'static str,
) -> Variable {
    Variable {
        name,
        group,
        default,
        help,
        secret: false,
    }
}

const fn secret(
    group: &'static str,
    name: &'static str,
    default: &'static str,
    help: &'static str,
) -> Variable {
    Variable {
        name,
        group,
        default,
        help,
        secret: true,
    }
}

const PLAID: &str = "Plaid account";
const LINK: &str = "What Link asks for";
const OAUTH: &str = "OAuth clients";
const HTTP: &str = "Addresses and access";
const STORE: &str = "Where connections are kept";
const LOG: &str = "Logs and audit";

const KNOWN: &[Variable] = &[
    open(
        PLAID,
        "PLAID_CLIENT_ID",
        "",
        "Your client id, from dashboard.plaid.com under Developers, Keys.",
    ),
    secret(
        PLAID,
        "PLAID_SECRET",
        "",
        "Your secret for the environment you use, from the same page.",
    ),
    open(
        PLAID,
        "PLAID_ENV",
        "simulator without keys, else sandbox",
        "Which Plaid: simulator (built in, needs no account), sandbox or production.",
    ),
    open(
        PLAID,
        "PLAID_BASE_URL",
        "Plaid's own for the environment",
        "Another base URL for Plaid's API, for tests or an egress proxy.",
    ),
    open(
        PLAID,
        "BROKER_REMOVAL_RATE",
        "600 in production, else 150",
        "The most Items per minute that one instance removes at Plaid.",
    ),
    open(
        PLAID,
        "BROKER_SIMULATOR_BIND",
        "127.0.0.1:9400",
        "Where the built-in simulator listens; on this machine alone.",
    ),
    open(
        LINK,
        "PLAID_PRODUCTS",
        "transactions",
        "Products that every offered bank and every connection must have. Production has no default.",
    ),
    open(
        LINK,
        "PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS",
        "auth,identity,investments,liabilities; empty when PLAID_PRODUCTS is set",
        "Products that are fetched (and billed) where the bank and account support them, or none. Production has no default.",
    ),
    open(
        LINK,
        "PLAID_OPTIONAL_PRODUCTS",
        "",
        "Products that are fetched if possible; a failure never stops the connection.",
    ),
    open(
        LINK,
        "PLAID_ADDITIONAL_CONSENTED_PRODUCTS",
        "",
        "Products the person agrees to now and that are billed when first used.",
    ),
    open(
        LINK,
        "PLAID_COUNTRY_CODES",
        "US",
        "Countries whose banks are offered, for example US,CA.",
    ),
    open(
        LINK,
        "PLAID_LANGUAGE",
        "en",
        "The language of Link, in two letters.",
    ),
    open(
        LINK,
        "PLAID_CLIENT_NAME",
        "Plaid token broker",
        "The application's name in Link, and on the page before it for a client without a name; at most 30 characters.",
    ),
    open(
        LINK,
        "PLAID_LINK_CUSTOMIZATION_NAME",
        "",
        "A Link customization of your Plaid dashboard; its language must be PLAID_LANGUAGE.",
    ),
    open(
        LINK,
        "PLAID_LINK_MODE",
        "embedded",
        "embedded: Link runs on the broker's page. hosted, Plaid's own page, is not supported by this version yet.",
    ),
    open(
        LINK,
        "PLAID_LINK_REDIRECT_URI",
        "",
        "{PUBLIC_URL}/link/return, once it is among the allowed redirect URIs of your Plaid dashboard.",
    ),
    open(
        LINK,
        "PLAID_WEBHOOK_URL",
        "",
        "Where Plaid sends its webhooks. This version does not receive them itself yet.",
    ),
    open(
        OAUTH,
        "PLAID_REDIRECT_URI",
        "any loopback URL in the simulator, else none",
        "The callback URL of your auth profile (several with commas), exactly as the profile shows it.",
    ),
    open(
        OAUTH,
        "OAUTH_CLIENT_ID",
        "PLAID_CLIENT_ID",
        "The client id that your auth profile sends.",
    ),
    secret(
        OAUTH,
        "OAUTH_CLIENT_SECRET",
        "PLAID_SECRET",
        "The client secret that your auth profile sends.",
    ),
    open(
        OAUTH,
        "OAUTH_CLIENTS_FILE",
        "",
        "A TOML file of further OAuth clients (docs/clients.md), read again on SIGHUP.",
    ),
    open(
        OAUTH,
        "OAUTH_CLIENT_AUTH",
        "auto",
        "auto: the client must show its secret in production. required: everywhere.",
    ),
    open(
        OAUTH,
        "OAUTH_CODE_TTL",
        "300",
        "Seconds that an authorization code lives, 10 to 600.",
    ),
    open(
        OAUTH,
        "OAUTH_EXPIRES_IN",
        "",
        "Seconds sent as expires_in, at least 60; unset because Plaid's access tokens do not expire.",
    ),
    open(
        OAUTH,
        "OAUTH_SEND_ISS",
        "on",
        "Whether authorization responses carry iss (RFC 9207).",
    ),
    open(
        OAUTH,
        "BROKER_UNREDEEMED_TTL",
        "3600",
        "Seconds until a connection whose code nobody redeemed is removed at Plaid, 60 to 604800.",
    ),
    open(
        HTTP,
        "APP_PORT",
        "8000",
        "The port to listen on; 0 lets the system choose.",
    ),
    open(
        HTTP,
        "PORT",
        "",
        "The same, as hosting platforms call it; APP_PORT wins.",
    ),
    open(
        HTTP,
        "BROKER_BIND",
        "127.0.0.1",
        "The IP address to listen on; 0.0.0.0 in a container.",
    ),
    open(
        HTTP,
        "PUBLIC_URL",
        "http://localhost:{port}",
        "The address by which browsers and your OAuth client reach the broker, without a path.",
    ),
    open(
        HTTP,
        "BROKER_TRUSTED_PROXIES",
        "loopback",
        "Whose X-Forwarded-* headers are trusted: loopback, none, or IP addresses and networks.",
    ),
    open(
        HTTP,
        "BROKER_RATE_LIMIT",
        "on",
        "Whether unauthenticated callers are limited by address; off for load tests and behind a proxy that limits.",
    ),
    open(
        HTTP,
        "BROKER_CLIENT_RATE",
        "off",
        "Requests per second that each authenticated client may send, ten times as many at once; off: no limit.",
    ),
    open(
        HTTP,
        "BROKER_EXPLORER",
        "on; admin in production",
        "Who may connect a bank without an OAuth client and look at its data: on (everybody), admin (whoever is logged in at /setup) or off.",
    ),
    open(
        HTTP,
        "BROKER_REQUEST_RECORD",
        "on",
        "Whether the set-up page shows the last requests of clients, without their values; off to remember none.",
    ),
    secret(
        HTTP,
        "BROKER_ADMIN_TOKEN",
        "",
        "Opens the administration pages at /setup, at least 16 characters. Without it only single-use links open them.",
    ),
    open(
        HTTP,
        "BROKER_OPS_BIND",
        "127.0.0.1:9810",
        "Where /livez, /readyz and /metrics are served.",
    ),
    open(
        HTTP,
        "BROKER_CONTROL_SOCKET",
        "the SQLite database's path with .sock; data/{environment}.sock with PostgreSQL",
        "The Unix socket by which commands such as admin-link reach the running broker.",
    ),
    open(
        HTTP,
        "BROKER_NGROK_API",
        "http://127.0.0.1:4040",
        "Where ngrok's agent tells of its tunnels (its web_addr); off: it is not asked.",
    ),
    open(
        HTTP,
        "BROKER_CLOUDFLARED_METRICS",
        "http://127.0.0.1:20241",
        "Where cloudflared tells of its quick tunnel (its --metrics); off: it is not asked.",
    ),
    secret(
        STORE,
        "DATABASE_URL",
        "sqlite://data/{environment}.db",
        "The database: sqlite://relative/path, sqlite:///absolute/path, or postgres://user:password@host/database.",
    ),
    secret(
        STORE,
        "BROKER_KEYS",
        "the key file broker.key beside the SQLite database, made once",
        "Keys that seal what is stored: id:base64 of 32 bytes, with commas; the first seals, all open.",
    ),
    open(
        LOG,
        "RUST_LOG",
        "info",
        "How much is logged: error, warn, info, debug, trace, or a tracing filter.",
    ),
    open(
        LOG,
        "BROKER_LOG",
        "text on a terminal, else json",
        "text for people, json for machines.",
    ),
    open(
        LOG,
        "BROKER_AUDIT_FILE",
        "",
        "A file that the audit log is also appended to, as JSON lines (docs/audit.md).",
    ),
    open(
        LOG,
        "BROKER_AUDIT_DAYS",
        "400",
        "Days that rows of the audit log are kept, or forever.",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_stands_once_and_is_explained() {
        let names: BTreeSet<_> = KNOWN.iter().map(|variable| variable.name).collect();
        assert_eq!(names.len(), KNOWN.len());
        assert!(KNOWN.iter().all(|variable| variable.help.ends_with('.')));
    }

    #[test]
    fn only_secrets_have_a_twin() {
        assert_eq!(
            twin_of("PLAID_SECRET_FILE").map(|variable| variable.name),
            Some("PLAID_SECRET")
        );
        assert_eq!(twin_of("PLAID_ENV_FILE"), None);
        assert_eq!(twin_of("OAUTH_CLIENTS_FILE"), None);
        assert_eq!(KNOWN.iter().filter(|variable| variable.secret).count(), 5);
    }
}
