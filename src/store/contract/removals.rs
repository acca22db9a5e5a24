//! Abandoning, the removal queue, purging, and the store's own health.

use std::time::Duration;

use super::{
    NOW, TRANSACTION_TTL, at_once, browser_transaction, cancel, completed, completion_of, hash,
    new_connection, oauth_transaction, opened, raw_exchange_of, redemption_of,
};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::model::{
    Abandonment, CompleteOutcome, ConnectionId, NewConnection, PublicTokenOwner, RedeemOutcome,
    RemovalReason, Stage,
};

const MOMENT: Duration = Duration::from_millis(1);

pub(in crate::store) async fn abandoning_takes_what_was_completed_before_that_moment(store: &Store) {
    let (id, connection_id) = completed(store).await;
    assert_eq!(store.abandon(super::unredeemed(NOW), NOW).await.unwrap(), 0);
    let later = NOW.plus(Duration::from_secs(3600));
    assert_eq!(
        store
            .abandon(super::unredeemed(NOW.plus(MOMENT)), later)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        store
            .abandon(super::unredeemed(NOW.plus(MOMENT)), later)
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        store.transaction(id).await.unwrap().unwrap().stage,
        Stage::Abandoned
    );
    assert_eq!(
        store.connection(connection_id).await.unwrap().unwrap().removed_at,
        Some(later)
    );
    let due = store.due_removals(later, 10).await.unwrap();
    let [removal] = due.try_into().unwrap();
    assert_eq!(
        (removal.connection.id, removal.reason, removal.attempts),
        (connection_id, RemovalReason::Unredeemed, 0)
    );
    assert_eq!(
        removal.connection.access_token.expose(),
        format!("access-sandbox-{connection_id}")
    );
}

pub(in crate::store) async fn abandoning_spares_what_others_still_use(store: &Store) {
    let open = opened(store, oauth_transaction()).await;
    let browser = opened(store, browser_transaction()).await;
    store.complete(completion_of(browser, hash()), NOW).await.unwrap();
    let (redeemed, _) = completed(store).await;
    store.redeem(redemption_of(redeemed), NOW).await.unwrap();
    store.exchange_raw(raw_exchange_of(hash()), NOW).await.unwrap();
    let late = NOW.plus(Duration::from_secs(9999));
    assert_eq!(store.abandon(super::unredeemed(late), late).await.unwrap(), 0);
    assert_eq!(store.transaction(open).await.unwrap().unwrap().stage, Stage::Open);
    assert!(store.due_removals(late, 10).await.unwrap().is_empty());
}

pub(in crate::store) async fn of_redeem_and_abandon_one_wins(store: &Store) {
    for round in 0..20 {
        let (id, connection_id) = completed(store).await;
        let won = at_once(store, vec![true, false], move |store, redeem| async move {
            if redeem {
                matches!(
                    store.redeem(redemption_of(id), NOW).await.unwrap(),
                    RedeemOutcome::Redeemed(_)
                )
            } else {
                store
                    .abandon(super::unredeemed(NOW.plus(MOMENT)), NOW)
                    .await
                    .unwrap()
                    == 1
            }
        })
        .await;
        let [redeemed, abandoned] = won.try_into().unwrap();
        assert_ne!(redeemed, abandoned, "round {round}");
        assert_eq!(
            store
                .connection(connection_id)
                .await
                .unwrap()
                .unwrap()
                .removed_at
                .is_some(),
            abandoned
        );
        let queued = store.due_removals(NOW, 100).await.unwrap();
        assert_eq!(
            queued
                .iter()
                .any(|removal| removal.connection.id == connection_id),
            abandoned
        );
    }
}

pub(in crate::store) async fn removals_come_when_due_and_in_order(store: &Store) {
    let mut ids = Vec::new();
    for seconds in 0..3 {
        ids.push(completed(store).await.1);
        store
            .abandon(
                super::unredeemed(NOW.plus(MOMENT)),
                NOW.plus(Duration::from_secs(seconds)),
            )
            .await
            .unwrap();
    }
    let [first, second, third] = ids.try_into().unwrap();
    let due = async |seconds, limit| {
        let due = store
            .due_removals(NOW.plus(Duration::from_secs(seconds)), limit)
            .await
            .unwrap();
        due.iter()
            .map(|removal| (removal.connection.id, removal.attempts))
            .collect::<Vec<_>>()
    };
    assert_eq!(due(1, 10).await, [(first, 0), (second, 0)]);
    assert_eq!(due(9, 2).await, [(first, 0), (second, 0)]);
    assert_eq!(due(9, 0).await, []);
    store
        .postpone_removal(first, NOW.plus(Duration::from_secs(60)))
        .await
        .unwrap();
    assert_eq!(due(9, 10).await, [(second, 0), (third, 0)]);
    assert_eq!(due(60, 10).await, [(second, 0), (third, 0), (first, 1)]);
}

pub(in crate::store) async fn a_finished_removal_is_gone_and_the_connection_stays_removed(store: &Store) {
    let (_, connection_id) = completed(store).await;
    store
        .abandon(super::unredeemed(NOW.plus(MOMENT)), NOW)
        .await
        .unwrap();
    for seconds in [1, 2] {
        store
            .finish_removal(connection_id, NOW.plus(Duration::from_secs(seconds)))
            .await
            .unwrap();
        assert!(
            store
                .due_removals(NOW.plus(TRANSACTION_TTL), 10)
                .await
                .unwrap()
                .is_empty()
        );
        assert_eq!(
            store.connection(connection_id).await.unwrap().unwrap().removed_at,
            Some(NOW)
        );
    }
    store.postpone_removal(connection_id, NOW).await.unwrap();
    assert!(
        store
            .due_removals(NOW.plus(TRANSACTION_TTL), 10)
            .await
            .unwrap()
            .is_empty()
    );
}

pub(in crate::store) async fn purging_forgets_what_came_to_nothing(store: &Store) {
    let open = opened(store, oauth_transaction()).await;
    let cancelled = opened(store, oauth_transaction()).await;
    cancel(store, cancelled, NOW).await.unwrap();
    let (abandoned, _) = completed(store).await;
    store
        .abandon(super::unredeemed(NOW.plus(MOMENT)), NOW)
        .await
        .unwrap();
    let (waiting, _) = completed(store).await;
    let (redeemed, _) = completed(store).await;
    store.redeem(redemption_of(redeemed), NOW).await.unwrap();
    let expiry = NOW.plus(TRANSACTION_TTL);
    // The abandoned connection's public token was exchanged before that and its connection is removed.
    assert_eq!(store.purge(expiry).await.unwrap(), 1);
    assert_eq!(store.purge(expiry.plus(MOMENT)).await.unwrap(), 3);
    assert_eq!(store.purge(expiry.plus(MOMENT)).await.unwrap(), 0);
    for (id, there) in [
        (open, false),
        (cancelled, false),
        (abandoned, false),
        (waiting, true),
        (redeemed, true),
    ] {
        assert_eq!(store.transaction(id).await.unwrap().is_some(), there);
    }
}

pub(in crate::store) async fn purging_keeps_public_tokens_of_living_connections(store: &Store) {
    let live = raw_exchange_of(hash());
    store.exchange_raw(live.clone(), NOW).await.unwrap();
    let id = opened(store, oauth_transaction()).await;
    let removed = completion_of(id, hash());
    store.complete(removed.clone(), NOW).await.unwrap();
    store
        .abandon(super::unredeemed(NOW.plus(MOMENT)), NOW)
        .await
        .unwrap();
    assert_eq!(store.purge(NOW).await.unwrap(), 0);
    store.purge(NOW.plus(MOMENT)).await.unwrap();
    assert!(store.public_token(live.public_token).await.unwrap().is_some());
    assert!(store.public_token(removed.public_token).await.unwrap().is_none());
    // The wish for its removal is not forgotten.
    assert_eq!(store.due_removals(NOW, 10).await.unwrap().len(), 1);
}

pub(in crate::store) async fn the_check_passes_and_leaves_no_trace(store: &Store) {
    let checks = at_once(store, vec![(); 8], |store, ()| async move { store.check().await }).await;
    assert!(checks.iter().all(Result::is_ok));
    assert_eq!(store.purge(NOW.plus(TRANSACTION_TTL * 99)).await.unwrap(), 0);
}

pub(in crate::store) async fn a_closed_store_refuses(store: &Store) {
    let id = opened(store, oauth_transaction()).await;
    let completion = completion_of(id, hash());
    assert_eq!(
        store.complete(completion, NOW).await.unwrap(),
        CompleteOutcome::Completed
    );
    store.close().await;
    assert!(matches!(
        store.transaction(id).await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(matches!(
        store.redeem(redemption_of(id), NOW).await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(matches!(store.check().await, Err(StoreError::Unavailable(_))));
    store.close().await;
}

pub(in crate::store) async fn a_session_that_ended_gives_its_connection_up(store: &Store) {
    let browser = opened(store, browser_transaction()).await;
    let completion = completion_of(browser, hash());
    store.complete(completion.clone(), NOW).await.unwrap();
    let (oauth, _) = completed(store).await;
    let sessions = |before| Abandonment {
        unredeemed_before: NOW,
        sessions_before: before,
    };
    assert_eq!(store.abandon(sessions(NOW), NOW).await.unwrap(), 0);
    assert_eq!(store.abandon(sessions(NOW.plus(MOMENT)), NOW).await.unwrap(), 1);
    let due = store.due_removals(NOW, 10).await.unwrap();
    assert_eq!(due.len(), 1);
    assert!(
        due.iter()
            .all(|removal| removal.connection.id == completion.connection.id)
    );
    assert_eq!(
        store.transaction(browser).await.unwrap().unwrap().stage,
        Stage::Abandoned
    );
    assert!(matches!(
        store.transaction(oauth).await.unwrap().unwrap().stage,
        Stage::Completed { .. }
    ));
}

pub(in crate::store) async fn what_nobody_wants_is_stored_to_be_removed(store: &Store) {
    let cancelled = opened(store, oauth_transaction()).await;
    cancel(store, cancelled, NOW).await.unwrap();
    let connection = new_connection();
    let owner = PublicTokenOwner::Transaction(cancelled);
    let public_token = hash();
    let queued = store.discard(connection.clone(), public_token, owner.clone(), NOW);
    assert!(queued.await.unwrap());
    let stored = store.connection(connection.id).await.unwrap().unwrap();
    assert_eq!(
        (stored.item_id, stored.removed_at),
        (connection.item_id, Some(NOW))
    );
    let due = store.due_removals(NOW, 10).await.unwrap();
    assert_eq!(due.len(), 1);
    assert!(
        due.iter()
            .all(|removal| { removal.connection.access_token.expose() == connection.access_token.expose() })
    );
    // A second time it is there already.
    let again = store.discard(new_connection(), public_token, owner, NOW);
    assert!(!again.await.unwrap());
    assert_eq!(store.due_removals(NOW, 10).await.unwrap().len(), 1);
}

pub(in crate::store) async fn what_is_stored_already_is_not_discarded(store: &Store) {
    let id = opened(store, oauth_transaction()).await;
    let completion = completion_of(id, hash());
    store.complete(completion.clone(), NOW).await.unwrap();
    let owner = PublicTokenOwner::Transaction(id);
    let left_over = NewConnection {
        id: ConnectionId(super::fresh_id()),
        ..completion.connection.clone()
    };
    let queued = store.discard(left_over.clone(), completion.public_token, owner, NOW);
    assert!(!queued.await.unwrap());
    assert!(store.connection(left_over.id).await.unwrap().is_none());
    let stored = store.connection(completion.connection.id).await.unwrap().unwrap();
    assert_eq!(stored.removed_at, None);
    assert!(store.due_removals(NOW, 10).await.unwrap().is_empty());
}

pub(in crate::store) async fn purging_takes_a_bounded_number(store: &Store) {
    for _ in 0..600 {
        opened(store, oauth_transaction()).await;
    }
    let late = NOW.plus(TRANSACTION_TTL * 2);
    let first = store.purge(late).await.unwrap();
    assert!((1..600).contains(&first), "{first}");
    assert_eq!(first + store.purge(late).await.unwrap(), 600);
}
