//! `PostgreSQL`'s side of [`Columns`].

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use crate::error::StoreError;
use crate::rows::Columns;

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
