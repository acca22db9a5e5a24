//! Settings whose value is one of a few words.

use super::parse::{choice, switch};

/// <https://plaid.com/docs/api/link/#linktokencreate>, `language`.
const LANGUAGES: &str = "da nl en et fr de hi it lv lt no pl pt ro es sv vi";

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

    /// Where Plaid's API is in this environment; the simulator, which is elsewhere, takes the place of the sandbox.
    #[must_use]
    pub fn default_base_url(self) -> &'static str {
        match self {
            Self::Simulator | Self::Sandbox => "https://sandbox.plaid.com",
            Self::Production => "https://production.plaid.com",
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("development") {
            return Err("use sandbox: Plaid retired its development environment in 2024".to_owned());
        }
        choice(
            text,
            &[Self::Simulator, Self::Sandbox, Self::Production].map(|all| (all.name(), all)),
        )
    }
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

impl ExplorerMode {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let as_switch = switch(text).map(|on| if on { Self::On } else { Self::Off });
        as_switch.or_else(|_| {
            choice(
                text,
                &[("on", Self::On), ("admin", Self::Admin), ("off", Self::Off)],
            )
        })
    }
}

/// `OAUTH_CLIENT_AUTH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthPolicy {
    /// Required in production; in simulator and sandbox the first client may come without a secret.
    Auto,
    /// Required everywhere.
    Required,
}

/// `BROKER_LOG`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `PLAID_LINK_MODE`.
pub(super) fn link_mode(text: &str) -> Result<(), String> {
    match text.to_ascii_lowercase().as_str() {
        "embedded" => Ok(()),
        "hosted" => Err("hosted is not supported by this version yet: remove it".to_owned()),
        _ => Err("choose embedded".to_owned()),
    }
}

/// `PLAID_LANGUAGE`.
pub(super) fn language(text: &str) -> Result<String, String> {
    let language = text.to_ascii_lowercase();
    let is_known = LANGUAGES.split(' ').any(|known| known == language);
    is_known
        .then_some(language)
        .ok_or_else(|| format!("choose one of Link's languages: {LANGUAGES}"))
}
