//! Tokens and identifiers in Plaid's shapes: where the simulator's randomness comes from.

use std::fmt::Write as _;

use rand::distr::{Alphanumeric, SampleString as _};
use sha2::{Digest as _, Sha512};
use uuid::Uuid;

use plaid_token_broker_core::clock::Timestamp;

/// What a token is for: the first word of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Link,
    Public,
    Access,
}

impl TokenKind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Public => "public",
            Self::Access => "access",
        }
    }
}

/// The environment that every token of ours names.
pub(crate) const ENVIRONMENT: &str = "sandbox";

/// Why a text cannot be a token of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    Shape,
    Kind { got: String },
    Environment { got: &'static str },
}

/// A fresh token: `<kind>-sandbox-<uuid>`.
pub(crate) fn new_token(kind: TokenKind) -> String {
    format!("{}-{ENVIRONMENT}-{}", kind.word(), Uuid::new_v4())
}

/// Whether `text` has the shape of a token of this kind and environment.
pub(crate) fn check_token(kind: TokenKind, text: &str) -> Result<(), Misfit> {
    let mut parts = text.splitn(3, '-');
    let (Some(word), Some(environment), Some(id)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Misfit::Shape);
    };
    if Uuid::try_parse(id).is_err() {
        return Err(Misfit::Shape);
    }
    if word != kind.word() {
        return if matches!(
            word,
            "link" | "public" | "access" | "processor" | "assets" | "user"
        ) {
            Err(Misfit::Kind { got: word.to_owned() })
        } else {
            Err(Misfit::Shape)
        };
    }
    match environment {
        ENVIRONMENT => Ok(()),
        "production" => Err(Misfit::Environment { got: "production" }),
        "development" => Err(Misfit::Environment { got: "development" }),
        _ => Err(Misfit::Shape),
    }
}

/// A fresh `item_id`.
pub(crate) fn new_item_id() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), ID_LENGTH)
}

/// A fresh `user_id`: `usr_` and 14 letters or digits.
pub(crate) fn new_user_id() -> String {
    format!("usr_{}", Alphanumeric.sample_string(&mut rand::rng(), 14))
}

/// A fresh user token.
pub(crate) fn new_user_token() -> String {
    format!("user-{ENVIRONMENT}-{}", Uuid::new_v4())
}

/// A fresh `request_id`.
pub(crate) fn new_request_id() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), 15)
}

/// A fresh `link_session_id` or `event_id`.
pub(crate) fn new_uuid() -> String {
    Uuid::new_v4().to_string()
}

/// The id of one account of one Item. It is derived, so an Item need not keep its accounts' ids.
pub(crate) fn account_id(item_id: &str, key: &str) -> String {
    derived_id("account", item_id, key)
}

/// The id of one thing of one Item, made of the Item's id and the thing's name.
pub(crate) fn derived_id(kind: &str, item_id: &str, name: &str) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    Sha512::digest(format!("{kind}\0{item_id}\0{name}"))
        .iter()
        .take(ID_LENGTH)
        .filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()))
        .map(|byte| char::from(*byte))
        .collect()
}

/// An id that is the same for every Item with these words: 56 hexadecimal digits, as in Plaid's samples.
pub(crate) fn persistent_id(words: &[&str]) -> String {
    const BYTES: usize = 28;
    let digest = Sha512::digest(words.join("\0"));
    digest.iter().take(BYTES).fold(String::new(), |mut text, byte| {
        let _written = write!(text, "{byte:02x}");
        text
    })
}

/// A moment as HTTP writes it (RFC 9110 5.6.7).
pub(crate) fn http_date(moment: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(moment.as_millis())
        .unwrap_or_default()
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

/// A moment as Plaid writes it: RFC 3339 in UTC.
pub(crate) fn time_text(moment: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(moment.as_millis())
        .unwrap_or(jiff::Timestamp::MAX)
        .to_string()
}

/// The length of item and account ids in Plaid's samples.
const ID_LENGTH: usize = 37;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_tokens_pass_their_own_check() {
        for kind in [TokenKind::Link, TokenKind::Public, TokenKind::Access] {
            assert_eq!(check_token(kind, &new_token(kind)), Ok(()));
        }
    }

    #[test]
    fn misfits_are_told_apart() {
        let id = "de3ce8ef-33f8-452c-a685-8671031fc0f6";
        let check = |text: &str| check_token(TokenKind::Access, text);
        for text in [
            "",
            "not-real",
            "access",
            "access-sandbox-",
            "access-moon-0",
            &format!("key-sandbox-{id}"),
        ] {
            assert_eq!(check(text), Err(Misfit::Shape), "{text}");
        }
        assert_eq!(
            check(&format!("public-sandbox-{id}")),
            Err(Misfit::Kind {
                got: "public".to_owned()
            })
        );
        assert_eq!(
            check(&format!("access-production-{id}")),
            Err(Misfit::Environment { got: "production" })
        );
    }

    #[test]
    fn ids_look_like_plaids() {
        let item_id = new_item_id();
        let account = account_id(&item_id, "0000");
        for id in [&item_id, &account] {
            assert_eq!(id.len(), 37);
            assert!(id.chars().all(|c| c.is_ascii_alphanumeric()), "{id}");
        }
        assert_eq!(account, account_id(&item_id, "0000"));
        assert_ne!(account, account_id(&item_id, "1111"));
    }
}
