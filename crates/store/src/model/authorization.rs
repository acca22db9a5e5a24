//! One authorization in progress.

use serde::{Deserialize, Serialize};

use super::{AuthorizationId, ConnectionId, GrantId, Nonce, PublicTokenHash};
use crate::clock::Timestamp;

/// What the OAuth client asked for, as it was checked at the authorization endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct OAuthRequest {
    pub client_id: String,
    /// The checked redirect URI that the browser goes back to.
    pub redirect_uri: String,
    /// `state` in its raw, still percent-encoded form, so that it returns byte for byte.
    pub state: Option<String>,
    /// PKCE S256 challenge (RFC 7636).
    pub code_challenge: Option<String>,
}

/// The two uses of an authorization.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Flow {
    /// An OAuth client waits for a code.
    OAuth(OAuthRequest),
    /// A person looks at their own connection.
    Browser,
}

/// An authorization to be opened: what never changes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAuthorization {
    pub id: AuthorizationId,
    pub nonce: Nonce,
    /// Who waits for it.
    pub flow: Flow,
    /// The products it was narrowed to by `scope`; `None`: all that are configured.
    pub scope: Option<Vec<String>>,
    /// Fresh and opaque, never personal data: Plaid's `user.client_user_id`.
    pub client_user_id: String,
    /// When its page was shown.
    pub created_at: Timestamp,
    /// Until when it can be completed.
    pub expires_at: Timestamp,
}

impl NewAuthorization {
    /// What a cancelled authorization needs: nothing is sent back from its row, so the client's own texts are left out.
    pub(crate) fn without_request_details(mut self) -> Self {
        if let Flow::OAuth(request) = &mut self.flow {
            request.state = None;
            request.code_challenge = None;
        }
        self.scope = None;
        self
    }
}

/// How far an authorization has come. The consuming writes move it on, each from one stage only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The person is at Link.
    Open,
    /// Link succeeded and the connection is stored; in the OAuth flow the code can be redeemed.
    Completed {
        connection_id: ConnectionId,
        /// The public token that made it: a repeat of the same is answered alike.
        public_token: PublicTokenHash,
        at: Timestamp,
        /// Until when the code is good.
        code_expires_at: Timestamp,
    },
    /// The code was redeemed.
    Redeemed {
        connection_id: ConnectionId,
        /// The public token that made it.
        public_token: PublicTokenHash,
        /// The grant that came of it.
        grant_id: GrantId,
        at: Timestamp,
    },
    /// Nobody redeemed the code in time; the connection is queued for removal.
    Abandoned,
    /// The person cancelled for good.
    Cancelled,
}

/// An authorization.
#[derive(Clone, Debug)]
pub struct Authorization {
    pub id: AuthorizationId,
    pub nonce: Nonce,
    /// Who waits for it.
    pub flow: Flow,
    /// The products it was narrowed to; `None`: all that are configured.
    pub scope: Option<Vec<String>>,
    /// Plaid's `user.client_user_id`.
    pub client_user_id: String,
    /// When its page was shown.
    pub created_at: Timestamp,
    /// Until when it can be completed.
    pub expires_at: Timestamp,
    /// How far it has come.
    pub stage: Stage,
}

impl Authorization {
    /// An authorization in this stage.
    #[must_use]
    pub fn at(stage: Stage, new: NewAuthorization) -> Self {
        Self {
            id: new.id,
            nonce: new.nonce,
            flow: new.flow,
            scope: new.scope,
            client_user_id: new.client_user_id,
            created_at: new.created_at,
            expires_at: new.expires_at,
            stage,
        }
    }

    /// What never changes of it.
    #[must_use]
    pub fn unchanging(&self) -> NewAuthorization {
        NewAuthorization {
            id: self.id,
            nonce: self.nonce,
            flow: self.flow.clone(),
            scope: self.scope.clone(),
            client_user_id: self.client_user_id.clone(),
            created_at: self.created_at,
            expires_at: self.expires_at,
        }
    }
}

/// Outcome of `start_link`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkStart {
    /// A link token may be made.
    Allowed {
        /// Whether this call stored the authorization.
        first: bool,
    },
    /// As many link tokens as allowed were made already.
    TooMany,
    /// The authorization is completed, cancelled, abandoned or expired.
    NotOpen,
}
