//! The proof that a request comes from somebody who can read the sealing keys, and an answer from the broker.
//!
//! `v1.{milliseconds}.{random}.{mac}` as a bearer token. The MAC is HMAC-SHA256 under a key that is derived from a sealing
//! key for this purpose alone, over the moment, 16 random bytes, whose broker is meant and the hash of the body. It is
//! good for a minute by the broker's clock, and once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::secret::OwnToken;
use crate::store::keyring::Keyring;

/// How far the moment of a proof may be from the broker's clock, either way.
pub const PROOF_TTL: Duration = Duration::from_secs(60);
/// Proofs that are remembered so that each is good once. Only genuine ones are, so strangers cannot fill it.
const MOST_REMEMBERED: usize = 4096;
const RANDOM_BYTES: usize = 16;
const VERSION: &str = "v1";

/// The label under which the keys of this channel are derived from the sealing keys.
const LABEL: &[u8] = b"plaid-token-broker control v1";

/// Keys of this channel, one for each sealing key, in their order.
#[derive(Clone)]
pub struct Keys(Vec<Zeroizing<[u8; 32]>>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

impl Keys {
    /// Derives them.
    #[must_use]
    pub fn of(keyring: &Keyring) -> Self {
        Self::labelled(keyring, LABEL)
    }

    /// Derives keys for another purpose, which has this label.
    #[must_use]
    pub(crate) fn labelled(keyring: &Keyring, label: &[u8]) -> Self {
        Self(keyring.derived(label))
    }

    /// The keys, the sealing one first.
    pub(crate) fn each(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.0.iter().map(|key| &**key)
    }
}

/// Names the broker that is meant: brokers of two environments may share a key file, and what one was told must not be
/// told to the other.
#[must_use]
pub fn account_text(environment: &str, client_id: &str) -> String {
    format!("{environment}/{client_id}")
}

/// A request that is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// No proof, or not under one of our keys, for this body and this broker.
    #[error(
        "the request is not proven by this broker's keys: use the same settings (PLAID_ENV, PLAID_CLIENT_ID, BROKER_KEYS or the key \
         file) as the broker"
    )]
    NotProven,
    /// The clocks differ by more than [`PROOF_TTL`].
    #[error("the clock of this command and the broker's differ by more than a minute: set them right")]
    Stale,
    /// The same proof came before.
    #[error("the same request came before")]
    Repeated,
    /// Too many genuine requests within a minute or two.
    #[error("too many commands in a short time: wait a minute")]
    Busy,
}

/// A proof, made or read.
#[derive(Debug)]
pub struct Proof {
    at: Timestamp,
    random: [u8; RANDOM_BYTES],
    mac: [u8; 32],
}

impl Proof {
    /// Proves this body for the broker of `account` (see [`account_text`]).
    #[must_use]
    pub fn make(
        key: &[u8; 32],
        now: Timestamp,
        random: [u8; RANDOM_BYTES],
        account: &str,
        body: &[u8],
    ) -> Self {
        let mac = request_mac(key, now, &random, account, body)
            .finalize()
            .into_bytes()
            .into();
        Self { at: now, random, mac }
    }

    /// What stands behind `Bearer`.
    #[must_use]
    pub fn text(&self) -> OwnToken {
        OwnToken::new(format!(
            "{VERSION}.{}.{}.{}",
            self.at.as_millis(),
            URL_SAFE_NO_PAD.encode(self.random),
            URL_SAFE_NO_PAD.encode(self.mac)
        ))
    }

    /// Reads what stands behind `Bearer`; says nothing about whether it is genuine.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let mut next = || parts.next();
        let (version, at, random, mac) = (next()?, next()?, next()?, next()?);
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        (version == VERSION && next().is_none()).then_some(Self {
            at: Timestamp::from_millis(at.parse().ok()?),
            random: bytes(random)?.try_into().ok()?,
            mac: bytes(mac)?.try_into().ok()?,
        })
    }

    /// The MAC of a line of the answer to this request: nobody without the key can make one up, move it, or take it
    /// from another answer.
    pub(super) fn line_mac(&self, key: &[u8; 32], number: u32, line: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(self.answer(key, number, line).finalize().into_bytes())
    }

    /// Whether a line of the answer is genuine; in constant time.
    pub(super) fn line_is_genuine(&self, key: &[u8; 32], number: u32, line: &[u8], mac: &str) -> bool {
        URL_SAFE_NO_PAD
            .decode(mac)
            .is_ok_and(|mac| self.answer(key, number, line).verify_slice(&mac).is_ok())
    }

    fn answer(&self, key: &[u8; 32], number: u32, line: &[u8]) -> Hmac<Sha256> {
        let mut mac = keyed(key, b"answer\0");
        mac.update(&self.mac);
        mac.update(&number.to_be_bytes());
        mac.update(&Sha256::digest(line));
        mac
    }
}

/// Every part has a fixed length, so no two inputs read alike.
fn request_mac(
    key: &[u8; 32],
    at: Timestamp,
    random: &[u8; RANDOM_BYTES],
    account: &str,
    body: &[u8],
) -> Hmac<Sha256> {
    let mut mac = keyed(key, b"request\0");
    mac.update(&at.as_millis().to_be_bytes());
    mac.update(random);
    mac.update(&Sha256::digest(account));
    mac.update(&Sha256::digest(body));
    mac
}

fn keyed(key: &[u8; 32], label: &[u8]) -> Hmac<Sha256> {
    // HMAC's key block: a key shorter than the block is filled with zeros (RFC 2104 section 2).
    let mut block = Zeroizing::new([0; 64]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    mac.update(label);
    mac
}

/// Remembers genuine proofs for as long as they would be taken again.
#[derive(Default)]
pub struct Seen(Mutex<HashMap<[u8; RANDOM_BYTES], Timestamp>>);

impl Seen {
    /// Checks a proof and uses it up; gives the key that made it.
    pub(crate) fn check<'k>(
        &self,
        keys: &'k Keys,
        proof: &Proof,
        account: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<&'k [u8; 32], Refused> {
        let made = |key: &&[u8; 32]| {
            request_mac(key, proof.at, &proof.random, account, body)
                .verify_slice(&proof.mac)
                .is_ok()
        };
        let key = keys.each().find(made).ok_or(Refused::NotProven)?;
        if now.since(proof.at) > PROOF_TTL || proof.at.since(now) > PROOF_TTL {
            return Err(Refused::Stale);
        }
        // Nothing can panic while the lock is held, so what is inside is whole even then.
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, forget_at| now <= *forget_at);
        if seen.contains_key(&proof.random) {
            return Err(Refused::Repeated);
        }
        if seen.len() >= MOST_REMEMBERED {
            return Err(Refused::Busy);
        }
        seen.insert(proof.random, proof.at.plus(PROOF_TTL));
        Ok(key)
    }
}
