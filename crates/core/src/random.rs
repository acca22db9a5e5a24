//! Where randomness enters: a cryptographic generator seeded by the operating system, at the edges alone.
//! Decisions take randomness as a value.

use uuid::Uuid;

use crate::clock::Timestamp;

/// A random value that only its row has; tokens of our own are derived from it and a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Nonce(pub [u8; 32]);

impl std::fmt::Debug for Nonce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Nonce(…)")
    }
}

/// `N` random bytes.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes);
    bytes
}

/// A random value for a new row.
#[must_use]
pub fn nonce() -> Nonce {
    Nonce(bytes())
}

/// A time-ordered id (`UUIDv7`, RFC 9562 5.7): new rows are appended to their tables.
#[must_use]
pub fn id(now: Timestamp) -> Uuid {
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time() {
        let early = id(Timestamp::from_millis(1_000));
        let late = id(Timestamp::from_millis(1_001));
        assert!(early < late);
        assert_ne!(id(Timestamp::from_millis(1)), id(Timestamp::from_millis(1)));
        assert_eq!(late.get_version_num(), 7);
    }
}
