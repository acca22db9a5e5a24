//! A link token, what it was made with, and the Link sessions that ran on it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::hosted::Hosted;
use super::link_request::SHORT_LIFETIME;
use super::{LinkRequest, Session};
use crate::spec::ids::{self, TokenKind};
use crate::spec::json::set;
use crate::spec::{Guesses, time_text};
use plaid_token_broker_core::clock::Timestamp;

/// A link token for a new Item (<https://plaid.com/docs/api/link/#linktokencreate>).
const LIFETIME: Duration = Duration::from_secs(4 * 60 * 60);
/// Sessions can be read this long after they ended.
const SESSION_MEMORY: Duration = Duration::from_secs(6 * 60 * 60);
/// The Sandbox lets a link token be used again; older sessions are dropped.
const MOST_SESSIONS: usize = 16;

/// A link token.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct LinkToken {
    pub(crate) token: String,
    pub(crate) client_id: Arc<str>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) request: LinkRequest,
    /// The Item that update mode is for.
    pub(crate) update_item: Option<Arc<str>>,
    /// The page that runs Link by itself.
    pub(crate) hosted: Option<Hosted>,
    /// How often credentials or answers were wrong.
    pub(crate) wrong_logins: u32,
    /// Too often: Link does not go on with it.
    pub(crate) spent: bool,
    sessions: Vec<Session>,
}

impl LinkToken {
    pub(crate) fn new(
        client_id: Arc<str>,
        request: LinkRequest,
        update_item: Option<Arc<str>>,
        guesses: &Guesses,
        now: Timestamp,
    ) -> Self {
        let lifetime = match &request.hosted_link {
            Some(hosted) => hosted.url_lifetime(guesses.delivered_page),
            None => LIFETIME,
        };
        let lifetime = match update_item {
            Some(_) => lifetime.min(SHORT_LIFETIME),
            None => lifetime,
        };
        Self {
            token: ids::new_token(TokenKind::Link),
            client_id,
            created_at: now,
            expires_at: now.plus(lifetime),
            request,
            update_item,
            hosted: None,
            wrong_logins: 0,
            spent: false,
            sessions: Vec::new(),
        }
    }

    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// Whether even `/link/token/get` knows it no more.
    pub(crate) fn is_forgotten(&self, now: Timestamp) -> bool {
        now >= self.expires_at.plus(SESSION_MEMORY)
    }

    /// Begins a run of Link and returns its `link_session_id`.
    pub(crate) fn start_session(&mut self, now: Timestamp) -> String {
        if self.sessions.len() >= MOST_SESSIONS {
            self.sessions.remove(0);
        }
        let session = Session::new(self.update_item.is_some(), now);
        let id = session.id.clone();
        self.sessions.push(session);
        id
    }

    /// Where a bank that takes the whole tab sends the browser back to.
    pub(crate) fn return_address(&self) -> Option<String> {
        match &self.hosted {
            Some(hosted) => Some(hosted.url.clone()),
            // Empty beside the name of an Android app.
            None => self.request.redirect_uri.clone().filter(|uri| !uri.is_empty()),
        }
    }

    /// Whether any run of Link was finished or left.
    pub(crate) fn has_ended_session(&self) -> bool {
        self.sessions.iter().any(|session| session.finished_at.is_some())
    }

    pub(crate) fn sessions_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.sessions.iter_mut()
    }

    pub(crate) fn session(&mut self, id: &str) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.id == id)
    }

    /// The answer of `/link/token/get`, without its request id.
    pub(crate) fn json(&self, now: Timestamp) -> Value {
        let sessions: Vec<_> = self
            .sessions
            .iter()
            .filter(|session| {
                session
                    .finished_at
                    .is_none_or(|at| now.since(at) < SESSION_MEMORY)
            })
            .map(Session::json)
            .collect();
        let request = &self.request;
        let mut metadata = json!({
            "initial_products": request.products(),
            "webhook": request.webhook,
            "country_codes": request.country_codes,
            "language": request.language,
            "redirect_uri": request.redirect_uri,
            "client_name": request.client_name,
        });
        if let Some(filters) = &request.account_filters {
            set(&mut metadata, "account_filters", json!(filters));
        }
        if let Some(data) = &request.institution_data {
            set(&mut metadata, "institution_data", data.clone());
        }
        let mut answer = json!({
            "link_token": self.token,
            "created_at": time_text(self.created_at),
            "expiration": time_text(self.expires_at),
            "metadata": metadata,
        });
        if let Some(user_id) = &request.user_id {
            set(&mut answer, "user_id", &**user_id);
        }
        if !sessions.is_empty() {
            set(&mut answer, "link_sessions", sessions);
        }
        answer
    }
}
