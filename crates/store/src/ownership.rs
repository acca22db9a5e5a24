//! Whose a store is, and whether this program and these keys may open it: the same words for every engine.

use super::error::{OpenError, StoreError};
use super::model::Account;
use crate::config::DatabaseUrl;

/// What a database is to us.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Schema {
    /// Nothing is in it yet.
    Empty,
    Ours,
    Foreign,
    /// Ours, of a newer version of this program.
    Newer {
        /// The steps that were taken.
        found: i64,
        /// The steps that are known here.
        known: i64,
    },
}

impl Schema {
    /// Whether something of ours was found; what may not be touched is refused.
    pub(super) fn found(self, store: &DatabaseUrl) -> Result<bool, OpenError> {
        match self {
            Self::Empty => Ok(false),
            Self::Ours => Ok(true),
            Self::Foreign => Err(OpenError::Foreign {
                store: store.clone(),
                reason: "it is another program's database",
            }),
            Self::Newer { found, known } => Err(OpenError::Newer {
                store: store.clone(),
                found,
                known,
            }),
        }
    }
}

/// The account that a store was made for, from `meta`.
pub(super) fn account(environment: Option<Vec<u8>>, client_id: Option<Vec<u8>>) -> Option<Account> {
    let text = |value: Option<Vec<u8>>| value.and_then(|value| String::from_utf8(value).ok());
    text(environment)
        .zip(text(client_id))
        .map(|(environment, client_id)| Account {
            environment,
            client_id,
        })
}

/// Refuses the store of another account.
pub(super) fn same_account(
    stored: Option<Account>,
    given: &Account,
    store: &DatabaseUrl,
) -> Result<(), OpenError> {
    match stored {
        Some(stored) if stored != *given => Err(OpenError::OtherAccount {
            store: store.clone(),
            stored,
            given: given.clone(),
        }),
        _ => Ok(()),
    }
}

/// Why a store without its token key does not open, and any other trouble while it opens.
pub(super) fn not_opened(store: &DatabaseUrl, error: StoreError) -> OpenError {
    let store = store.clone();
    match error {
        StoreError::Sealed(reason) => OpenError::WrongKeys { store, reason },
        source => OpenError::Store { store, source },
    }
}
