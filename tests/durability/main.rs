//! Nothing acknowledged is lost: the sync comes before the answer, a killed process leaves all it has answered, and a
//! full disk does no damage.
//!
//! The tests run this very program again as a child (see [`child`]) and watch it from outside.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod child;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod full;
mod kill;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod shim;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod sync;

use std::path::Path;

use plaid_token_broker::config::{DatabaseUrl, KeySource, StoreConfig};
use plaid_token_broker::store::model::Account;
use plaid_token_broker::store::{Durability, OpenOptions};

fn options(directory: &Path, durability: Durability) -> OpenOptions {
    OpenOptions {
        config: StoreConfig {
            database: DatabaseUrl::Sqlite(directory.join("sandbox.db")),
            keys: KeySource::File(directory.join("broker.key")),
        },
        account: Account {
            environment: "sandbox".to_owned(),
            client_id: "0123456789abcdef01234567".to_owned(),
        },
        durability,
    }
}
