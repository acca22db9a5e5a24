//! The admin session: a cookie of its own, opened anew at each login, and the proof that its pages send with what
//! changes something.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use sha2::{Digest as _, Sha256};

use super::{Admin, LINK_TTL, SESSION_TTL};
use crate::app::App;
use crate::http::cookie;
use crate::secret::{OwnToken, constant_time_eq};

const SESSION: &str = "ptb_admin";
const LINK: &str = "ptb_admin_link";

pub(crate) fn set(token: &OwnToken, https: bool) -> String {
    cookie::build(SESSION, token.expose(), SESSION_TTL, https)
}

/// The cookie that carries a link's token from its address to the button that uses it.
pub(crate) fn set_link(token: &str, https: bool) -> String {
    cookie::build(LINK, token, LINK_TTL, https)
}

pub(crate) fn clear(https: bool) -> String {
    cookie::build(SESSION, "", std::time::Duration::ZERO, https)
}

pub(crate) fn clear_link(https: bool) -> String {
    cookie::build(LINK, "", std::time::Duration::ZERO, https)
}

pub(crate) fn sent(headers: &HeaderMap, https: bool) -> Option<String> {
    cookie::find(headers, SESSION, https)
}

pub(crate) fn link_sent(headers: &HeaderMap, https: bool) -> Option<String> {
    cookie::find(headers, LINK, https)
}

impl Admin {
    /// The session of this browser, if there is one. For what only looks different to an admin; what must not be reached
    /// without one takes [`Admin`] as an extractor.
    #[must_use]
    pub fn of(app: &App, headers: &HeaderMap, https: bool) -> Option<Self> {
        let token = sent(headers, https)?;
        app.admins
            .sessions
            .knows(&token, app.clock.now())
            .then(|| Self::derived(&token))
    }

    /// What follows from a session's token: its name and its proof. Neither leads back to it.
    fn derived(token: &str) -> Self {
        let part = |label: &str, bytes: usize| {
            let digest = Sha256::new()
                .chain_update(label)
                .chain_update([0])
                .chain_update(token)
                .finalize();
            URL_SAFE_NO_PAD.encode(digest.get(..bytes).unwrap_or_default())
        };
        Self {
            name: part("admin session", 6),
            proof: part("admin proof", 24),
        }
    }

    /// Names this session in the log and the audit; opens nothing.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Stands in the session's pages, and comes back as the field [`super::PROOF_FIELD`] of their forms and the header
    /// [`super::PROOF_HEADER`] of their calls. Another site cannot know it.
    #[must_use]
    pub fn proof(&self) -> &str {
        &self.proof
    }

    pub(crate) fn proven_by(&self, sent: &str) -> bool {
        constant_time_eq(self.proof.as_bytes(), sent.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_proof_are_each_sessions_own_and_tell_nothing_of_its_token() {
        let (one, other) = (Admin::derived("ptb_as_one"), Admin::derived("ptb_as_other"));
        assert_ne!(one.name(), other.name());
        assert_ne!(one.proof(), other.proof());
        assert!(!one.proof().contains(one.name()) && !one.proof().contains("one"));
        assert!(one.proven_by(one.proof()) && !one.proven_by(other.proof()) && !one.proven_by(""));
    }
}
