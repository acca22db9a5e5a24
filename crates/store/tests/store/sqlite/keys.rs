//! Key rotation: all of it, in steps, with what cannot be opened.

use rusqlite::Connection as Sqlite;
use zeroize::Zeroizing;

use super::options;
use crate::helpers::{NOW, completed, completion_of, hash, new_connection, opened, redemption_of};
use crate::helpers::{at_once, oauth_authorization};
use plaid_token_broker_store::config::{KeySource, SealingKey};
use plaid_token_broker_store::model::{ConnectionId, RedeemOutcome};
use plaid_token_broker_store::{OpenOptions, Store, TokenKind};

pub(crate) fn with(directory: &std::path::Path, keys: &[(&str, u8)]) -> OpenOptions {
    let mut options = options(directory);
    let key = |(id, byte): &(&str, u8)| SealingKey {
        id: (*id).to_owned(),
        key: Zeroizing::new([*byte; 32]),
    };
    options.config.keys = KeySource::Given(keys.iter().map(key).collect());
    options
}

async fn opens(store: &Store, id: ConnectionId) {
    let connection = store.connection(id).await.unwrap().unwrap();
    assert_eq!(connection.access_token.expose(), format!("access-sandbox-{id}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_rotation_that_was_cut_and_went_on_the_old_key_is_not_needed() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(with(directory.path(), &[("old", 1)])).await.unwrap();
    let mut made = Vec::new();
    let (waiting, first) = completed(&store).await;
    made.push(first);
    for _ in 0..40 {
        made.push(completed(&store).await.1);
    }
    let authorization = store.authorization(waiting).await.unwrap().unwrap();
    let token = |store: &Store| {
        store
            .tokens()
            .issue(TokenKind::Code, waiting.0, &authorization.nonce)
    };
    let code = token(&store).expose().to_owned();
    store.close().await;

    let both = with(directory.path(), &[("new", 2), ("old", 1)]);
    let store = Store::open(both.clone()).await.unwrap();
    let before = store.keys_report().await.unwrap();
    assert_eq!(
        before.keys.iter().map(|key| key.values).collect::<Vec<_>>(),
        [0, 42]
    );
    assert!(before.idle().is_empty());
    let step = store.reseal(None, 10).await.unwrap();
    assert_eq!((step.examined, step.resealed, step.unopened), (11, 11, 0));
    // Cut here: what comes later begins again and does only what is left, while connections are made.
    store.close().await;
    let store = Store::open(both).await.unwrap();
    let (mut next, mut resealed) = (None, 0);
    loop {
        made.push(completed(&store).await.1);
        let step = store.reseal(next, 7).await.unwrap();
        resealed += step.resealed;
        next = step.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(resealed, 31);
    let after = store.keys_report().await.unwrap();
    assert_eq!((after.unopened, after.idle()), (0, vec!["old"]));
    let again = store.reseal(None, 1000).await.unwrap();
    assert_eq!((again.resealed, again.next), (0, None));
    store.close().await;

    let store = Store::open(with(directory.path(), &[("new", 2)])).await.unwrap();
    for id in made {
        opens(&store, id).await;
    }
    assert_eq!(token(&store).expose(), code);
    let outcome = store.redeem(redemption_of(waiting), NOW).await.unwrap();
    assert!(matches!(outcome, RedeemOutcome::Redeemed(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_does_not_open_stops_nothing_and_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(with(directory.path(), &[("old", 1)])).await.unwrap();
    let (_, good) = completed(&store).await;
    let (_, moved) = completed(&store).await;
    store.close().await;
    let path = directory.path().join("data/sandbox.db");
    let conn = Sqlite::open(path).unwrap();
    // A value that was copied into another row.
    conn.execute(
        "UPDATE connections SET access_token = (SELECT access_token FROM connections WHERE id = ?1) WHERE id = ?2",
        (good.0.as_bytes(), moved.0.as_bytes()),
    )
    .unwrap();
    drop(conn);
    let store = Store::open(with(directory.path(), &[("new", 2), ("old", 1)]))
        .await
        .unwrap();
    let step = store.reseal(None, 1000).await.unwrap();
    assert_eq!((step.examined, step.resealed, step.unopened), (3, 2, 1));
    let report = store.keys_report().await.unwrap();
    assert_eq!(report.unopened, 1);
    assert!(report.idle().is_empty(), "{report:?}");
    opens(&store, good).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotation_and_completions_at_once_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(with(directory.path(), &[("old", 1)])).await.unwrap();
    for _ in 0..30 {
        completed(&store).await;
    }
    store.close().await;
    let store = Store::open(with(directory.path(), &[("new", 2), ("old", 1)]))
        .await
        .unwrap();
    let made = at_once(&store, (0..16).collect(), |store, task: usize| async move {
        if task == 0 {
            let mut next = None;
            loop {
                next = store.reseal(next, 3).await.unwrap().next;
                next?;
            }
        }
        let id = opened(&store, oauth_authorization()).await;
        let mut completion = completion_of(id, hash());
        completion.connection = new_connection();
        let connection_id = completion.connection.id;
        store.complete(completion, NOW).await.unwrap();
        Some(connection_id)
    })
    .await;
    store.close().await;
    let store = Store::open(with(directory.path(), &[("new", 2)])).await.unwrap();
    for id in made.into_iter().flatten() {
        opens(&store, id).await;
    }
    assert_eq!(store.keys_report().await.unwrap().unopened, 0);
}
