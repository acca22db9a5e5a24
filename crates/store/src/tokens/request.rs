//! The checked request of an authorization that has not started: sealed for the tab that shows its page, so that a page
//! view writes nothing.
//!
//! The key is derived from the store's token key, so every instance opens it, also after the sealing keys were rotated. The
//! authorization's id is additional data: beside another handle it does not open.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::TokenKey;
use crate::clock::Timestamp;
use crate::model::{AuthorizationId, Flow, NewAuthorization, Nonce};
use crate::seal::SealError;

const NONCE_LEN: usize = 24;
/// A longer text is none of ours: a query has at most 8 KiB, and base64 takes a third more.
const MAX_TEXT: usize = 24 * 1024;

/// What is sealed. A version that reads it differently renames a field, so that older ones do not open.
#[derive(Deserialize, Serialize)]
struct Content {
    nonce: [u8; 32],
    flow: Flow,
    scope: Option<Vec<String>>,
    client_user_id: String,
    created_at: Timestamp,
    expires_at: Timestamp,
}

impl TokenKey {
    /// Seals the request for the browser. The same request returns another text each time.
    ///
    /// # Errors
    /// The cipher refuses only values of many gigabytes.
    pub fn seal_request(&self, new: &NewAuthorization) -> Result<String, SealError> {
        let content = Content {
            nonce: new.nonce.0,
            flow: new.flow.clone(),
            scope: new.scope.clone(),
            client_user_id: new.client_user_id.clone(),
            created_at: new.created_at,
            expires_at: new.expires_at,
        };
        let plain = Zeroizing::new(serde_json::to_vec(&content).map_err(|_| SealError::Malformed)?);
        let nonce: [u8; NONCE_LEN] = rand::random();
        let sealed = self
            .request_cipher()
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: &plain,
                    aad: new.id.0.as_bytes(),
                },
            )
            .map_err(|_| SealError::TooLong)?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Opens what [`seal_request`](Self::seal_request) made for the authorization with this id. `None` for anything else.
    #[must_use]
    pub fn open_request(&self, id: AuthorizationId, text: &str) -> Option<NewAuthorization> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let payload = Payload {
            msg: sealed,
            aad: id.0.as_bytes(),
        };
        let plain = self
            .request_cipher()
            .decrypt(&XNonce::from(*nonce), payload)
            .ok()?;
        let content: Content = serde_json::from_slice(&Zeroizing::new(plain)).ok()?;
        Some(NewAuthorization {
            id,
            nonce: Nonce(content.nonce),
            flow: content.flow,
            scope: content.scope,
            client_user_id: content.client_user_id,
            created_at: content.created_at,
            expires_at: content.expires_at,
        })
    }

    fn request_cipher(&self) -> XChaCha20Poly1305 {
        let key = Zeroizing::new(self.mac(b"request", &[]));
        XChaCha20Poly1305::new((&*key).into())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::model::OAuthRequest;

    fn key(byte: u8) -> TokenKey {
        TokenKey::from_bytes(&[byte; 32]).unwrap()
    }

    fn request(state: Option<String>) -> NewAuthorization {
        NewAuthorization {
            id: AuthorizationId(Uuid::from_u128(5)),
            nonce: Nonce([7; 32]),
            flow: Flow::OAuth(OAuthRequest {
                client_id: "kore".to_owned(),
                redirect_uri: "https://idp.kore.ai/callback".to_owned(),
                state,
                code_challenge: None,
            }),
            scope: Some(vec!["auth".to_owned()]),
            client_user_id: "user".to_owned(),
            created_at: Timestamp::from_millis(1),
            expires_at: Timestamp::from_millis(2),
        }
    }

    #[test]
    fn a_sealed_request_shows_nothing_and_opens_for_its_own_authorization_and_store_only() {
        let new = request(Some("a%20b".to_owned()));
        let text = key(1).seal_request(&new).unwrap();
        assert_eq!(key(1).open_request(new.id, &text), Some(new.clone()));
        assert_eq!(key(2).open_request(new.id, &text), None);
        assert_eq!(
            key(1).open_request(AuthorizationId(Uuid::from_u128(6)), &text),
            None
        );
        assert_ne!(key(1).seal_request(&new).unwrap(), text);
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for part in [b"kore".as_slice(), b"a%20b", b"idp"] {
            assert!(!bytes.windows(part.len()).any(|window| window == part));
        }
    }

    #[test]
    fn the_longest_query_fits() {
        let new = request(Some("s".repeat(8192)));
        let text = key(1).seal_request(&new).unwrap();
        assert_eq!(key(1).open_request(new.id, &text), Some(new));
        assert_eq!(
            key(1).open_request(AuthorizationId(Uuid::nil()), &"A".repeat(MAX_TEXT + 1)),
            None
        );
    }

    proptest! {
        #[test]
        fn any_changed_or_missing_letter_is_noticed(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_=-]") {
            let new = request(None);
            let text = key(1).seal_request(&new).unwrap();
            let at = at.index(text.len());
            let mut changed = text.clone();
            changed.replace_range(at..=at, &to);
            prop_assert!(changed == text || key(1).open_request(new.id, &changed).is_none());
            prop_assert!(key(1).open_request(new.id, text.get(..at).unwrap()).is_none());
        }

        #[test]
        fn any_text_is_refused_without_panic(text in ".{0,200}") {
            prop_assert!(key(1).open_request(AuthorizationId(Uuid::nil()), &text).is_none());
        }
    }
}
