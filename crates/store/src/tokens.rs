//! Tokens of our own: `<prefix>_<id>_<secret>`, never stored.
//!
//! The secret is an HMAC under the store's token key over kind, id and the row's random value: it can be derived
//! again whenever it has to be sent again, and neither the store's rows nor the key alone can make one. Six more
//! bytes, an HMAC over the rest, let a typo or a forgery be refused before the store is asked.

mod request;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::error::StoreError;
use super::keyring::Keyring;
use super::model::{Nonce, PublicTokenHash};
use super::seal::Place;
use crate::secret::{OwnToken, PlaidAccessToken, PlaidPublicToken};

const SECRET_LEN: usize = 32;
const CHECK_LEN: usize = 6;
const ID_TEXT_LEN: usize = 32;

/// The first eight bytes of an access token's keyed hash: enough to find a few candidates, whose sealed tokens decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AccessTokenHash(pub(super) i64);

/// What a token of our own is for; one kind is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// The cookie that binds an authorization to a browser.
    AuthorizationCookie,
    /// What the tab keeps and sends with every call of the page.
    AuthorizationHandle,
    /// The session of a person who looks at their own connection.
    Session,
    /// The authorization code (RFC 6749 1.3.1).
    Code,
    /// The refresh token (RFC 6749 1.5).
    RefreshToken,
}

impl TokenKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::AuthorizationCookie,
        Self::AuthorizationHandle,
        Self::Session,
        Self::Code,
        Self::RefreshToken,
    ];

    /// What tokens of this kind begin with, before the underscore: secret scanners and people know them by it.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::AuthorizationCookie => "ptb_tc",
            Self::AuthorizationHandle => "ptb_th",
            Self::Session => "ptb_se",
            Self::Code => "ptb_ac",
            Self::RefreshToken => "ptb_rt",
        }
    }

    /// The kind that `text` claims to be by its prefix; says nothing about whether it is genuine.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.strip_prefix(text).is_some())
    }

    fn strip_prefix(self, text: &str) -> Option<&str> {
        text.strip_prefix(self.prefix())?.strip_prefix('_')
    }
}

/// The key that tokens of our own are made with. It is sealed in the store that it was made for.
#[derive(Clone)]
pub struct TokenKey(Zeroizing<[u8; 32]>);

/// The place of the store's token key.
pub(super) fn token_key_place() -> Place {
    Place::new("meta", "token_key")
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

impl TokenKey {
    pub(super) fn generate() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    /// The key of these bytes, which must be 32.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// The key as it is sealed in a store: whether the keys open it is whether they open that store.
    pub(super) fn open(keyring: &Keyring, sealed: Option<&[u8]>) -> Result<Self, StoreError> {
        let sealed = sealed.ok_or(StoreError::Corrupt("its token key is gone"))?;
        let opened = keyring.open(&token_key_place(), sealed)?;
        Self::from_bytes(&opened).ok_or(StoreError::Corrupt("the token key has another length"))
    }

    /// The key itself, to be sealed.
    pub(super) fn expose(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The token of this kind for the row `id` with its random value. The same input gives the same token.
    #[must_use]
    pub fn issue(&self, kind: TokenKind, id: Uuid, nonce: &Nonce) -> OwnToken {
        let secret = self.secret(kind, id, nonce);
        let mut bytes = Zeroizing::new([0; SECRET_LEN + CHECK_LEN]);
        let (head, tail) = bytes.split_at_mut(SECRET_LEN);
        head.copy_from_slice(secret.as_slice());
        tail.copy_from_slice(&self.check(kind, id, &secret));
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes));
        OwnToken::new(format!("{}_{}_{}", kind.prefix(), id.as_simple(), *secret))
    }

    /// Reads a token that was sent. `None` for whatever this key cannot have issued as this kind; `Some` is not
    /// yet proof: [`PresentedToken::belongs_to`] is.
    #[must_use]
    pub fn parse(&self, kind: TokenKind, text: &str) -> Option<PresentedToken> {
        let (id, secret) = kind.strip_prefix(text)?.split_at_checked(ID_TEXT_LEN)?;
        let secret = secret.strip_prefix('_')?;
        // One spelling per token: `try_parse` alone would take upper case too.
        if !id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let id = Uuid::try_parse(id).ok()?;
        let mut bytes = Zeroizing::new([0; SECRET_LEN + CHECK_LEN]);
        // Refuses padding and non-zero trailing bits; a longer or shorter text does not fill the array exactly.
        let written = URL_SAFE_NO_PAD.decode_slice(secret, bytes.as_mut_slice()).ok()?;
        if written != SECRET_LEN + CHECK_LEN {
            return None;
        }
        let (secret, check) = bytes.split_first_chunk::<SECRET_LEN>()?;
        let secret = Zeroizing::new(*secret);
        bool::from(self.check(kind, id, &secret).ct_eq(check)).then_some(PresentedToken { kind, id, secret })
    }

    /// The keyed hash under which the exchange of a public token is found again.
    #[must_use]
    pub fn hash_public_token(&self, token: &PlaidPublicToken) -> PublicTokenHash {
        PublicTokenHash(self.mac(b"public-token", &[token.expose().as_bytes()]))
    }

    /// The keyed hash under which connections are found by their access token. It does not change with the sealing keys.
    pub(super) fn hash_access_token(&self, token: &PlaidAccessToken) -> AccessTokenHash {
        let mac = self.mac(b"access-token", &[token.expose().as_bytes()]);
        let first = mac.first_chunk().copied().unwrap_or_default();
        AccessTokenHash(i64::from_be_bytes(first))
    }

    /// Answers a stranger's random bytes so that only a broker with this store can: what shows that an address leads to
    /// this very broker. Says nothing about any token.
    #[must_use]
    pub fn prove(&self, challenge: &[u8]) -> [u8; 32] {
        self.mac(b"instance", &[challenge])
    }

    fn secret(&self, kind: TokenKind, id: Uuid, nonce: &Nonce) -> Zeroizing<[u8; SECRET_LEN]> {
        Zeroizing::new(self.mac(b"token", &[kind.prefix().as_bytes(), id.as_bytes(), &nonce.0]))
    }

    fn check(&self, kind: TokenKind, id: Uuid, secret: &[u8; SECRET_LEN]) -> [u8; CHECK_LEN] {
        let mac = self.mac(b"check", &[kind.prefix().as_bytes(), id.as_bytes(), secret]);
        let mut check = [0; CHECK_LEN];
        for (to, from) in check.iter_mut().zip(mac) {
            *to = from;
        }
        check
    }

    /// HMAC-SHA256 under a label of its own; every part but the last has a fixed length, so no two inputs read alike.
    fn mac(&self, label: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new((&*self.padded()).into());
        mac.update(label);
        mac.update(&[0]);
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// HMAC's key block: a key shorter than the block is filled with zeros (RFC 2104 section 2).
    fn padded(&self) -> Zeroizing<[u8; 64]> {
        let mut block = Zeroizing::new([0; 64]);
        for (to, from) in block.iter_mut().zip(self.0.iter()) {
            *to = *from;
        }
        block
    }
}

/// A token as it was sent, well-formed and with its check right.
pub struct PresentedToken {
    kind: TokenKind,
    id: Uuid,
    secret: Zeroizing<[u8; SECRET_LEN]>,
}

impl std::fmt::Debug for PresentedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PresentedToken({:?}, {}, …)", self.kind, self.id.as_simple())
    }
}

impl PresentedToken {
    /// The row it is for.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    #[must_use]
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// Whether it is the token of the row that has this random value; in constant time.
    #[must_use]
    pub fn belongs_to(&self, key: &TokenKey, nonce: &Nonce) -> bool {
        key.secret(self.kind, self.id, nonce)
            .ct_eq(self.secret.as_slice())
            .into()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn key(byte: u8) -> TokenKey {
        TokenKey(Zeroizing::new([byte; 32]))
    }

    fn kinds() -> impl Strategy<Value = TokenKind> {
        proptest::sample::select(TokenKind::ALL.to_vec())
    }

    #[test]
    fn the_mac_is_hmac_sha256() {
        // Reckoned with another implementation: HMAC-SHA256 of "public-token\0public-sandbox-1" under 32 bytes 0x07.
        let hash = key(7).hash_public_token(&PlaidPublicToken::new("public-sandbox-1"));
        let (head, tail) = (
            0x20b9_d05b_3c1c_21af_8888_d648_f47c_aef4_u128,
            0x4c59_30ed_0f41_36c7_7228_535e_0071_f439_u128,
        );
        assert_eq!(hash.0.to_vec(), [head.to_be_bytes(), tail.to_be_bytes()].concat());
    }

    #[test]
    fn the_hash_of_an_access_token_is_the_beginning_of_its_mac() {
        // Computed with another implementation: HMAC-SHA256 of "access-token\0access-sandbox-1" under 32 bytes 0x07.
        let hash = key(7).hash_access_token(&PlaidAccessToken::new("access-sandbox-1"));
        assert_eq!(hash.0.to_be_bytes(), 0x44ae_eb3f_457f_1194_u64.to_be_bytes());
    }

    #[test]
    fn nothing_of_a_token_shows_in_debug() {
        let token = key(1).issue(TokenKind::Code, Uuid::nil(), &Nonce([1; 32]));
        let presented = key(1).parse(TokenKind::Code, token.expose()).unwrap();
        assert_eq!(
            format!("{presented:?}"),
            format!("PresentedToken(Code, {}, …)", "0".repeat(32))
        );
        assert_eq!(format!("{:?}", key(1)), "TokenKey(…)");
    }

    #[test]
    fn only_the_one_spelling_is_taken() {
        let id = Uuid::from_u128(u128::MAX);
        let token = key(1).issue(TokenKind::Code, id, &Nonce([1; 32]));
        let text = token.expose();
        let (head, last) = text.split_at(text.len() - 1);
        // 38 bytes leave two unused bits in the last of 51 letters: setting them would spell the same bytes.
        let last = last.bytes().next().unwrap();
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let place = alphabet.iter().position(|letter| *letter == last).unwrap();
        let other = char::from(*alphabet.get(place + 1).unwrap());
        for wrong in [
            format!("{head}{other}"),
            format!("{text}="),
            format!("{text}A"),
            format!("{text}\n"),
            format!(" {text}"),
            text.to_uppercase(),
            text.replacen("ffff", "FFFF", 1),
            head.to_owned(),
            format!("{text}{}", "A".repeat(100_000)),
            String::new(),
            "ptb_ac_".to_owned(),
        ] {
            assert!(key(1).parse(TokenKind::Code, &wrong).is_none(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_was_issued_is_recognised(kind in kinds(), id in any::<u128>(), nonce in any::<[u8; 32]>()) {
            let (key, id, nonce) = (key(1), Uuid::from_u128(id), Nonce(nonce));
            let token = key.issue(kind, id, &nonce);
            prop_assert_eq!(token.expose().len(), 91);
            prop_assert!(key.issue(kind, id, &nonce).matches(token.expose()));
            prop_assert_eq!(TokenKind::of(token.expose()), Some(kind));
            let presented = key.parse(kind, token.expose()).unwrap();
            prop_assert_eq!(presented.id(), id);
            prop_assert!(presented.belongs_to(&key, &nonce));
        }

        #[test]
        fn another_row_key_or_kind_is_not(kind in kinds(), other in kinds(), nonce in any::<[u8; 32]>()) {
            let (id, nonce) = (Uuid::from_u128(5), Nonce(nonce));
            let token = key(1).issue(kind, id, &nonce);
            prop_assert_eq!(key(1).parse(other, token.expose()).is_some(), kind == other);
            prop_assert!(key(2).parse(kind, token.expose()).is_none());
            let presented = key(1).parse(kind, token.expose()).unwrap();
            let mut other_nonce = nonce;
            other_nonce.0[31] ^= 1;
            prop_assert!(!presented.belongs_to(&key(1), &other_nonce));
            prop_assert!(!presented.belongs_to(&key(2), &nonce));
        }

        #[test]
        fn any_one_byte_changed_is_refused(kind in kinds(), at in any::<prop::sample::Index>(), to in 1..128_u8) {
            let token = key(1).issue(kind, Uuid::from_u128(5), &Nonce([3; 32]));
            let mut bytes = token.expose().as_bytes().to_vec();
            let at = at.index(bytes.len());
            let byte = bytes.get_mut(at).unwrap();
            prop_assume!(*byte != to);
            *byte = to;
            let changed = String::from_utf8(bytes).unwrap();
            for kind in TokenKind::ALL {
                prop_assert!(key(1).parse(kind, &changed).is_none());
            }
        }

        #[test]
        fn any_text_is_taken_without_panic(text in ".{0,120}") {
            for kind in TokenKind::ALL {
                prop_assert!(key(1).parse(kind, &text).is_none());
                let prefixed = format!("{}_{}", kind.prefix(), text);
                prop_assert!(key(1).parse(kind, &prefixed).is_none());
            }
        }
    }
}
