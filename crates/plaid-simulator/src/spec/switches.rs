//! Choices that can be made at the start and while the simulator runs.

use serde::{Deserialize, Serialize};

use super::guesses::Guesses;

/// What a second exchange of one public token does. Plaid's pages do not say, and reports point both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum PublicTokenReuse {
    /// It is refused with `INVALID_PUBLIC_TOKEN`.
    #[default]
    SingleUse,
    /// It returns the same access token and Item.
    SameToken,
    /// It returns a new access token for the same Item; the earlier one keeps working.
    NewToken,
}

/// As many as a bank's page would allow.
const WRONG_LOGINS: u32 = 5;

/// Choices about Link where Plaid's pages are silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, clap::Args)]
#[serde(default)]
pub struct LinkOptions {
    /// The wrong login (or wrong answer to the bank's question) of this number gets `ITEM_LOCKED`; the one after
    /// it ends the link token.
    #[arg(long, value_name = "NUMBER", default_value_t = WRONG_LOGINS, value_parser = clap::value_parser!(u32).range(1..))]
    pub wrong_logins: u32,
    /// Whether sessions that are not Hosted Link's have LINK webhooks too, as Plaid does on request.
    #[arg(long)]
    pub link_events: bool,
}

impl Default for LinkOptions {
    fn default() -> Self {
        Self {
            wrong_logins: WRONG_LOGINS,
            link_events: false,
        }
    }
}

/// A simulator's switches, which can be set while it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Switches {
    /// What a second exchange of one public token does.
    pub public_token_reuse: PublicTokenReuse,
    /// Whether calls are limited as in Plaid's Sandbox.
    pub rate_limits: bool,
    /// Choices about Link.
    #[serde(flatten)]
    pub link: LinkOptions,
    /// What the simulator does where Plaid's pages are silent.
    pub guesses: Guesses,
}
