//! The list of all settings: the one place where a name, its default and its meaning are written.
//!
//! `--help`, `.env.example` and the tables of `docs/settings.md` are made of it (see `tests/api/config/documents.rs`).

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use url::Url;

use super::address::secure_url;
use super::choices::{ClientAuthPolicy, Environment, ExplorerMode, LogFormat, language, link_mode};
use super::client::{EXPIRES_IN, credential};
use super::parse::{
    admin_token, agent_url, choice, filled, list, log_filter, names, number, number_or, plaid_url,
    public_url, seconds, simulator_address, switch, typed,
};
use super::variable::{Setting, Variable, settings};
use crate::secret::AdminToken;
use crate::store::config::{DatabaseUrl, SealingKey};

settings! {
    "Plaid account" {
        /// Your client id, from https://dashboard.plaid.com/developers/keys.
        /// Without keys the simulator runs.
        PLAID_CLIENT_ID: String = |text| Ok(text.into()), wrong_names: &["PLAID_CLIENTID", "PLAID_API_CLIENT_ID"];

        /// Your secret for the environment you use, from the same page.
        PLAID_SECRET: String = |text| Ok(text.into()), secret: true, wrong_names: &[
            "PLAID_CLIENT_SECRET", "PLAID_SECRET_KEY", "PLAID_API_SECRET", "PLAID_API_KEY",
            "PLAID_SECRET_SANDBOX", "PLAID_SECRET_DEVELOPMENT", "PLAID_SECRET_PRODUCTION",
            "PLAID_SANDBOX_SECRET", "PLAID_DEVELOPMENT_SECRET", "PLAID_PRODUCTION_SECRET",
        ];

        /// Which Plaid: simulator (built in, needs no account), sandbox (Plaid's test data) or production (real banks, billed).
        PLAID_ENV: Environment = Environment::parse, unset: "simulator without keys, else sandbox",
            example: "sandbox", wrong_names: &["PLAID_ENVIRONMENT"];

        /// Another base URL for Plaid's API, for tests or an egress proxy.
        PLAID_BASE_URL: Url = plaid_url, unset: "Plaid's own for the environment",
            example: "https://sandbox.plaid.com", wrong_names: &["PLAID_BASE_PATH", "PLAID_HOST"];

        /// The most Items per minute that one instance removes at Plaid, 1 to 60000.
        /// Plaid allows a client 2,000 in production and 500 in the Sandbox, over all instances.
        BROKER_REMOVAL_RATE: u32 = |text| number(text, &(1..=60_000), "a number of Items per minute"),
            unset: "600 in production, else 150", example: "600";

        /// Where the built-in simulator listens; only this machine can reach it.
        BROKER_SIMULATOR_BIND: SocketAddr = simulator_address, default: "127.0.0.1:9400";
    }
    "What Link asks for" {
        /// Products that every offered bank and every connection must have, with commas.
        /// Link shows only banks that support ALL of them.
        /// Keep auth out of this list: here it hides all accounts but checking, savings and cash management, so nobody could
        /// share investments and loans.
        /// In production each product in this list and the next is billed for each connection that supports it, and you must
        /// set both yourself.
        PLAID_PRODUCTS: Vec<String> = |text| Ok(names(text)), default: "transactions";

        /// Products that are fetched (and billed) where the bank and the account support them, or none for an empty list.
        /// List a product only once: remove it from PLAID_PRODUCTS when you move it here.
        /// Without a value this list is empty when PLAID_PRODUCTS is set.
        PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS: Vec<String> = |text| Ok(names(text)),
            default: "auth,identity,investments,liabilities";

        /// Products that are fetched if possible; a failure never stops the connection. For example investments.
        PLAID_OPTIONAL_PRODUCTS: Vec<String> = |text| Ok(names(text));

        /// Products the person agrees to now, and that are billed when they are first used. For example assets.
        PLAID_ADDITIONAL_CONSENTED_PRODUCTS: Vec<String> = |text| Ok(names(text));

        /// Countries whose banks are offered, with commas: US GB ES NL FR IE CA DE IT PL DK NO SE EE LT LV PT BE AT FI.
        PLAID_COUNTRY_CODES: Vec<String> = |text| filled(names(text), "name at least one country, for example US"),
            default: "US",
            wrong_names: &["PLAID_COUNTRIES", "PLAID_COUNTRY"];

        /// The language of Link: da nl en et fr de hi it lv lt no pl pt ro es sv vi.
        PLAID_LANGUAGE: String = language, default: "en";

        /// The application's name in Link, and on the page before it where a client has no name of its own.
        /// Link shows "This Application" in place of more than 30 characters.
        PLAID_CLIENT_NAME: String = |text| Ok(text.into()), default: "Plaid token broker";

        /// A Link customization of your Plaid dashboard. Its language must be PLAID_LANGUAGE.
        PLAID_LINK_CUSTOMIZATION_NAME: String = |text| Ok(text.into()), unset: "Plaid's default", example: "default";

        /// embedded: Link runs on the broker's page. hosted, Plaid's own page, is not supported by this version yet.
        PLAID_LINK_MODE: () = link_mode, default: "embedded";

        /// Where banks with a login page of their own send the person back to: always {PUBLIC_URL}/link/return.
        /// Set it once you have registered exactly this address at https://dashboard.plaid.com/developers/api (allowed redirect
        /// URIs); it needs PUBLIC_URL.
        PLAID_LINK_REDIRECT_URI: String = |text| Ok(text.into()),
            unset: "nothing is sent to Plaid, which is fine on a desktop", example: "https://bank.example.com/link/return";

        /// Where Plaid sends its webhooks, if you have something that receives them: this version does not yet.
        PLAID_WEBHOOK_URL: String = |text| secure_url(text).map(|_| text.into()),
            example: "https://bank.example.com/webhooks/plaid", wrong_names: &["PLAID_WEBHOOK"];
    }
    "OAuth clients" {
        /// The callback URL of your auth profile, exactly as the profile shows it; several with commas.
        /// A slash at the end matters. This is NOT the redirect URI that you register at Plaid.
        /// For Kore.ai it depends on your region.
        PLAID_REDIRECT_URI: Vec<String> = |text| filled(list(text), "write at least one address, or leave it empty"),
            unset: "any http address of this machine in the simulator, else none",
            example: "https://idp.kore.com/workflows/callback",
            wrong_names: &["PLAID_REDIRECT_URL", "PLAID_REDIRECT_URIS", "OAUTH_REDIRECT_URI"];

        /// The client id that your auth profile sends.
        OAUTH_CLIENT_ID: String = credential, unset: "PLAID_CLIENT_ID, as in Kore.ai's guide",
            example: "my-bot";

        /// The client secret that your auth profile sends.
        OAUTH_CLIENT_SECRET: String = credential, unset: "PLAID_SECRET, as in Kore.ai's guide", secret: true;

        /// A TOML file of further OAuth clients: docs/clients.md describes it, docs/clients.example.toml is one to copy.
        /// Read again on SIGHUP.
        OAUTH_CLIENTS_FILE: PathBuf = |text| Ok(text.into()), unset: "the client above is the only one",
            example: "clients.toml";

        /// auto: the client must show its secret in production. required: in sandbox and simulator too.
        OAUTH_CLIENT_AUTH: ClientAuthPolicy = |text| {
            choice(text, &[("auto", ClientAuthPolicy::Auto), ("required", ClientAuthPolicy::Required)])
        }, default: "auto";

        /// Seconds that an authorization code lives, 10 to 600.
        OAUTH_CODE_TTL: u64 = |text| seconds(text, &(10..=600)), default: "300";

        /// Seconds in the token response (expires_in), at least 60, for clients that insist on one.
        OAUTH_EXPIRES_IN: u64 = |text| seconds(text, &EXPIRES_IN),
            unset: "none is sent, because Plaid's access tokens do not expire", example: "86400";

        /// Whether authorization responses carry the issuer (iss, RFC 9207); off for a client that stumbles over it.
        OAUTH_SEND_ISS: bool = switch, default: "on";

        /// Seconds until a connection whose code nobody redeemed is removed at Plaid, 60 to 604800.
        BROKER_UNREDEEMED_TTL: u64 = |text| seconds(text, &(60..=604_800)), default: "3600";
    }
    "Addresses and access" {
        /// The port to listen on; 0 lets the system choose.
        APP_PORT: u16 = |text| number(text, &(0..=u16::MAX), "a number"), default: "8000",
            wrong_names: &["BROKER_APP_PORT"];

        /// The same, as hosting platforms call it; APP_PORT wins.
        PORT: u16 = |text| number(text, &(0..=u16::MAX), "a number"), example: "8000";

        /// The IP address to listen on; 0.0.0.0 for all, as in a container.
        BROKER_BIND: IpAddr = |text| typed(text, "write an IP address, for example 127.0.0.1, or 0.0.0.0 for all"),
            default: "127.0.0.1";

        /// The address by which browsers and your OAuth client reach the broker, without a path.
        /// https, unless it is this machine.
        PUBLIC_URL: Url = public_url, unset: "http://localhost:{port}", example: "https://bank.example.com",
            wrong_names: &["BROKER_PUBLIC_URL"];

        /// Whose X-Forwarded-* headers are trusted: loopback, none, or IP addresses and networks such as 10.0.0.0/8, with commas.
        /// loopback suits ngrok and a proxy on this machine.
        BROKER_TRUSTED_PROXIES: Vec<String> = |text| Ok(list(&text.to_ascii_lowercase())), default: "loopback";

        /// Whether unauthenticated callers are limited by their address.
        /// off for load tests, and behind a proxy that limits by itself.
        BROKER_RATE_LIMIT: bool = switch, default: "on";

        /// Requests per second that each authenticated client may send, and ten times as many at once.
        /// off: no limit, because one client may serve all users of a platform.
        BROKER_CLIENT_RATE: Option<u32> = |text| {
            number_or(text, "off", &(1..=1_000_000), "the requests per second as a whole number")
        }, default: "off";

        /// Whether the set-up page shows the last requests of each OAuth client, with the reason when one was refused.
        /// They are kept in memory alone and without their values; off remembers none.
        BROKER_REQUEST_RECORD: bool = switch, default: "on";

        /// Who may connect a bank without an OAuth client and look at its data: on (anyone who can reach the broker), admin
        /// (administrators signed in at /setup) or off.
        BROKER_EXPLORER: ExplorerMode = ExplorerMode::parse, unset: "on, but admin in production", example: "on";

        /// Opens the administration pages at /setup; at least 16 characters (openssl rand -base64 24).
        /// Without it only single-use links open them: `plaid-token-broker admin-link` prints one, and so does the start on a
        /// terminal.
        BROKER_ADMIN_TOKEN: AdminToken = admin_token, secret: true;

        /// Where /livez, /readyz and /metrics are served.
        BROKER_OPS_BIND: SocketAddr = |text| typed(text, "write an IP address and a port, for example 127.0.0.1:9810"),
            default: "127.0.0.1:9810";

        /// The Unix socket by which commands such as admin-link and connections reach the running broker.
        /// Only the broker's own user and root can open it.
        BROKER_CONTROL_SOCKET: PathBuf = |text| Ok(text.into()),
            unset: "the path of the SQLite database with .sock; data/{environment}.sock with PostgreSQL",
            example: "data/sandbox.sock";

        /// Where ngrok's agent lists its tunnels (its web_addr, see docs/tunnels.md); off: it is not asked.
        BROKER_NGROK_API: Option<Url> = agent_url, default: "http://127.0.0.1:4040";

        /// Where cloudflared reports its quick tunnel (its --metrics, see docs/tunnels.md); off: it is not asked.
        BROKER_CLOUDFLARED_METRICS: Option<Url> = agent_url, default: "http://127.0.0.1:20241";
    }
    "Where connections are kept" {
        /// The database: sqlite://relative/path, sqlite:///absolute/path, or postgres://user:password@host/database.
        /// Several instances may share the last kind.
        DATABASE_URL: DatabaseUrl = DatabaseUrl::parse, secret: true, wrong_names: &["BROKER_DATABASE_URL"],
            unset: "sqlite://data/{environment}.db, so that trying the simulator never mixes with real connections";

        /// Keys that seal what is stored: id:base64 of 32 bytes (openssl rand -base64 32), with commas; the first seals, all open.
        /// With PostgreSQL it has to be set.
        /// Without the key the stored rows cannot be opened: keep a copy of it apart from the database.
        BROKER_KEYS: Vec<SealingKey> = SealingKey::parse_all, secret: true,
            unset: "a key file broker.key beside the SQLite database, made once";
    }
    "Logs and audit" {
        /// How much is logged: error, warn, info, debug, trace, or a tracing filter such as info,tower=debug.
        RUST_LOG: String = log_filter, default: "info";

        /// text for people, json for machines.
        BROKER_LOG: LogFormat = |text| choice(text, &[("text", LogFormat::Text), ("json", LogFormat::Json)]),
            unset: "text on a terminal, else json", example: "text";

        /// A file that the audit log is also appended to, as one JSON object per line (docs/audit.md).
        /// It is made for its owner only, and may be moved away at any time.
        BROKER_AUDIT_FILE: PathBuf = |text| Ok(text.into()), example: "data/audit.jsonl";

        /// Days that rows of the audit log are kept in the store, or forever.
        BROKER_AUDIT_DAYS: Option<u64> = |text| number_or(text, "forever", &(1..=36_500), "a number of days"),
            default: "400";
    }
}

/// What frameworks put before a variable so that browsers get it. (A secret that is there is public.)
const BROWSER_PREFIXES: [&str; 4] = ["NEXT_PUBLIC_", "REACT_APP_", "VITE_", "EXPO_PUBLIC_"];

/// Every setting, in the order in which they are best explained.
#[must_use]
pub fn known() -> &'static [&'static Variable] {
    KNOWN
}

pub(super) fn find(name: &str) -> Option<&'static Variable> {
    KNOWN.iter().copied().find(|variable| variable.name == name)
}

/// The secret whose file has this name.
pub(super) fn find_by_file(file: &str) -> Option<&'static Variable> {
    KNOWN
        .iter()
        .copied()
        .find(|variable| variable.file() == Some(file))
}

/// The setting that is meant by a known wrong name, and the name that is right: `PLAID_CLIENT_SECRET_FILE` means
/// `PLAID_SECRET_FILE`.
pub(super) fn find_by_wrong_name(name: &str) -> Option<(&'static Variable, &'static str)> {
    let by_name = meant(name).map(|variable| (variable, variable.name));
    by_name.or_else(|| {
        let variable = meant(name.strip_suffix("_FILE")?)?;
        Some((variable, variable.file()?))
    })
}

fn meant(name: &str) -> Option<&'static Variable> {
    let listed = |name| {
        KNOWN
            .iter()
            .copied()
            .find(|variable| variable.wrong_names.contains(&name))
    };
    let mut without_prefix = BROWSER_PREFIXES
        .iter()
        .filter_map(|prefix| name.strip_prefix(prefix));
    match without_prefix.next() {
        Some(rest) if rest.starts_with("PLAID_") => find(rest).or_else(|| listed(rest)),
        _ => listed(name),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_is_declared_once_and_explained() {
        let names: BTreeSet<_> = KNOWN.iter().map(|variable| variable.name).collect();
        assert_eq!(names.len(), KNOWN.len());
        let is_explained = |variable: &Variable| variable.help.concat().ends_with('.');
        assert!(KNOWN.iter().all(|variable| is_explained(variable)));
    }

    #[test]
    fn only_secrets_have_a_file() {
        let name = |file| find_by_file(file).map(|variable| variable.name);
        assert_eq!(name("PLAID_SECRET_FILE"), Some("PLAID_SECRET"));
        assert_eq!((name("PLAID_ENV_FILE"), name("OAUTH_CLIENTS_FILE")), (None, None));
        assert_eq!(KNOWN.iter().filter(|variable| variable.secret).count(), 5);
    }

    #[test]
    fn a_wrong_name_means_one_setting_and_is_none() {
        for variable in KNOWN {
            for wrong in variable.wrong_names {
                assert!(find(wrong).is_none(), "{wrong}");
                assert_eq!(
                    find_by_wrong_name(wrong).map(|found| found.1),
                    Some(variable.name)
                );
            }
        }
        for (name, setting) in [
            ("PLAID_CLIENT_SECRET_FILE", Some("PLAID_SECRET_FILE")),
            ("PLAID_ENVIRONMENT_FILE", None),
            ("NEXT_PUBLIC_PLAID_ENV", Some("PLAID_ENV")),
            ("VITE_PLAID_PRODUCTION_SECRET", Some("PLAID_SECRET")),
            ("NEXT_PUBLIC_PLAID_THING", None),
            ("NEXT_PUBLIC_APP_PORT", None),
            ("PLAID_ENV", None),
            ("PLAID_THING", None),
        ] {
            assert_eq!(find_by_wrong_name(name).map(|found| found.1), setting, "{name}");
        }
    }
}
