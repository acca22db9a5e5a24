//! Sealing: XChaCha20-Poly1305 with a random nonce, the key's id in the envelope, and the row's identity as
//! additional data, so that a sealed value copied into another row does not open there.
//!
//! Envelope: version (1 byte), length of the key id (1 byte), key id, nonce (24 bytes), ciphertext with its tag.
//! `XChaCha`'s nonce is long enough to be drawn at random for every message without counting them
//! (draft-irtf-cfrg-xchacha section 2.1).

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::keyring::{Keyring, is_key_id};

const VERSION: u8 = 1;
const NONCE_LEN: usize = 24;

/// Why a sealed value does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It is too short, or of a shape that no version of this program wrote.
    #[error("it is not an envelope of this program")]
    Malformed,
    /// The key that sealed it is not on the key ring.
    #[error("it was sealed with key {0:?}, which is not among the keys given")]
    UnknownKey(String),
    /// The key of that name is another one, or the value was changed or moved to another row.
    #[error("key {0:?} does not open it: another key of the same name, or the value was changed")]
    DoesNotOpen(String),
    /// The cipher refused to seal; it does so only for values of many gigabytes.
    #[error("the value is too long to be sealed")]
    TooLong,
}

/// The place of a sealed value: it opens nowhere else.
#[derive(Clone, Debug)]
pub struct Place(String);

impl Place {
    /// The place in `column` (as `connections/access_token`) of the row with this primary key.
    pub fn new(column: &str, row: impl std::fmt::Display) -> Self {
        Self(format!("{column}/{row}"))
    }
}

impl Keyring {
    /// Seals `plain` for `place` with the first key.
    pub fn seal(&self, place: &Place, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let sealing = self.sealing();
        let id_len = u8::try_from(sealing.id.len()).map_err(|_| SealError::Malformed)?;
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut envelope = vec![VERSION, id_len];
        envelope.extend_from_slice(sealing.id.as_bytes());
        let aad = additional_data(&envelope, place);
        let cipher = XChaCha20Poly1305::new((&*sealing.key).into());
        let sealed = cipher
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: plain,
                    aad: &aad,
                },
            )
            .map_err(|_| SealError::TooLong)?;
        envelope.extend_from_slice(&nonce);
        envelope.extend_from_slice(&sealed);
        Ok(envelope)
    }

    /// Opens what [`seal`](Self::seal) made for the same place, with whichever key sealed it.
    pub fn open(&self, place: &Place, envelope: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (&[version, id_len], rest) = envelope.split_first_chunk().ok_or(SealError::Malformed)?;
        if version != VERSION {
            return Err(SealError::Malformed);
        }
        let (id, rest) = rest
            .split_at_checked(usize::from(id_len))
            .ok_or(SealError::Malformed)?;
        let (nonce, sealed) = rest
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(SealError::Malformed)?;
        // Only what can be a key's id is repeated in an error: a garbled row may hold anything here.
        let id = std::str::from_utf8(id)
            .ok()
            .filter(|id| is_key_id(id))
            .ok_or(SealError::Malformed)?;
        let key = self
            .by_id(id)
            .ok_or_else(|| SealError::UnknownKey(id.to_owned()))?;
        let header = envelope.get(..2 + id.len()).ok_or(SealError::Malformed)?;
        let aad = additional_data(header, place);
        XChaCha20Poly1305::new((&*key.key).into())
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: sealed,
                    aad: &aad,
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| SealError::DoesNotOpen(id.to_owned()))
    }
}

/// The id of the key that sealed it, as the envelope says.
#[must_use]
pub fn key_id(envelope: &[u8]) -> Option<&str> {
    let (&[version, id_len], rest) = envelope.split_first_chunk()?;
    let (id, _) = rest.split_at_checked(usize::from(id_len))?;
    let id = std::str::from_utf8(id).ok()?;
    (version == VERSION && is_key_id(id)).then_some(id)
}

/// The header, which contains its own length, and then the place.
fn additional_data(header: &[u8], place: &Place) -> Vec<u8> {
    let mut data = header.to_vec();
    data.extend_from_slice(place.0.as_bytes());
    data
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]

    use proptest::prelude::*;

    use super::*;
    use crate::config::SealingKey;

    fn ring(keys: &[(&str, u8)]) -> Keyring {
        let keys = keys.iter().map(|(id, byte)| SealingKey {
            id: (*id).to_owned(),
            key: Zeroizing::new([*byte; 32]),
        });
        Keyring::new(keys.collect()).unwrap()
    }

    fn place(row: u8) -> Place {
        Place::new("connections/access_token", row)
    }

    #[test]
    fn a_sealed_value_opens_in_its_own_place_only() {
        let ring = ring(&[("a", 1)]);
        let sealed = ring.seal(&place(1), b"access-sandbox-1").unwrap();
        assert_eq!(*ring.open(&place(1), &sealed).unwrap(), b"access-sandbox-1");
        assert_eq!(
            ring.open(&place(2), &sealed),
            Err(SealError::DoesNotOpen("a".to_owned()))
        );
    }

    #[test]
    fn the_same_value_is_sealed_differently_each_time_and_stands_nowhere_in_the_clear() {
        let ring = ring(&[("a", 1)]);
        let sealed = ring.seal(&place(1), b"access-sandbox-1").unwrap();
        assert_ne!(sealed, ring.seal(&place(1), b"access-sandbox-1").unwrap());
        assert!(!sealed.windows(6).any(|window| window == b"access"));
    }

    #[test]
    fn the_first_key_seals_and_all_open() {
        let old = ring(&[("old", 1)]).seal(&place(1), b"x").unwrap();
        let both = ring(&[("new", 2), ("old", 1)]);
        assert_eq!(*both.open(&place(1), &old).unwrap(), b"x");
        let new = both.seal(&place(1), b"x").unwrap();
        assert_eq!(
            ring(&[("old", 1)]).open(&place(1), &new),
            Err(SealError::UnknownKey("new".to_owned()))
        );
        assert_eq!(
            ring(&[("new", 9)]).open(&place(1), &new),
            Err(SealError::DoesNotOpen("new".to_owned()))
        );
    }

    proptest! {
        #[test]
        fn garbage_is_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            prop_assert!(ring(&[("a", 1)]).open(&place(1), &bytes).is_err());
        }

        #[test]
        fn any_changed_or_missing_byte_is_noticed(at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
            let ring = ring(&[("a", 1)]);
            let sealed = ring.seal(&place(1), b"access-sandbox-1").unwrap();
            let at = at.index(sealed.len());
            let mut changed = sealed.clone();
            changed[at] ^= flip;
            prop_assert!(ring.open(&place(1), &changed).is_err());
            prop_assert!(ring.open(&place(1), &sealed[..at]).is_err());
        }
    }
}
