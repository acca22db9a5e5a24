//! A backup is whole, private and of one moment; only a good one is put back.

use std::fs;
use std::path::{Path, PathBuf};

use super::{fresh, options};
use crate::helpers::{NOW, at_once, completed, completion_of, hash, oauth_authorization, opened};
use plaid_token_broker_store::config::{DatabaseUrl, KeySource};
use plaid_token_broker_store::error::{BackupError, OpenError};
use plaid_token_broker_store::{OpenOptions, Store};

/// The options of a store elsewhere, with the keys of the first one.
fn elsewhere(first: &Path, directory: &Path) -> OpenOptions {
    let mut elsewhere = options(directory);
    elsewhere.config.keys = KeySource::File(first.join("data/broker.key"));
    elsewhere
}

async fn refusal(options: OpenOptions, from: &Path, force: bool) -> BackupError {
    Store::restore(options, from.to_owned(), force, NOW)
        .await
        .unwrap_err()
}

fn database(options: &OpenOptions) -> PathBuf {
    PathBuf::from(options.config.database.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_before_a_backup_is_in_it_while_more_comes() {
    let (store, first) = fresh().await;
    let before: Vec<_> = at_once(&store, vec![(); 20], |store, ()| async move {
        completed(&store).await.1
    })
    .await;
    let file = first.path().join("copy.db");
    let written = {
        let (store, file) = (store.clone(), file.clone());
        tokio::spawn(async move { store.backup(file).await })
    };
    at_once(&store, vec![(); 40], |store, ()| async move {
        let id = opened(&store, oauth_authorization()).await;
        store.complete(completion_of(id, hash()), NOW).await.unwrap();
    })
    .await;
    let bytes = written.await.unwrap().unwrap();
    assert_eq!(fs::metadata(&file).unwrap().len(), bytes);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(!first.path().join("copy.db.partial").exists());
    let taken = store.backup(file.clone()).await.unwrap_err();
    assert!(matches!(taken, BackupError::Exists(_)), "{taken}");
    store.close().await;

    let second = tempfile::tempdir().unwrap();
    let there = elsewhere(first.path(), second.path());
    let restored = Store::restore(there.clone(), file, false, NOW).await.unwrap();
    assert!(restored.connections >= 20 && restored.replaced.is_none());
    assert_eq!(restored.keys.unwrap().unopened, 0);
    let store = Store::open(there).await.unwrap();
    for id in before {
        let connection = store.connection(id).await.unwrap().unwrap();
        assert_eq!(connection.access_token.expose(), format!("access-sandbox-{id}"));
    }
    completed(&store).await;
    let files: Vec<_> = fs::read_dir(second.path().join("data")).unwrap().collect();
    assert!(files.iter().all(|file| {
        !file
            .as_ref()
            .unwrap()
            .path()
            .display()
            .to_string()
            .contains("restoring")
    }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_there_is_moved_aside_only_when_told() {
    let (store, first) = fresh().await;
    let (_, old) = completed(&store).await;
    let file = first.path().join("copy.db");
    store.backup(file.clone()).await.unwrap();
    let (_, newer) = completed(&store).await;
    let in_use = refusal(options(first.path()), &file, true).await;
    assert!(
        matches!(in_use, BackupError::Open(OpenError::InUse { .. })),
        "{in_use}"
    );
    store.close().await;
    let there = refusal(options(first.path()), &file, false).await;
    assert!(matches!(there, BackupError::Exists(_)), "{there}");
    let restored = Store::restore(options(first.path()), file, true, NOW)
        .await
        .unwrap();
    let store = Store::open(options(first.path())).await.unwrap();
    assert!(store.connection(old).await.unwrap().is_some());
    assert!(store.connection(newer).await.unwrap().is_none());
    store.close().await;
    // What was there is a whole store still.
    let mut aside = options(first.path());
    aside.config.database = DatabaseUrl::Sqlite(restored.replaced.unwrap());
    let store = Store::open(aside).await.unwrap();
    assert!(store.connection(newer).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_good_backup_is_refused_and_changes_nothing() {
    let (store, first) = fresh().await;
    for _ in 0..50 {
        completed(&store).await;
    }
    let file = first.path().join("copy.db");
    store.backup(file.clone()).await.unwrap();
    let whole = fs::read(&file).unwrap();
    let second = tempfile::tempdir().unwrap();
    let there = elsewhere(first.path(), second.path());
    // The store in use itself: its log lies beside it.
    let live = database(&options(first.path()));
    let error = refusal(there.clone(), &live, false).await;
    assert!(error.to_string().contains("write-ahead log"), "{error}");
    store.close().await;

    for (what, bytes) in [
        ("cut", whole.get(..whole.len() / 2).unwrap().to_vec()),
        ("a diary", b"no database at all. ".repeat(500)),
        ("empty", Vec::new()),
        ("garbled", {
            let mut garbled = whole.clone();
            for byte in garbled.iter_mut().skip(5000).take(9000) {
                *byte = !*byte;
            }
            garbled
        }),
    ] {
        let bad = first.path().join("bad.db");
        fs::write(&bad, bytes).unwrap();
        let error = refusal(there.clone(), &bad, false).await;
        assert!(
            error.to_string().contains("bad.db") || error.to_string().contains("damaged"),
            "{what}: {error}"
        );
        assert!(!database(&there).exists(), "{what}");
    }
    let mut other = there.clone();
    other.account.environment = "production".to_owned();
    let error = refusal(other, &file, false).await;
    assert!(
        matches!(error, BackupError::Open(OpenError::OtherAccount { .. })),
        "{error}"
    );
    let missing = refusal(there.clone(), &first.path().join("none.db"), false).await;
    assert!(missing.to_string().contains("none.db"), "{missing}");
    // Without its keys it is put back all the same, and that is told.
    let without = options(second.path());
    let restored = Store::restore(without, file.clone(), false, NOW).await.unwrap();
    assert!(restored.keys.is_none());
    // With another key, what does not open is counted: the token key and all connections.
    let third = tempfile::tempdir().unwrap();
    let mut strange = options(third.path());
    let key = plaid_token_broker_store::config::SealingKey {
        id: "other".to_owned(),
        key: zeroize::Zeroizing::new([9; 32]),
    };
    strange.config.keys = KeySource::Given(vec![key]);
    let restored = Store::restore(strange, file, false, NOW).await.unwrap();
    assert_eq!(restored.keys.unwrap().unopened, 51);
}
