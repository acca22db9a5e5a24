//! Items that another connection may use.

use super::*;

/// The worker after a restart, with its store changed by `sql` in between.
async fn restarted(setting: &Setting, url: &str, sql: &str) -> (Store, RemovalWorker) {
    setting.store.close().await;
    rusqlite::Connection::open(setting.directory.path().join("sandbox.db"))
        .unwrap()
        .execute_batch(sql)
        .unwrap();
    let store = Store::open(options(&setting.directory)).await.unwrap();
    let worker = worker(connections(store.clone(), url, &setting.clock), 6_000);
    (store, worker)
}

#[tokio::test]
async fn an_item_that_another_connection_uses_stays_and_is_logged_so() {
    let (setting, _) = Setting::with(1, removed).await;
    exchanged(&setting.store, 0).await;
    assert_eq!(setting.worker(600).look().await.unwrap(), 0);
    assert_eq!(setting.plaid.calls(), 0);
    let log = setting.store.audit_after(0, 99).await.unwrap();
    assert_eq!(log.last().unwrap().event, "connection.item_kept");
    assert!(log.iter().all(|row| row.event != "connection.removed"));
}

#[tokio::test]
async fn no_item_is_removed_before_all_connections_are_indexed() {
    let (setting, url) = Setting::with(2, removed).await;
    exchanged(&setting.store, 0).await;
    let unindex = "DELETE FROM access_tokens; UPDATE meta SET value = x'0000' WHERE name = 'access_tokens'";
    let (store, worker) = restarted(&setting, &url, unindex).await;
    assert_eq!(worker.look().await.unwrap(), 0);
    assert_eq!(setting.plaid.calls(), 0);

    store.clone().index_access_tokens(CancellationToken::new()).await;
    setting.clock.advance(LEASE);
    assert_eq!(worker.look().await.unwrap(), 1, "the Item that nobody uses");
    assert_eq!(setting.plaid.calls(), 1);
    let left = store.take_removals(setting.clock.now().plus(LEASE), NOW, 9);
    assert_eq!(left.await.unwrap().leased, 0);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_delays_no_other_removal() {
    let (setting, url) = Setting::with(4, removed).await;
    // The first Item may also be that of a live connection whose token does not open; the last removal itself is damaged.
    let damage = "UPDATE connections SET removed_at = NULL, access_token = x'00' WHERE item_id = 'item-1'; \
         DELETE FROM removals WHERE connection_id = (SELECT id FROM connections WHERE item_id = 'item-1'); \
         INSERT INTO access_tokens SELECT hash, (SELECT id FROM connections WHERE item_id = 'item-1') \
             FROM access_tokens WHERE connection_id = (SELECT id FROM connections WHERE item_id = 'item-0'); \
         UPDATE removals SET attempts = 9999999999 \
             WHERE connection_id = (SELECT id FROM connections WHERE item_id = 'item-3');";
    let (store, worker) = restarted(&setting, &url, damage).await;
    assert_eq!(worker.look().await.unwrap(), 1);
    assert_eq!(setting.plaid.calls(), 1);
    setting.clock.advance(FIRST_PAUSE);
    let taken = store.take_removals(setting.clock.now(), NOW, 9).await.unwrap();
    let due: Vec<_> = taken
        .removals
        .iter()
        .map(|removal| (removal.connection.item_id.as_str(), removal.attempts))
        .collect();
    assert_eq!(due, [("item-0", 1)]);
}
