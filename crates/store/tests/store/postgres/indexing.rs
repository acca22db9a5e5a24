//! Adding the connections of an earlier version to the index of access tokens, by several instances.

use super::cluster::client;
use super::{fresh, two};
use crate::contract::token_index;
use crate::helpers::{NOW, hash, raw_exchange_of};
use plaid_token_broker_store::token_index::Step;

/// As an earlier version has left it.
const UNINDEX: &str =
    "DELETE FROM access_tokens; UPDATE meta SET value = '\\x0000' WHERE name = 'access_tokens'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn older_connections_are_added_in_chunks() {
    let (store, database) = fresh().await;
    let unindex = || async { database.run(UNINDEX).await.unwrap() };
    token_index::older_connections_are_added_in_chunks(&store, unindex).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn an_incomplete_index_ends_no_grant_and_no_item() {
    let (store, database) = fresh().await;
    let unindex = || async { database.run(UNINDEX).await.unwrap() };
    token_index::an_incomplete_index_ends_no_grant_and_no_item(&store, unindex).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn one_instance_at_a_time_has_the_pass_in_hand() {
    let (first, second, database) = two().await;
    let exchange = raw_exchange_of(hash());
    let (token, grant) = (exchange.connection.access_token.clone(), exchange.grant.id);
    first.exchange_raw(exchange, NOW).await.unwrap();
    database.run(UNINDEX).await.unwrap();
    let at_it = client(&database.url).await;
    at_it
        .batch_execute("BEGIN; SELECT value FROM meta WHERE name = 'access_tokens' FOR NO KEY UPDATE")
        .await
        .unwrap();
    assert_eq!(second.index_step(9).await.unwrap(), Step::Elsewhere);
    at_it.batch_execute("COMMIT").await.unwrap();
    assert_eq!(second.index_step(9).await.unwrap(), Step::Done);
    let found = first.grants_by_access_token(token).await.unwrap();
    assert_eq!(found.first().map(|(found, _)| found.id), Some(grant));
}
