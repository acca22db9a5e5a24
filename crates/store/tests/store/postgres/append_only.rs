//! The schema itself keeps the audit log from being changed, whoever writes to the database.

use super::cluster::client;
use super::fresh;
use crate::helpers::{NOW, completed};

#[tokio::test]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn rows_of_the_audit_log_cannot_be_changed_or_removed() {
    let (store, database) = fresh().await;
    completed(&store).await;
    store.close().await;
    for statement in [
        "UPDATE audit SET actor = 'admin'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE id = 1",
        "TRUNCATE audit",
        "INSERT INTO audit (id, at, event, outcome, actor, times, last_at) VALUES (1, 0, 'x', 'done', 'x', 1, 0)",
        "UPDATE audit_horizon SET before = 5; UPDATE audit_horizon SET before = before - 1",
        "DELETE FROM audit_horizon",
        "TRUNCATE audit_horizon",
    ] {
        assert!(database.run(statement).await.is_err(), "{statement}");
    }
    let client = client(&database.url).await;
    let rows: i64 = client
        .query_one("SELECT count(*) FROM audit", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(rows, 2);
    // Only the horizon lets rows go, and only those before it.
    for (horizon, gone) in [(NOW.as_millis(), false), (NOW.as_millis() + 1, true)] {
        let moved = format!("UPDATE audit_horizon SET before = {horizon}");
        client.batch_execute(&moved).await.unwrap();
        assert_eq!(client.batch_execute("DELETE FROM audit").await.is_ok(), gone);
    }
}
