//! What happens by itself: webhooks are sent, logins lapse, banks have new transactions.

pub(crate) mod delivery;
mod events;
