//! Exchanging a public token: once, to its end, and with an answer for everybody who asks again.

use std::future::Future;
use std::time::Duration;

use thiserror::Error;
use tracing::Instrument as _;

use super::flights::{Entry, Kept, Lead, Made, Outcome, Owner};
use super::{Connections, Inner};
use crate::audit::Origin;
use crate::plaid::{Exchanged, PlaidError, Verdict};
use crate::random;
use crate::secret::PlaidPublicToken;
use crate::store::StoreError;
use crate::store::model::{
    AuthorizationId, CompleteOutcome, Completion, Connection, ConnectionId, Grant, GrantId, NewConnection,
    NewGrant, PublicTokenHash, PublicTokenRecord, RawExchange, RawExchangeOutcome, Repeat, Stage,
};

/// How long a client may repeat a raw exchange: as long as Plaid's public tokens live
/// (<https://plaid.com/docs/api/items/#itempublic_tokenexchange>).
pub(super) const RAW_REPEAT: Duration = Duration::from_secs(30 * 60);

/// What Link told the browser beside the token: shown to people and written into the log, never decided on.
#[derive(Clone, Debug, Default)]
pub struct LinkResult {
    /// Plaid's institution id.
    pub institution_id: Option<String>,
    /// The institution's name.
    pub institution_name: Option<String>,
    /// Names the Link session to Plaid's support.
    pub link_session_id: Option<String>,
}

/// An exchange that came to no connection for this caller.
#[derive(Clone, Debug, Error)]
pub enum ExchangeError {
    /// Plaid refused the public token: wrong, expired, of another environment, or used elsewhere.
    #[error("Plaid refused the public token")]
    Refused(#[source] PlaidError),
    /// An earlier answer never came, and then Plaid refused the token: it is burnt.
    #[error("the exchange's answer was lost and the public token is burnt")]
    Lost(#[source] PlaidError),
    /// Somebody else brought this public token first.
    #[error("the public token belongs to somebody else")]
    Taken,
    /// The authorization is over: completed with another token, cancelled, abandoned or expired.
    #[error("the authorization is not open")]
    NotOpen,
    /// Too many exchanges are under way, or another one of this authorization.
    #[error("too many exchanges are under way")]
    Busy,
    /// Plaid cannot do it now, or our configuration is at fault. The token is as good as it was.
    #[error(transparent)]
    Plaid(PlaidError),
    /// The store cannot take it now; what Plaid gave is kept in memory for a repeat.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The task died: a mistake of ours.
    #[error("the exchange task ended unexpectedly")]
    Task,
}

/// One attempt to exchange a token.
struct Attempt {
    owner: Owner,
    hash: PublicTokenHash,
    public_token: PlaidPublicToken,
    link: LinkResult,
    /// Where it came from, for the audit log.
    origin: Origin,
}

impl Attempt {
    /// It came to nothing here and elsewhere. What was lost is for the operator and Plaid's support.
    fn failed(&self, error: ExchangeError) -> ExchangeError {
        if let ExchangeError::Lost(plaid) = &error {
            tracing::error!(owner = %self.owner, link_session_id = self.link.link_session_id.as_deref(),
                plaid.request_id = plaid.api().and_then(|api| api.request_id.as_deref()),
                "an exchange was lost: Plaid may hold an Item that nobody has the token of");
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
        let hash = self.0.store.tokens().hash_public_token(&public_token);
        let owner = Owner::Authorization(authorization_id);
        let attempt = Attempt {
            owner: owner.clone(),
            hash,
            public_token,
            link,
            origin,
        };
        let inner = self.0.clone();
        let work = |mut lead: Lead| async move {
            let outcome = inner
                .complete(authorization_id, attempt, code_ttl, &mut lead)
                .await;
            lead.land(outcome.map(Made::Connection));
        };
        match self.fly(hash, &owner, work).await? {
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
        let hash = self.0.store.tokens().hash_public_token(&public_token);
        let owner = Owner::Client(client_id.clone());
        let attempt = Attempt {
            owner: owner.clone(),
            hash,
            public_token,
            link: LinkResult::default(),
            origin,
        };
        let inner = self.0.clone();
        let work = |mut lead: Lead| async move {
            let outcome = inner.exchange_raw(client_id, scope, attempt, &mut lead).await;
            lead.land(outcome.map(Made::Grant));
        };
        match self.fly(hash, &owner, work).await? {
            Made::Grant(id) => self.0.store.grant(id).await?.ok_or(ExchangeError::Task),
            Made::Connection(_) => Err(ExchangeError::Taken),
        }
    }

    /// Does the work as a tracked task, or waits for whoever does it already.
    async fn fly<W: Future<Output = ()> + Send + 'static>(
        &self,
        hash: PublicTokenHash,
        owner: &Owner,
        work: impl FnOnce(Lead) -> W,
    ) -> Outcome {
        let mut outcome = match self.0.flights.enter(hash, owner) {
            Entry::Lead(lead) => {
                let outcome = lead.outcome();
                self.0.tasks.spawn(work(lead).in_current_span());
                outcome
            }
            Entry::Follow(outcome) => outcome,
            Entry::Taken => return Err(ExchangeError::Taken),
            Entry::Busy => return Err(ExchangeError::Busy),
        };
        let landed = outcome
            .wait_for(Option::is_some)
            .await
            .map_err(|_| ExchangeError::Task)?;
        landed.clone().unwrap_or(Err(ExchangeError::Task))
    }
}

impl Inner {
    async fn complete(
        &self,
        authorization_id: AuthorizationId,
        attempt: Attempt,
        code_ttl: Duration,
        lead: &mut Lead,
    ) -> Result<ConnectionId, ExchangeError> {
        let repeat = Repeat {
            authorization_id,
            public_token: attempt.hash,
            code_ttl,
        };
        if let Some(record) = self.store.public_token(attempt.hash).await? {
            return self.repeat_completion(repeat, &record, lead).await;
        }
        let error = match self
            .complete_new(authorization_id, &attempt, code_ttl, lead)
            .await
        {
            Ok(connection_id) => return Ok(connection_id),
            Err(error) => error,
        };
        let record = self.second_look(&attempt, error, lead).await?;
        self.repeat_completion(repeat, &record, lead).await
    }

    async fn complete_new(
        &self,
        authorization_id: AuthorizationId,
        attempt: &Attempt,
        code_ttl: Duration,
        lead: &Lead,
    ) -> Result<ConnectionId, ExchangeError> {
        let public_token = attempt.hash;
        if !self.is_open(authorization_id).await? {
            self.discard_kept(public_token, &attempt.owner, lead).await?;
            return Err(ExchangeError::NotOpen);
        }
        let exchanged = self.exchange_or_kept(attempt, lead).await?;
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
                lead.forget();
                self.metrics.transaction("completed");
                tracing::info!(connection = %connection_id, item = %exchanged.item_id, transaction = %authorization_id,
                    plaid.request_id = %exchanged.request_id, "connection made");
                Ok(connection_id)
            }
            CompleteOutcome::Repeated { connection_id } => {
                lead.forget();
                Ok(connection_id)
            }
            CompleteOutcome::PublicTokenTaken => {
                lead.forget();
                Err(ExchangeError::Taken)
            }
            // It was cancelled or ran out meanwhile.
            CompleteOutcome::NotOpen | CompleteOutcome::NotFound => {
                self.discard_kept(public_token, &attempt.owner, lead).await?;
                Err(ExchangeError::NotOpen)
            }
        }
    }

    async fn exchange_raw(
        &self,
        client_id: String,
        scope: Vec<String>,
        attempt: Attempt,
        lead: &mut Lead,
    ) -> Result<GrantId, ExchangeError> {
        if let Some(record) = self.store.public_token(attempt.hash).await? {
            return self.repeat_raw(&client_id, &record, lead).await;
        }
        let error = match self.exchange_raw_new(&client_id, scope, &attempt, lead).await {
            Ok(grant_id) => return Ok(grant_id),
            Err(error) => error,
        };
        let record = self.second_look(&attempt, error, lead).await?;
        self.repeat_raw(&client_id, &record, lead).await
    }

    async fn exchange_raw_new(
        &self,
        client_id: &str,
        scope: Vec<String>,
        attempt: &Attempt,
        lead: &Lead,
    ) -> Result<GrantId, ExchangeError> {
        let exchanged = self.exchange_or_kept(attempt, lead).await?;
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
                lead.forget();
                tracing::info!(grant = %grant_id, item = %exchanged.item_id, oauth.client_id = %client_id,
                    plaid.request_id = %exchanged.request_id, "raw public token exchanged");
                Ok(grant_id)
            }
            RawExchangeOutcome::Taken(record) => self.repeat_raw(client_id, &record, lead).await,
        }
    }

    /// What another instance made of a public token whose exchange failed here, else the failure.
    async fn second_look(
        &self,
        attempt: &Attempt,
        error: ExchangeError,
        lead: &mut Lead,
    ) -> Result<PublicTokenRecord, ExchangeError> {
        match self.stored_elsewhere(attempt.hash, &error, lead).await {
            Ok(Some(record)) => Ok(record),
            Ok(None) => Err(attempt.failed(error)),
            Err(store) => {
                // Whether it was lost is decided by a repeat, if one comes, but the operator learns of it now.
                if let ExchangeError::Lost(_) = error {
                    lead.keep(&attempt.owner, Kept::Unknown, self.clock.now());
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
    async fn exchange_or_kept(&self, attempt: &Attempt, lead: &Lead) -> Result<Exchanged, ExchangeError> {
        let was_unknown = match lead.kept() {
            Some(Kept::Unstored(exchanged)) => return Ok(exchanged),
            Some(Kept::Unknown) => true,
            None => false,
        };
        let exchanged = self.exchange_once(attempt, was_unknown, lead).await?;
        // Until it is stored: whatever happens next, what Plaid gave must not be lost.
        lead.keep(
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
        lead: &Lead,
    ) -> Result<Exchanged, ExchangeError> {
        let mut unknown = was_unknown;
        let mut answer = self.plaid.exchange(&attempt.public_token).await;
        if let Err(first) = &answer
            && first.outcome_unknown()
        {
            tracing::warn!(%first, owner = %attempt.owner, "the outcome of an exchange is unknown; trying once more");
            unknown = true;
            answer = self.plaid.exchange(&attempt.public_token).await;
        }
        match answer {
            Ok(exchanged) => Ok(exchanged),
            Err(error) if error.verdict() == Verdict::BadToken => {
                lead.forget();
                Err(if unknown {
                    ExchangeError::Lost(error)
                } else {
                    ExchangeError::Refused(error)
                })
            }
            Err(error) => {
                if unknown || error.outcome_unknown() {
                    lead.keep(&attempt.owner, Kept::Unknown, self.clock.now());
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
            "exchanged, but not stored; a repeat of the same public token will store it");
        ExchangeError::Store(error)
    })
}

#[cfg(test)]
mod tests;
