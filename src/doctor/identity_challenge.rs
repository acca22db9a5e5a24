//! "Is this you?": whether an address leads to this very broker. A challenge is answered with a MAC that only the store's
//! own key makes, so that another broker, or a proxy's friendly page, is told apart. Here is the side that asks, and what is
//! said; `GET /setup/instance` answers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::store::tokens::TokenKey;
use crate::{random, secret};

/// Where it is asked.
pub(crate) const PATH: &str = "/setup/instance";
const CHALLENGE_BYTES: usize = 32;

/// 32 random bytes; a challenge is used once.
pub(crate) struct Challenge([u8; CHALLENGE_BYTES]);

impl Challenge {
    pub(crate) fn new() -> Self {
        Self(random::bytes())
    }

    /// One that came by URL.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The address that asks it of `base`, which has no slash at the end.
    pub(crate) fn url(&self, base: &str) -> String {
        format!("{base}{PATH}?challenge={}", URL_SAFE_NO_PAD.encode(self.0))
    }

    /// The answer of the broker with this key.
    pub(crate) fn proof(&self, tokens: &TokenKey) -> String {
        URL_SAFE_NO_PAD.encode(tokens.prove(&self.0))
    }

    /// Whether the answer is that of the broker with this key.
    pub(crate) fn is_met(&self, tokens: &TokenKey, told: &Told) -> bool {
        URL_SAFE_NO_PAD
            .decode(&told.proof)
            .is_ok_and(|proof| secret::constant_time_eq(&proof, &tokens.prove(&self.0)))
    }
}

/// What a broker says of itself.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Told {
    pub(crate) proof: String,
    /// Whether the broker takes this request for one that came by https.
    pub(crate) https: bool,
    pub(crate) version: String,
}
