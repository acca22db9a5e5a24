//! `PostgreSQL`'s side of [`Tx`] and [`Columns`].

use bytes::BytesMut;
use futures_util::future::join_all;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use super::pool::Conn;
use crate::error::StoreError;
use crate::rows::Columns;
use crate::tx::{Failure, Statement, Tx, Value};

/// Inside a database transaction, or each statement for itself.
pub(super) struct PostgresTx<'c>(pub(super) &'c Conn);

/// The statement as `PostgreSQL` reads it: see [`crate::tx`].
fn translated(sql: &str) -> String {
    sql.replace("/*pg", "")
        .replace("*/", "")
        .replace("IN rarray(", "= ANY(")
        .replace('?', "$")
}

type Parameter<'v> = &'v (dyn ToSql + Sync);

fn parameters<'v>(values: &'v [Value<'_>]) -> Vec<Parameter<'v>> {
    values.iter().map(|value| value as Parameter<'v>).collect()
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Id(id) => id.to_sql(kind, out),
            Self::Ids(ids) => ids.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
            Self::Number(number) => number.to_sql(kind, out),
        }
    }

    /// The server checks the lengths of what it is sent.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl Tx for PostgresTx<'_> {
    async fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, Failure> {
        self.0.execute(&translated(sql), &parameters(values)).await
    }

    async fn execute_all(&mut self, statements: &[Statement<'_>]) -> Result<Vec<u64>, Failure> {
        let conn = self.0;
        // Prepared one after the other: afterwards each is sent when it is first polled, so they arrive in their order.
        for statement in statements {
            conn.prepare(&translated(statement.sql)).await?;
        }
        let sent = statements.iter().map(async |statement| {
            let values = parameters(&statement.values);
            conn.execute(&translated(statement.sql), &values).await
        });
        // All results are waited for: after a failure, the later ones only say that the database transaction is aborted.
        join_all(sent).await.into_iter().collect()
    }

    async fn rows<R: Send>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&mut dyn Columns) -> Result<R, StoreError> + Send,
    ) -> Result<Vec<R>, Failure> {
        let rows = self.0.query(&translated(sql), &parameters(values)).await?;
        let found = rows.iter().map(|row| read(&mut Cells::of(row)));
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Ids are drawn before the commit. A writer holds a lock, shared, and waits behind a reader that waits for it alone:
    /// a long decision would hold up all the others. Not to wait at all would not do either, as there may always be some
    /// short one under way.
    async fn audit_is_in_order(&mut self) -> Result<bool, Failure> {
        let sql = "SELECT pg_try_advisory_xact_lock(1886675571, 2)";
        if self.one(sql, &[], |row| row.flag()).await? {
            return Ok(true);
        }
        self.0.run("SET LOCAL lock_timeout = '100ms'").await?;
        match self
            .0
            .query("SELECT pg_advisory_xact_lock(1886675571, 2)", &[])
            .await
        {
            Ok(_) => Ok(true),
            Err(Failure::Locked) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// The store's tables and indexes.
    async fn size(&mut self) -> Result<u64, Failure> {
        let sql = "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class \
             WHERE relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'meta'::regclass) AND relkind = 'r'";
        self.one(sql, &[], |row| row.count()).await
    }
}

/// Reads the columns one after the other.
pub(super) struct Cells<'r> {
    row: &'r Row,
    at: usize,
}

impl<'r> Cells<'r> {
    /// From the first column on.
    pub(super) fn of(row: &'r Row) -> Self {
        Self { row, at: 0 }
    }

    fn next<T: FromSql<'r>>(&mut self) -> Result<T, StoreError> {
        let value = self.row.try_get(self.at);
        self.at += 1;
        value.map_err(|_| StoreError::Corrupt("a column holds what was never written to it"))
    }
}

impl Columns for Cells<'_> {
    fn id(&mut self) -> Result<Uuid, StoreError> {
        self.next()
    }

    fn optional_id(&mut self) -> Result<Option<Uuid>, StoreError> {
        self.next()
    }

    fn text(&mut self) -> Result<String, StoreError> {
        self.next()
    }

    fn optional_text(&mut self) -> Result<Option<String>, StoreError> {
        self.next()
    }

    fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        self.next()
    }

    fn optional_bytes(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        self.next()
    }

    fn number(&mut self) -> Result<i64, StoreError> {
        self.next()
    }

    fn optional_number(&mut self) -> Result<Option<i64>, StoreError> {
        self.next()
    }

    fn flag(&mut self) -> Result<bool, StoreError> {
        self.next()
    }
}
