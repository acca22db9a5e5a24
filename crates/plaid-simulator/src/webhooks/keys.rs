//! The keys that webhooks are signed with: <https://plaid.com/docs/api/webhooks/webhook-verification/>.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::spec::ids;
use plaid_token_broker_core::clock::Timestamp;

/// Older keys are forgotten.
const MOST_KEYS: usize = 16;

/// Signing keys, the newest last.
#[derive(Deserialize, Serialize)]
pub(crate) struct Keys(Vec<Key>);

#[derive(Deserialize, Serialize)]
struct Key {
    kid: String,
    #[serde(rename = "document")]
    pair: Pair,
    created_at: Timestamp,
    expired_at: Option<Timestamp>,
}

/// A key pair with the text that snapshots have of it: PKCS #8 in Base64.
#[derive(Clone, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
struct Pair {
    key: Arc<EcdsaKeyPair>,
    document: String,
}

#[derive(Debug, thiserror::Error)]
#[error("a signing key is not a P-256 key in PKCS #8 and Base64")]
struct NoKey;

impl TryFrom<String> for Pair {
    type Error = NoKey;

    fn try_from(document: String) -> Result<Self, NoKey> {
        let bytes = URL_SAFE_NO_PAD.decode(&document).map_err(|_| NoKey)?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &bytes, &SystemRandom::new());
        let key = Arc::new(key.map_err(|_| NoKey)?);
        Ok(Self { key, document })
    }
}

impl From<Pair> for String {
    fn from(pair: Pair) -> Self {
        pair.document
    }
}

impl Keys {
    /// With one fresh key.
    pub(crate) fn new(now: Timestamp) -> Self {
        let mut keys = Self(Vec::new());
        keys.add(now);
        keys
    }

    /// A fresh key signs from now on; the one before it has expired.
    pub(crate) fn rotate(&mut self, now: Timestamp) {
        self.expire(now);
        self.add(now);
    }

    /// The key in use has expired and goes on signing: what a receiver has to refuse.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        if let Some(key) = self.0.last_mut() {
            key.expired_at.get_or_insert(now);
        }
    }

    fn add(&mut self, now: Timestamp) {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).ok();
        let pair = made.and_then(|made| Pair::try_from(URL_SAFE_NO_PAD.encode(made)).ok());
        let Some(pair) = pair else {
            tracing::error!("the system gave no randomness for a key: webhooks are not sent");
            return;
        };
        if self.0.len() >= MOST_KEYS {
            self.0.remove(0);
        }
        self.0.push(Key {
            kid: ids::new_uuid(),
            pair,
            created_at: now,
            expired_at: None,
        });
    }

    /// The id of the key that signs.
    #[cfg(test)]
    pub(crate) fn current(&self) -> Option<&str> {
        self.0.last().map(|key| key.kid.as_str())
    }

    /// The JWK with this id, as in `/webhook_verification_key/get`.
    pub(crate) fn jwk(&self, kid: &str) -> Option<Value> {
        let key = self.0.iter().find(|key| key.kid == kid)?;
        // An uncompressed point: a byte that says so, then x, then y (SEC 1, 2.3.3).
        let (x, y) = key
            .pair
            .key
            .public_key()
            .as_ref()
            .get(1..)?
            .split_at_checked(32)?;
        Some(json!({
            "alg": "ES256",
            "crv": "P-256",
            "kid": key.kid,
            "kty": "EC",
            "use": "sig",
            "x": URL_SAFE_NO_PAD.encode(x),
            "y": URL_SAFE_NO_PAD.encode(y),
            "created_at": key.created_at.as_secs(),
            "expired_at": key.expired_at.map(Timestamp::as_secs),
        }))
    }

    /// The value of `Plaid-Verification` for a delivery of exactly these bytes.
    pub(crate) fn sign(&self, body: &[u8], now: Timestamp) -> Option<String> {
        let key = self.0.last()?;
        // Written out, so that the order is that of Plaid's samples.
        let header = format!(r#"{{"alg":"ES256","kid":"{}","typ":"JWT"}}"#, key.kid);
        let payload = format!(
            r#"{{"iat":{},"request_body_sha256":"{}"}}"#,
            now.as_secs(),
            hex(&Sha256::digest(body))
        );
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(payload)
        );
        let signature = key.pair.key.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::expect_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]

    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    fn decoded(text: &Value) -> Vec<u8> {
        URL_SAFE_NO_PAD
            .decode(text.as_str().expect("text"))
            .expect("Base64")
    }

    #[test]
    fn the_served_key_verifies_what_was_signed() {
        let keys = Keys::new(Timestamp::from_millis(0));
        let token = keys.sign(b"{}", Timestamp::from_millis(61_000)).expect("signed");
        let jwk = keys.jwk(keys.current().expect("one")).expect("known");
        let point = [vec![4], decoded(&jwk["x"]), decoded(&jwk["y"])].concat();
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let signature = decoded(&json!(signature));
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        key.verify(signed.as_bytes(), &signature).expect("verifies");
        let payload = decoded(&json!(signed.split_once('.').expect("two parts").1));
        let payload: Value = serde_json::from_slice(&payload).expect("JSON");
        assert_eq!(payload["iat"], 61);
        assert_eq!(
            payload["request_body_sha256"],
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
    }

    #[test]
    fn old_keys_expire_and_leave_in_the_end() {
        let mut keys = Keys::new(Timestamp::from_millis(0));
        let first = keys.current().expect("one").to_owned();
        assert!(keys.jwk(&first).expect("known")["expired_at"].is_null());
        keys.rotate(Timestamp::from_millis(5_000));
        assert_ne!(keys.current(), Some(first.as_str()));
        assert_eq!(keys.jwk(&first).expect("still known")["expired_at"], 5);
        for _ in 0..MOST_KEYS {
            keys.rotate(Timestamp::from_millis(6_000));
        }
        assert!(keys.jwk(&first).is_none());
    }
}
