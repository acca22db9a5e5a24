//! What opening refuses, and with which words.

use std::fs;
use std::path::Path;

use rusqlite::Connection as Sqlite;
use zeroize::Zeroizing;

use super::{fresh, options};
use crate::helpers::{NOW, completed, redemption_of};
use plaid_token_broker_store::config::{DatabaseUrl, KeySource, SealingKey};
use plaid_token_broker_store::error::OpenError;
use plaid_token_broker_store::keyring::KeyringError;
use plaid_token_broker_store::model::RedeemOutcome;
use plaid_token_broker_store::{OpenOptions, Store};

async fn refusal(options: OpenOptions) -> OpenError {
    Store::open(options).await.unwrap_err()
}

fn assert_tells(error: &OpenError, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{text:?} does not tell {part:?}");
    }
}

fn database(directory: &Path) -> std::path::PathBuf {
    directory.join("data/sandbox.db")
}

fn given(keys: &[(&str, u8)]) -> KeySource {
    let key = |(id, byte): &(&str, u8)| SealingKey {
        id: (*id).to_owned(),
        key: Zeroizing::new([*byte; 32]),
    };
    KeySource::Given(keys.iter().map(key).collect())
}

#[tokio::test]
async fn what_was_stored_is_there_after_reopening() {
    let (store, directory) = fresh().await;
    let (id, connection_id) = completed(&store).await;
    store.close().await;
    let store = Store::open(options(directory.path())).await.unwrap();
    let outcome = store.redeem(redemption_of(id), NOW).await.unwrap();
    assert!(matches!(outcome, RedeemOutcome::Redeemed(_)));
    let connection = store.connection(connection_id).await.unwrap().unwrap();
    assert_eq!(
        connection.access_token.expose(),
        format!("access-sandbox-{connection_id}")
    );
}

#[cfg(unix)]
#[tokio::test]
async fn files_and_directories_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (store, directory) = fresh().await;
    completed(&store).await;
    let data = directory.path().join("data");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let files: Vec<_> = fs::read_dir(&data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_second_opener_is_told_that_it_is_in_use() {
    let (store, directory) = fresh().await;
    let error = refusal(options(directory.path())).await;
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    store.close().await;
    Store::open(options(directory.path())).await.unwrap();
}

#[tokio::test]
async fn the_store_of_another_account_is_refused_with_both_named() {
    let (store, directory) = fresh().await;
    store.close().await;
    let mut other = options(directory.path());
    other.account.environment = "production".to_owned();
    let error = refusal(other).await;
    assert_tells(
        &error,
        &[
            "sandbox",
            "production",
            "0123456789abcdef01234567",
            "DATABASE_URL",
        ],
    );
    let mut other = options(directory.path());
    other.account.client_id = "ffffffffffffffffffffffff".to_owned();
    assert_tells(
        &refusal(other).await,
        &["0123456789abcdef01234567", "ffffffffffffffffffffffff"],
    );
    Store::open(options(directory.path())).await.unwrap();
}

#[tokio::test]
async fn a_missing_key_file_stops_the_start_and_is_not_made_anew() {
    let (store, directory) = fresh().await;
    completed(&store).await;
    store.close().await;
    let key_file = directory.path().join("data/broker.key");
    let kept = directory.path().join("kept.key");
    fs::rename(&key_file, &kept).unwrap();
    let error = refusal(options(directory.path())).await;
    assert!(
        matches!(error, OpenError::Keyring(KeyringError::Missing { .. })),
        "{error}"
    );
    assert_tells(
        &error,
        &[
            "broker.key",
            "sandbox.db",
            "restore",
            "BROKER_KEYS",
            "connect their banks again",
        ],
    );
    assert!(!key_file.exists());
    fs::rename(&kept, &key_file).unwrap();
    Store::open(options(directory.path())).await.unwrap();
}

#[tokio::test]
async fn other_keys_are_refused_and_older_keys_open() {
    let directory = tempfile::tempdir().unwrap();
    let with = |keys: &[(&str, u8)]| {
        let mut options = options(directory.path());
        options.config.keys = given(keys);
        options
    };
    Store::open(with(&[("a", 1)])).await.unwrap().close().await;
    assert_tells(&refusal(with(&[("b", 2)])).await, &["\"a\"", "BROKER_KEYS"]);
    assert_tells(&refusal(with(&[("a", 2)])).await, &["\"a\"", "BROKER_KEYS"]);
    assert_tells(&refusal(with(&[])).await, &["BROKER_KEYS"]);
    assert_tells(&refusal(with(&[("a", 1), ("a", 2)])).await, &["\"a\""]);
    let store = Store::open(with(&[("b", 2), ("a", 1)])).await.unwrap();
    let (_, connection_id) = completed(&store).await;
    assert!(store.connection(connection_id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(
        directory.path().join("data"),
        "a file where a directory should be",
    )
    .unwrap();
    let mut there = options(directory.path());
    let error = refusal(there.clone()).await;
    assert!(matches!(error, OpenError::Directory { .. }), "{error}");
    assert_tells(&error, &["data", "DATABASE_URL"]);
    // A directory where the file should be.
    there.config.database = DatabaseUrl::Sqlite(directory.path().to_owned());
    let error = refusal(there).await;
    assert!(matches!(error, OpenError::NotWritable { .. }), "{error}");
}

#[tokio::test]
async fn what_is_not_our_store_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = database(directory.path());
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let text = "a diary, and no database at all. ".repeat(200);
    fs::write(&path, &text).unwrap();
    let error = refusal(options(directory.path())).await;
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);

    fs::remove_file(&path).unwrap();
    Sqlite::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE diary (day TEXT)")
        .unwrap();
    let before = fs::read(&path).unwrap();
    let error = refusal(options(directory.path())).await;
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn the_store_of_a_newer_version_is_refused() {
    let (store, directory) = fresh().await;
    store.close().await;
    let path = database(directory.path());
    Sqlite::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 7777)
        .unwrap();
    let error = refusal(options(directory.path())).await;
    assert!(matches!(error, OpenError::Newer { found: 7777, .. }), "{error}");
    assert_tells(&error, &["7777", "newer version", "backup"]);
}

#[tokio::test]
async fn a_cut_or_garbled_file_gives_an_error_and_no_panic() {
    let (store, directory) = fresh().await;
    for _ in 0..50 {
        completed(&store).await;
    }
    store.close().await;
    let path = database(directory.path());
    let whole = fs::read(&path).unwrap();
    for at in [10, 100, 4096, whole.len() / 2] {
        fs::write(&path, whole.get(..at).unwrap()).unwrap();
        let error = refusal(options(directory.path())).await;
        assert_tells(&error, &["sandbox.db"]);
    }
    let mut garbled = whole.clone();
    for byte in garbled.iter_mut().skip(100).take(3000) {
        *byte = !*byte;
    }
    fs::write(&path, garbled).unwrap();
    assert_tells(
        &refusal(options(directory.path())).await,
        &["sandbox.db", "backup"],
    );
    fs::write(&path, whole).unwrap();
    Store::open(options(directory.path())).await.unwrap();
}
