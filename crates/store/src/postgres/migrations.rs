//! The schema's numbered steps. A step that was released is never changed; the next one is added.

use super::pool::Conn;
use super::tx::{Cells, PostgresTx};
use crate::decisions::meta;
use crate::error::StoreError;
use crate::ownership::Schema;
use crate::rows::Columns as _;
use crate::tx::Failure;

/// Marks the tables as a store of this program (`meta`).
const PROGRAM: (&str, &[u8]) = ("program", b"plaid-token-broker");
/// How many steps were taken (`meta`).
const TAKEN: &str = "schema";

const STEPS: [(i64, &str); 3] = [
    (1, include_str!("migrations/0001_store.sql")),
    (2, include_str!("migrations/0002_bounds.sql")),
    (3, include_str!("migrations/0003_authorizations.sql")),
];

/// One migrates at a time: held until the end of the transaction.
pub(super) async fn lock(conn: &Conn) -> Result<(), Failure> {
    conn.query("SELECT pg_advisory_xact_lock(1886675571, 1)", &[])
        .await?;
    Ok(())
}

/// Looks without changing anything. Tables of extensions do not count.
pub(super) async fn inspect(conn: &Conn) -> Result<Schema, Failure> {
    let row = conn
        .one(
            "SELECT count(*), count(*) FILTER (WHERE relname = 'meta' AND 2 = (SELECT count(*) FROM pg_attribute \
                 WHERE attrelid = tables.oid AND NOT attisdropped \
                 AND (attname, atttypid) IN (('name', 'text'::regtype), ('value', 'bytea'::regtype)))) \
             FROM pg_class AS tables WHERE relnamespace = (SELECT oid FROM pg_namespace \
                 WHERE nspname = current_schema()) AND relkind IN ('r', 'p') \
             AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = tables.oid \
                 AND deptype = 'e')",
            &[],
        )
        .await?;
    let mut cells = Cells::of(&row);
    let (tables, candidates) = (cells.number()?, cells.number()?);
    if tables == 0 {
        return Ok(Schema::Empty);
    }
    if candidates == 0 || meta::get(&mut PostgresTx(conn), PROGRAM.0).await?.as_deref() != Some(PROGRAM.1) {
        return Ok(Schema::Foreign);
    }
    let found = taken(conn).await?;
    let known = STEPS.last().map_or(0, |(number, _)| *number);
    Ok(if found > known {
        Schema::Newer { found, known }
    } else {
        Schema::Ours
    })
}

/// Takes the steps that are missing, inside the caller's transaction, of a store that is `there` or not yet.
pub(super) async fn migrate(conn: &Conn, there: bool) -> Result<(), Failure> {
    let done = if there { taken(conn).await? } else { 0 };
    for (number, step) in STEPS.into_iter().filter(|(number, _)| *number > done) {
        conn.run(step).await?;
        meta::set(&mut PostgresTx(conn), TAKEN, &number.to_be_bytes()).await?;
    }
    if !there {
        meta::set(&mut PostgresTx(conn), PROGRAM.0, PROGRAM.1).await?;
    }
    Ok(())
}

async fn taken(conn: &Conn) -> Result<i64, Failure> {
    let value = meta::get(&mut PostgresTx(conn), TAKEN).await?;
    let number = value.and_then(|value| <[u8; 8]>::try_from(value).ok());
    let number = number.ok_or(StoreError::Corrupt("it does not say which schema it has"))?;
    Ok(i64::from_be_bytes(number))
}
