//! "Is this you?": whether an address leads to this very broker. A challenge is answered with a MAC that only the store's
//! own key makes, so another broker, or a proxy's own page, is noticed. `GET /setup/instance` answers it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::probe::{self, Answer, OWN_AGENT, Trouble};
use super::tunnel::SKIP_WARNING;
use crate::store::tokens::TokenKey;
use crate::{random, secret};

pub(crate) const PATH: &str = "/setup/instance";
const CHALLENGE_BYTES: usize = 32;

/// 32 random bytes; a challenge is used once.
pub(crate) struct Challenge([u8; CHALLENGE_BYTES]);

impl Challenge {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The answer of the broker with this key.
    pub(crate) fn proof(&self, tokens: &TokenKey) -> String {
        URL_SAFE_NO_PAD.encode(tokens.prove(&self.0))
    }

    fn is_met(&self, tokens: &TokenKey, reply: &Reply) -> bool {
        URL_SAFE_NO_PAD
            .decode(&reply.proof)
            .is_ok_and(|proof| secret::constant_time_eq(&proof, &tokens.prove(&self.0)))
    }
}

/// What a broker reports of itself.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Reply {
    pub(crate) proof: String,
    /// Whether the broker takes this request for one that came by https.
    pub(crate) https: bool,
    pub(crate) version: String,
}

pub(super) enum Responder {
    /// The broker with the key.
    This(Reply),
    /// A broker that has another key, or any broker when there is no key to compare with.
    Broker(Reply),
    NoBroker(Answer),
}

/// Asks who answers at `base`, which has no slash at the end.
pub(super) async fn ask(base: &str, tokens: Option<&TokenKey>) -> Result<Responder, Trouble> {
    let challenge = Challenge(random::bytes());
    let url = format!("{base}{PATH}?challenge={}", URL_SAFE_NO_PAD.encode(challenge.0));
    let answer = probe::get(&url, OWN_AGENT, &[(SKIP_WARNING, "1")]).await?;
    Ok(match serde_json::from_value::<Reply>(answer.json.clone()) {
        Ok(reply) if answer.status == 200 => match tokens {
            Some(tokens) if challenge.is_met(tokens, &reply) => Responder::This(reply),
            _ => Responder::Broker(reply),
        },
        _ => Responder::NoBroker(answer),
    })
}

/// What the broker with this key replies at `base`, if it is the one that answers there.
pub(super) async fn ask_own(base: &str, tokens: Option<&TokenKey>) -> Option<Reply> {
    match ask(base, tokens).await {
        Ok(Responder::This(reply)) => Some(reply),
        _ => None,
    }
}
