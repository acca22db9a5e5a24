//! Decisions about transactions: start, complete, cancel, redeem. Whoever decides holds the lock of the transaction's row.

use super::failure::Failure;
use super::pool::Conn;
use super::rows::Cells;
use super::{audit, connections};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::model::{
    CancelOutcome, CompleteOutcome, Flow, LinkStart, NewTransaction, PublicTokenOwner, RedeemOutcome,
    Redemption, Repeat, RepeatOutcome, Stage, Transaction, TransactionId,
};
use crate::rows::{self, stage};
use crate::rules::{self, Redeemable};
use crate::sealed::{Completing, SealedConnection};
use crate::trail::Trail;

/// Stores the transaction, of which `link_tokens` were made, unless it is stored already. Returns whether it did.
async fn insert(conn: &Conn, new: &NewTransaction, link_tokens: u32) -> Result<bool, Failure> {
    let request = match &new.flow {
        Flow::OAuth(request) => Some(request),
        Flow::Browser => None,
    };
    let inserted = conn
        .execute(
            "INSERT INTO transactions (id, nonce, client_id, redirect_uri, redirect_uri_sent, state, code_challenge, \
                 scope, client_user_id, created_at, expires_at, stage, link_tokens) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (id) DO NOTHING",
            &[
            &new.id.0,
            &new.nonce.0.as_slice(),
            &request.map(|request| &request.client_id),
            &request.map(|request| &request.redirect_uri),
            &request.is_some_and(|request| request.redirect_uri_sent),
            &request.and_then(|request| request.state.as_deref()),
            &request.and_then(|request| request.code_challenge.as_deref()),
            &new.scope.as_deref().map(rows::join_scope),
            &new.client_user_id,
            &new.created_at.as_millis(),
            &new.expires_at.as_millis(),
            &stage::OPEN,
            &i64::from(link_tokens),
        ],
    )
    .await?;
    Ok(inserted == 1)
}

pub(super) async fn start_link(
    conn: &Conn,
    new: &NewTransaction,
    most: u32,
    trail: &Trail,
) -> Result<LinkStart, Failure> {
    if insert(conn, new, 1).await? {
        audit::write(conn, trail.opened(new), trail.now).await?;
        return Ok(LinkStart::Allowed { first: true });
    }
    let counted = conn
        .execute(
            "UPDATE transactions SET link_tokens = link_tokens + 1 WHERE id = $1 AND stage = $2 AND link_tokens < $3",
            &[&new.id.0, &stage::OPEN, &i64::from(most)],
        )
        .await?;
    if counted == 1 {
        return Ok(LinkStart::Allowed { first: false });
    }
    Ok(rules::not_started(find(conn, new.id).await?.as_ref()))
}

/// The first one stored the transaction and stays counted.
pub(super) async fn return_link_token(conn: &Conn, id: TransactionId) -> Result<(), Failure> {
    conn.execute(
        "UPDATE transactions SET link_tokens = link_tokens - 1 WHERE id = $1 AND link_tokens > 1",
        &[&id.0],
    )
    .await?;
    Ok(())
}

pub(super) async fn find(conn: &Conn, id: TransactionId) -> Result<Option<Transaction>, Failure> {
    let sql = format!("SELECT {} FROM transactions WHERE id = $1", rows::TRANSACTION);
    read(conn, &sql, id).await
}

/// Takes the lock of its row until the decision is committed, and reads it.
async fn lock(conn: &Conn, id: TransactionId) -> Result<Option<Transaction>, Failure> {
    let sql = format!(
        "SELECT {} FROM transactions WHERE id = $1 FOR NO KEY UPDATE",
        rows::TRANSACTION
    );
    read(conn, &sql, id).await
}

async fn read(conn: &Conn, sql: &str, id: TransactionId) -> Result<Option<Transaction>, Failure> {
    let row = conn.row(sql, &[&id.0]).await?;
    let transaction = row.map(|row| rows::transaction(&mut Cells::of(&row)));
    Ok(transaction.transpose()?)
}

pub(super) async fn complete(
    conn: &Conn,
    completing: Completing,
    sealed: &SealedConnection,
    trail: &Trail,
) -> Result<CompleteOutcome, Failure> {
    let Completing {
        transaction_id,
        public_token,
        code_expires_at,
    } = completing;
    let now = trail.now;
    let Some(transaction) = lock(conn, transaction_id).await? else {
        return Ok(CompleteOutcome::NotFound);
    };
    if let Err(outcome) = rules::completable(&transaction, public_token, now) {
        return Ok(outcome);
    }
    let owner = PublicTokenOwner::Transaction(transaction_id);
    if !connections::insert(conn, sealed, Some(public_token), &owner, now).await? {
        return Ok(CompleteOutcome::PublicTokenTaken);
    }
    let moved = conn
        .execute(
            "UPDATE transactions SET stage = $1, stage_at = $2, connection_id = $3, public_token = $4, \
                 code_expires_at = $5 WHERE id = $6 AND stage = $7",
            &[
                &stage::COMPLETED,
                &now.as_millis(),
                &sealed.id().0,
                &public_token.0.as_slice(),
                &code_expires_at.as_millis(),
                &transaction_id.0,
                &stage::OPEN,
            ],
        )
        .await?;
    rules::gate(moved)?;
    audit::write(conn, trail.completed(&transaction, sealed.id()), now).await?;
    Ok(CompleteOutcome::Completed)
}

pub(super) async fn repeat(conn: &Conn, repeat: &Repeat, now: Timestamp) -> Result<RepeatOutcome, Failure> {
    let found = lock(conn, repeat.transaction_id).await?;
    let (outcome, again) = rules::repeated(found.as_ref(), repeat, now);
    if let Some(until) = again {
        conn.execute(
            "UPDATE transactions SET code_expires_at = $1 WHERE id = $2 AND stage = $3",
            &[&until.as_millis(), &repeat.transaction_id.0, &stage::COMPLETED],
        )
        .await?;
    }
    Ok(outcome)
}

pub(super) async fn cancel(
    conn: &Conn,
    new: &NewTransaction,
    trail: &Trail,
) -> Result<CancelOutcome, Failure> {
    let id = new.id;
    // Later, the row may have been purged: what it was is not known.
    if trail.now < new.expires_at {
        insert(conn, new, 0).await?;
    }
    let found = lock(conn, id).await?;
    let open = found
        .as_ref()
        .filter(|transaction| transaction.stage == Stage::Open);
    let Some(transaction) = open else {
        return Ok(rules::not_cancelled(found.as_ref()));
    };
    let moved = conn
        .execute(
            "UPDATE transactions SET stage = $1, stage_at = $2 WHERE id = $3 AND stage = $4",
            &[&stage::CANCELLED, &trail.now.as_millis(), &id.0, &stage::OPEN],
        )
        .await?;
    rules::gate(moved)?;
    audit::write(conn, trail.cancelled(transaction), trail.now).await?;
    Ok(CancelOutcome::Cancelled)
}

pub(super) async fn redeem(
    conn: &Conn,
    keyring: &Keyring,
    redemption: &Redemption,
    trail: &Trail,
) -> Result<RedeemOutcome, Failure> {
    let now = trail.now;
    let Some(transaction) = lock(conn, redemption.transaction_id).await? else {
        return Ok(RedeemOutcome::NotRedeemable);
    };
    let redeemable = match rules::redeemable(&transaction, redemption.grant.id, now) {
        Ok(redeemable) => redeemable,
        Err(outcome) => return Ok(*outcome),
    };
    let (Redeemable::Now(connection_id) | Redeemable::Before(connection_id)) = redeemable;
    // Opened before the code is spent: keys that do not open it must not cost the person the code.
    let connection = connections::lock(conn, keyring, connection_id)
        .await?
        .ok_or(StoreError::Corrupt("a transaction's connection is not there"))?;
    if matches!(redeemable, Redeemable::Before(_)) {
        return Ok(RedeemOutcome::Redeemed(connection));
    }
    if connection.removed_at.is_some() {
        return Ok(RedeemOutcome::NotRedeemable);
    }
    connections::insert_grant(conn, &redemption.grant, connection_id, now).await?;
    let moved = conn
        .execute(
            "UPDATE transactions SET stage = $1, stage_at = $2, grant_id = $3 WHERE id = $4 AND stage = $5",
            &[
                &stage::REDEEMED,
                &now.as_millis(),
                &redemption.grant.id.0,
                &redemption.transaction_id.0,
                &stage::COMPLETED,
            ],
        )
        .await?;
    rules::gate(moved)?;
    audit::write(conn, trail.redeemed(redemption, connection_id), now).await?;
    Ok(RedeemOutcome::Redeemed(connection))
}
