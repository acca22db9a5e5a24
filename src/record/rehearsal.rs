//! The requests of our own rehearsal: it sends a wrong secret and made-up codes on purpose, so they have no entry.
//!
//! `X-Broker-Rehearsal: v1.{milliseconds}.{mac}`. The MAC is HMAC-SHA256 under a key that is derived from a sealing key for
//! this purpose alone, over the moment and whose broker is meant, and is good for a minute: so strangers cannot keep their
//! requests out of the record. It decides nothing else, and everything is logged and audited as ever.

use std::future::Future;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::store::keyring::Keyring;

/// Where the proof stands.
pub const HEADER: &str = "x-broker-rehearsal";
/// How far its moment may be from the broker's clock, either way.
const TTL: Duration = Duration::from_secs(60);
const VERSION: &str = "v1";
/// The label under which the keys are derived from the sealing keys.
const LABEL: &[u8] = b"plaid-token-broker rehearsal v1";

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
    keys: Vec<Zeroizing<[u8; 32]>>,
    broker: [u8; 32],
}

impl Keys {
    /// Derives them.
    #[must_use]
    pub fn of(keyring: &Keyring, environment: &str, client_id: &str) -> Self {
        Self {
            keys: keyring.derived(LABEL),
            broker: Sha256::digest(format!("{environment}/{client_id}")).into(),
        }
    }

    /// The header's value for a request of this moment; none without a key.
    #[must_use]
    pub fn proof(&self, now: Timestamp) -> Option<String> {
        let mac = self.mac(self.keys.first()?, now).finalize().into_bytes();
        Some(format!(
            "{VERSION}.{}.{}",
            now.as_millis(),
            URL_SAFE_NO_PAD.encode(mac)
        ))
    }

    /// Whether these keys made the header's value, not long ago.
    #[must_use]
    pub fn prove(&self, sent: &str, now: Timestamp) -> bool {
        let read = || {
            let (at, mac) = sent.strip_prefix(VERSION)?.strip_prefix('.')?.split_once('.')?;
            let at = Timestamp::from_millis(at.parse().ok()?);
            Some((at, URL_SAFE_NO_PAD.decode(mac).ok()?))
        };
        read().is_some_and(|(at, mac)| {
            now.since(at) <= TTL
                && at.since(now) <= TTL
                && self
                    .keys
                    .iter()
                    .any(|key| self.mac(key, at).verify_slice(&mac).is_ok())
        })
    }

    fn mac(&self, key: &[u8; 32], at: Timestamp) -> Hmac<Sha256> {
        // HMAC's key block: a key shorter than the block is filled with zeros (RFC 2104 section 2).
        let mut block = Zeroizing::new([0; 64]);
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        mac.update(&at.as_millis().to_be_bytes());
        mac.update(&self.broker);
        mac
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
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
    fn a_proof_is_of_the_brokers_keys_for_one_broker_and_a_minute() {
        let of = |keys: &[u8]| Keys::of(&keyring(keys), "sandbox", "a");
        let (ours, now) = (of(&[1]), Timestamp::from_millis(1_000_000));
        let proof = ours.proof(now).unwrap();
        let later = |seconds| now.plus(Duration::from_secs(seconds));
        assert!(ours.prove(&proof, now) && ours.prove(&proof, later(60)));
        assert!(!ours.prove(&proof, later(61)), "too old");
        assert!(!ours.prove(&ours.proof(later(61)).unwrap(), now), "of the future");
        assert!(of(&[2, 1]).prove(&proof, now), "an older key opens as well");
        assert!(!of(&[2]).prove(&proof, now), "other keys");
        assert!(!Keys::of(&keyring(&[1]), "production", "a").prove(&proof, now));
        let moved = proof.replace("1000000", "1000001");
        for bad in [
            "",
            "v1",
            "v1.",
            "v1..",
            "v1.1000000.",
            "v2.1.a",
            "v1.x.AAAA",
            &moved,
        ] {
            assert!(!ours.prove(bad, now), "{bad}");
        }
    }
}
