//! What a decision comes to, by what stands in the store: pure, and the same for every engine.

use super::error::StoreError;
use super::model::{
    CancelOutcome, CompleteOutcome, ConnectionId, Flow, GrantId, LinkStart, PublicTokenHash, RedeemOutcome,
    Repeat, RepeatOutcome, Stage, Transaction,
};
use crate::clock::Timestamp;

/// Whether the transaction can be completed with this public token now; else what `complete` answers.
pub(super) fn completable(
    transaction: &Transaction,
    public_token: PublicTokenHash,
    now: Timestamp,
) -> Result<(), CompleteOutcome> {
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
        } if of == public_token => Err(CompleteOutcome::Repeated { connection_id }),
        Stage::Open if now < transaction.expires_at => Ok(()),
        _ => Err(CompleteOutcome::NotOpen),
    }
}

/// What a redemption meets.
pub(super) enum Redeemable {
    /// The connection whose code can be redeemed now.
    Now(ConnectionId),
    /// The connection whose code this very redemption has redeemed: its caller did not hear of the commit.
    Before(ConnectionId),
}

/// Whether the code can be redeemed with this grant; else what `redeem` answers.
pub(super) fn redeemable(
    transaction: &Transaction,
    grant: GrantId,
    now: Timestamp,
) -> Result<Redeemable, Box<RedeemOutcome>> {
    let outcome = match (&transaction.flow, &transaction.stage) {
        (
            _,
            Stage::Redeemed {
                connection_id,
                grant_id,
                ..
            },
        ) if *grant_id == grant => return Ok(Redeemable::Before(*connection_id)),
        (_, Stage::Redeemed { grant_id, at, .. }) => RedeemOutcome::AlreadyRedeemed {
            grant_id: *grant_id,
            at: *at,
        },
        (Flow::OAuth(_), Stage::Completed { code_expires_at, .. }) if now >= *code_expires_at => {
            RedeemOutcome::Expired
        }
        (Flow::OAuth(_), Stage::Completed { connection_id, .. }) => {
            return Ok(Redeemable::Now(*connection_id));
        }
        _ => RedeemOutcome::NotRedeemable,
    };
    Err(Box::new(outcome))
}

/// What `repeat` answers, and until when the code is to be good again, should it have run out.
pub(super) fn repeated(
    transaction: Option<&Transaction>,
    repeat: &Repeat,
    now: Timestamp,
) -> (RepeatOutcome, Option<Timestamp>) {
    match transaction.map(|transaction| &transaction.stage) {
        Some(Stage::Redeemed {
            connection_id,
            public_token,
            ..
        }) if *public_token == repeat.public_token => (RepeatOutcome::Repeated(*connection_id), None),
        Some(Stage::Completed {
            connection_id,
            public_token,
            code_expires_at,
            ..
        }) if *public_token == repeat.public_token => {
            let again = (now >= *code_expires_at).then(|| now.plus(repeat.code_ttl));
            (RepeatOutcome::Repeated(*connection_id), again)
        }
        _ => (RepeatOutcome::Over, None),
    }
}

/// What `cancel` answers when the transaction was not open.
pub(super) fn not_cancelled(transaction: Option<&Transaction>) -> CancelOutcome {
    match transaction.map(|transaction| &transaction.stage) {
        Some(Stage::Cancelled) => CancelOutcome::Cancelled,
        _ => CancelOutcome::TooLate,
    }
}

/// What `start_link` answers when it neither stored the transaction nor counted a link token.
pub(super) fn not_started(transaction: Option<&Transaction>) -> LinkStart {
    match transaction.map(|transaction| &transaction.stage) {
        Some(Stage::Open) => LinkStart::TooMany,
        _ => LinkStart::NotOpen,
    }
}

/// The consuming write is the gate: whoever does not move the row has decided nothing.
pub(super) fn gate(moved: u64) -> Result<(), StoreError> {
    if moved == 1 {
        Ok(())
    } else {
        Err(StoreError::Unavailable(
            "a row changed in the middle of a decision",
        ))
    }
}

/// A count as the engines give it.
pub(super) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
