//! Decisions about authorizations: start, complete, cancel, redeem. A decision holds the lock of the authorization's row,
//! and each consuming write names the stage it moves from.

use super::audit;
use super::connections;
use crate::Store;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::model::{
    Authorization, AuthorizationId, CancelOutcome, CompleteOutcome, Completion, Flow, LinkStart,
    NewAuthorization, PublicTokenHash, PublicTokenOwner, RedeemOutcome, Redemption, Repeat, RepeatOutcome,
    Stage,
};
use crate::rows::{self, stage};
use crate::sealed::SealedConnection;
use crate::state_machine::{self, Redeemable};
use crate::tx::{Context, Decision, Failure, Run, Statement, Tx, values};

impl Store {
    /// Counts a link token that is about to be made, of which one authorization gets `most`. The first one stores the
    /// authorization; repeated and concurrent calls store it once.
    pub async fn start_link(
        &self,
        new: NewAuthorization,
        most: u32,
        now: Timestamp,
    ) -> Result<LinkStart, StoreError> {
        if now >= new.expires_at {
            return Ok(LinkStart::NotOpen);
        }
        self.decide(StartLink { new, most }, now).await
    }

    /// Uncounts a link token that [`start_link`](Self::start_link) counted and Plaid did not make, except the first one.
    pub async fn return_link_token(&self, id: AuthorizationId) -> Result<(), StoreError> {
        self.run(ReturnLinkToken(id)).await
    }

    pub async fn authorization(&self, id: AuthorizationId) -> Result<Option<Authorization>, StoreError> {
        self.run(Find(id)).await
    }

    /// Link succeeded: stores connection, public token and code in one commit. An authorization whose `expires_at` is
    /// reached is not open any more.
    pub async fn complete(
        &self,
        completion: Completion,
        now: Timestamp,
    ) -> Result<CompleteOutcome, StoreError> {
        let complete = Complete {
            authorization_id: completion.authorization_id,
            public_token: completion.public_token,
            code_expires_at: now.plus(completion.code_ttl),
            connection: self.sealed(completion.connection)?,
        };
        self.decide(complete, now).await
    }

    /// The person cancelled for good. A stored authorization can also be cancelled after `expires_at`, as the client still
    /// waits for its answer. Before `expires_at`, one that is not stored yet is stored as cancelled, so that it cannot be
    /// started afterwards.
    pub async fn cancel(&self, new: NewAuthorization, now: Timestamp) -> Result<CancelOutcome, StoreError> {
        self.decide(Cancel(new.without_request_details()), now).await
    }

    /// Consumes the code and stores the grant; exactly one caller wins. From `code_expires_at` on no caller does. The winner may
    /// ask again with the same grant, when it did not hear of its commit, and has won still.
    pub async fn redeem(&self, redemption: Redemption, now: Timestamp) -> Result<RedeemOutcome, StoreError> {
        self.decide(redemption, now).await
    }

    /// The browser asks again for the answer of its completion. A code that ran out unredeemed is made good again: only
    /// the browser that completed the authorization can ask.
    pub async fn repeat(&self, repeat: Repeat, now: Timestamp) -> Result<RepeatOutcome, StoreError> {
        self.decide(repeat, now).await
    }
}

async fn find<T: Tx>(tx: &mut T, id: AuthorizationId) -> Result<Option<Authorization>, Failure> {
    let sql = format!("SELECT {} FROM authorizations WHERE id = ?1", rows::AUTHORIZATION);
    tx.row(&sql, &values![id], rows::authorization).await
}

/// Takes the lock of its row until the decision is committed, and reads it.
async fn lock<T: Tx>(tx: &mut T, id: AuthorizationId) -> Result<Option<Authorization>, Failure> {
    let sql = format!(
        "SELECT {} FROM authorizations WHERE id = ?1 /*pg FOR NO KEY UPDATE*/",
        rows::AUTHORIZATION
    );
    tx.row(&sql, &values![id], rows::authorization).await
}

/// Stores the authorization, of which `link_tokens` were made, unless it is stored already. Returns whether it did.
async fn insert<T: Tx>(tx: &mut T, new: &NewAuthorization, link_tokens: i64) -> Result<bool, Failure> {
    let request = match &new.flow {
        Flow::OAuth(request) => Some(request),
        Flow::Browser => None,
    };
    let scope = new.scope.as_deref().map(rows::join_scope);
    let inserted = tx
        .execute(
            "INSERT INTO authorizations (id, nonce, client_id, redirect_uri, state, code_challenge, scope, client_user_id, \
                 created_at, expires_at, stage, link_tokens) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (id) DO NOTHING",
            &values![
                new.id,
                &new.nonce.0,
                request.map(|request| &request.client_id),
                request.map(|request| &request.redirect_uri),
                request.and_then(|request| request.state.as_deref()),
                request.and_then(|request| request.code_challenge.as_deref()),
                scope.as_deref(),
                &new.client_user_id,
                new.created_at,
                new.expires_at,
                stage::OPEN,
                link_tokens,
            ],
        )
        .await?;
    Ok(inserted == 1)
}

struct StartLink {
    new: NewAuthorization,
    most: u32,
}

impl Decision for StartLink {
    type Outcome = LinkStart;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<LinkStart, Failure> {
        let Self { new, most } = self;
        if insert(tx, new, 1).await? {
            audit::write(tx, context, &[context.audit.opened(new)]).await?;
            return Ok(LinkStart::Allowed { first: true });
        }
        let counted = tx
            .execute(
                "UPDATE authorizations SET link_tokens = link_tokens + 1 WHERE id = ?1 AND stage = ?2 AND link_tokens < ?3",
                &values![new.id, stage::OPEN, i64::from(*most)],
            )
            .await?;
        if counted == 1 {
            return Ok(LinkStart::Allowed { first: false });
        }
        Ok(state_machine::not_started(find(tx, new.id).await?.as_ref()))
    }
}

struct ReturnLinkToken(AuthorizationId);

impl Decision for ReturnLinkToken {
    type Outcome = ();

    /// The first one stored the authorization and stays counted.
    async fn run<T: Tx>(&self, tx: &mut T, _: &Context) -> Result<(), Failure> {
        let sql = "UPDATE authorizations SET link_tokens = link_tokens - 1 WHERE id = ?1 AND link_tokens > 1";
        tx.execute(sql, &values![self.0]).await?;
        Ok(())
    }
}

struct Find(AuthorizationId);

impl Decision for Find {
    type Outcome = Option<Authorization>;
    const RUN: Run = Run::Read;

    async fn run<T: Tx>(&self, tx: &mut T, _: &Context) -> Result<Self::Outcome, Failure> {
        find(tx, self.0).await
    }
}

struct Complete {
    authorization_id: AuthorizationId,
    public_token: PublicTokenHash,
    code_expires_at: Timestamp,
    connection: SealedConnection,
}

impl Decision for Complete {
    type Outcome = CompleteOutcome;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<CompleteOutcome, Failure> {
        let Some(authorization) = lock(tx, self.authorization_id).await? else {
            return Ok(CompleteOutcome::NotFound);
        };
        if let Err(outcome) = state_machine::completable(&authorization, self.public_token, context.now()) {
            return Ok(outcome);
        }
        let owner = PublicTokenOwner::Authorization(self.authorization_id);
        if !connections::insert(tx, &self.connection, self.public_token, &owner, context.now()).await? {
            return Ok(CompleteOutcome::PublicTokenTaken);
        }
        let row = context.audit.completed(&authorization, self.connection.id());
        let changed = tx
            .execute_all(&[
                connections::index(self.connection.access_token_hash, self.connection.id()),
                Statement::new(
                "UPDATE authorizations SET stage = ?1, stage_at = ?2, connection_id = ?3, public_token = ?4, \
                     code_expires_at = ?5 WHERE id = ?6 AND stage = ?7",
                values![
                    stage::COMPLETED,
                    context.now(),
                    self.connection.id(),
                    &self.public_token.0,
                    self.code_expires_at,
                    self.authorization_id,
                    stage::OPEN,
                ]),
                audit::insert(&row, context.now()),
            ])
            .await?;
        state_machine::consumed(changed.get(1))?;
        Ok(CompleteOutcome::Completed)
    }
}

impl Decision for Repeat {
    type Outcome = RepeatOutcome;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<RepeatOutcome, Failure> {
        let found = lock(tx, self.authorization_id).await?;
        let (outcome, again) = state_machine::repeated(found.as_ref(), self, context.now());
        if let Some(until) = again {
            tx.execute(
                "UPDATE authorizations SET code_expires_at = ?1 WHERE id = ?2 AND stage = ?3",
                &values![until, self.authorization_id, stage::COMPLETED],
            )
            .await?;
        }
        Ok(outcome)
    }
}

struct Cancel(NewAuthorization);

impl Decision for Cancel {
    type Outcome = CancelOutcome;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<CancelOutcome, Failure> {
        let Self(new) = self;
        // Later, the row may have been purged: what it was is not known.
        if context.now() < new.expires_at {
            insert(tx, new, 0).await?;
        }
        let found = lock(tx, new.id).await?;
        let open = found
            .as_ref()
            .filter(|authorization| authorization.stage == Stage::Open);
        let Some(authorization) = open else {
            return Ok(state_machine::not_cancelled(found.as_ref()));
        };
        let changed = tx
            .execute_all(&[
                Statement::new(
                    "UPDATE authorizations SET stage = ?1, stage_at = ?2 WHERE id = ?3 AND stage = ?4",
                    values![stage::CANCELLED, context.now(), new.id, stage::OPEN],
                ),
                audit::insert(&context.audit.cancelled(authorization), context.now()),
            ])
            .await?;
        state_machine::consumed(changed.first())?;
        Ok(CancelOutcome::Cancelled)
    }
}

impl Decision for Redemption {
    type Outcome = RedeemOutcome;
    /// A client that asks again with the same code would be taken for a thief.
    const ASK_AGAIN: bool = true;

    async fn run<T: Tx>(&self, tx: &mut T, context: &Context) -> Result<RedeemOutcome, Failure> {
        let Some(authorization) = lock(tx, self.authorization_id).await? else {
            return Ok(RedeemOutcome::NotRedeemable);
        };
        let redeemable = match state_machine::redeemable(&authorization, self.grant.id, context.now()) {
            Ok(redeemable) => redeemable,
            Err(outcome) => return Ok(*outcome),
        };
        let (Redeemable::Now(connection_id) | Redeemable::Before(connection_id)) = redeemable;
        // Opened before the code is spent: keys that do not open it must not cost the person the code.
        let connection = connections::lock(tx, &context.keyring, connection_id)
            .await?
            .ok_or(StoreError::Corrupt("an authorization's connection is not there"))?;
        if matches!(redeemable, Redeemable::Before(_)) {
            return Ok(RedeemOutcome::Redeemed(connection));
        }
        if connection.removed_at.is_some() {
            return Ok(RedeemOutcome::NotRedeemable);
        }
        let row = context.audit.redeemed(self, connection_id);
        let changed = tx
            .execute_all(&[
                connections::insert_grant(&self.grant, connection_id, context.now()),
                Statement::new(
                "UPDATE authorizations SET stage = ?1, stage_at = ?2, grant_id = ?3 WHERE id = ?4 AND stage = ?5",
                values![
                    stage::REDEEMED,
                    context.now(),
                    self.grant.id,
                    self.authorization_id,
                    stage::COMPLETED,
                ]),
                audit::insert(&row, context.now()),
            ])
            .await?;
        state_machine::consumed(changed.get(1))?;
        Ok(RedeemOutcome::Redeemed(connection))
    }
}
