//! Random tokens that are good for a while: bounded in number, kept as hashes, forgotten when the process ends.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::random;
use crate::secret::OwnToken;

/// Beyond guessing: 256 bits.
const TOKEN_BYTES: usize = 32;

struct Pass {
    hash: [u8; 32],
    expires_at: Timestamp,
}

pub(crate) struct OneTimeTokens {
    prefix: &'static str,
    life: Duration,
    most: usize,
    live: Mutex<VecDeque<Pass>>,
}

impl OneTimeTokens {
    pub(crate) fn new(prefix: &'static str, life: Duration, most: usize) -> Self {
        Self {
            prefix,
            life,
            most,
            live: Mutex::default(),
        }
    }

    /// The oldest token is dropped when there are too many.
    pub(crate) fn issue(&self, now: Timestamp) -> OwnToken {
        let secret = Zeroizing::new(random::bytes::<TOKEN_BYTES>());
        let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(secret.as_slice()));
        let token = OwnToken::new(format!("{}_{}", self.prefix, *text));
        let mut live = self.live(now);
        while live.len() >= self.most {
            live.pop_front();
        }
        live.push_back(Pass {
            hash: hash(token.expose()),
            expires_at: now.plus(self.life),
        });
        token
    }

    pub(crate) fn knows(&self, token: &str, now: Timestamp) -> bool {
        let hash = hash(token);
        self.live(now).iter().any(|pass| pass.hash == hash)
    }

    /// Uses it up. Of several callers with the same token one succeeds.
    pub(crate) fn take(&self, token: &str, now: Timestamp) -> bool {
        let hash = hash(token);
        let mut live = self.live(now);
        let place = live.iter().position(|pass| pass.hash == hash);
        place.and_then(|place| live.remove(place)).is_some()
    }

    fn live(&self, now: Timestamp) -> MutexGuard<'_, VecDeque<Pass>> {
        // Nothing can panic while the lock is held, so what is inside is whole even then.
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.retain(|pass| now < pass.expires_at);
        live
    }
}

/// Hashes are compared and kept: timing reveals nothing of the token, and memory holds none.
fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(900);
    const NOW: Timestamp = Timestamp::from_millis(1_000);

    #[test]
    fn a_token_is_good_until_it_is_taken_or_runs_out() {
        let passes = OneTimeTokens::new("ptb_al", LIFE, 4);
        let (used, kept) = (passes.issue(NOW), passes.issue(NOW));
        assert_ne!(used.expose(), kept.expose());
        assert!(used.expose().starts_with("ptb_al_") && used.expose().len() == 50);
        assert!(passes.knows(used.expose(), NOW));
        assert!(passes.take(used.expose(), NOW));
        assert!(!passes.take(used.expose(), NOW) && !passes.knows(used.expose(), NOW));
        let last = NOW.plus(Duration::from_millis(899_999));
        assert!(passes.knows(kept.expose(), last));
        assert!(!passes.knows(kept.expose(), NOW.plus(LIFE)) && !passes.take(kept.expose(), NOW.plus(LIFE)));
    }

    #[test]
    fn the_oldest_makes_room() {
        let passes = OneTimeTokens::new("ptb_al", LIFE, 2);
        let tokens = [passes.issue(NOW), passes.issue(NOW), passes.issue(NOW)];
        let good = tokens.map(|token| passes.knows(token.expose(), NOW));
        assert_eq!(good, [false, true, true]);
    }

    #[test]
    fn other_text_is_not_good() {
        let passes = OneTimeTokens::new("ptb_al", LIFE, 2);
        let token = passes.issue(NOW);
        for wrong in [
            "",
            "ptb_al_",
            &token.expose().to_uppercase(),
            &format!("{} ", token.expose()),
        ] {
            assert!(!passes.take(wrong, NOW), "{wrong}");
        }
    }
}
