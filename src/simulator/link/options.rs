//! What Plaid's pages leave open about Link.

/// Choices about Link where Plaid's pages are silent.
#[derive(Clone, Copy, Debug)]
pub struct LinkOptions {
    /// The wrong login (or wrong answer to the bank's question) of this number gets `ITEM_LOCKED`; the one after
    /// it ends the link token. At least 1.
    pub wrong_logins: u32,
    /// Whether sessions that are not Hosted Link's have LINK webhooks too, as Plaid does on request.
    pub link_events: bool,
}

impl Default for LinkOptions {
    fn default() -> Self {
        Self {
            wrong_logins: 5,
            link_events: false,
        }
    }
}
