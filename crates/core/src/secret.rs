//! Secrets as types: `Debug` is silent, there is no `Display` and no `Serialize`, memory is wiped on drop.
//!
//! Redaction sits at the type and not at the log sink, so a secret cannot reach a log, a page or an error
//! by accident: a caller that needs the text says [`expose`](PlaidAccessToken::expose), and that word can be searched.

mod stored;

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub use stored::{HASH_METHOD, HASHED_SECRET_CHARS, SecretHash, StoredSecret};

/// Compares two byte strings in a time that depends on neither's content nor length: the digests are
/// compared, which have one length.
#[must_use]
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    Sha256::digest(a).ct_eq(&Sha256::digest(b)).into()
}

macro_rules! secret_types {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Zeroizing<String>);

        impl $name {
            /// Takes the text as it is; its shape is for the reader to check.
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(Zeroizing::new(text.into()))
            }

            /// The text itself, for the one edge that has to send, seal or compare it.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }

            /// Constant-time comparison with a presented value.
            #[must_use]
            pub fn matches(&self, other: &str) -> bool {
                constant_time_eq(self.0.as_bytes(), other.as_bytes())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::new)
            }
        }
    )*};
}

secret_types! {
    /// The operator's Plaid secret (`PLAID_SECRET`), one per environment.
    PlaidSecret;
    /// `access-…`: long-lived, opens one Item at Plaid. Also the OAuth access token we hand out.
    PlaidAccessToken;
    /// `public-…`: what Link gives the browser; 30 minutes, exchanged once.
    PlaidPublicToken;
    /// `link-…`: opens one Link session. May reach the browser that it was made for, and no log.
    LinkToken;
    /// The secret of an OAuth client.
    ClientSecret;
    /// A token of our own as text: code, refresh token, transaction cookie or handle (see `store::tokens`).
    OwnToken;
    /// The token that opens the administration pages (`BROKER_ADMIN_TOKEN`).
    AdminToken;
}

impl PlaidAccessToken {
    /// What Plaid's access tokens begin with (<https://plaid.com/docs/api/items/#itempublic_tokenexchange>).
    pub const PREFIX: &'static str = "access-";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_the_type_and_nothing_else() {
        let token = PlaidAccessToken::new("access-sandbox-1234");
        assert_eq!(format!("{token:?}"), "PlaidAccessToken(…)");
        assert_eq!(format!("{:?}", Some(token)), "Some(PlaidAccessToken(…))");
    }

    #[test]
    fn matches_compares_whole_texts() {
        let secret = ClientSecret::new("abc");
        assert!(secret.matches("abc"));
        assert!(!secret.matches("ab"));
        assert!(!secret.matches("abcd"));
        assert!(!secret.matches(""));
    }
}
