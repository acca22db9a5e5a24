//! Where connections are kept and what seals them.

use std::path::{Path, PathBuf};

use super::choices::Environment;
use super::settings::{BROKER_CONTROL_SOCKET, BROKER_KEYS, DATABASE_URL};
use super::values::Values;
use crate::store::config::{DatabaseUrl, KeySource, StoreConfig};

const KEY_FILE: &str = "broker.key";

/// A key file on one machine would be of no use to the instances on others.
const KEYS_WANTED: &str = "set it, as PostgreSQL has no key file beside it: \
     `plaid-token-broker keys generate` makes a key; all instances that share the database need the same";

pub(super) fn read(values: &mut Values, environment: Option<Environment>) -> StoreConfig {
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
    StoreConfig { database, keys }
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
