//! The counters of link tokens, which are rows of a table of their own.

use std::time::Duration;

use super::faults::on_writer;
use super::fresh;
use crate::Store;
use crate::helpers::{NOW, TRANSACTION_TTL, cancel, completion_of, hash, oauth_transaction, open, opened};
use crate::model::{CancelOutcome, CompleteOutcome, LinkStart, TransactionId};

/// A transaction with two link tokens.
async fn counted(store: &Store) -> TransactionId {
    let new = oauth_transaction();
    opened(store, new.clone()).await;
    let second = open(store, new.clone()).await;
    assert_eq!(second, Ok(LinkStart::Allowed { first: false }));
    new.id
}

async fn counters(store: &Store) -> Vec<(Vec<u8>, i64)> {
    on_writer(store, |conn| {
        let mut statement = conn.prepare("SELECT transaction_id, made FROM link_tokens")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_is_deleted_with_the_end_of_its_transaction() {
    let (store, _directory) = fresh().await;
    opened(&store, oauth_transaction()).await;
    assert!(
        counters(&store).await.is_empty(),
        "the row itself counts as the first one"
    );

    let completed = counted(&store).await;
    assert_eq!(counters(&store).await, [(completed.0.as_bytes().to_vec(), 2)]);
    let outcome = store
        .complete(completion_of(completed, hash()), NOW)
        .await
        .unwrap();
    assert_eq!(outcome, CompleteOutcome::Completed);
    assert!(counters(&store).await.is_empty());

    let cancelled = counted(&store).await;
    assert_eq!(
        cancel(&store, cancelled, NOW).await.unwrap(),
        CancelOutcome::Cancelled
    );
    assert!(counters(&store).await.is_empty());

    counted(&store).await;
    let expired = NOW.plus(TRANSACTION_TTL + Duration::from_secs(1));
    store.purge(expired).await.unwrap();
    assert!(counters(&store).await.is_empty());
}
