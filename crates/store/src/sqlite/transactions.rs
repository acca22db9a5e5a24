//! Decisions about transactions: start, complete, cancel, redeem. Each consuming write names the stage it moves from.

use rusqlite::{Connection as Sqlite, named_params};

use super::rows::Cells;
use super::{audit, connections};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::model::{
    CancelOutcome, CompleteOutcome, Flow, LinkStart, NewTransaction, PublicTokenOwner, RedeemOutcome,
    Redemption, Repeat, RepeatOutcome, Transaction, TransactionId,
};
use crate::rows::{self, stage};
use crate::rules::{self, Redeemable};
use crate::sealed::{Completing, SealedConnection};
use crate::trail::Trail;

/// Stores the transaction unless it is stored already. Returns whether it did.
fn insert(conn: &Sqlite, new: &NewTransaction) -> Result<bool, StoreError> {
    let request = match &new.flow {
        Flow::OAuth(request) => Some(request),
        Flow::Browser => None,
    };
    let inserted = conn
        .prepare_cached(
            "INSERT INTO transactions (id, nonce, client_id, redirect_uri, redirect_uri_sent, state, code_challenge, \
                 scope, client_user_id, created_at, expires_at, stage) \
             VALUES (:id, :nonce, :client_id, :redirect_uri, :redirect_uri_sent, :state, :code_challenge, \
                 :scope, :client_user_id, :created_at, :expires_at, :stage) ON CONFLICT (id) DO NOTHING",
        )?
        .execute(named_params! {
        ":id": new.id.0.as_bytes(),
        ":nonce": new.nonce.0,
        ":client_id": request.map(|request| &request.client_id),
        ":redirect_uri": request.map(|request| &request.redirect_uri),
        ":redirect_uri_sent": request.is_some_and(|request| request.redirect_uri_sent),
        ":state": request.and_then(|request| request.state.as_deref()),
        ":code_challenge": request.and_then(|request| request.code_challenge.as_deref()),
        ":scope": new.scope.as_deref().map(rows::join_scope),
        ":client_user_id": new.client_user_id,
        ":created_at": new.created_at.as_millis(),
        ":expires_at": new.expires_at.as_millis(),
        ":stage": stage::OPEN,
    })?;
    Ok(inserted == 1)
}

pub(super) fn start_link(
    conn: &Sqlite,
    new: &NewTransaction,
    most: u32,
    trail: &Trail,
) -> Result<LinkStart, StoreError> {
    // The row itself counts as the first one.
    if insert(conn, new)? {
        audit::write(conn, &trail.opened(new), trail.now)?;
        return Ok(LinkStart::Allowed { first: true });
    }
    let counted = conn
        .prepare_cached(
            "INSERT INTO link_tokens (transaction_id, made) \
                 SELECT id, 2 FROM transactions WHERE id = ?1 AND stage = ?2 AND ?3 > 1 \
             ON CONFLICT (transaction_id) DO UPDATE SET made = made + 1 WHERE made < ?3",
        )?
        .execute((new.id.0.as_bytes(), stage::OPEN, most))?;
    if counted == 1 {
        return Ok(LinkStart::Allowed { first: false });
    }
    Ok(rules::not_started(find(conn, new.id)?.as_ref()))
}

/// For a transaction that is not open any more.
pub(super) fn forget_link_tokens(conn: &Sqlite, id: TransactionId) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM link_tokens WHERE transaction_id = ?1")?
        .execute([id.0.as_bytes()])?;
    Ok(())
}

pub(super) fn find(conn: &Sqlite, id: TransactionId) -> Result<Option<Transaction>, StoreError> {
    let sql = format!("SELECT {} FROM transactions WHERE id = ?1", rows::TRANSACTION);
    let mut statement = conn.prepare_cached(&sql)?;
    let mut found = statement.query([id.0.as_bytes()])?;
    found
        .next()?
        .map(|row| rows::transaction(&mut Cells::of(row)))
        .transpose()
}

/// The first one stored the transaction and stays counted.
pub(super) fn return_link_token(conn: &Sqlite, id: TransactionId) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE link_tokens SET made = made - 1 WHERE transaction_id = ?1 AND made > 1")?
        .execute([id.0.as_bytes()])?;
    Ok(())
}

pub(super) fn complete(
    conn: &Sqlite,
    completing: Completing,
    sealed: &SealedConnection,
    trail: &Trail,
) -> Result<CompleteOutcome, StoreError> {
    let Completing {
        transaction_id,
        public_token,
        code_expires_at,
    } = completing;
    let now = trail.now;
    let Some(transaction) = find(conn, transaction_id)? else {
        return Ok(CompleteOutcome::NotFound);
    };
    if let Err(outcome) = rules::completable(&transaction, public_token, now) {
        return Ok(outcome);
    }
    if connections::find_public_token(conn, public_token)?.is_some() {
        return Ok(CompleteOutcome::PublicTokenTaken);
    }
    connections::insert(
        conn,
        sealed,
        Some(public_token),
        &PublicTokenOwner::Transaction(transaction_id),
        now,
    )?;
    let moved = conn
        .prepare_cached(
            "UPDATE transactions SET stage = :completed, stage_at = :now, connection_id = :connection_id, \
                 public_token = :public_token, code_expires_at = :code_expires_at \
             WHERE id = :id AND stage = :open",
        )?
        .execute(named_params! {
            ":completed": stage::COMPLETED,
            ":now": now.as_millis(),
            ":connection_id": sealed.id().0.as_bytes(),
            ":public_token": public_token.0,
            ":code_expires_at": code_expires_at.as_millis(),
            ":id": transaction_id.0.as_bytes(),
            ":open": stage::OPEN,
        })?;
    rules::gate(u64::try_from(moved).unwrap_or(u64::MAX))?;
    forget_link_tokens(conn, transaction_id)?;
    audit::write(conn, &trail.completed(&transaction, sealed.id()), now)?;
    Ok(CompleteOutcome::Completed)
}

pub(super) fn repeat(conn: &Sqlite, repeat: Repeat, now: Timestamp) -> Result<RepeatOutcome, StoreError> {
    let found = find(conn, repeat.transaction_id)?;
    let (outcome, again) = rules::repeated(found.as_ref(), &repeat, now);
    if let Some(until) = again {
        conn.prepare_cached("UPDATE transactions SET code_expires_at = ?1 WHERE id = ?2 AND stage = ?3")?
            .execute((
                until.as_millis(),
                repeat.transaction_id.0.as_bytes(),
                stage::COMPLETED,
            ))?;
    }
    Ok(outcome)
}

pub(super) fn cancel(
    conn: &Sqlite,
    new: &NewTransaction,
    trail: &Trail,
) -> Result<CancelOutcome, StoreError> {
    let (id, now) = (new.id, trail.now);
    // Later, the row may have been purged: what it was is not known.
    if now < new.expires_at {
        insert(conn, new)?;
    }
    let moved = conn
        .prepare_cached("UPDATE transactions SET stage = ?1, stage_at = ?2 WHERE id = ?3 AND stage = ?4")?
        .execute((stage::CANCELLED, now.as_millis(), id.0.as_bytes(), stage::OPEN))?;
    let found = find(conn, id)?;
    match &found {
        Some(transaction) if moved == 1 => {
            forget_link_tokens(conn, id)?;
            audit::write(conn, &trail.cancelled(transaction), now)?;
            Ok(CancelOutcome::Cancelled)
        }
        _ => Ok(rules::not_cancelled(found.as_ref())),
    }
}

pub(super) fn redeem(
    conn: &Sqlite,
    keyring: &Keyring,
    redemption: &Redemption,
    trail: &Trail,
) -> Result<RedeemOutcome, StoreError> {
    let now = trail.now;
    let Some(transaction) = find(conn, redemption.transaction_id)? else {
        return Ok(RedeemOutcome::NotRedeemable);
    };
    let redeemable = match rules::redeemable(&transaction, redemption.grant.id, now) {
        Ok(redeemable) => redeemable,
        Err(outcome) => return Ok(*outcome),
    };
    let (Redeemable::Now(connection_id) | Redeemable::Before(connection_id)) = redeemable;
    // Opened before the code is spent: keys that do not open it must not cost the person the code.
    let connection = connections::find(conn, keyring, connection_id)?
        .ok_or(StoreError::Corrupt("a transaction's connection is not there"))?;
    if matches!(redeemable, Redeemable::Before(_)) {
        return Ok(RedeemOutcome::Redeemed(connection));
    }
    if connection.removed_at.is_some() {
        return Ok(RedeemOutcome::NotRedeemable);
    }
    connections::insert_grant(conn, &redemption.grant, connection_id, now)?;
    let moved = conn
        .prepare_cached(
            "UPDATE transactions SET stage = :redeemed, stage_at = :now, grant_id = :grant_id \
             WHERE id = :id AND stage = :completed",
        )?
        .execute(named_params! {
            ":redeemed": stage::REDEEMED,
            ":now": now.as_millis(),
            ":grant_id": redemption.grant.id.0.as_bytes(),
            ":id": redemption.transaction_id.0.as_bytes(),
            ":completed": stage::COMPLETED,
        })?;
    rules::gate(u64::try_from(moved).unwrap_or(u64::MAX))?;
    audit::write(conn, &trail.redeemed(redemption, connection_id), now)?;
    Ok(RedeemOutcome::Redeemed(connection))
}
