//! One call of Link's page while it is answered.

use http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::Value;

use crate::items::{LinkToken, Session, Stage, State as Memory};
use crate::simulator::Simulator;
use crate::spec::{Guesses, PlaidError, ids};
use plaid_token_broker_core::clock::Timestamp;

/// What a step brings beside its link token; each reads what it needs.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Step {
    pub(super) link_token: String,
    /// The last part of a Hosted Link URL, in place of the link token.
    pub(super) hosted: String,
    pub(super) link_session_id: String,
    pub(super) received_redirect_uri: Option<String>,
    pub(super) query: String,
    pub(super) institution_id: String,
    pub(super) username: String,
    pub(super) password: String,
    pub(super) answers: Vec<String>,
    pub(super) popup: bool,
    pub(super) account_ids: Vec<String>,
    pub(super) selection: String,
    pub(super) routing_number: String,
    pub(super) account_number: String,
    pub(super) name: String,
    pub(super) subtype: String,
    pub(super) code: String,
}

/// How a step ends.
pub(super) enum Outcome {
    /// The session's pane is to be shown.
    Pane,
    /// The person meets an error, and can try again.
    Failed(PlaidError),
    /// An answer was wrong; the same pane asks again.
    Wrong(PlaidError),
    /// The page gets this.
    Answer(Value),
}

/// One call while it is answered.
pub(super) struct Turn<'a> {
    pub(super) memory: &'a mut Memory,
    pub(super) simulator: &'a Simulator,
    pub(super) call: Step,
    pub(super) request_id: String,
    pub(super) now: Timestamp,
}

impl<'a> Turn<'a> {
    pub(super) fn new(simulator: &'a Simulator, memory: &'a mut Memory, call: Step) -> Self {
        Self {
            memory,
            simulator,
            call,
            request_id: ids::new_request_id(),
            now: simulator.now(),
        }
    }

    pub(super) fn guesses(&self) -> Guesses {
        self.simulator.switches().guesses
    }

    /// The link token, if Link may go on with it.
    pub(super) fn link_token(&mut self) -> Result<&mut LinkToken, PlaidError> {
        let now = self.now;
        self.any_link_token()
            .filter(|link_token| !link_token.is_expired(now) && !link_token.spent)
            .ok_or_else(PlaidError::invalid_link_token)
    }

    pub(super) fn any_link_token(&mut self) -> Option<&mut LinkToken> {
        let hosted = self.memory.hosted_links.get(&self.call.hosted);
        let token = hosted.unwrap_or(&self.call.link_token);
        let token = self.memory.link_tokens.get_mut(token)?;
        // A page that was given the URL alone has to go on by it, and the other way round.
        let hosted = token.hosted.as_ref().map_or("", |hosted| hosted.id.as_str());
        (hosted == self.call.hosted).then_some(token)
    }

    pub(super) fn session(&mut self) -> Result<&mut Session, PlaidError> {
        let (id, request_id, now) = (
            self.call.link_session_id.clone(),
            self.request_id.clone(),
            self.now,
        );
        let session = self.link_token()?.session(&id);
        let session = session.ok_or_else(PlaidError::invalid_link_token)?;
        session.request_id = request_id;
        session.act(now);
        Ok(session)
    }

    /// Goes to another pane.
    pub(super) fn show(&mut self, stage: Stage) -> Result<Outcome, PlaidError> {
        self.session()?.show(stage);
        Ok(Outcome::Pane)
    }

    /// The events that the page has not heard of.
    pub(super) fn unsent(&mut self) -> Vec<Value> {
        let id = self.call.link_session_id.clone();
        let session = self
            .any_link_token()
            .and_then(|link_token| link_token.session(&id));
        session.map(Session::take_unsent).unwrap_or_default()
    }
}

/// The body of a call, which is JSON by its type too: a form of another site cannot send that, so it cannot act
/// for the person.
pub(super) fn read<'a, T: Deserialize<'a>>(headers: &HeaderMap, body: &'a [u8]) -> Result<T, PlaidError> {
    if headers
        .get(header::CONTENT_TYPE)
        .is_none_or(|value| value != "application/json")
    {
        return Err(PlaidError::invalid_body());
    }
    serde_json::from_slice(body).map_err(|_| PlaidError::invalid_body())
}

pub(super) fn wrong_step() -> PlaidError {
    PlaidError::invalid_field("this Link session is at another step")
}
