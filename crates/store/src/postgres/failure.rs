//! The server's errors as fixed texts of our own, because its messages may quote a row.

use std::error::Error as _;

use deadpool_postgres::{HookError, PoolError, TimeoutType};
use tokio_postgres::error::SqlState;

use crate::error::StoreError;
use crate::tx::Failure;

const LATE: &str = "the PostgreSQL server did not answer in time";

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(code) = error.code() else {
            return without_code(&error);
        };
        let by_code = store_error(code);
        if by_code.is_none() {
            tracing::error!(
                sqlstate = code.code(),
                "the PostgreSQL server refused a statement"
            );
        }
        if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
            Self::Again
        } else if is_end(code) {
            Self::Lost
        } else if *code == SqlState::LOCK_NOT_AVAILABLE {
            Self::Locked
        } else {
            Self::Store(by_code.unwrap_or(StoreError::Unavailable(
                "the PostgreSQL server refused a statement; the log has its code",
            )))
        }
    }
}

/// The server, or an administrator, has ended the connection.
fn is_end(code: &SqlState) -> bool {
    // The last two: a connection that idled too long, in a transaction or without one.
    matches!(code.code(), "57P01" | "57P02" | "25P03" | "57P05") || code.code().starts_with("08")
}

fn store_error(code: &SqlState) -> Option<StoreError> {
    let unavailable = |text| Some(StoreError::Unavailable(text));
    match code.code() {
        "23505" => Some(StoreError::Duplicate),
        "53100" => Some(StoreError::Full),
        "57014" | "55P03" => unavailable(LATE),
        "25006" => unavailable("the PostgreSQL server takes no writes: it is a standby, or set to read-only"),
        "53300" => unavailable("the PostgreSQL server has no free connection"),
        "57P03" => unavailable("the PostgreSQL server is starting or stopping"),
        "42501" => unavailable(
            "the PostgreSQL role may not use the tables of the store; make it their owner, or grant it USAGE on the \
             schema and SELECT, INSERT, UPDATE and DELETE on all its tables",
        ),
        "42P01" => Some(StoreError::Corrupt("a table is missing")),
        "XX001" | "XX002" => Some(StoreError::Corrupt("the PostgreSQL server found damaged pages")),
        "40001" | "40P01" | "57P01" | "57P02" | "25P03" | "57P05" => {
            unavailable("the PostgreSQL server undid it")
        }
        text if text.starts_with("08") => unavailable("the connection to the PostgreSQL server was lost"),
        text if text.starts_with("28") => {
            unavailable("the PostgreSQL server refuses the role or its password")
        }
        "3D000" => unavailable("the PostgreSQL server has no such database any more"),
        _ => None,
    }
}

fn without_code(error: &tokio_postgres::Error) -> Failure {
    if error.is_closed() {
        return Failure::Lost;
    }
    let source = error.source();
    if source.is_some_and(<dyn std::error::Error>::is::<std::io::Error>) {
        return Failure::Lost;
    }
    if source.is_some_and(<dyn std::error::Error>::is::<tokio_postgres::types::WrongType>) {
        return Failure::Store(StoreError::Corrupt("a column is of another type"));
    }
    Failure::Store(StoreError::Unavailable(
        "the PostgreSQL server was not understood",
    ))
}

/// Why there is no connection to work with.
pub(super) fn unconnected(error: &PoolError) -> StoreError {
    StoreError::Unavailable(match error {
        PoolError::Timeout(TimeoutType::Wait) => "all connections to the PostgreSQL server are busy",
        PoolError::Timeout(_) | PoolError::PostCreateHook(HookError::Message(_)) => {
            "the PostgreSQL server does not answer"
        }
        PoolError::Closed => "it is closed",
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
            match error.code().and_then(store_error) {
                Some(StoreError::Unavailable(text)) => text,
                _ => "the PostgreSQL server cannot be reached",
            }
        }
        _ => "the PostgreSQL server cannot be reached",
    })
}

/// The error while connecting, for the operator: it contains neither rows nor the password.
pub(super) fn said(error: &tokio_postgres::Error) -> String {
    let text = match error.as_db_error() {
        Some(said) => format!("the server says: {}", said.message()),
        None => with_causes(error),
    };
    let mut told = String::new();
    for character in text.chars().take(300) {
        match character {
            // The server puts names in quotes.
            '"' | '\'' | '\\' => told.push(character),
            other => told.extend(other.escape_debug()),
        }
    }
    told
}

fn with_causes(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let own = error.to_string();
        if !text.contains(&own) {
            text = format!("{text}: {own}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_the_server_ended_is_lost() {
        for code in ["57P01", "57P02", "25P03", "57P05", "08006"] {
            assert!(is_end(&SqlState::from_code(code)), "{code}");
        }
        assert!(!is_end(&SqlState::from_code("25006")) && !is_end(&SqlState::from_code("57014")));
    }
}
