//! Where connections are kept and what seals them.

use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::choices::Environment;
use super::postgres::PostgresUrl;
use super::settings::{BROKER_CONTROL_SOCKET, BROKER_KEYS, DATABASE_URL};
use super::values::Values;

const KEY_BYTES: usize = 32;
const KEY_FILE: &str = "broker.key";

/// A key file on one machine would be of no use to the instances on others.
const KEYS_WANTED: &str = "set it, as PostgreSQL has no key file beside it: \
     `plaid-token-broker keys generate` makes a key; all instances that share the database need the same";

/// `DATABASE_URL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file (`sqlite://path`).
    Sqlite(PathBuf),
    /// A database of a server (`postgres://…`), which several instances may share.
    Postgres(Box<PostgresUrl>),
}

/// Its name, fit for logs: nobody's password is in it.
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
    /// Its id: 1 to 32 of `A-Z a-z 0-9 - .`; stands in every envelope that it sealed.
    pub id: String,
    /// 32 bytes.
    pub key: Zeroizing<[u8; KEY_BYTES]>,
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({}, …)", self.id)
    }
}

/// Where connections are kept.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// `DATABASE_URL`.
    pub database: DatabaseUrl,
    /// `BROKER_KEYS` or the key file.
    pub keys: KeySource,
}

impl StoreConfig {
    pub(super) fn read(values: &mut Values, environment: Option<Environment>) -> Self {
        let database = values
            .optional(&DATABASE_URL)
            .unwrap_or_else(|| DatabaseUrl::Sqlite(in_data(environment, "db")));
        let keys = match (values.optional(&BROKER_KEYS), &database) {
            (Some(keys), _) => KeySource::Given(keys),
            (None, DatabaseUrl::Sqlite(path)) => KeySource::File(path.with_file_name(KEY_FILE)),
            (None, DatabaseUrl::Postgres(_)) => {
                if !values.is_given(&BROKER_KEYS) {
                    values.problem(&BROKER_KEYS, KEYS_WANTED);
                }
                KeySource::Given(Vec::new())
            }
        };
        Self { database, keys }
    }
}

/// `BROKER_CONTROL_SOCKET`. Unset, it is beside the `SQLite` database, because that folder belongs to one broker's user.
pub(super) fn control_socket(
    values: &mut Values,
    database: &DatabaseUrl,
    environment: Option<Environment>,
) -> PathBuf {
    let given = values.optional(&BROKER_CONTROL_SOCKET);
    given.unwrap_or_else(|| match database {
        DatabaseUrl::Sqlite(path) => path.with_extension("sock"),
        DatabaseUrl::Postgres(_) => in_data(environment, "sock"),
    })
}

fn in_data(environment: Option<Environment>, extension: &str) -> PathBuf {
    let name = environment.unwrap_or(Environment::Sandbox).name();
    Path::new("data").join(format!("{name}.{extension}"))
}
