//! Plaid's account: which environment, which keys.

use std::net::SocketAddr;

use url::Url;

use super::choices::Environment;
use super::settings::{self, PLAID_CLIENT_ID, PLAID_ENV, PLAID_SECRET};
use super::values::Values;
use crate::secret::PlaidSecret;

/// The client id that the embedded simulator accepts; public, and shaped like one of Plaid's.
pub const SIMULATOR_CLIENT_ID: &str = "5a11ced0c0ffee0000000001";
/// The secret that belongs to [`SIMULATOR_CLIENT_ID`]; public, so it protects nothing.
pub const SIMULATOR_SECRET: &str = "51a11a7ed5ec4e7000000000000001";

const CLIENT_ID_CHARS: usize = 24;
const SECRET_CHARS: usize = 30;
const KEYS_PAGE: &str = "https://dashboard.plaid.com/developers/keys";

/// `PLAID_ENV`, or what the keys say without it; `None` when the value cannot be used, which has been reported.
pub(super) fn read_environment(values: &mut Values) -> Option<Environment> {
    if values.is_given(&PLAID_ENV) {
        return values.optional(&PLAID_ENV);
    }
    let keys = values.is_given(&PLAID_CLIENT_ID) || values.is_given(&PLAID_SECRET);
    Some(if keys {
        Environment::Sandbox
    } else {
        Environment::Simulator
    })
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
    pub(super) fn read(values: &mut Values, environment: Option<Environment>) -> Self {
        check_presence(values, environment);
        check_shape(values);
        let base_url = values.optional(&settings::PLAID_BASE_URL);
        match environment {
            Some(Environment::Simulator) => {
                check_simulator_keys(values);
                if base_url.is_some() {
                    values.warn(
                        "PLAID_BASE_URL is set although PLAID_ENV=simulator starts a simulator of its own, which is \
                         then not asked. Use PLAID_ENV=sandbox with PLAID_BASE_URL to reach another simulator."
                            .to_owned(),
                    );
                }
            }
            Some(_) if base_url.is_none() && values.text(&PLAID_CLIENT_ID) == Some(SIMULATOR_CLIENT_ID) => {
                values.warn(
                    "PLAID_CLIENT_ID is the simulator's own, which Plaid does not know. Take your keys from \
                     https://dashboard.plaid.com/developers/keys, or set PLAID_ENV=simulator."
                        .to_owned(),
                );
            }
            _ => {}
        }
        // Plaid allows a client 2,000 removals a minute in production and 500 in the Sandbox
        // (<https://plaid.com/docs/errors/rate-limit-exceeded/>). By default three instances together stay below that, and
        // leave some for what else removes Items of the same client.
        let removal_rate = match environment {
            Some(Environment::Production) => 600,
            _ => 150,
        };
        Self {
            environment: environment.unwrap_or(Environment::Sandbox),
            client_id: values
                .text(&PLAID_CLIENT_ID)
                .unwrap_or(SIMULATOR_CLIENT_ID)
                .to_owned(),
            secret: PlaidSecret::new(values.text(&PLAID_SECRET).unwrap_or(SIMULATOR_SECRET)),
            base_url,
            simulator_bind: values.get(&settings::BROKER_SIMULATOR_BIND),
            removal_rate: values
                .optional(&settings::BROKER_REMOVAL_RATE)
                .unwrap_or(removal_rate),
        }
    }
}

/// Both keys or, for the simulator, neither.
fn check_presence(values: &mut Values, environment: Option<Environment>) {
    let [id, secret] = [&PLAID_CLIENT_ID, &PLAID_SECRET].map(|key| values.is_given(key));
    let real = matches!(environment, Some(Environment::Sandbox | Environment::Production));
    if (id || secret || real) && !(id && secret) {
        let leave = if id || secret {
            "both keys go together"
        } else {
            "or leave PLAID_ENV empty as well, which starts the built-in simulator"
        };
        for (key, given) in [(&PLAID_CLIENT_ID, id), (&PLAID_SECRET, secret)] {
            if !given {
                values.problem(key, &format!("is missing: take it from {KEYS_PAGE} ({leave})"));
            }
        }
    }
}

/// Plaid does not promise the shape of its keys, so an odd one only gets a warning; what cannot be sent in an HTTP header
/// is refused.
fn check_shape(values: &mut Values) {
    let keys = [(&PLAID_CLIENT_ID, CLIENT_ID_CHARS), (&PLAID_SECRET, SECRET_CHARS)];
    let is_sendable = |text: &str| text.chars().all(|c| c.is_ascii_graphic());
    for (key, _) in keys {
        if values.text(key).is_some_and(|text| !is_sendable(text)) {
            values.problem_hidden(
                key,
                "has characters that no key of Plaid has: copy it again, without spaces",
            );
        }
    }
    let has_shape = |values: &Values, key, chars| {
        let text = values.text(key);
        text.map(|text| text.len() == chars && text.chars().all(|c| c.is_ascii_hexdigit()))
    };
    if has_shape(values, &PLAID_CLIENT_ID, SECRET_CHARS) == Some(true)
        && has_shape(values, &PLAID_SECRET, CLIENT_ID_CHARS) == Some(true)
    {
        values.warn("PLAID_CLIENT_ID and PLAID_SECRET look swapped.");
        return;
    }
    for (key, chars) in keys {
        if has_shape(values, key, chars) == Some(false) {
            let name = key.name;
            values.warn(format!(
                "{name} does not look like Plaid's, which are {chars} characters of 0-9 and a-f."
            ));
        }
    }
}

/// Real keys with the simulator would look as if the real account had been asked.
fn check_simulator_keys(values: &mut Values) {
    let is_other = |key, own| values.text(key).is_some_and(|given| given != own);
    if is_other(&PLAID_CLIENT_ID, SIMULATOR_CLIENT_ID) || is_other(&PLAID_SECRET, SIMULATOR_SECRET) {
        values.problem(
            &PLAID_ENV,
            "the simulator does not accept Plaid's keys: choose sandbox or production, or remove PLAID_CLIENT_ID and \
             PLAID_SECRET",
        );
    }
}
