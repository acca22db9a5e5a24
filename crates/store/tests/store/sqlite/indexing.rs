//! Adding the connections of an earlier version to the index of access tokens.

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::keys::with;
use super::{fresh, options};
use crate::contract::token_index;
use crate::helpers::NOW;
use plaid_token_broker_store::model::{GrantId, NewConnection};
use plaid_token_broker_store::token_index::{ItemUse, Step};
use plaid_token_broker_store::{Store, StoreError};

fn run(directory: &TempDir, sql: &str) {
    let conn = rusqlite::Connection::open(directory.path().join("data/sandbox.db")).unwrap();
    conn.execute_batch(sql).unwrap();
}

/// As an earlier version has left it.
fn unindex(directory: &TempDir) {
    run(
        directory,
        "DELETE FROM access_tokens; UPDATE meta SET value = x'0000' WHERE name = 'access_tokens'",
    );
}

async fn exchanged(store: &Store, place: i64) -> (NewConnection, GrantId) {
    let exchange = token_index::raw_exchange_at(place);
    let made = (exchange.connection.clone(), exchange.grant.id);
    store.exchange_raw(exchange, NOW).await.unwrap();
    made
}

async fn named(store: &Store, connection: &NewConnection) -> Result<Vec<GrantId>, StoreError> {
    let found = store
        .grants_by_access_token(connection.access_token.clone())
        .await?;
    Ok(found.into_iter().map(|(grant, _)| grant.id).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn older_connections_are_added_in_chunks() {
    let (store, directory) = fresh().await;
    token_index::older_connections_are_added_in_chunks(&store, || async { unindex(&directory) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incomplete_index_ends_no_grant_and_no_item() {
    let (store, directory) = fresh().await;
    token_index::an_incomplete_index_ends_no_grant_and_no_item(&store, || async { unindex(&directory) })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pass_that_was_cut_goes_on_where_it_was() {
    let (store, directory) = fresh().await;
    let mut made = Vec::new();
    for place in 0..5 {
        made.push(exchanged(&store, place).await);
    }
    unindex(&directory);
    assert_eq!(store.index_step(3).await.unwrap(), Step::Next);
    store.close().await;

    let store = Store::open(options(directory.path())).await.unwrap();
    // What was done before is not done again.
    run(&directory, "DELETE FROM access_tokens");
    store.clone().index_access_tokens(CancellationToken::new()).await;
    let mut found = Vec::new();
    for (connection, _) in &made {
        found.push(named(&store, connection).await.unwrap().len());
    }
    assert_eq!(found, [0, 0, 0, 1, 1]);
}

/// Two tokens of one hash: what is sealed decides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_tokens_with_the_same_hash_only_the_same_token_is_found() {
    let (store, directory) = fresh().await;
    let (first, grant) = exchanged(&store, 0).await;
    let (second, other) = exchanged(&store, 0).await;
    run(
        &directory,
        "INSERT INTO access_tokens SELECT one.hash, two.connection_id FROM access_tokens AS one, access_tokens AS two \
         WHERE true ON CONFLICT DO NOTHING",
    );
    assert_eq!(named(&store, &first).await.unwrap(), [grant]);
    assert_eq!(named(&store, &second).await.unwrap(), [other]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_key_is_missing_the_pass_starts_over_once_it_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(with(directory.path(), &[("old", 1)])).await.unwrap();
    let (older, grant) = exchanged(&store, 0).await;
    unindex(&directory);
    store.close().await;
    let both = with(directory.path(), &[("new", 2), ("old", 1)]);
    let store = Store::open(both.clone()).await.unwrap();
    // The key of the tokens alone, as after a rotation that was cut.
    store.reseal(None, 0).await.unwrap();
    let (newer, other) = exchanged(&store, 0).await;
    store.close().await;

    let store = Store::open(with(directory.path(), &[("new", 2)])).await.unwrap();
    let live = store.connection(newer.id).await.unwrap().unwrap();
    assert_eq!(store.item_use(&live).await.unwrap(), ItemUse::NotKnownYet);
    // One more pass without the key ends the same way.
    for _ in 0..2 {
        assert_eq!(store.index_step(9).await.unwrap(), Step::KeyMissing);
    }
    // Removals go on: how long the key stays missing is not known.
    assert_eq!(store.item_use(&live).await.unwrap(), ItemUse::Here);
    assert!(
        store
            .all_grants_by_access_token(newer.access_token.clone())
            .await
            .is_err()
    );
    assert_eq!(named(&store, &newer).await.unwrap(), [other]);
    assert!(matches!(
        named(&store, &older).await,
        Err(StoreError::Unavailable(_))
    ));
    store.close().await;

    let store = Store::open(both).await.unwrap();
    assert_eq!(store.index_step(9).await.unwrap(), Step::Done);
    assert_eq!(named(&store, &older).await.unwrap(), [grant]);
}
