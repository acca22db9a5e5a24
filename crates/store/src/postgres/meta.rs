//! The table of single values.

use super::failure::Failure;
use super::pool::Conn;
use super::rows::Cells;
use crate::rows::Columns as _;

pub(super) async fn get(conn: &Conn, name: &str) -> Result<Option<Vec<u8>>, Failure> {
    let row = conn
        .row("SELECT value FROM meta WHERE name = $1", &[&name])
        .await?;
    Ok(row.map(|row| Cells::of(&row).bytes()).transpose()?)
}

pub(super) async fn set(conn: &Conn, name: &str, value: &[u8]) -> Result<(), Failure> {
    conn.execute(
        "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        &[&name, &value],
    )
    .await?;
    Ok(())
}
