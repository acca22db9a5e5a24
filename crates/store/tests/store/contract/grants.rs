//! Rotating a refresh token, and ending a grant.

use crate::helpers::{NOW, at_once, completed, nonce, redemption_of, take_due};
use plaid_token_broker_core::clock::Timestamp;
use plaid_token_broker_store::Store;
use plaid_token_broker_store::model::{
    ConnectionId, GrantId, NewGrant, RemovalReason, Revocation, RevokeOutcome, RotateOutcome, Rotated,
    Rotation,
};

const LATER: Timestamp = Timestamp::from_millis(NOW.as_millis() + 1_000);

async fn granted(store: &Store) -> (NewGrant, ConnectionId) {
    let (id, connection_id) = completed(store).await;
    let redemption = redemption_of(id);
    let grant = redemption.grant.clone();
    store.redeem(redemption, NOW).await.unwrap();
    (grant, connection_id)
}

pub(crate) async fn of_many_rotations_at_once_one_wins(store: &Store) {
    let (grant, _) = granted(store).await;
    let rotations: Vec<_> = (0..32)
        .map(|_| Rotation {
            grant_id: grant.id,
            from: grant.nonce,
            to: nonce(),
        })
        .collect();
    let outcomes = at_once(store, rotations.clone(), |store, rotation| async move {
        store.rotate(rotation, LATER).await.unwrap()
    })
    .await;
    let won: Vec<_> = rotations
        .iter()
        .zip(outcomes)
        .filter(|(_, outcome)| *outcome == RotateOutcome::Rotated)
        .map(|(rotation, _)| rotation.to)
        .collect();
    let (now, _) = store.grant(grant.id).await.unwrap().unwrap();
    assert_eq!(won, [now.nonce]);
    assert_eq!(
        now.rotated,
        Some(Rotated {
            previous: grant.nonce,
            at: LATER
        })
    );
}

pub(crate) async fn an_ended_or_unknown_grant_does_not_rotate(store: &Store) {
    let (grant, _) = granted(store).await;
    let rotation = Rotation {
        grant_id: grant.id,
        from: grant.nonce,
        to: nonce(),
    };
    let ended = store.revoke(grant.id, Revocation::Grant, LATER).await.unwrap();
    assert_eq!(ended, RevokeOutcome::Revoked);
    assert_eq!(store.rotate(rotation, LATER).await.unwrap(), RotateOutcome::Moved);
    let unknown = GrantId(crate::helpers::fresh_id());
    let rotation = Rotation {
        grant_id: unknown,
        ..rotation
    };
    assert_eq!(store.rotate(rotation, LATER).await.unwrap(), RotateOutcome::Moved);
    let ended = store.revoke(unknown, Revocation::GrantAndConnection, LATER).await;
    assert_eq!(ended.unwrap(), RevokeOutcome::NotFound);
}

pub(crate) async fn ending_a_grant_alone_keeps_the_connection(store: &Store) {
    let (grant, connection_id) = granted(store).await;
    store.revoke(grant.id, Revocation::Grant, LATER).await.unwrap();
    let (ended, connection) = store.grant(grant.id).await.unwrap().unwrap();
    assert_eq!(ended.revoked_at, Some(LATER));
    assert_eq!((connection.id, connection.removed_at), (connection_id, None));
    assert!(take_due(store, LATER, 9).await.is_empty());
}

pub(crate) async fn ending_the_last_grant_queues_the_removal_once(store: &Store) {
    let (grant, connection_id) = granted(store).await;
    let later = Timestamp::from_millis(LATER.as_millis() + 1_000);
    for now in [LATER, later] {
        let outcome = store.revoke(grant.id, Revocation::GrantAndConnection, now).await;
        assert_eq!(outcome.unwrap(), RevokeOutcome::Revoked);
    }
    let (ended, connection) = store.grant(grant.id).await.unwrap().unwrap();
    assert_eq!(
        (ended.revoked_at, connection.removed_at),
        (Some(LATER), Some(LATER))
    );
    let due = take_due(store, later, 9).await;
    assert_eq!(due.len(), 1);
    assert!(
        due.iter()
            .all(|removal| removal.connection.id == connection_id && removal.reason == RemovalReason::Revoked)
    );
}
