//! Where connections are stored and what seals them.

mod parse;

use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

pub use crate::postgres_url::{PostgresUrl, TlsMode};

/// `DATABASE_URL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file (`sqlite://path`).
    Sqlite(PathBuf),
    /// A database of a server (`postgres://…`), which several instances may share.
    Postgres(Box<PostgresUrl>),
}

/// Its name, fit for logs: it contains no password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

/// What seals the rows: `BROKER_KEYS` or the key file.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// `BROKER_KEYS`: `id:base64` pairs, the first seals and all open.
    Given(Vec<SealingKey>),
    /// A file beside the database that is made once with mode 0600.
    File(PathBuf),
}

/// One key of the key ring.
#[derive(Clone)]
pub struct SealingKey {
    /// 1 to 32 of `A-Z a-z 0-9 - .`; stored in every envelope that this key sealed.
    pub id: String,
    pub key: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({}, …)", self.id)
    }
}

/// Where connections are stored.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    pub database: DatabaseUrl,
    pub keys: KeySource,
}
