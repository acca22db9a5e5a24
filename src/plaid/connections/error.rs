//! Why an exchange made no connection.

use thiserror::Error;

use crate::plaid::PlaidError;
use crate::store::StoreError;

#[derive(Clone, Debug, Error)]
pub enum ExchangeError {
    /// Plaid refused the public token: wrong, expired, of another environment, or used elsewhere.
    #[error("Plaid refused the public token")]
    Refused(#[source] PlaidError),
    /// An earlier answer never came, and then Plaid refused the token: it is burnt.
    #[error("the exchange's answer was lost and the public token is burnt")]
    Lost(#[source] PlaidError),
    /// Another client or browser sent this public token first.
    #[error("the public token belongs to another client or browser")]
    Taken,
    /// The transaction is over: completed with another token, cancelled, abandoned or expired.
    #[error("the transaction is not open")]
    NotOpen,
    /// Too many exchanges are under way, or another one of this transaction.
    #[error("too many exchanges are under way")]
    Busy,
    /// Plaid cannot do it now, or our configuration is at fault. The token is as good as it was.
    #[error(transparent)]
    Plaid(PlaidError),
    /// The store cannot take it now; what Plaid gave is kept in memory for a repeat.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The task panicked.
    #[error("the exchange task ended unexpectedly")]
    Task,
}
