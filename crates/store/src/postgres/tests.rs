//! The contract on `PostgreSQL`, and what several instances on one database must not do to each other. Each test has a
//! database of its own in the cluster that `TEST_POSTGRES_URL` names.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod append_only;
mod cluster;
mod indexing;
mod instances;
mod keys;
mod lost_commits;
mod opening;
mod outages;

use zeroize::Zeroizing;

use self::cluster::Database;
use crate::config::{DatabaseUrl, KeySource, PostgresUrl, SealingKey, StoreConfig};
use crate::model::Account;
use crate::{Durability, OpenOptions, Store};

crate::contract::contract_suite!([ignore = "needs PostgreSQL: tests/run starts one"] super::fresh);

/// `DATABASE_URL` as the settings read it.
fn database(url: &str) -> DatabaseUrl {
    let rest = url.strip_prefix("postgres:").unwrap();
    DatabaseUrl::Postgres(Box::new(PostgresUrl::parse(rest).unwrap()))
}

fn keys(keys: &[(&str, u8)]) -> KeySource {
    let key = |(id, byte): &(&str, u8)| SealingKey {
        id: (*id).to_owned(),
        key: Zeroizing::new([*byte; 32]),
    };
    KeySource::Given(keys.iter().map(key).collect())
}

fn with(url: &str, keys: KeySource) -> OpenOptions {
    OpenOptions {
        config: StoreConfig {
            database: database(url),
            keys,
        },
        account: Account {
            environment: "sandbox".to_owned(),
            client_id: "0123456789abcdef01234567".to_owned(),
        },
        durability: Durability::Full,
    }
}

fn options(url: &str) -> OpenOptions {
    with(url, keys(&[("a", 1)]))
}

async fn fresh() -> (Store, Database) {
    let database = Database::make().await;
    (Store::open(options(&database.url)).await.unwrap(), database)
}

/// Two instances on one database.
async fn two() -> (Store, Store, Database) {
    let (first, database) = fresh().await;
    let second = Store::open(options(&database.url)).await.unwrap();
    (first, second, database)
}
