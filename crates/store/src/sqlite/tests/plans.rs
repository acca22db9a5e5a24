//! How `SQLite` carries out the store's own statements: by searches in indexes, and compiled once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::StatementStatus;
use rusqlite::config::DbConfig;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use super::options;
use crate::clock::Timestamp;
use crate::config::DatabaseUrl;
use crate::helpers::{
    NOW, cancel, completed, completion_of, hash, nonce, oauth_authorization, open, opened, raw_exchange_of,
    redemption_of, take_due, unredeemed,
};
use crate::model::{Abandonment, ConnectionId, Revocation, Rotation};
use crate::sqlite::SqliteStore;
use crate::sqlite::open::{self as opening, reader};
use crate::sqlite::readers::Readers;
use crate::sqlite::writer::Writer;
use crate::{Engine, OpenOptions, Store};

const LATER: Timestamp = Timestamp::from_millis(NOW.as_millis() + 90_000_000);

/// The statements that were carried out, and how often each was compiled again.
type Seen = Arc<Mutex<BTreeMap<String, i32>>>;

/// A store whose statements are noted.
fn watched(options: OpenOptions) -> (Store, PathBuf, Seen) {
    let OpenOptions {
        config,
        account,
        durability,
    } = options;
    let DatabaseUrl::Sqlite(path) = config.database else {
        panic!("it is an SQLite store")
    };
    let mut opened = opening::open(&path, &config.keys, &account, durability).unwrap();
    let seen = Seen::default();
    let readers = opened.readers.iter_mut().chain(&mut opened.listers);
    for conn in std::iter::once(&mut opened.held.conn).chain(readers) {
        assert!(conn.db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG).unwrap());
        let seen = Arc::clone(&seen);
        let note = move |event: TraceEvent<'_>| {
            if let TraceEvent::Profile(statement, _) = event {
                let compiled = statement.get_status(StatementStatus::RePrepare);
                let sql = statement.sql().into_owned();
                let mut seen = seen.lock().unwrap();
                let most = seen.entry(sql).or_default();
                *most = compiled.max(*most);
            }
        };
        conn.trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(note))
            .unwrap();
    }
    let engine = Engine::Sqlite(SqliteStore {
        writer: Writer::start(opened.held).unwrap(),
        readers: Readers::new(opened.readers),
        listers: Readers::new(opened.listers),
        path: path.clone(),
    });
    let store = Store::new(engine, Arc::new(opened.keyring), opened.tokens, account);
    (store, path, seen)
}

/// What requests and the background do, several times over.
async fn live(store: &Store) {
    for _ in 0..4 {
        let (authorization, connection) = completed(store).await;
        store.redeem(redemption_of(authorization), NOW).await.unwrap();
        let exchange = raw_exchange_of(hash());
        let (grant, token) = (exchange.grant.clone(), exchange.connection.access_token.clone());
        store.exchange_raw(exchange, NOW).await.unwrap();
        store.public_token(hash()).await.unwrap();
        store.connection(connection).await.unwrap();
        let rotation = Rotation {
            grant_id: grant.id,
            from: grant.nonce,
            to: nonce(),
        };
        store.rotate(rotation, NOW).await.unwrap();
        assert_eq!(store.grants_by_access_token(token).await.unwrap().len(), 1);
        store
            .revoke(grant.id, Revocation::GrantAndConnection, NOW)
            .await
            .unwrap();
        let again = oauth_authorization();
        let cancelled = opened(store, again.clone()).await;
        open(store, again).await.unwrap();
        cancel(store, cancelled, NOW).await.unwrap();
        let session = opened(store, crate::helpers::browser_authorization()).await;
        store.complete(completion_of(session, hash()), NOW).await.unwrap();
        completed(store).await;
        store.index_step(2).await.unwrap();
        store
            .reseal(Some(ConnectionId(uuid::Uuid::nil())), 2)
            .await
            .unwrap();
        let sessions = Abandonment {
            sessions_before: LATER,
            ..unredeemed(LATER)
        };
        store.abandon(sessions, LATER).await.unwrap();
        let due = take_due(store, LATER, 9).await;
        for removal in due.iter().take(2) {
            let id = removal.connection.id;
            store
                .postpone_removal(id, LATER.plus(Duration::from_secs(9)))
                .await
                .unwrap();
            store.finish_removal(id, LATER).await.unwrap();
        }
        opened(store, oauth_authorization()).await;
        store.purge(LATER).await.unwrap();
        store.forget_audit(NOW, LATER).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_are_index_searches_and_compiled_once() {
    let directory = tempfile::tempdir().unwrap();
    let (store, path, seen) = watched(options(directory.path()));
    live(&store).await;
    store.close().await;
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    for sweep in [
        "UPDATE authorizations SET stage",
        "FROM removals JOIN",
        "DELETE FROM authorizations",
        "FROM audit",
    ] {
        assert!(
            seen.keys().any(|sql| sql.contains(sweep)),
            "{sweep:?} was not carried out"
        );
    }
    let conn = reader(&path).unwrap();
    let mut slow = Vec::new();
    for (sql, compiled) in seen {
        if compiled > 0 {
            slow.push(format!("compiled again {compiled} times: {sql}"));
        }
        if !["SELECT", "UPDATE", "DELETE", "INSERT", "WITH"]
            .iter()
            .any(|verb| sql.starts_with(verb))
        {
            continue;
        }
        let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        // No value is bound: a plan that needs one would be another.
        let steps = plan
            .raw_query()
            .mapped(|row| row.get::<_, String>(3))
            .map(Result::unwrap);
        // `rarray` is a list of values that was bound.
        // The first rows in the order of the primary key are no search.
        let is_bounded = sql.ends_with("FROM audit ORDER BY id LIMIT ?1");
        let scans: Vec<String> = steps
            .filter(|step| {
                step.starts_with("SCAN")
                    && !step.contains("CONSTANT ROW")
                    && !step.contains("rarray")
                    && !is_bounded
            })
            .collect();
        if !scans.is_empty() {
            slow.push(format!("{scans:?}: {sql}"));
        }
    }
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}
