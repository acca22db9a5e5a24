//! Stores in databases of their own, in the cluster that `TEST_POSTGRES_URL` names.

use zeroize::Zeroizing;

use super::cluster::Database;
use plaid_token_broker_store::config::{DatabaseUrl, KeySource, PostgresUrl, SealingKey, StoreConfig};
use plaid_token_broker_store::model::Account;
use plaid_token_broker_store::{Durability, OpenOptions, Store};

/// `DATABASE_URL` as the settings read it.
pub(crate) fn database(url: &str) -> DatabaseUrl {
    let rest = url.strip_prefix("postgres:").unwrap();
    DatabaseUrl::Postgres(Box::new(PostgresUrl::parse(rest).unwrap()))
}

pub(crate) fn keys(keys: &[(&str, u8)]) -> KeySource {
    let key = |(id, byte): &(&str, u8)| SealingKey {
        id: (*id).to_owned(),
        key: Zeroizing::new([*byte; 32]),
    };
    KeySource::Given(keys.iter().map(key).collect())
}

pub(crate) fn with(url: &str, keys: KeySource) -> OpenOptions {
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

pub(crate) fn options(url: &str) -> OpenOptions {
    with(url, keys(&[("a", 1)]))
}

pub(crate) async fn fresh() -> (Store, Database) {
    let database = Database::make().await;
    (Store::open(options(&database.url)).await.unwrap(), database)
}

/// Two instances on one database.
pub(crate) async fn two() -> (Store, Store, Database) {
    let (first, database) = fresh().await;
    let second = Store::open(options(&database.url)).await.unwrap();
    (first, second, database)
}
