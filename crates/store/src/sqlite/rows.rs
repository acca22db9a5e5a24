//! `SQLite`'s side of [`Columns`].

use rusqlite::Row;
use rusqlite::types::FromSql;
use uuid::Uuid;

use crate::error::StoreError;
use crate::rows::Columns;

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
