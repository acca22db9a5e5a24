//! Exchanging a public token: once, to its end, and with an answer for everybody who asks again.

use std::future::Future;
use std::time::Duration;

use tracing::Instrument as _;

use super::error::ExchangeError;
use super::singleflight::{Entry, Kept, Leader, Made, Outcome, Owner};
use super::{Connections, Inner};
use crate::plaid::{Exchanged, Verdict};
use crate::random;
use crate::secret::PlaidPublicToken;
use crate::store::StoreError;
use crate::store::model::{
    AuthorizationId, CompleteOutcome, Completion, Connection, ConnectionId, Grant, GrantId, NewConnection,
    NewGrant, PublicTokenHash, PublicTokenRecord, RawExchange, RawExchangeOutcome, Repeat, Stage,
};
use crate::telemetry::audit::Origin;

/// What Link reported to the browser beside the token: shown to people and logged, never used for decisions.
#[derive(Clone, Debug, Default)]
pub struct LinkResult {
    pub institution_id: Option<String>,
    pub institution_name: Option<String>,
    /// Names the Link session to Plaid's support.
    pub link_session_id: Option<String>,
}

struct Attempt {
    owner: Owner,
    hash: PublicTokenHash,
    public_token: PlaidPublicToken,
    link: LinkResult,
    origin: Origin,
}

impl Attempt {
    /// It came to nothing here and elsewhere. What was lost is for the operator and Plaid's support.
    fn failed(&self, error: ExchangeError) -> ExchangeError {
        if let ExchangeError::Lost(plaid) = &error {
            tracing::error!(owner = %self.owner, link_session_id = self.link.link_session_id.as_deref(),
                plaid.request_id = plaid.api().and_then(|api| api.request_id.as_deref()),
                "exchange lost: Plaid may have an Item whose token is unknown");
        }
        error
    }
}

impl Connections {
    /// Completes an authorization with the public token that Link gave its browser. A repeat gives the same connection.
    pub async fn complete(
        &self,
        authorization_id: AuthorizationId,
        public_token: PlaidPublicToken,
        link: LinkResult,
        code_ttl: Duration,
        origin: Origin,
    ) -> Result<ConnectionId, ExchangeError> {
        let attempt = self.attempt(Owner::Authorization(authorization_id), public_token, link, origin);
        let inner = self.0.clone();
        let work = |attempt, mut leader: Leader| async move {
            let outcome = inner
                .complete(authorization_id, attempt, code_ttl, &mut leader)
                .await;
            leader.finish(outcome.map(Made::Connection));
        };
        match self.run(attempt, work).await? {
            Made::Connection(id) => Ok(id),
            Made::Grant(_) => Err(ExchangeError::Taken),
        }
    }

    /// Exchanges a raw public token for a client that may bring one, with the grant that it gets for it.
    pub async fn exchange_raw(
        &self,
        client_id: String,
        scope: Vec<String>,
        public_token: PlaidPublicToken,
        origin: Origin,
    ) -> Result<(Grant, Connection), ExchangeError> {
        let owner = Owner::Client(client_id.clone());
        let attempt = self.attempt(owner, public_token, LinkResult::default(), origin);
        let inner = self.0.clone();
        let work = |attempt, mut leader: Leader| async move {
            let outcome = inner.exchange_raw(client_id, scope, attempt, &mut leader).await;
            leader.finish(outcome.map(Made::Grant));
        };
        match self.run(attempt, work).await? {
            Made::Grant(id) => self.0.store.grant(id).await?.ok_or(ExchangeError::Task),
            Made::Connection(_) => Err(ExchangeError::Taken),
        }
    }

    fn attempt(
        &self,
        owner: Owner,
        public_token: PlaidPublicToken,
        link: LinkResult,
        origin: Origin,
    ) -> Attempt {
        Attempt {
            owner,
            hash: self.0.store.tokens().hash_public_token(&public_token),
            public_token,
            link,
            origin,
        }
    }

    /// Does the work as a tracked task, or waits for the task that already does it.
    async fn run<W: Future<Output = ()> + Send + 'static>(
        &self,
        attempt: Attempt,
        work: impl FnOnce(Attempt, Leader) -> W,
    ) -> Outcome {
        let mut outcome = match self.0.singleflight.enter(attempt.hash, &attempt.owner) {
            Entry::Lead(leader) => {
                let outcome = leader.outcome();
                self.0.tasks.spawn(work(attempt, leader).in_current_span());
                outcome
            }
            Entry::Follow(outcome) => outcome,
            Entry::Taken => return Err(ExchangeError::Taken),
            Entry::Busy => return Err(ExchangeError::Busy),
        };
        let finished = outcome.wait_for(Option::is_some).await;
        finished
            .ok()
            .and_then(|outcome| outcome.clone())
            .unwrap_or(Err(ExchangeError::Task))
    }
}

impl Inner {
    async fn complete(
        &self,
        authorization_id: AuthorizationId,
        attempt: Attempt,
        code_ttl: Duration,
        leader: &mut Leader,
    ) -> Result<ConnectionId, ExchangeError> {
        let repeat = Repeat {
            authorization_id,
            public_token: attempt.hash,
            code_ttl,
        };
        if let Some(record) = self.store.public_token(attempt.hash).await? {
            return self.repeat_completion(repeat, &record, leader).await;
        }
        let error = match self
            .complete_new(authorization_id, &attempt, code_ttl, leader)
            .await
        {
            Ok(connection_id) => return Ok(connection_id),
            Err(error) => error,
        };
        let record = self.second_look(&attempt, error, leader).await?;
        self.repeat_completion(repeat, &record, leader).await
    }

    async fn complete_new(
        &self,
        authorization_id: AuthorizationId,
        attempt: &Attempt,
        code_ttl: Duration,
        leader: &Leader,
    ) -> Result<ConnectionId, ExchangeError> {
        let public_token = attempt.hash;
        if !self.is_open(authorization_id).await? {
            self.discard_kept(public_token, &attempt.owner, leader).await?;
            return Err(ExchangeError::NotOpen);
        }
        let exchanged = self.exchange_or_kept(attempt, leader).await?;
        let connection = self.connection(&exchanged, &attempt.link);
        let connection_id = connection.id;
        let completion = Completion {
            authorization_id,
            public_token,
            connection,
            code_ttl,
        };
        let store = self.store.by(attempt.origin.clone());
        match stored(store.complete(completion, self.clock.now()).await, &exchanged)? {
            CompleteOutcome::Completed => {
                leader.forget();
                self.metrics.transaction("completed");
                tracing::info!(connection = %connection_id, item = %exchanged.item_id, transaction = %authorization_id,
                    plaid.request_id = %exchanged.request_id, "connection made");
                Ok(connection_id)
            }
            CompleteOutcome::Repeated { connection_id } => {
                leader.forget();
                Ok(connection_id)
            }
            CompleteOutcome::PublicTokenTaken => {
                leader.forget();
                Err(ExchangeError::Taken)
            }
            // It was cancelled or ran out meanwhile.
            CompleteOutcome::NotOpen | CompleteOutcome::NotFound => {
                self.discard_kept(public_token, &attempt.owner, leader).await?;
                Err(ExchangeError::NotOpen)
            }
        }
    }

    async fn exchange_raw(
        &self,
        client_id: String,
        scope: Vec<String>,
        attempt: Attempt,
        leader: &mut Leader,
    ) -> Result<GrantId, ExchangeError> {
        if let Some(record) = self.store.public_token(attempt.hash).await? {
            return self.repeat_raw(&client_id, &record, leader).await;
        }
        let error = match self.exchange_raw_new(&client_id, scope, &attempt, leader).await {
            Ok(grant_id) => return Ok(grant_id),
            Err(error) => error,
        };
        let record = self.second_look(&attempt, error, leader).await?;
        self.repeat_raw(&client_id, &record, leader).await
    }

    async fn exchange_raw_new(
        &self,
        client_id: &str,
        scope: Vec<String>,
        attempt: &Attempt,
        leader: &Leader,
    ) -> Result<GrantId, ExchangeError> {
        let exchanged = self.exchange_or_kept(attempt, leader).await?;
        let now = self.clock.now();
        let connection = self.connection(&exchanged, &attempt.link);
        let grant_id = GrantId(random::id(now));
        let grant = NewGrant {
            id: grant_id,
            nonce: random::nonce(),
            client_id: client_id.to_owned(),
            scope,
        };
        let exchange = RawExchange {
            public_token: attempt.hash,
            connection,
            grant,
        };
        let store = self.store.by(attempt.origin.clone());
        let outcome = stored(store.exchange_raw(exchange, now).await, &exchanged)?;
        match outcome {
            RawExchangeOutcome::Exchanged => {
                leader.forget();
                tracing::info!(grant = %grant_id, item = %exchanged.item_id, oauth.client_id = %client_id,
                    plaid.request_id = %exchanged.request_id, "raw public token exchanged");
                Ok(grant_id)
            }
            RawExchangeOutcome::Taken(record) => self.repeat_raw(client_id, &record, leader).await,
        }
    }

    /// What another instance made of a public token whose exchange failed here, else the failure.
    async fn second_look(
        &self,
        attempt: &Attempt,
        error: ExchangeError,
        leader: &mut Leader,
    ) -> Result<PublicTokenRecord, ExchangeError> {
        match self.stored_elsewhere(attempt.hash, &error, leader).await {
            Ok(Some(record)) => Ok(record),
            Ok(None) => Err(attempt.failed(error)),
            Err(store) => {
                // Whether it was lost is decided by a repeat, if one comes, but the operator learns of it now.
                if let ExchangeError::Lost(_) = error {
                    leader.keep(&attempt.owner, Kept::Unknown, self.clock.now());
                    drop(attempt.failed(error));
                }
                Err(store.into())
            }
        }
    }

    /// Nothing is exchanged for an authorization that could not take the result.
    pub(super) async fn is_open(&self, id: AuthorizationId) -> Result<bool, StoreError> {
        let authorization = self.store.authorization(id).await?;
        Ok(authorization.is_some_and(|t| t.stage == Stage::Open && self.clock.now() < t.expires_at))
    }

    /// What Plaid gave for this token: now, or before when the store could not take it.
    async fn exchange_or_kept(&self, attempt: &Attempt, leader: &Leader) -> Result<Exchanged, ExchangeError> {
        let was_unknown = match leader.kept() {
            Some(Kept::Unstored(exchanged)) => return Ok(exchanged),
            Some(Kept::Unknown) => true,
            None => false,
        };
        let exchanged = self.exchange_once(attempt, was_unknown, leader).await?;
        // Until it is stored: whatever happens next, what Plaid gave must not be lost.
        leader.keep(
            &attempt.owner,
            Kept::Unstored(exchanged.clone()),
            self.clock.now(),
        );
        Ok(exchanged)
    }

    /// An exchange whose outcome is unknown is tried once more with the same public token; if Plaid then refuses it (now
    /// or at a later attempt), it was burnt by the call whose answer never came.
    async fn exchange_once(
        &self,
        attempt: &Attempt,
        was_unknown: bool,
        leader: &Leader,
    ) -> Result<Exchanged, ExchangeError> {
        let mut unknown = was_unknown;
        let mut answer = self.plaid.exchange(&attempt.public_token).await;
        if let Err(first) = &answer
            && first.outcome_unknown()
        {
            tracing::warn!(%first, owner = %attempt.owner, "exchange outcome unknown; trying once more");
            unknown = true;
            answer = self.plaid.exchange(&attempt.public_token).await;
        }
        match answer {
            Ok(exchanged) => Ok(exchanged),
            Err(error) if error.verdict() == Verdict::BadToken => {
                leader.forget();
                Err(if unknown {
                    ExchangeError::Lost(error)
                } else {
                    ExchangeError::Refused(error)
                })
            }
            Err(error) => {
                if unknown || error.outcome_unknown() {
                    leader.keep(&attempt.owner, Kept::Unknown, self.clock.now());
                }
                Err(ExchangeError::Plaid(error))
            }
        }
    }

    pub(super) fn connection(&self, exchanged: &Exchanged, link: &LinkResult) -> NewConnection {
        NewConnection {
            id: ConnectionId(random::id(self.clock.now())),
            item_id: exchanged.item_id.clone(),
            access_token: exchanged.access_token.clone(),
            institution_id: link.institution_id.clone(),
            institution_name: link.institution_name.clone(),
        }
    }
}

/// A store that fails after Plaid succeeded is the operator's matter; what Plaid gave is kept.
fn stored<T>(result: Result<T, StoreError>, exchanged: &Exchanged) -> Result<T, ExchangeError> {
    result.map_err(|error| {
        tracing::error!(%error, item = %exchanged.item_id, plaid.request_id = %exchanged.request_id,
            "public token exchanged but not stored; a repeat of it will store the connection");
        ExchangeError::Store(error)
    })
}

#[cfg(test)]
mod tests;
