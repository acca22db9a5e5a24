//! Key rotation, and values that do not open.

use super::{fresh, keys, with};
use crate::helpers::{completed, redemption_of};
use plaid_token_broker_store::Store;
use plaid_token_broker_store::error::StoreError;
use plaid_token_broker_store::seal::SealError;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn after_a_rotation_the_old_key_is_not_needed() {
    let (store, database) = fresh().await;
    let mut made = Vec::new();
    for _ in 0..20 {
        made.push(completed(&store).await.1);
    }
    store.close().await;
    let both = with(&database.url, keys(&[("b", 2), ("a", 1)]));
    let store = Store::open(both).await.unwrap();
    let values = |report: &plaid_token_broker_store::model::KeysReport| {
        report.keys.iter().map(|key| key.values).collect::<Vec<_>>()
    };
    assert_eq!(values(&store.keys_report().await.unwrap()), [0, 21]);
    let step = store.reseal(None, 5).await.unwrap();
    assert_eq!((step.examined, step.resealed, step.unopened), (6, 6, 0));
    made.push(completed(&store).await.1);
    let (mut next, mut resealed) = (step.next, 0);
    while next.is_some() {
        let step = store.reseal(next, 5).await.unwrap();
        resealed += step.resealed;
        next = step.next;
    }
    assert_eq!(resealed, 15);
    assert_eq!(values(&store.keys_report().await.unwrap()), [22, 0]);
    store.close().await;
    let store = Store::open(with(&database.url, keys(&[("b", 2)]))).await.unwrap();
    for id in made {
        let connection = store.connection(id).await.unwrap().unwrap();
        assert_eq!(connection.access_token.expose(), format!("access-sandbox-{id}"));
    }
}

/// A row copied over another one does not open, and costs nobody the code.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn a_value_that_does_not_open_stops_nothing_and_is_told() {
    let (store, database) = fresh().await;
    let (_, good) = completed(&store).await;
    let (authorization, moved) = completed(&store).await;
    let sql = format!(
        "UPDATE connections SET access_token = (SELECT access_token FROM connections WHERE id = '{good}') \
         WHERE id = '{moved}'"
    );
    database.run(&sql).await.unwrap();
    let sealed = StoreError::Sealed(SealError::DoesNotOpen("a".to_owned()));
    assert_eq!(store.connection(moved).await.unwrap_err(), sealed);
    let refused = store
        .redeem(redemption_of(authorization), crate::helpers::NOW)
        .await;
    assert_eq!(refused.unwrap_err(), sealed);
    let stage = store.authorization(authorization).await.unwrap().unwrap().stage;
    assert!(matches!(
        stage,
        plaid_token_broker_store::model::Stage::Completed { .. }
    ));
    let report = store.keys_report().await.unwrap();
    assert_eq!(report.unopened, 1);
    assert!(store.connection(good).await.unwrap().is_some());
}
