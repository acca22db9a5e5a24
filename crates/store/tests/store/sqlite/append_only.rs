//! The schema itself keeps the audit log from being changed, whoever writes to the file.

use rusqlite::Connection as Sqlite;

use super::fresh;
use crate::helpers::{NOW, completed};

#[tokio::test]
async fn rows_of_the_audit_log_cannot_be_changed_or_removed() {
    let (store, directory) = fresh().await;
    completed(&store).await;
    store.close().await;
    let path = directory.path().join("data/sandbox.db");
    let conn = Sqlite::open(path).unwrap();
    for statement in [
        "UPDATE audit SET actor = 'admin'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE id = 1",
        "INSERT OR REPLACE INTO audit (id, at, event, outcome, actor, times, last_at) VALUES (1, 0, 'x', 'done', 'x', 1, 0)",
        "UPDATE audit_horizon SET before = before - 1",
        "DELETE FROM audit_horizon",
    ] {
        assert!(conn.execute_batch(statement).is_err(), "{statement}");
    }
    let rows: i64 = conn
        .query_row("SELECT count(*) FROM audit", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 2);
    // Only the horizon lets rows go, and only those before it.
    conn.execute("UPDATE audit_horizon SET before = ?1", [NOW.as_millis()])
        .unwrap();
    assert!(conn.execute_batch("DELETE FROM audit").is_err());
    conn.execute("UPDATE audit_horizon SET before = ?1", [NOW.as_millis() + 1])
        .unwrap();
    conn.execute_batch("DELETE FROM audit").unwrap();
}
