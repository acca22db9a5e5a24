//! All sealed values, a page at a time.

use uuid::Uuid;

use super::failure::Failure;
use super::pool::Conn;
use super::rows::Cells;
use crate::model::ConnectionId;
use crate::rows::Columns as _;

/// A short statement each, so that nothing old is held on to.
pub(super) const PAGE: usize = 500;

/// At most `limit` connections after this one, with their sealed access tokens.
pub(super) async fn page(
    conn: &Conn,
    after: Uuid,
    limit: usize,
) -> Result<Vec<(ConnectionId, Vec<u8>)>, Failure> {
    let sql = "SELECT id, access_token FROM connections WHERE id > $1 ORDER BY id LIMIT $2";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = conn.query(sql, &[&after, &limit]).await?;
    let mut page = Vec::new();
    for row in &rows {
        let mut cells = Cells::of(row);
        page.push((ConnectionId(cells.id()?), cells.bytes()?));
    }
    Ok(page)
}
