//! The keys that seal: given in `BROKER_KEYS`, or kept in a key file that is made once.

mod file;

use std::io;
use std::path::{Path, PathBuf};

use crate::config::{KeySource, SealingKey};

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// There is no key file, but a store that was sealed with one.
    #[error(
        "the key file {} is missing, and the store {} was sealed with it. The way back: restore the key file from a backup, \
         or set BROKER_KEYS to its key. If the key is lost for good, move the store {} away, without deleting it (it alone names \
         the Items that Plaid goes on billing: docs/keys.md), and let people connect their banks again",
        key_file.display(), database.display(), database.display()
    )]
    Missing {
        /// Where the key file was expected.
        key_file: PathBuf,
        database: PathBuf,
    },
    /// The key file cannot be read or made.
    #[error("cannot {action} the key file {}: {source}; make it accessible for this user, or set BROKER_KEYS", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// Others on this machine could have read the key.
    #[error(
        "the key file {} can be read by others (mode {mode:04o}); run: chmod 600 {}", path.display(), path.display()
    )]
    Readable { path: PathBuf, mode: u32 },
    /// The key file does not hold keys.
    #[error(
        "line {line} of the key file {} is not a key (`id:base64 of 32 bytes`); restore the file from a backup, or set BROKER_KEYS",
        path.display()
    )]
    Garbled {
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// No key at all.
    #[error("no key is given; BROKER_KEYS needs at least one `id:base64` pair")]
    Empty,
    /// The store has no directory for a key file.
    #[error(
        "PostgreSQL has no key file beside it: set BROKER_KEYS (or BROKER_KEYS_FILE) to the same keys for all instances; \
         `plaid-token-broker keys generate` makes one"
    )]
    NotGiven,
    /// Two keys of one name: which one sealed would be unknown.
    #[error("two keys have the id {0:?}; each key needs an id of its own")]
    Twice(String),
}

/// The keys in order: the first one seals, all open.
#[derive(Clone, Debug)]
pub struct Keyring {
    sealing: SealingKey,
    older: Vec<SealingKey>,
}

impl Keyring {
    /// A ring of these keys.
    pub fn new(keys: Vec<SealingKey>) -> Result<Self, KeyringError> {
        let mut keys = keys.into_iter();
        let sealing = keys.next().ok_or(KeyringError::Empty)?;
        let mut ring = Self {
            sealing,
            older: Vec::new(),
        };
        for key in keys {
            if ring.by_id(&key.id).is_some() {
                return Err(KeyringError::Twice(key.id));
            }
            ring.older.push(key);
        }
        Ok(ring)
    }

    /// The ring for `database`. A key file is made when it is not there, unless the database `has_sealed_rows`:
    /// a fresh key would open none of them.
    pub fn load(source: &KeySource, database: &Path, has_sealed_rows: bool) -> Result<Self, KeyringError> {
        match source {
            KeySource::Given(keys) => Self::new(keys.clone()),
            KeySource::File(path) => match file::read(path)? {
                Some(keys) => Self::new(keys),
                None if has_sealed_rows => Err(KeyringError::Missing {
                    key_file: path.clone(),
                    database: database.to_owned(),
                }),
                None => Self::new(file::make(path)?),
            },
        }
    }

    /// The ring as it is; no key file is made. `None`: there is none.
    pub fn existing(source: &KeySource) -> Result<Option<Self>, KeyringError> {
        match source {
            KeySource::Given(keys) => Self::new(keys.clone()).map(Some),
            KeySource::File(path) => file::read(path)?.map(Self::new).transpose(),
        }
    }

    /// The ids of the keys, the sealing one first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.sealing)
            .chain(&self.older)
            .map(|key| key.id.as_str())
    }

    /// The id of the key that seals.
    #[must_use]
    pub fn first_id(&self) -> &str {
        &self.sealing.id
    }

    /// The key that seals.
    pub(super) fn sealing(&self) -> &SealingKey {
        &self.sealing
    }

    /// The key of that name.
    pub(super) fn by_id(&self, id: &str) -> Option<&SealingKey> {
        std::iter::once(&self.sealing)
            .chain(&self.older)
            .find(|key| key.id == id)
    }
}

/// Whether `text` can be the id of a key: 1 to 32 of `A-Z a-z 0-9 - .`.
#[must_use]
pub fn is_key_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    (1..=32).contains(&text.len()) && text.bytes().all(allowed)
}
