//! One error for callers that only report it, and its kind for exit codes.

use std::path::PathBuf;

use thiserror::Error;

use crate::answer::ServerError;
use crate::conf::{ConnectionError, ImportError};
use crate::http::TransportError;
use crate::paths::PathsError;
use crate::request::RequestError;
use crate::token::TokenError;

/// The file was not written.
#[derive(Debug, Error)]
#[error("{} was not written: {cause}", path.display())]
pub struct SaveError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub cause: String,
}

/// Everything that can go wrong.
#[derive(Debug, Error)]
pub enum Error {
    /// No configuration.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The import failed.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The paths cannot be resolved.
    #[error(transparent)]
    Paths(#[from] PathsError),
    /// The request is malformed.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// There is no token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// No response.
    #[error("the server cannot be reached: {0}")]
    Transport(#[from] TransportError),
    /// Not the response that was asked for.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// A file was not written.
    #[error(transparent)]
    Save(#[from] SaveError),
}

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The user: arguments or configuration.
    Configuration,
    /// The server responded with an error.
    Server,
    /// The server cannot be reached.
    Unreachable,
    /// This machine: a full disk, missing rights.
    Local,
}

impl Error {
    /// Who has to act.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Import(ImportError::Write { .. })
            | Self::Paths(PathsError::Create { .. })
            | Self::Token(TokenError::Cache { .. })
            | Self::Save(_) => Kind::Local,
            Self::Token(TokenError::Transport(_)) | Self::Transport(_) => Kind::Unreachable,
            Self::Token(TokenError::Refused { .. } | TokenError::Answer { .. }) | Self::Server(_) => {
                Kind::Server
            }
            Self::Connection(_) | Self::Import(_) | Self::Paths(_) | Self::Request(_) | Self::Token(_) => {
                Kind::Configuration
            }
        }
    }
}
