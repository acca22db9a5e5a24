//! What Plaid's pages leave open about Link.

/// As many as a bank's page would allow.
const WRONG_LOGINS: u32 = 5;

/// Choices about Link where Plaid's pages are silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize, clap::Args)]
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
