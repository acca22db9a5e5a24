//! The requests of our own rehearsal: it sends a wrong secret and made-up codes on purpose, so they have no entry.
//!
//! `X-Broker-Rehearsal` holds `v1.{milliseconds}.{random}.{mac}`: an HMAC-SHA256 under a key that is derived from the
//! sealing keys for this purpose alone. It is good for a minute and for one request of one process: neither strangers nor
//! those who see the requests pass can keep others out of the record. It decides nothing else, and everything is logged
//! and audited as usual.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::random;
use crate::secret::OwnToken;
use crate::store::keyring::Keyring;

/// The header of the proof.
pub const HEADER: &str = "x-broker-rehearsal";
/// The label under which the keys are derived from the sealing keys.
const LABEL: &[u8] = b"plaid-token-broker rehearsal v1";
/// How far the moment of a proof may be from the broker's clock, either way.
const TTL: Duration = Duration::from_secs(60);
/// Proofs that are remembered so that each is good once. Only genuine ones are, so strangers cannot fill it.
const MAX_REMEMBERED: usize = 4096;
const RANDOM_BYTES: usize = 16;
const VERSION: &str = "v1";

tokio::task_local! {
    static UNDER_WAY: ();
}

/// Serves a request of the rehearsal.
pub(crate) async fn under_way<T>(serving: impl Future<Output = T>) -> T {
    UNDER_WAY.scope((), serving).await
}

/// Whether the request that is being served is one of the rehearsal's.
pub(super) fn is_under_way() -> bool {
    UNDER_WAY.try_with(|&()| ()).is_ok()
}

/// What proves a request of the rehearsal to the broker of one environment and client id.
#[derive(Clone)]
pub struct Keys {
    /// One for each sealing key, in their order.
    keys: Vec<Zeroizing<[u8; 32]>>,
    account: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({}, {})", self.keys.len(), self.account)
    }
}

impl Keys {
    /// Derives them.
    #[must_use]
    pub fn of(keyring: &Keyring, environment: &str, client_id: &str) -> Self {
        Self {
            keys: keyring.derived(LABEL),
            account: format!("{environment}/{client_id}"),
        }
    }

    /// The header's value for one request of this moment; none without a key.
    #[must_use]
    pub fn proof(&self, now: Timestamp) -> Option<OwnToken> {
        let random = random::bytes();
        let mac = self.mac(self.keys.first()?, now, &random).finalize();
        Some(OwnToken::new(format!(
            "{VERSION}.{}.{}.{}",
            now.as_millis(),
            URL_SAFE_NO_PAD.encode(random),
            URL_SAFE_NO_PAD.encode(mac.into_bytes())
        )))
    }

    /// Whether these keys made the header's value, not long ago, and it is seen for the first time.
    #[must_use]
    pub fn prove(&self, sent: &str, seen: &Seen, now: Timestamp) -> bool {
        let Some((at, random, mac)) = read(sent) else {
            return false;
        };
        let made = |key| self.mac(key, at, &random).verify_slice(&mac).is_ok();
        let is_fresh = now.since(at) <= TTL && at.since(now) <= TTL;
        self.keys.iter().any(made) && is_fresh && seen.is_new(random, at, now)
    }

    /// Every part has a fixed length, so no two inputs read alike.
    fn mac(&self, key: &Zeroizing<[u8; 32]>, at: Timestamp, random: &[u8; RANDOM_BYTES]) -> Hmac<Sha256> {
        // HMAC's key block: a key shorter than the block is filled with zeros (RFC 2104 section 2).
        let mut block = Zeroizing::new([0; 64]);
        for (to, from) in block.iter_mut().zip(key.iter()) {
            *to = *from;
        }
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        mac.update(&at.as_millis().to_be_bytes());
        mac.update(random);
        mac.update(&Sha256::digest(&self.account));
        mac
    }
}

fn read(text: &str) -> Option<(Timestamp, [u8; RANDOM_BYTES], Vec<u8>)> {
    let mut parts = text.split('.');
    let mut next = || parts.next();
    let (version, at, random, mac) = (next()?, next()?, next()?, next()?);
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    (version == VERSION && next().is_none()).then_some((
        Timestamp::from_millis(at.parse().ok()?),
        bytes(random)?.try_into().ok()?,
        bytes(mac)?,
    ))
}

/// Remembers genuine proofs for as long as they would be accepted again.
#[derive(Default)]
pub struct Seen(Mutex<HashMap<[u8; RANDOM_BYTES], Timestamp>>);

impl Seen {
    /// Whether this one was not seen before. When there are too many, none is.
    fn is_new(&self, random: [u8; RANDOM_BYTES], at: Timestamp, now: Timestamp) -> bool {
        // Nothing can panic while the lock is held, so what is inside is whole even then.
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, forget_at| now <= *forget_at);
        seen.len() < MAX_REMEMBERED && seen.insert(random, at.plus(TTL)).is_none()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use std::time::Duration;

    use super::*;
    use crate::config::SealingKey;

    fn keyring(keys: &[u8]) -> Keyring {
        let key = |byte: &u8| SealingKey {
            id: format!("key-{byte}"),
            key: [*byte; 32].into(),
        };
        Keyring::new(keys.iter().map(key).collect()).unwrap()
    }

    #[test]
    fn a_proof_is_of_the_brokers_keys_for_one_broker_a_minute_and_one_request() {
        let of = |keys: &[u8]| Keys::of(&keyring(keys), "sandbox", "a");
        let (ours, now) = (of(&[1]), Timestamp::from_millis(1_000_000));
        let later = |seconds| now.plus(Duration::from_secs(seconds));
        let proves = |keys: &Keys, made: Timestamp, when: Timestamp| {
            let proof = ours.proof(made).unwrap();
            keys.prove(proof.expose(), &Seen::default(), when)
        };
        assert!(proves(&ours, now, now) && proves(&ours, now, later(60)));
        assert!(!proves(&ours, now, later(61)), "too old");
        assert!(!proves(&ours, later(61), now), "of the future");
        assert!(proves(&of(&[2, 1]), now, now), "an older key opens as well");
        assert!(!proves(&of(&[2]), now, now), "other keys");
        assert!(!proves(&Keys::of(&keyring(&[1]), "production", "a"), now, now));
        let (proof, seen) = (ours.proof(now).unwrap(), Seen::default());
        assert!(ours.prove(proof.expose(), &seen, now));
        assert!(!ours.prove(proof.expose(), &seen, now), "a second time");
        // Another purpose's key.
        let other = Keys {
            keys: keyring(&[1]).derived(b"another purpose"),
            account: ours.account.clone(),
        };
        let other = other.proof(now).unwrap();
        let genuine = ours.proof(now).unwrap();
        let later = genuine.expose().replacen("1000000", "1000001", 1);
        for bad in [
            "",
            "v1",
            "v1...",
            other.expose(),
            &later,
            &format!("{}.", genuine.expose()),
        ] {
            assert!(!ours.prove(bad, &seen, now), "{bad}");
        }
        assert!(ours.prove(genuine.expose(), &seen, now), "it was not used up");
    }
}
