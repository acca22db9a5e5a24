//! `SQLite`'s side of [`Tx`] and [`Columns`].

use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use rusqlite::types::{FromSql, ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{Connection, Row, ToSql, params_from_iter};
use uuid::Uuid;

use crate::error::StoreError;
use crate::rows::Columns;
use crate::tx::{Failure, Statement, Tx, Value};

/// Inside the writer's savepoint, or on a reader. Nothing here ever waits, so its futures are ready at once.
pub(super) struct SqliteTx<'c>(pub(super) &'c mut Connection);

/// The outcome of a future over [`SqliteTx`].
pub(super) fn ready<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, StoreError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome.map_err(StoreError::from),
        Poll::Pending => Err(StoreError::Unavailable("internal error: a decision waited")),
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Owned::Null),
            Self::Id(id) => ToSqlOutput::Borrowed(ValueRef::Blob(id.as_bytes())),
            Self::Ids(ids) => {
                let blobs = ids.iter().map(|id| Owned::Blob(id.as_bytes().to_vec()));
                ToSqlOutput::from_rc(Rc::new(blobs.collect::<Vec<_>>()), c"rarray")
            }
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Number(number) => ToSqlOutput::Owned(Owned::Integer(*number)),
        })
    }
}

impl SqliteTx<'_> {
    fn changed(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let changed = self.0.prepare_cached(sql)?.execute(params_from_iter(values))?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    fn found<R>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        most: usize,
        mut read: impl FnMut(&mut dyn Columns) -> Result<R, StoreError>,
    ) -> Result<Vec<R>, StoreError> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut found = Vec::new();
        while found.len() < most
            && let Some(row) = rows.next()?
        {
            found.push(read(&mut Cells::of(row))?);
        }
        Ok(found)
    }
}

impl Tx for SqliteTx<'_> {
    async fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, Failure> {
        Ok(self.changed(sql, values)?)
    }

    async fn execute_all(&mut self, statements: &[Statement<'_>]) -> Result<Vec<u64>, Failure> {
        let changed = statements
            .iter()
            .map(|statement| self.changed(statement.sql, &statement.values));
        Ok(changed.collect::<Result<_, _>>()?)
    }

    async fn rows<R: Send>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&mut dyn Columns) -> Result<R, StoreError> + Send,
    ) -> Result<Vec<R>, Failure> {
        Ok(self.found(sql, values, usize::MAX, read)?)
    }

    /// What a statement changes is changed with its first row.
    async fn row<R: Send>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&mut dyn Columns) -> Result<R, StoreError> + Send,
    ) -> Result<Option<R>, Failure> {
        Ok(self.found(sql, values, 1, read)?.pop())
    }

    /// Ids are drawn by the one writer.
    async fn audit_is_in_order(&mut self) -> Result<bool, Failure> {
        Ok(true)
    }

    /// The database and the write-ahead log beside it.
    async fn size(&mut self) -> Result<u64, Failure> {
        let path = self.0.path().ok_or(StoreError::Unavailable("it has no file"))?;
        let length = |path: &str| std::fs::metadata(path).map_or(0, |file| file.len());
        Ok(length(&format!("{path}-wal")) + length(path))
    }
}

/// Reads the columns one after the other.
pub(super) struct Cells<'r> {
    row: &'r Row<'r>,
    at: usize,
}

impl<'r> Cells<'r> {
    /// From the first column on.
    pub(super) fn of(row: &'r Row<'r>) -> Self {
        Self { row, at: 0 }
    }

    fn next<T: FromSql>(&mut self) -> Result<T, StoreError> {
        let value = self.row.get(self.at)?;
        self.at += 1;
        Ok(value)
    }
}

impl Columns for Cells<'_> {
    fn id(&mut self) -> Result<Uuid, StoreError> {
        Ok(Uuid::from_bytes(self.next()?))
    }

    fn optional_id(&mut self) -> Result<Option<Uuid>, StoreError> {
        Ok(self.next::<Option<[u8; 16]>>()?.map(Uuid::from_bytes))
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
