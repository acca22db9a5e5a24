//! Decisions and look-ups as values, and the little that an engine has to offer for them.
//!
//! Statements are written once, with `SQLite`'s parameters (`?1`). What is between `/*pg` and `*/` is a comment for
//! `SQLite` and part of the statement for `PostgreSQL`: mostly locks, which one writer does not need. `IN rarray(?1)` takes
//! [`Value::Ids`].

use std::borrow::Cow;
use std::sync::Arc;

use uuid::Uuid;

use crate::audit_context::AuditContext;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::model::{AuthorizationId, ConnectionId, GrantId};
use crate::rows::Columns;
use crate::tokens::TokenKey;

/// Why an attempt came to nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Others were in the way, and the server undid it: the same again may work.
    Again,
    /// The connection is gone.
    Lost,
    /// A lock was not available in the time that was given to it.
    Locked,
    /// It came to nothing for this reason.
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What goes into a statement.
#[derive(Clone, Debug)]
pub(crate) enum Value<'v> {
    Null,
    Id(Uuid),
    Ids(&'v [Uuid]),
    Text(Cow<'v, str>),
    Bytes(&'v [u8]),
    Number(i64),
}

macro_rules! values_from {
    ($($from:ty: $value:ident => $into:expr;)*) => {$(
        impl<'v> From<$from> for Value<'v> {
            fn from($value: $from) -> Self {
                $into
            }
        }
    )*};
}

values_from! {
    Uuid: id => Self::Id(id);
    AuthorizationId: id => Self::Id(id.0);
    ConnectionId: id => Self::Id(id.0);
    GrantId: id => Self::Id(id.0);
    &'v Vec<Uuid>: ids => Self::Ids(ids);
    &'v str: text => Self::Text(Cow::Borrowed(text));
    &'v String: text => Self::Text(Cow::Borrowed(text));
    String: text => Self::Text(Cow::Owned(text));
    &'v [u8]: bytes => Self::Bytes(bytes);
    &'v Vec<u8>: bytes => Self::Bytes(bytes);
    &'v [u8; 32]: bytes => Self::Bytes(bytes);
    i64: number => Self::Number(number);
    u64: number => Self::Number(i64::try_from(number).unwrap_or(i64::MAX));
    usize: number => Self::Number(i64::try_from(number).unwrap_or(i64::MAX));
    Timestamp: at => Self::Number(at.as_millis());
}

impl<'v, T: Into<Value<'v>>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A statement that returns no rows.
#[derive(Clone, Debug)]
pub(crate) struct Statement<'v> {
    pub(crate) sql: &'static str,
    pub(crate) values: Vec<Value<'v>>,
}

impl<'v> Statement<'v> {
    pub(crate) fn new<const N: usize>(sql: &'static str, values: [Value<'v>; N]) -> Self {
        Self {
            sql,
            values: values.into(),
        }
    }
}

/// The values of a statement, in the order of its parameters.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        [$($crate::tx::Value::from($value)),*]
    };
}
pub(crate) use values;

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Again => Self::Unavailable("decisions on the same row are in each other's way"),
            Failure::Lost => Self::Unavailable("the connection to the PostgreSQL server was lost"),
            Failure::Locked => Self::Unavailable("the PostgreSQL server did not answer in time"),
            Failure::Store(error) => error,
        }
    }
}

/// What an engine offers inside one database transaction, or for look-ups.
pub(crate) trait Tx: Send {
    /// Returns the number of rows that the statement changed.
    fn execute(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<u64, Failure>> + Send;

    /// Executes these one after the other, without waiting in between. Returns the number of rows that each changed.
    fn execute_all(
        &mut self,
        statements: &[Statement<'_>],
    ) -> impl Future<Output = Result<Vec<u64>, Failure>> + Send;

    fn rows<R: Send>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&mut dyn Columns) -> Result<R, StoreError> + Send,
    ) -> impl Future<Output = Result<Vec<R>, Failure>> + Send;

    fn row<R: Send>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&mut dyn Columns) -> Result<R, StoreError> + Send,
    ) -> impl Future<Output = Result<Option<R>, Failure>> + Send {
        async move { Ok(self.rows(sql, values, read).await?.into_iter().next()) }
    }

    /// The row that a statement like this always returns.
    fn one<R: Send>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&mut dyn Columns) -> Result<R, StoreError> + Send,
    ) -> impl Future<Output = Result<R, Failure>> + Send {
        async move {
            let row = self.row(sql, values, read).await?;
            row.ok_or(Failure::Store(StoreError::Corrupt("a row is missing")))
        }
    }

    /// Waits, not for long, until no row of the audit log can appear any more before one that is there already. Returns
    /// whether that is so.
    fn audit_is_in_order(&mut self) -> impl Future<Output = Result<bool, Failure>> + Send;

    /// Bytes on the disk.
    fn size(&mut self) -> impl Future<Output = Result<u64, Failure>> + Send;
}

/// How a decision or a look-up is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// In one database transaction, which is on the disk when the outcome is returned.
    Decide,
    /// The same, for the background: it may take longer.
    DecideLong,
    /// A look-up, which a request waits for.
    Read,
    /// A look-up in one database transaction.
    ReadTogether,
    /// Reads many rows for an operator; requests never wait for these.
    List,
    /// Reads all rows, in many short statements.
    ListAll,
}

/// What a decision knows beside its input.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) tokens: TokenKey,
    pub(crate) audit: AuditContext,
}

impl Context {
    pub(crate) fn now(&self) -> Timestamp {
        self.audit.now
    }
}

/// A decision or a look-up: its input, and what it does.
pub(crate) trait Decision: Send + Sync + 'static {
    type Outcome: Send + 'static;
    const RUN: Run = Run::Decide;
    /// Whether to try again when it is unknown whether the commit was made. The same again must then have the same outcome.
    const ASK_AGAIN: bool = false;

    /// May be called again after everything was rolled back.
    fn run<T: Tx>(
        &self,
        tx: &mut T,
        context: &Context,
    ) -> impl Future<Output = Result<Self::Outcome, Failure>> + Send;
}
