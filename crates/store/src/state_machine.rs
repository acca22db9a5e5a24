//! The outcome of a decision, given the row: pure, and the same for both engines.

use super::error::StoreError;
use super::model::{
    Authorization, CancelOutcome, CompleteOutcome, ConnectionId, Flow, GrantId, LinkStart, PublicTokenHash,
    RedeemOutcome, Repeat, RepeatOutcome, Stage,
};
use crate::clock::Timestamp;

/// Whether the authorization can be completed with this public token now; else what `complete` answers.
pub(super) fn completable(
    authorization: &Authorization,
    public_token: PublicTokenHash,
    now: Timestamp,
) -> Result<(), CompleteOutcome> {
    match authorization.stage {
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
        Stage::Open if now < authorization.expires_at => Ok(()),
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
    authorization: &Authorization,
    grant: GrantId,
    now: Timestamp,
) -> Result<Redeemable, Box<RedeemOutcome>> {
    let outcome = match (&authorization.flow, &authorization.stage) {
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
    authorization: Option<&Authorization>,
    repeat: &Repeat,
    now: Timestamp,
) -> (RepeatOutcome, Option<Timestamp>) {
    match authorization.map(|authorization| &authorization.stage) {
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

/// What `cancel` answers when the authorization was not open.
pub(super) fn not_cancelled(authorization: Option<&Authorization>) -> CancelOutcome {
    match authorization.map(|authorization| &authorization.stage) {
        Some(Stage::Cancelled) => CancelOutcome::Cancelled,
        _ => CancelOutcome::TooLate,
    }
}

/// What `start_link` answers when it neither stored the authorization nor counted a link token.
pub(super) fn not_started(authorization: Option<&Authorization>) -> LinkStart {
    match authorization.map(|authorization| &authorization.stage) {
        Some(Stage::Open) => LinkStart::TooMany,
        _ => LinkStart::NotOpen,
    }
}

/// Exactly one caller moves the row; a caller that did not has decided nothing.
pub(super) fn consumed(changed: Option<&u64>) -> Result<(), StoreError> {
    if changed == Some(&1) {
        Ok(())
    } else {
        Err(StoreError::Unavailable(
            "a row changed in the middle of a decision",
        ))
    }
}
