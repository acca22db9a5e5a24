//! What is kept of a client's secret: the secret itself, from the settings, or a hash of it, from a file.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::ClientSecret;

/// What a hash begins with.
pub const HASH_METHOD: &str = "hmac-sha256";
/// Fewer characters are not hashed: the hash is fast, so the secret itself must be beyond guessing.
pub const HASHED_SECRET_CHARS: usize = 32;
/// Makes equal secrets have different hashes.
const SALT_BYTES: usize = 16;
/// HMAC's key as long as a block of SHA-256: a shorter one is filled up with zeros anyway (RFC 2104, 2).
const BLOCK_BYTES: usize = 64;

/// A salted hash of a client secret, `hmac-sha256:<salt>:<digest>` in base64url: HMAC-SHA256 of the secret under the
/// salt as key (the extraction of RFC 5869, 2.2). Slow hashes protect secrets that people choose; these are random
/// and long, and a slow one would let anybody keep our processors busy.
#[derive(Clone)]
pub struct SecretHash {
    salt: [u8; SALT_BYTES],
    digest: [u8; 32],
}

impl SecretHash {
    /// Hashes a secret with this salt, which must be random and used once.
    #[must_use]
    pub fn of(secret: &ClientSecret, salt: [u8; SALT_BYTES]) -> Self {
        Self {
            digest: digest(&salt, secret.expose()),
            salt,
        }
    }

    /// Reads the line that [`line`](Self::line) writes.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let (salt, digest) = line
            .strip_prefix(HASH_METHOD)?
            .strip_prefix(':')?
            .split_once(':')?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        Some(Self {
            salt: decode(salt)?.try_into().ok()?,
            digest: decode(digest)?.try_into().ok()?,
        })
    }

    /// The hash as one line of text.
    #[must_use]
    pub fn line(&self) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        format!("{HASH_METHOD}:{}:{}", encode(&self.salt), encode(&self.digest))
    }

    /// Constant-time comparison with the hash of a presented secret.
    #[must_use]
    pub fn matches(&self, presented: &str) -> bool {
        digest(&self.salt, presented).ct_eq(&self.digest).into()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

fn digest(salt: &[u8; SALT_BYTES], secret: &str) -> [u8; 32] {
    let mut block = [0; BLOCK_BYTES];
    for (place, byte) in block.iter_mut().zip(salt) {
        *place = *byte;
    }
    let mut mac = Hmac::<Sha256>::new((&block).into());
    mac.update(secret.as_bytes());
    mac.finalize().into_bytes().into()
}

/// What a presented client secret is compared with.
#[derive(Clone, Debug)]
pub enum StoredSecret {
    /// The secret, as the settings have it.
    Plain(ClientSecret),
    /// Its hash, as the clients file has it.
    Hashed(SecretHash),
}

impl StoredSecret {
    /// Constant-time comparison with a presented value.
    #[must_use]
    pub fn matches(&self, presented: &str) -> bool {
        match self {
            Self::Plain(secret) => secret.matches(presented),
            Self::Hashed(hash) => hash.matches(presented),
        }
    }
}

impl From<ClientSecret> for StoredSecret {
    fn from(secret: ClientSecret) -> Self {
        Self::Plain(secret)
    }
}

impl From<SecretHash> for StoredSecret {
    fn from(hash: SecretHash) -> Self {
        Self::Hashed(hash)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    /// Computed by `openssl dgst -sha256 -mac HMAC -macopt hexkey:…` and `basenc --base64url`.
    const LINE: &str = "hmac-sha256:AAECAwQFBgcICQoLDA0ODw:VnDhRlMfiYPN6GckkZeJVvNWMsK14aUS4r6pyFkAf8Q";
    const SECRET: &str = "a secret of more than thirty-two characters";

    #[test]
    fn the_digest_is_hmac_sha256_under_the_salt() {
        let salt: Vec<u8> = (0..16).collect();
        let hash = SecretHash::of(&ClientSecret::new(SECRET), salt.try_into().unwrap());
        assert_eq!(hash.line(), LINE);
    }

    #[test]
    fn only_the_secret_itself_matches() {
        for stored in [
            StoredSecret::from(SecretHash::parse(LINE).unwrap()),
            StoredSecret::from(ClientSecret::new(SECRET)),
        ] {
            assert!(stored.matches(SECRET));
            for other in ["", LINE, &SECRET.to_uppercase(), &format!("{SECRET} ")] {
                assert!(!stored.matches(other), "{other}");
            }
            assert!(!format!("{stored:?}").contains("AAEC") && !format!("{stored:?}").contains("thirty"));
        }
    }

    #[test]
    fn what_is_no_hash_is_not_read() {
        let (front, digest) = LINE.rsplit_once(':').unwrap();
        for line in [
            String::new(),
            SECRET.to_owned(),
            front.to_owned(),
            format!("{front}:"),
            format!("{LINE}="),
            format!("{LINE}:x"),
            format!(" {LINE}"),
            LINE.replace("256", "512"),
            format!("{HASH_METHOD}:AAECAwQFBgcICQoLDA0O:{digest}"),
            format!("{HASH_METHOD}::{digest}"),
        ] {
            assert!(SecretHash::parse(&line).is_none(), "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_hash_survives_its_line(salt: [u8; SALT_BYTES], secret in ".{0,80}", other in ".{0,80}") {
            let hash = SecretHash::of(&ClientSecret::new(secret.clone()), salt);
            let read = SecretHash::parse(&hash.line()).unwrap();
            proptest::prop_assert!(read.matches(&secret));
            proptest::prop_assert_eq!(read.matches(&other), secret == other);
        }

        #[test]
        fn reading_never_panics(line in "(hmac-sha256:)?.{0,80}") {
            let _ = SecretHash::parse(&line);
        }
    }
}
