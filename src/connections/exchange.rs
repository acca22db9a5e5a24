//! Exchanging a public token: once, to its end, and with an answer for everybody who asks again.

use std::time::Duration;

use thiserror::Error;

use super::flights::{Owner, Unstored};
use super::{Connections, Inner};
use crate::plaid::{Exchanged, PlaidError, Verdict};
use crate::random;
use crate::secret::PlaidPublicToken;
use crate::store::StoreError;
use crate::store::model::{
    CompleteOutcome, Completion, Connection, ConnectionId, Grant, GrantId, NewConnection, NewGrant,
    PublicTokenHash, PublicTokenOwner, PublicTokenRecord, RawExchange, RawExchangeOutcome, Stage,
    TransactionId,
};

/// How long a client may repeat a raw exchange: as long as Plaid's public tokens live
/// (<https://plaid.com/docs/api/items/#itempublic_tokenexchange>).
const RAW_REPEAT: Duration = Duration::from_secs(30 * 60);

/// Which bank, as Link told the browser: shown to people, never decided on.
#[derive(Clone, Debug, Default)]
pub struct Institution {
    /// Plaid's id.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

/// An exchange that came to no connection for this caller.
#[derive(Clone, Debug, Error)]
pub enum ExchangeError {
    /// Plaid refused the public token: wrong, expired, of another environment, or used elsewhere.
    #[error("Plaid refused the public token")]
    Refused(#[source] PlaidError),
    /// The first answer never came, and then Plaid refused the token: it is burnt.
    #[error("the exchange's answer was lost and the public token is burnt")]
    Lost(#[source] PlaidError),
    /// Somebody else brought this public token first.
    #[error("the public token belongs to somebody else")]
    Taken,
    /// The transaction is over: completed with another token, cancelled, abandoned or expired.
    #[error("the transaction is not open")]
    NotOpen,
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

impl Connections {
    /// Completes a transaction with the public token that Link gave its browser. A repeat gives the same connection.
    pub async fn complete(
        &self,
        transaction_id: TransactionId,
        public_token: PlaidPublicToken,
        institution: Institution,
        code_ttl: Duration,
    ) -> Result<ConnectionId, ExchangeError> {
        let inner = self.0.clone();
        let work = async move {
            let hash = inner.store.tokens().hash_public_token(&public_token);
            let gate = inner.flights.gate(hash);
            let mut kept = gate.lock().await;
            let result = inner
                .complete(
                    transaction_id,
                    hash,
                    &public_token,
                    institution,
                    code_ttl,
                    &mut kept,
                )
                .await;
            drop(kept);
            inner.flights.leave(hash, gate);
            result
        };
        self.0.tasks.spawn(work).await.map_err(|_| ExchangeError::Task)?
    }

    /// Exchanges a raw public token for a client that may bring one, with the grant that it gets for it.
    pub async fn exchange_raw(
        &self,
        client_id: String,
        scope: Vec<String>,
        public_token: PlaidPublicToken,
    ) -> Result<(Grant, Connection), ExchangeError> {
        let inner = self.0.clone();
        let work = async move {
            let hash = inner.store.tokens().hash_public_token(&public_token);
            let gate = inner.flights.gate(hash);
            let mut kept = gate.lock().await;
            let result = inner
                .exchange_raw(client_id, scope, hash, &public_token, &mut kept)
                .await;
            drop(kept);
            inner.flights.leave(hash, gate);
            result
        };
        self.0.tasks.spawn(work).await.map_err(|_| ExchangeError::Task)?
    }
}

type Kept<'a> = tokio::sync::MutexGuard<'a, Option<Unstored>>;

impl Inner {
    async fn complete(
        &self,
        transaction_id: TransactionId,
        hash: PublicTokenHash,
        public_token: &PlaidPublicToken,
        institution: Institution,
        code_ttl: Duration,
        kept: &mut Kept<'_>,
    ) -> Result<ConnectionId, ExchangeError> {
        if let Some(record) = self.store.public_token(hash).await? {
            return match record.owner {
                PublicTokenOwner::Transaction(owner) if owner == transaction_id => Ok(record.connection_id),
                _ => Err(ExchangeError::Taken),
            };
        }
        self.must_be_open(transaction_id).await?;
        let exchanged = self
            .exchange_or_kept(Owner::Transaction(transaction_id), public_token, kept)
            .await?;
        let connection = self.connection(&exchanged, institution);
        let connection_id = connection.id;
        let completion = Completion {
            transaction_id,
            public_token: hash,
            connection,
            code_ttl,
        };
        match stored(
            self.store.complete(completion, self.clock.now()).await,
            &exchanged,
        )? {
            CompleteOutcome::Completed => {
                kept.take();
                tracing::info!(connection = %connection_id, item = %exchanged.item_id, transaction = %transaction_id,
                    plaid.request_id = %exchanged.request_id, "connection made");
                Ok(connection_id)
            }
            CompleteOutcome::Repeated { connection_id } => {
                kept.take();
                Ok(connection_id)
            }
            CompleteOutcome::PublicTokenTaken => {
                kept.take();
                Err(ExchangeError::Taken)
            }
            CompleteOutcome::NotOpen | CompleteOutcome::NotFound => {
                kept.take();
                self.discard(&exchanged).await;
                Err(ExchangeError::NotOpen)
            }
        }
    }

    async fn exchange_raw(
        &self,
        client_id: String,
        scope: Vec<String>,
        hash: PublicTokenHash,
        public_token: &PlaidPublicToken,
        kept: &mut Kept<'_>,
    ) -> Result<(Grant, Connection), ExchangeError> {
        if let Some(record) = self.store.public_token(hash).await? {
            return self.repeat_raw(&client_id, &record).await;
        }
        let exchanged = self
            .exchange_or_kept(Owner::Client(client_id.clone()), public_token, kept)
            .await?;
        let now = self.clock.now();
        let connection = self.connection(&exchanged, Institution::default());
        let grant_id = GrantId(random::id(now));
        let grant = NewGrant {
            id: grant_id,
            nonce: random::nonce(),
            client_id: client_id.clone(),
            scope,
        };
        let exchange = RawExchange {
            public_token: hash,
            connection,
            grant,
        };
        match stored(self.store.exchange_raw(exchange, now).await, &exchanged)? {
            RawExchangeOutcome::Exchanged => {
                kept.take();
                tracing::info!(grant = %grant_id, item = %exchanged.item_id, oauth.client_id = %client_id,
                    plaid.request_id = %exchanged.request_id, "raw public token exchanged");
                self.store.grant(grant_id).await?.ok_or(ExchangeError::Task)
            }
            RawExchangeOutcome::Taken(record) => {
                kept.take();
                self.repeat_raw(&client_id, &record).await
            }
        }
    }

    /// A repeat by the same client gets the same, while the token would live and the connection does.
    async fn repeat_raw(
        &self,
        client_id: &str,
        record: &PublicTokenRecord,
    ) -> Result<(Grant, Connection), ExchangeError> {
        let PublicTokenOwner::Client {
            client_id: owner,
            grant_id,
        } = &record.owner
        else {
            return Err(ExchangeError::Taken);
        };
        if owner != client_id || self.clock.now().since(record.exchanged_at) >= RAW_REPEAT {
            return Err(ExchangeError::Taken);
        }
        let (grant, connection) = self.store.grant(*grant_id).await?.ok_or(ExchangeError::Taken)?;
        let alive = grant.revoked_at.is_none() && connection.removed_at.is_none();
        alive.then_some((grant, connection)).ok_or(ExchangeError::Taken)
    }

    /// Nothing is exchanged for a transaction that could not take the result.
    async fn must_be_open(&self, id: TransactionId) -> Result<(), ExchangeError> {
        let transaction = self.store.transaction(id).await?.ok_or(ExchangeError::NotOpen)?;
        let open = transaction.stage == Stage::Open && self.clock.now() < transaction.expires_at;
        open.then_some(()).ok_or(ExchangeError::NotOpen)
    }

    /// What Plaid gave for this token: now, or before when the store could not take it.
    async fn exchange_or_kept(
        &self,
        owner: Owner,
        public_token: &PlaidPublicToken,
        kept: &mut Kept<'_>,
    ) -> Result<Exchanged, ExchangeError> {
        if let Some(unstored) = kept.as_ref() {
            return if unstored.owner == owner {
                Ok(unstored.exchanged.clone())
            } else {
                Err(ExchangeError::Taken)
            };
        }
        let exchanged = self.exchange_once(public_token).await?;
        **kept = Some(Unstored {
            owner,
            exchanged: exchanged.clone(),
        });
        Ok(exchanged)
    }

    /// An exchange whose outcome is unknown is tried once more with the same public token; if Plaid then refuses it,
    /// it was burnt by the first call.
    async fn exchange_once(&self, public_token: &PlaidPublicToken) -> Result<Exchanged, ExchangeError> {
        let classify = |error: PlaidError| match error.verdict() {
            Verdict::BadToken => ExchangeError::Refused(error),
            _ => ExchangeError::Plaid(error),
        };
        match self.plaid.exchange(public_token).await {
            Err(first) if first.outcome_unknown() => {
                tracing::warn!(%first, "the outcome of an exchange is unknown; trying once more");
                self.plaid.exchange(public_token).await.map_err(|second| match second.verdict() {
                    Verdict::BadToken => {
                        tracing::error!(plaid.request_id = ?second.api().and_then(|api| api.request_id.as_deref()),
                            "an exchange was lost: Plaid may hold an Item that nobody has the token of");
                        ExchangeError::Lost(second)
                    }
                    _ => ExchangeError::Plaid(second),
                })
            }
            other => other.map_err(classify),
        }
    }

    fn connection(&self, exchanged: &Exchanged, institution: Institution) -> NewConnection {
        NewConnection {
            id: ConnectionId(random::id(self.clock.now())),
            item_id: exchanged.item_id.clone(),
            access_token: exchanged.access_token.clone(),
            institution_id: institution.id,
            institution_name: institution.name,
        }
    }

    /// An Item that no transaction wants (it was cancelled or ran out meanwhile) must not stay on the bill.
    async fn discard(&self, exchanged: &Exchanged) {
        match self.plaid.item_remove(&exchanged.access_token).await {
            Ok(_) => tracing::info!(item = %exchanged.item_id, "removed an Item whose transaction was over"),
            Err(error) => {
                tracing::error!(%error, item = %exchanged.item_id, "an Item whose transaction was over could not be \
                    removed; remove it with Plaid's support");
            }
        }
    }
}

/// A store that fails after Plaid succeeded is the operator's matter; what Plaid gave stays behind the gate.
fn stored<T>(result: Result<T, StoreError>, exchanged: &Exchanged) -> Result<T, ExchangeError> {
    result.map_err(|error| {
        tracing::error!(%error, item = %exchanged.item_id, plaid.request_id = %exchanged.request_id,
            "exchanged, but not stored; a repeat of the same public token will store it");
        ExchangeError::Store(error)
    })
}
