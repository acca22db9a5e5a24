//! Plaid's account: which environment, which keys.

use std::net::{Ipv4Addr, SocketAddr};

use url::Url;

use super::address;
use super::settings::Settings;
use crate::secret::PlaidSecret;

/// The client id that the embedded simulator accepts; public, and shaped like one of Plaid's.
pub const SIMULATOR_CLIENT_ID: &str = "5a11ced0c0ffee0000000001";
/// The secret that belongs to [`SIMULATOR_CLIENT_ID`]; public, so it protects nothing.
pub const SIMULATOR_SECRET: &str = "51a11a7ed5ec4e7000000000000001";

const CLIENT_ID_CHARS: usize = 24;
const SECRET_CHARS: usize = 30;
/// Far beyond what Plaid allows today.
const MOST_REMOVALS: u32 = 60_000;
const KEYS_PAGE: &str = "https://dashboard.plaid.com/developers/keys";

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

impl Environment {
    /// The name as `PLAID_ENV` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Simulator => "simulator",
            Self::Sandbox => "sandbox",
            Self::Production => "production",
        }
    }

    /// Where Plaid's API is in this environment; the simulator, which is elsewhere, stands in for the sandbox.
    #[must_use]
    pub fn default_base_url(self) -> &'static str {
        match self {
            Self::Simulator | Self::Sandbox => "https://sandbox.plaid.com",
            Self::Production => "https://production.plaid.com",
        }
    }

    /// `PLAID_ENV`, or what the keys say without it; `None` when the value cannot be used, which has been told.
    pub(super) fn read(settings: &mut Settings) -> Option<Self> {
        if settings.is_given("PLAID_ENV") {
            return settings.parsed("PLAID_ENV", Self::parse);
        }
        let keys = settings.is_given("PLAID_CLIENT_ID") || settings.is_given("PLAID_SECRET");
        Some(if keys { Self::Sandbox } else { Self::Simulator })
    }

    fn parse(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "simulator" => Ok(Self::Simulator),
            "sandbox" => Ok(Self::Sandbox),
            "production" => Ok(Self::Production),
            "development" => Err("use sandbox: Plaid retired its development environment in 2024".to_owned()),
            _ => Err("choose simulator, sandbox or production".to_owned()),
        }
    }
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
    /// `BROKER_REMOVAL_RATE`: the most Items that this instance removes in a minute.
    pub removal_rate: u32,
}

impl PlaidConfig {
    pub(super) fn read(settings: &mut Settings, environment: Option<Environment>) -> Self {
        check_presence(settings, environment);
        check_shape(settings);
        let base_url = settings.parsed("PLAID_BASE_URL", |text| {
            let url = address::secure_url(text)?;
            if text.contains('?') {
                Err("remove the ? and what follows it".to_owned())
            } else {
                Ok(url)
            }
        });
        match environment {
            Some(Environment::Simulator) => {
                check_simulator_keys(settings);
                if base_url.is_some() {
                    settings.warn(
                        "PLAID_BASE_URL is set although PLAID_ENV=simulator starts a simulator of its own, which is \
                         then not asked. Use PLAID_ENV=sandbox with PLAID_BASE_URL to reach another simulator."
                            .to_owned(),
                    );
                }
            }
            Some(_)
                if base_url.is_none() && settings.text("PLAID_CLIENT_ID") == Some(SIMULATOR_CLIENT_ID) =>
            {
                settings.warn(
                    "PLAID_CLIENT_ID is the simulator's own, which Plaid does not know. Take your keys from \
                     https://dashboard.plaid.com/developers/keys, or set PLAID_ENV=simulator."
                        .to_owned(),
                );
            }
            _ => {}
        }
        let simulator_bind =
            settings.parsed("BROKER_SIMULATOR_BIND", |text| match text.parse::<SocketAddr>() {
                Ok(address) if address.ip().is_loopback() => Ok(address),
                Ok(_) => Err(
                    "use 127.0.0.1 or [::1]: the simulator checks nobody, so it stays on this machine"
                        .to_owned(),
                ),
                Err(_) => Err("write an IP address and a port, for example 127.0.0.1:9400".to_owned()),
            });
        Self {
            environment: environment.unwrap_or(Environment::Sandbox),
            client_id: settings
                .text("PLAID_CLIENT_ID")
                .unwrap_or(SIMULATOR_CLIENT_ID)
                .to_owned(),
            secret: PlaidSecret::new(settings.text("PLAID_SECRET").unwrap_or(SIMULATOR_SECRET)),
            base_url,
            simulator_bind: simulator_bind.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 9400).into()),
            removal_rate: read_removal_rate(settings, environment),
        }
    }
}

/// Plaid allows a client 2,000 removals a minute in production and 500 in the Sandbox
/// (<https://plaid.com/docs/errors/rate-limit-exceeded/>). By default three instances together stay below that, and leave
/// some for what else removes Items of the same client.
fn read_removal_rate(settings: &mut Settings, environment: Option<Environment>) -> u32 {
    let given = settings.parsed("BROKER_REMOVAL_RATE", |text| match text.parse() {
        Ok(rate) if (1..=MOST_REMOVALS).contains(&rate) => Ok(rate),
        _ => Err(format!(
            "write a number of Items per minute, from 1 to {MOST_REMOVALS}"
        )),
    });
    given.unwrap_or(match environment {
        Some(Environment::Production) => 600,
        _ => 150,
    })
}

/// Both keys or, for the simulator, neither.
fn check_presence(settings: &mut Settings, environment: Option<Environment>) {
    let (id, secret) = (
        settings.is_given("PLAID_CLIENT_ID"),
        settings.is_given("PLAID_SECRET"),
    );
    let real = matches!(environment, Some(Environment::Sandbox | Environment::Production));
    if (id || secret || real) && !(id && secret) {
        let leave = if id || secret {
            "both keys go together"
        } else {
            "or leave PLAID_ENV empty as well, which starts the built-in simulator"
        };
        for (name, missing) in [("PLAID_CLIENT_ID", !id), ("PLAID_SECRET", !secret)] {
            if missing {
                settings.problem(name, &format!("is missing: take it from {KEYS_PAGE} ({leave})"));
            }
        }
    }
}

/// Plaid does not promise the shape of its keys, so an odd one is only warned of; what cannot be sent in an
/// HTTP header is refused.
fn check_shape(settings: &mut Settings) {
    for name in ["PLAID_CLIENT_ID", "PLAID_SECRET"] {
        if settings
            .text(name)
            .is_some_and(|key| !key.chars().all(|c| c.is_ascii_graphic()))
        {
            settings.problem_unshown(
                name,
                "has characters that no key of Plaid has: copy it again, without spaces",
            );
        }
    }
    let is_hex = |text: &str, chars| text.len() == chars && text.chars().all(|c| c.is_ascii_hexdigit());
    let id = settings
        .text("PLAID_CLIENT_ID")
        .map(|id| is_hex(id, CLIENT_ID_CHARS));
    let secret = settings
        .text("PLAID_SECRET")
        .map(|secret| is_hex(secret, SECRET_CHARS));
    let swapped = settings
        .text("PLAID_CLIENT_ID")
        .is_some_and(|id| is_hex(id, SECRET_CHARS))
        && settings
            .text("PLAID_SECRET")
            .is_some_and(|secret| is_hex(secret, CLIENT_ID_CHARS));
    if swapped {
        settings.warn("PLAID_CLIENT_ID and PLAID_SECRET look swapped.".to_owned());
        return;
    }
    for (name, good, chars) in [
        ("PLAID_CLIENT_ID", id, CLIENT_ID_CHARS),
        ("PLAID_SECRET", secret, SECRET_CHARS),
    ] {
        if good == Some(false) {
            settings.warn(format!(
                "{name} does not look like Plaid's, which are {chars} characters of 0-9 and a-f."
            ));
        }
    }
}

/// Real keys with the simulator would look as if the real account had been asked.
fn check_simulator_keys(settings: &mut Settings) {
    let own = [
        ("PLAID_CLIENT_ID", SIMULATOR_CLIENT_ID),
        ("PLAID_SECRET", SIMULATOR_SECRET),
    ];
    if own
        .iter()
        .any(|(name, own)| settings.text(name).is_some_and(|given| given != *own))
    {
        settings.problem(
            "PLAID_ENV",
            "the simulator does not take Plaid's keys: choose sandbox or production, or remove PLAID_CLIENT_ID and PLAID_SECRET",
        );
    }
}
