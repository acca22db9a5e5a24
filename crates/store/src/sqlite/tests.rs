//! The contract on `SQLite`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod append_only;
mod backups;
mod bounded_steps;
mod faults;
mod indexing;
mod keys;
mod link_token_table;
mod opening;
mod panics;
mod plans;

use std::path::Path;

use tempfile::TempDir;

use crate::config::{DatabaseUrl, KeySource, StoreConfig};
use crate::model::Account;
use crate::{Durability, OpenOptions, Store};

crate::contract::contract_suite!(super::fresh);

fn options(directory: &Path) -> OpenOptions {
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

async fn fresh() -> (Store, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (Store::open(options(directory.path())).await.unwrap(), directory)
}
