//! The requests of our own rehearsal: it sends a wrong secret and made-up codes on purpose, so they have no entry.
//!
//! `X-Broker-Rehearsal` holds a proof like those of the operators' channel, under a key that is derived from the sealing keys
//! for this purpose alone. It is good for a minute and for one request: neither strangers nor who sees the requests pass can
//! keep others out of the record. It decides nothing else, and everything is logged and audited as ever.

use std::future::Future;

use crate::clock::Timestamp;
use crate::control::{self, Proof, Seen, account_text};
use crate::random;
use crate::secret::OwnToken;
use crate::store::keyring::Keyring;

/// Where the proof stands.
pub const HEADER: &str = "x-broker-rehearsal";
/// The label under which the keys are derived from the sealing keys.
const LABEL: &[u8] = b"plaid-token-broker rehearsal v1";
/// What is proven: nothing but that a request is one of the rehearsal's.
const STATEMENT: &[u8] = b"rehearsal";

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
#[derive(Clone, Debug)]
pub struct Keys {
    keys: control::Keys,
    account: String,
}

impl Keys {
    /// Derives them.
    #[must_use]
    pub fn of(keyring: &Keyring, environment: &str, client_id: &str) -> Self {
        Self {
            keys: control::Keys::labelled(keyring, LABEL),
            account: account_text(environment, client_id),
        }
    }

    /// The header's value for one request of this moment; none without a key.
    #[must_use]
    pub fn proof(&self, now: Timestamp) -> Option<OwnToken> {
        let key = self.keys.each().next()?;
        Some(Proof::make(key, now, random::bytes(), &self.account, STATEMENT).text())
    }

    /// Whether these keys made the header's value, not long ago, and it is seen for the first time.
    #[must_use]
    pub fn prove(&self, sent: &str, seen: &Seen, now: Timestamp) -> bool {
        Proof::read(sent).is_some_and(|proof| {
            seen.check(&self.keys, &proof, &self.account, STATEMENT, now)
                .is_ok()
        })
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
        // A command of the operators' channel is another thing.
        let command = control::Keys::of(&keyring(&[1]));
        let command = Proof::make(
            command.each().next().unwrap(),
            now,
            [7; 16],
            &account_text("sandbox", "a"),
            STATEMENT,
        );
        for bad in ["", "v1", "v1...", command.text().expose()] {
            assert!(!ours.prove(bad, &seen, now), "{bad}");
        }
    }
}
