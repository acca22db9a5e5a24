//! A server that stops, hangs and comes back.

use std::time::Duration;

use super::cluster::{Database, Server, client};
use super::{fresh, options};
use crate::helpers::{
    NOW, at_once, cancel, completed, completion_of, hash, oauth_authorization, open, opened, redemption_of,
};
use crate::model::{CompleteOutcome, RedeemOutcome};
use crate::postgres::pool::Timeouts;
use crate::{Engine, Store, StoreError};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn a_server_that_was_away_is_used_again_and_nothing_acknowledged_is_lost() {
    let server = Server::start(&[]);
    let database = Database::on(server.url.clone()).await;
    let store = Store::open(options(&database.url)).await.unwrap();
    let mut acknowledged = Vec::new();
    for _ in 0..3 {
        // Several connections of the pool are in use.
        let made = at_once(&store, vec![(); 20], |store, ()| async move {
            completed(&store).await
        });
        acknowledged.extend(made.await);
        server.stop();
        let refused = at_once(&store, vec![(); 8], |store, ()| async move {
            open(&store, oauth_authorization()).await
        });
        for refused in refused.await {
            assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        }
        let looked = store.authorization(acknowledged[0].0).await;
        assert!(matches!(looked, Err(StoreError::Unavailable(_))));
        assert!(matches!(store.check().await, Err(StoreError::Unavailable(_))));
        server.start_again();
        // The next call works, whatever connections the pool still had.
        store.check().await.unwrap();
    }
    // A restart between two calls goes unnoticed.
    server.stop();
    server.start_again();
    for (authorization, connection) in acknowledged {
        assert!(store.connection(connection).await.unwrap().is_some());
        let outcome = store.redeem(redemption_of(authorization), NOW).await.unwrap();
        assert!(matches!(outcome, RedeemOutcome::Redeemed(_)));
    }
}

/// Connections that the server ends in the middle of decisions: each of these is made or not, and can be asked again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn connections_that_are_ended_in_the_middle_leave_nothing_half() {
    let (store, database) = fresh().await;
    let killer = {
        let client = client(&database.url).await;
        tokio::spawn(async move {
            for _ in 0..20 {
                client
                    .execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                         WHERE datname = current_database() AND application_name = 'plaid-token-broker'",
                        &[],
                    )
                    .await
                    .unwrap();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
    };
    let ids = at_once(&store, (0..12).collect(), |store, _: usize| async move {
        let mut done = Vec::new();
        for _ in 0..12 {
            let new = oauth_authorization();
            let id = new.id;
            // A commit whose answer was lost is valid: then another link token is counted.
            while open(&store, new.clone()).await.is_err() {}
            let completion = completion_of(id, hash());
            let outcome = loop {
                if let Ok(outcome) = store.complete(completion.clone(), NOW).await {
                    break outcome;
                }
            };
            assert!(
                matches!(
                    outcome,
                    CompleteOutcome::Completed | CompleteOutcome::Repeated { .. }
                ),
                "{outcome:?}"
            );
            done.push((id, completion.connection.id));
        }
        done
    })
    .await;
    killer.await.unwrap();
    for (_, connection) in ids.into_iter().flatten() {
        assert!(store.connection(connection).await.unwrap().is_some());
    }
    let log = store.audit_after(0, 10_000).await.unwrap();
    let completed = log.iter().filter(|row| row.event == "authorization.completed");
    assert_eq!(completed.count(), 144);
}

/// A session holds a row for ever: who needs it gets an error in time, and nothing else waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn a_row_that_is_held_stops_only_those_that_need_it() {
    let (store, database) = fresh().await;
    let held = opened(&store, oauth_authorization()).await;
    let holder = client(&database.url).await;
    holder
        .batch_execute(&format!(
            "BEGIN; SELECT 1 FROM authorizations WHERE id = '{held}' FOR UPDATE"
        ))
        .await
        .unwrap();
    let waiting = {
        let store = store.clone();
        tokio::spawn(async move { cancel(&store, held, NOW).await })
    };
    for _ in 0..20 {
        completed(&store).await;
    }
    assert!(!waiting.is_finished());
    let refused = waiting.await.unwrap();
    assert_eq!(
        refused,
        Err(StoreError::Unavailable(
            "the PostgreSQL server did not answer in time"
        ))
    );
    holder.batch_execute("ROLLBACK").await.unwrap();
    cancel(&store, held, NOW).await.unwrap();
}

/// A server that takes connections and says nothing, as behind a firewall.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn a_server_that_says_nothing_is_given_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://me:hush@{}/broker", silent.local_addr().unwrap());
    let error = Store::open(options(&url)).await.unwrap_err().to_string();
    assert!(
        error.contains("within 10 s") && !error.contains("hush"),
        "{error}"
    );
}

/// A server that lets one in and then says nothing, as a pooler does whose own server is away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn a_server_that_falls_silent_after_the_password_is_given_up() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let url = format!("postgres://me:hush@{address}/broker?sslmode=disable");
    tokio::spawn(async move {
        let mut taken = Vec::new();
        loop {
            let (mut stream, _) = silent.accept().await.unwrap();
            let read = stream.read(&mut [0; 1024]).await.unwrap();
            assert!(read > 8);
            // AuthenticationOk and ReadyForQuery.
            stream
                .write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I")
                .await
                .unwrap();
            taken.push(stream);
        }
    });
    let options = options(&url);
    let looked = Store::inspect(
        options.config.clone(),
        options.account.clone(),
        Duration::from_secs(5),
    );
    let (opened, looked) = tokio::join!(Store::open(options), looked);
    for error in [opened.unwrap_err().to_string(), looked.unwrap_err().to_string()] {
        assert!(
            error.contains("within 10 s") && !error.contains("hush"),
            "{error}"
        );
    }
}

/// What lies between broker and server: it can stop passing anything on, while both sides believe to be connected.
struct Between {
    url: String,
    held: tokio::sync::watch::Sender<bool>,
}

impl Between {
    async fn of(url: &str) -> Self {
        let (user, place) = url.split_once('@').unwrap();
        let (server, database) = place.split_once('/').unwrap();
        let server = server.to_owned();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (held, open) = tokio::sync::watch::channel(false);
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let far = tokio::net::TcpStream::connect(&server).await.unwrap();
                let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
                tokio::spawn(pass_on(near_read, far_write, open.clone()));
                tokio::spawn(pass_on(far_read, near_write, open.clone()));
            }
        });
        Self {
            url: format!("{user}@{address}/{database}"),
            held,
        }
    }
}

async fn pass_on(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut hold: tokio::sync::watch::Receiver<bool>,
) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut bytes = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if hold.wait_for(|held| !held).await.is_err() || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

/// The network drops everything: callers get an error in time, and all goes on once it works again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn a_network_that_swallows_everything_hangs_nobody() {
    let database = Database::make().await;
    let between = Between::of(&database.url).await;
    let store = Store::open(options(&between.url)).await.unwrap();
    let (authorization, _) = completed(&store).await;
    between.held.send(true).unwrap();
    let asked = at_once(
        &store,
        (0..30).collect(),
        move |store, number: usize| async move {
            match number % 2 {
                0 => store.redeem(redemption_of(authorization), NOW).await.map(drop),
                _ => store.authorization(authorization).await.map(drop),
            }
        },
    );
    for answer in asked.await {
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    }
    between.held.send(false).unwrap();
    let mut again = store.redeem(redemption_of(authorization), NOW).await;
    for _ in 0..3 {
        if again.is_err() {
            again = store.redeem(redemption_of(authorization), NOW).await;
        }
    }
    // What was swallowed may have been decided all the same.
    assert!(
        matches!(
            again,
            Ok(RedeemOutcome::Redeemed(_) | RedeemOutcome::AlreadyRedeemed { .. })
        ),
        "{again:?}"
    );
    store.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn a_decision_that_panics_fails_alone_and_the_store_goes_on() {
    let (store, _database) = fresh().await;
    let Engine::Postgres(engine) = &store.inner.engine else {
        panic!("it is a PostgreSQL store")
    };
    // More often than there are connections.
    for _ in 0..12 {
        let decided = engine
            .pool
            .decide_with(crate::postgres::pool::Timeouts::Usual, (), |conn, ()| {
                Box::pin(async move {
                    conn.run("INSERT INTO meta (name, value) VALUES ('half', '')")
                        .await?;
                    panic!("a decision of a test panics");
                })
            });
        let decided: Result<(), StoreError> = decided.await;
        assert_eq!(decided, Err(StoreError::Panicked));
    }
    let (id, _) = completed(&store).await;
    assert!(store.authorization(id).await.unwrap().is_some());
    let half = engine.pool.read_with(
        crate::postgres::pool::How::Statements,
        crate::postgres::pool::Timeouts::Usual,
        (),
        |conn, ()| {
            Box::pin(async move {
                Ok(
                    crate::decisions::meta::get(&mut crate::postgres::tx::PostgresTx(conn), "half")
                        .await?
                        .is_some(),
                )
            })
        },
    );
    assert!(!half.await.unwrap(), "what it wrote is rolled back");
    store.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn lists_that_take_long_leave_connections_to_requests() {
    let database = Database::make().await;
    let store = Store::open(options(&format!("{}?pool_size=4", database.url)))
        .await
        .unwrap();
    let (id, _) = completed(&store).await;
    let (go, held) = tokio::sync::watch::channel(true);
    let mut lists = Vec::new();
    for _ in 0..4 {
        let (store, held) = (store.clone(), held.clone());
        lists.push(tokio::spawn(async move {
            let Engine::Postgres(engine) = &store.inner.engine else {
                panic!("it is a PostgreSQL store")
            };
            let list = engine.pool.list(Timeouts::Long, held, |_, held| {
                let mut held = held.clone();
                Box::pin(async move {
                    held.wait_for(|held| !held).await.unwrap();
                    Ok(())
                })
            });
            list.await
        }));
    }
    let found = at_once(&store, vec![(); 8], move |store, ()| async move {
        store.authorization(id).await.unwrap().is_some()
    });
    assert!(found.await.into_iter().all(|is_there| is_there));
    go.send(false).unwrap();
    for list in lists {
        list.await.unwrap().unwrap();
    }
}
