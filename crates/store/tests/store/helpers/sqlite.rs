//! Stores in `SQLite` files of their own.

use std::path::Path;

use tempfile::TempDir;

use plaid_token_broker_store::config::{DatabaseUrl, KeySource, StoreConfig};
use plaid_token_broker_store::model::Account;
use plaid_token_broker_store::{Durability, OpenOptions, Store};

pub(crate) fn options(directory: &Path) -> OpenOptions {
    OpenOptions {
        config: StoreConfig {
            database: DatabaseUrl::Sqlite(directory.join("data/sandbox.db")),
            keys: KeySource::File(directory.join("data/broker.key")),
        },
        account: Account {
            environment: "sandbox".to_owned(),
            client_id: "0123456789abcdef01234567".to_owned(),
        },
        durability: Durability::Full,
    }
}

pub(crate) async fn fresh() -> (Store, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (Store::open(options(directory.path())).await.unwrap(), directory)
}
