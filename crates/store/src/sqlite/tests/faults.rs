//! Bad days of the disk and of single decisions.

use std::pin::Pin;
use std::task::Poll;

use rusqlite::Connection as Sqlite;

use super::{fresh, options};
use crate::error::StoreError;
use crate::helpers::{
    NOW, at_once, completed, completion_of, hash, oauth_authorization, open, opened, take_due,
};
use crate::model::{CompleteOutcome, ConnectionFilter};
use crate::seal::SealError;
use crate::{Engine, Store};

/// Runs something on the writer's own connection, as a decision.
pub(super) async fn on_writer<T: Send + 'static>(
    store: &Store,
    mut run: impl FnMut(&Sqlite) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let Engine::Sqlite(engine) = &store.inner.engine else {
        panic!("it is an SQLite store")
    };
    engine.writer.decide(move |conn| run(conn)).await
}

/// Lets the file grow to this many pages and no further: what a full disk is to `SQLite`. `None`: no bound.
async fn bound(store: &Store, pages: Option<i64>) {
    on_writer(store, move |conn| {
        let now: i64 = conn.pragma_query_value(None, "page_count", |row| row.get(0))?;
        let most = pages.map_or(i64::from(u32::MAX) - 1, |more| now + more);
        conn.pragma_update(None, "max_page_count", most)?;
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_nothing_acknowledged_is_lost_and_it_goes_on_once_there_is_room() {
    let (store, directory) = fresh().await;
    bound(&store, Some(4)).await;
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    for _ in 0..40 {
        // In batches, so that a commit that does not fit as a whole is seen too.
        let outcomes = at_once(&store, vec![(); 16], |store, ()| async move {
            let new = oauth_authorization();
            let id = new.id;
            open(&store, new).await?;
            let completion = completion_of(id, hash());
            let connection_id = completion.connection.id;
            assert_eq!(store.complete(completion, NOW).await?, CompleteOutcome::Completed);
            Ok::<_, StoreError>(connection_id)
        })
        .await;
        for outcome in outcomes {
            match outcome {
                Ok(id) => acknowledged.push(id),
                Err(error) => {
                    assert_eq!(error, StoreError::Full);
                    refused += 1;
                }
            }
        }
    }
    assert!(
        refused > 0 && !acknowledged.is_empty(),
        "{refused} refused, {} stored",
        acknowledged.len()
    );
    bound(&store, None).await;
    acknowledged.push(completed(&store).await.1);
    store.close().await;

    let store = Store::open(options(directory.path())).await.unwrap();
    for id in acknowledged {
        assert!(store.connection(id).await.unwrap().is_some());
    }
    let sound = on_writer(&store, |conn| {
        Ok(conn.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))?)
    });
    assert_eq!(sound.await.unwrap(), "ok");
}

/// A decision that says when it is reached and then holds the writer until `go` is dropped.
struct Stop {
    reached: tokio::sync::oneshot::Receiver<()>,
    go: std::sync::mpsc::Sender<()>,
    answer: Queued<()>,
}

type Queued<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// Polls a decision once, which puts it into the queue.
async fn queued<T>(decision: impl Future<Output = Result<T, StoreError>> + Send + 'static) -> Queued<T> {
    let mut decision: Queued<T> = Box::pin(decision);
    std::future::poll_fn(|context| {
        assert!(decision.as_mut().poll(context).is_pending(), "the writer is held");
        Poll::Ready(())
    })
    .await;
    decision
}

async fn stop(store: &Store) -> Stop {
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (reach, reached) = tokio::sync::oneshot::channel();
    let mut reach = Some(reach);
    let store = store.clone();
    let answer = queued(async move {
        let hold = move |_: &Sqlite| {
            if let Some(reach) = reach.take() {
                reach.send(()).unwrap();
            }
            // Ends with an error once `go` is dropped, which is the signal.
            wait.recv().unwrap_or_default();
            Ok(())
        };
        on_writer(&store, hold).await
    });
    Stop {
        reached,
        go,
        answer: answer.await,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_that_wait_share_a_commit_and_one_that_fails_rolls_back_itself_alone() {
    let (store, _directory) = fresh().await;
    let first = stop(&store).await;
    first.reached.await.unwrap();
    // The writer is held: all that is queued from here on shares the next authorization.
    let good: Vec<_> = (0..8).map(|_| oauth_authorization()).collect();
    let ids: Vec<_> = good.iter().map(|new| new.id).collect();
    let mut answers = Vec::new();
    for new in good {
        let store = store.clone();
        answers.push(queued(async move { open(&store, new).await }).await);
    }
    let failing = {
        let store = store.clone();
        let half = |conn: &Sqlite| {
            conn.execute("INSERT INTO meta (name, value) VALUES ('half', x'00')", [])?;
            Err::<(), _>(StoreError::Duplicate)
        };
        queued(async move { on_writer(&store, half).await }).await
    };
    let last = stop(&store).await;
    drop(first.go);
    first.answer.await.unwrap();
    last.reached.await.unwrap();
    // All are decided, none is committed, and no caller has an answer.
    assert!(
        store
            .authorization(*ids.first().unwrap())
            .await
            .unwrap()
            .is_none()
    );
    for answer in &mut answers {
        std::future::poll_fn(|context| {
            assert!(answer.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
    }
    drop(last.go);
    last.answer.await.unwrap();
    assert_eq!(failing.await, Err(StoreError::Duplicate));
    for (answer, id) in answers.into_iter().zip(ids) {
        answer.await.unwrap();
        assert!(store.authorization(id).await.unwrap().is_some());
    }
    let half = on_writer(&store, |conn| {
        Ok(
            conn.query_row("SELECT count(*) FROM meta WHERE name = 'half'", [], |row| {
                row.get::<_, i64>(0)
            })?,
        )
    });
    assert_eq!(half.await.unwrap(), 0);
}

#[tokio::test]
async fn a_row_copied_over_another_does_not_open() {
    let (store, _directory) = fresh().await;
    let (_, mine) = completed(&store).await;
    let (_, theirs) = completed(&store).await;
    let copied = on_writer(&store, move |conn| {
        Ok(conn.execute(
            "UPDATE connections SET access_token = (SELECT access_token FROM connections WHERE id = ?1) WHERE id = ?2",
            (mine.0.as_bytes(), theirs.0.as_bytes()),
        )?)
    });
    assert_eq!(copied.await.unwrap(), 1);
    assert!(store.connection(mine).await.unwrap().is_some());
    let error = store.connection(theirs).await.unwrap_err();
    assert!(
        matches!(error, StoreError::Sealed(SealError::DoesNotOpen(_))),
        "{error}"
    );
}

#[tokio::test]
async fn a_removal_that_does_not_open_is_not_in_the_way_of_others() {
    let (store, _directory) = fresh().await;
    let (_, broken) = completed(&store).await;
    let (_, sound) = completed(&store).await;
    let later = NOW.plus(std::time::Duration::from_secs(1));
    assert_eq!(
        store
            .abandon(crate::helpers::unredeemed(later), later)
            .await
            .unwrap(),
        2
    );
    on_writer(&store, move |conn| {
        Ok(conn.execute(
            "UPDATE connections SET access_token = x'00' WHERE id = ?1",
            [broken.0.as_bytes()],
        )?)
    })
    .await
    .unwrap();
    let due = take_due(&store, later, 2).await;
    assert_eq!(
        due.iter()
            .map(|removal| removal.connection.id)
            .collect::<Vec<_>>(),
        [sound]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_that_panics_fails_alone_and_the_store_goes_on() {
    let (store, _directory) = fresh().await;
    let first = stop(&store).await;
    first.reached.await.unwrap();
    // Both wait for the writer and share its next authorization.
    let panicking = {
        let store = store.clone();
        let half = |conn: &Sqlite| -> Result<(), StoreError> {
            conn.execute("INSERT INTO meta (name, value) VALUES ('half', x'00')", [])?;
            panic!("a decision of a test panics");
        };
        queued(async move { on_writer(&store, half).await }).await
    };
    let other = {
        let (store, new) = (store.clone(), oauth_authorization());
        let id = new.id;
        (id, queued(async move { open(&store, new).await }).await)
    };
    drop(first.go);
    first.answer.await.unwrap();
    assert_eq!(panicking.await, Err(StoreError::Panicked));
    other.1.await.unwrap();
    assert!(store.authorization(other.0).await.unwrap().is_some());
    let half = on_writer(&store, |conn| {
        let sql = "SELECT count(*) FROM meta WHERE name = 'half'";
        Ok(conn.query_row(sql, [], |row| row.get::<_, i64>(0))?)
    });
    assert_eq!(half.await.unwrap(), 0, "what it wrote is rolled back");
    // What /readyz asks.
    store.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_up_that_panics_costs_no_reader() {
    let (store, _directory) = fresh().await;
    let (id, _) = completed(&store).await;
    let Engine::Sqlite(engine) = &store.inner.engine else {
        panic!("it is an SQLite store")
    };
    for _ in 0..5 {
        let look_up = |_: &mut Sqlite| -> Result<(), StoreError> { panic!("a look-up of a test panics") };
        assert_eq!(engine.readers.read(look_up).await, Err(StoreError::Panicked));
    }
    let found = at_once(&store, vec![(); 8], move |store, ()| async move {
        store.authorization(id).await.unwrap().is_some()
    });
    assert!(found.await.into_iter().all(|is_there| is_there));
    store.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_that_take_long_do_not_hold_up_requests() {
    let (store, _directory) = fresh().await;
    let (id, connection) = completed(&store).await;
    let mut held = Vec::new();
    let mut lists = Vec::new();
    let (signal, mut began) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..4 {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        held.push(go);
        let signal = signal.clone();
        let store = store.clone();
        lists.push(tokio::spawn(async move {
            let Engine::Sqlite(engine) = &store.inner.engine else {
                panic!("it is an SQLite store")
            };
            let list = move |_: &mut Sqlite| {
                signal.send(()).unwrap();
                wait.recv().unwrap_or_default();
                Ok(())
            };
            engine.listers.read(list).await
        }));
    }
    // As many as there can be at the same time; all lists would wait for ever now.
    for _ in 0..2 {
        began.recv().await.unwrap();
    }
    let mut list = queued({
        let store = store.clone();
        async move { store.connections(ConnectionFilter::default()).await }
    })
    .await;
    assert!(store.authorization(id).await.unwrap().is_some());
    assert!(store.connection(connection).await.unwrap().is_some());
    std::future::poll_fn(|context| {
        assert!(list.as_mut().poll(context).is_pending(), "a list waits for lists");
        Poll::Ready(())
    })
    .await;
    drop(held);
    for list in lists {
        list.await.unwrap().unwrap();
    }
    list.await.unwrap();
}

#[tokio::test]
async fn no_token_stands_in_the_files_in_the_clear() {
    let (store, directory) = fresh().await;
    let new = oauth_authorization();
    let nonce = new.nonce;
    let id = opened(&store, new).await;
    let completion = completion_of(id, hash());
    let access_token = completion.connection.access_token.clone();
    store.complete(completion, NOW).await.unwrap();
    let code = store.tokens().issue(crate::tokens::TokenKind::Code, id.0, &nonce);
    // The secret may hold underscores itself.
    let (_, secret) = code
        .expose()
        .split_once(&format!("{}_", id.0.as_simple()))
        .unwrap();
    assert!(secret.len() > 40);
    for entry in std::fs::read_dir(directory.path().join("data")).unwrap() {
        let content = std::fs::read(entry.unwrap().path()).unwrap();
        for text in [access_token.expose(), secret] {
            assert!(
                !content
                    .windows(text.len())
                    .any(|window| window == text.as_bytes())
            );
        }
    }
}
