//! Decisions about transactions: open, complete, cancel, redeem. Each consuming write names the stage it moves from.

use rusqlite::{Connection as Sqlite, named_params};

use super::audit::Trail;
use super::connections::{self, SealedConnection};
use super::rows::{self, stage};
use crate::clock::Timestamp;
use crate::store::error::StoreError;
use crate::store::keyring::Keyring;
use crate::store::model::{
    Actor, AuditEvent, CancelOutcome, CompleteOutcome, Flow, NewAudit, NewTransaction, PublicTokenHash,
    PublicTokenOwner, RedeemOutcome, Redemption, Repeat, RepeatOutcome, Stage, Transaction, TransactionId,
};

pub(super) fn open(conn: &Sqlite, new: &NewTransaction, trail: &Trail) -> Result<(), StoreError> {
    let request = match &new.flow {
        Flow::OAuth(request) => Some(request),
        Flow::Browser => None,
    };
    conn.prepare_cached(
        "INSERT INTO transactions (id, nonce, client_id, redirect_uri, redirect_uri_sent, state, code_challenge, scope, \
             client_user_id, created_at, expires_at, stage) \
         VALUES (:id, :nonce, :client_id, :redirect_uri, :redirect_uri_sent, :state, :code_challenge, :scope, \
             :client_user_id, :created_at, :expires_at, :stage)",
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
    trail.write(conn, AuditEvent::AuthorizationOpened, Actor::Person, |row| {
        NewAudit {
            client_id: request.map(|request| request.client_id.clone()),
            ..row.transaction(new.id)
        }
    })
}

pub(super) fn find(conn: &Sqlite, id: TransactionId) -> Result<Option<Transaction>, StoreError> {
    let sql = format!("SELECT {} FROM transactions WHERE id = ?1", rows::TRANSACTION);
    let mut statement = conn.prepare_cached(&sql)?;
    let mut found = statement.query([id.0.as_bytes()])?;
    found.next()?.map(rows::transaction).transpose()
}

/// What `complete` needs beside the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Completing {
    pub(super) transaction_id: TransactionId,
    pub(super) public_token: PublicTokenHash,
    pub(super) code_expires_at: Timestamp,
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
    match transaction.stage {
        Stage::Completed {
            connection_id,
            public_token: of,
            ..
        }
        | Stage::Redeemed {
            connection_id,
            public_token: of,
            ..
        } if of == public_token => {
            return Ok(CompleteOutcome::Repeated { connection_id });
        }
        Stage::Open if now < transaction.expires_at => {}
        _ => return Ok(CompleteOutcome::NotOpen),
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
    gate(moved)?;
    trail.write(conn, AuditEvent::AuthorizationCompleted, Actor::Person, |row| {
        NewAudit {
            client_id: client_of(transaction.flow),
            ..row.transaction(transaction_id).connection(sealed.id())
        }
    })?;
    Ok(CompleteOutcome::Completed)
}

pub(super) fn repeat(conn: &Sqlite, repeat: Repeat, now: Timestamp) -> Result<RepeatOutcome, StoreError> {
    let stage = find(conn, repeat.transaction_id)?.map(|transaction| transaction.stage);
    Ok(match stage {
        Some(Stage::Redeemed {
            connection_id,
            public_token,
            ..
        }) if public_token == repeat.public_token => RepeatOutcome::Repeated(connection_id),
        Some(Stage::Completed {
            connection_id,
            public_token,
            code_expires_at,
            ..
        }) if public_token == repeat.public_token => {
            if now >= code_expires_at {
                conn.prepare_cached(
                    "UPDATE transactions SET code_expires_at = ?1 WHERE id = ?2 AND stage = ?3",
                )?
                .execute((
                    now.plus(repeat.code_ttl).as_millis(),
                    repeat.transaction_id.0.as_bytes(),
                    stage::COMPLETED,
                ))?;
            }
            RepeatOutcome::Repeated(connection_id)
        }
        _ => RepeatOutcome::Over,
    })
}

pub(super) fn cancel(conn: &Sqlite, id: TransactionId, trail: &Trail) -> Result<CancelOutcome, StoreError> {
    let now = trail.now;
    let moved = conn
        .prepare_cached("UPDATE transactions SET stage = ?1, stage_at = ?2 WHERE id = ?3 AND stage = ?4")?
        .execute((stage::CANCELLED, now.as_millis(), id.0.as_bytes(), stage::OPEN))?;
    let found = find(conn, id)?;
    if moved == 1 {
        trail.write(conn, AuditEvent::AuthorizationCancelled, Actor::Person, |row| {
            NewAudit {
                client_id: found.and_then(|transaction| client_of(transaction.flow)),
                ..row.transaction(id)
            }
        })?;
        return Ok(CancelOutcome::Cancelled);
    }
    Ok(match found.map(|transaction| transaction.stage) {
        None => CancelOutcome::NotFound,
        Some(Stage::Cancelled) => CancelOutcome::Cancelled,
        Some(_) => CancelOutcome::TooLate,
    })
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
    let connection_id = match (transaction.flow, transaction.stage) {
        (_, Stage::Redeemed { grant_id, at, .. }) => {
            return Ok(RedeemOutcome::AlreadyRedeemed { grant_id, at });
        }
        (Flow::OAuth(_), Stage::Completed { code_expires_at, .. }) if now >= code_expires_at => {
            return Ok(RedeemOutcome::Expired);
        }
        (Flow::OAuth(_), Stage::Completed { connection_id, .. }) => connection_id,
        _ => return Ok(RedeemOutcome::NotRedeemable),
    };
    // Opened before the code is spent: keys that do not open it must not cost the person the code.
    let connection = connections::find(conn, keyring, connection_id)?
        .ok_or(StoreError::Corrupt("a transaction's connection is not there"))?;
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
    gate(moved)?;
    trail.write(conn, AuditEvent::CodeRedeemed, Actor::Client, |row| {
        row.client(&redemption.grant.client_id)
            .transaction(redemption.transaction_id)
            .connection(connection_id)
            .grant(redemption.grant.id)
    })?;
    Ok(RedeemOutcome::Redeemed(connection))
}

fn client_of(flow: Flow) -> Option<String> {
    match flow {
        Flow::OAuth(request) => Some(request.client_id),
        Flow::Browser => None,
    }
}

/// The consuming write is the gate: whoever does not move the row has decided nothing.
fn gate(moved: usize) -> Result<(), StoreError> {
    if moved == 1 {
        Ok(())
    } else {
        Err(StoreError::Unavailable(
            "a row changed in the middle of a decision",
        ))
    }
}
