//! Abandoning, the removal queue, purging, and the store's own health.

use std::time::Duration;

use crate::helpers::{
    AUTHORIZATION_TTL, NOW, at_once, browser_authorization, cancel, completed, completion_of, hash,
    new_connection, oauth_authorization, opened, raw_exchange_of, redemption_of, take_due,
};
use plaid_token_broker_store::Store;
use plaid_token_broker_store::error::StoreError;
use plaid_token_broker_store::model::{
    Abandonment, CompleteOutcome, ConnectionId, NewConnection, PublicTokenOwner, RedeemOutcome,
    RemovalReason, Stage,
};

const MOMENT: Duration = Duration::from_millis(1);

pub(crate) async fn abandoning_takes_what_was_completed_before_that_moment(store: &Store) {
    let (id, connection_id) = completed(store).await;
    assert_eq!(
        store.abandon(crate::helpers::unredeemed(NOW), NOW).await.unwrap(),
        0
    );
    let later = NOW.plus(Duration::from_secs(3600));
    assert_eq!(
        store
            .abandon(crate::helpers::unredeemed(NOW.plus(MOMENT)), later)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        store
            .abandon(crate::helpers::unredeemed(NOW.plus(MOMENT)), later)
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        store.authorization(id).await.unwrap().unwrap().stage,
        Stage::Abandoned
    );
    assert_eq!(
        store.connection(connection_id).await.unwrap().unwrap().removed_at,
        Some(later)
    );
    let due = take_due(store, later, 10).await;
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

pub(crate) async fn abandoning_spares_what_others_still_use(store: &Store) {
    let open = opened(store, oauth_authorization()).await;
    let browser = opened(store, browser_authorization()).await;
    store.complete(completion_of(browser, hash()), NOW).await.unwrap();
    let (redeemed, _) = completed(store).await;
    store.redeem(redemption_of(redeemed), NOW).await.unwrap();
    store.exchange_raw(raw_exchange_of(hash()), NOW).await.unwrap();
    let late = NOW.plus(Duration::from_secs(9999));
    assert_eq!(
        store
            .abandon(crate::helpers::unredeemed(late), late)
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        store.authorization(open).await.unwrap().unwrap().stage,
        Stage::Open
    );
    assert!(take_due(store, late, 10).await.is_empty());
}

pub(crate) async fn of_redeem_and_abandon_one_wins(store: &Store) {
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
                    .abandon(crate::helpers::unredeemed(NOW.plus(MOMENT)), NOW)
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
        let queued = take_due(store, NOW, 100).await;
        assert_eq!(
            queued
                .iter()
                .any(|removal| removal.connection.id == connection_id),
            abandoned
        );
    }
}

pub(crate) async fn a_removal_is_leased_when_due_in_order_and_for_its_time(store: &Store) {
    let mut ids = Vec::new();
    for seconds in 0..3 {
        ids.push(completed(store).await.1);
        store
            .abandon(
                crate::helpers::unredeemed(NOW.plus(MOMENT)),
                NOW.plus(Duration::from_secs(seconds)),
            )
            .await
            .unwrap();
    }
    let [first, second, third] = ids.try_into().unwrap();
    let at = |seconds| NOW.plus(Duration::from_secs(seconds));
    // Leases of a minute.
    let take = async |seconds, limit| {
        let taken = store
            .take_removals(at(seconds), at(seconds + 60), limit)
            .await
            .unwrap();
        assert_eq!(taken.leased, taken.removals.len());
        taken
            .removals
            .iter()
            .map(|removal| (removal.connection.id, removal.attempts))
            .collect::<Vec<_>>()
    };
    assert_eq!(take(9, 0).await, []);
    assert_eq!(take(1, 1).await, [(first, 0)], "the one that has waited longest");
    assert_eq!(
        take(1, 10).await,
        [(second, 0)],
        "nobody else gets the first, and the third is not due"
    );
    assert_eq!(take(2, 10).await, [(third, 0)]);
    store.finish_removal(second, at(3)).await.unwrap();
    store.postpone_removal(third, at(300)).await.unwrap();
    assert_eq!(take(60, 10).await, []);
    // Whoever had the first has gone without a word.
    assert_eq!(take(61, 10).await, [(first, 0)]);
    assert_eq!(take(120, 10).await, []);
    store.finish_removal(first, at(121)).await.unwrap();
    assert_eq!(take(299, 10).await, []);
    assert_eq!(take(300, 10).await, [(third, 1)]);
}

pub(crate) async fn abandoning_takes_a_bounded_number(store: &Store) {
    for _ in 0..5 {
        at_once(
            store,
            vec![(); 50],
            |store, ()| async move { completed(&store).await },
        )
        .await;
    }
    let late = NOW.plus(MOMENT);
    let mut counts = Vec::new();
    loop {
        let abandoned = store
            .abandon(crate::helpers::unredeemed(late), late)
            .await
            .unwrap();
        if abandoned == 0 {
            break;
        }
        counts.push(abandoned);
    }
    assert_eq!(counts, [100, 100, 50]);
    assert_eq!(take_due(store, late, 1000).await.len(), 250);
}

pub(crate) async fn a_finished_removal_is_gone_and_the_connection_stays_removed(store: &Store) {
    let (_, connection_id) = completed(store).await;
    store
        .abandon(crate::helpers::unredeemed(NOW.plus(MOMENT)), NOW)
        .await
        .unwrap();
    for seconds in [1, 2] {
        store
            .finish_removal(connection_id, NOW.plus(Duration::from_secs(seconds)))
            .await
            .unwrap();
        assert!(take_due(store, NOW.plus(AUTHORIZATION_TTL), 10).await.is_empty());
        assert_eq!(
            store.connection(connection_id).await.unwrap().unwrap().removed_at,
            Some(NOW)
        );
    }
    store.postpone_removal(connection_id, NOW).await.unwrap();
    assert!(take_due(store, NOW.plus(AUTHORIZATION_TTL), 10).await.is_empty());
}

pub(crate) async fn purging_forgets_what_came_to_nothing(store: &Store) {
    let open = opened(store, oauth_authorization()).await;
    let cancelled = opened(store, oauth_authorization()).await;
    cancel(store, cancelled, NOW).await.unwrap();
    let (abandoned, _) = completed(store).await;
    store
        .abandon(crate::helpers::unredeemed(NOW.plus(MOMENT)), NOW)
        .await
        .unwrap();
    let (waiting, _) = completed(store).await;
    let (redeemed, _) = completed(store).await;
    store.redeem(redemption_of(redeemed), NOW).await.unwrap();
    let expiry = NOW.plus(AUTHORIZATION_TTL);
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
        assert_eq!(store.authorization(id).await.unwrap().is_some(), there);
    }
}

pub(crate) async fn purging_keeps_public_tokens_of_living_connections(store: &Store) {
    let live = raw_exchange_of(hash());
    store.exchange_raw(live.clone(), NOW).await.unwrap();
    let id = opened(store, oauth_authorization()).await;
    let removed = completion_of(id, hash());
    store.complete(removed.clone(), NOW).await.unwrap();
    store
        .abandon(crate::helpers::unredeemed(NOW.plus(MOMENT)), NOW)
        .await
        .unwrap();
    assert_eq!(store.purge(NOW).await.unwrap(), 0);
    store.purge(NOW.plus(MOMENT)).await.unwrap();
    assert!(store.public_token(live.public_token).await.unwrap().is_some());
    assert!(store.public_token(removed.public_token).await.unwrap().is_none());
    // The wish for its removal is not forgotten.
    assert_eq!(take_due(store, NOW, 10).await.len(), 1);
}

pub(crate) async fn the_check_passes_and_leaves_no_trace(store: &Store) {
    let checks = at_once(store, vec![(); 8], |store, ()| async move { store.check().await }).await;
    assert!(checks.iter().all(Result::is_ok));
    assert_eq!(store.purge(NOW.plus(AUTHORIZATION_TTL * 99)).await.unwrap(), 0);
}

pub(crate) async fn a_closed_store_refuses(store: &Store) {
    let id = opened(store, oauth_authorization()).await;
    let completion = completion_of(id, hash());
    assert_eq!(
        store.complete(completion, NOW).await.unwrap(),
        CompleteOutcome::Completed
    );
    store.close().await;
    assert!(matches!(
        store.authorization(id).await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(matches!(
        store.redeem(redemption_of(id), NOW).await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(matches!(store.check().await, Err(StoreError::Unavailable(_))));
    store.close().await;
}

pub(crate) async fn a_session_that_ended_gives_its_connection_up(store: &Store) {
    let browser = opened(store, browser_authorization()).await;
    let completion = completion_of(browser, hash());
    store.complete(completion.clone(), NOW).await.unwrap();
    let (oauth, _) = completed(store).await;
    let sessions = |before| Abandonment {
        unredeemed_before: NOW,
        sessions_before: before,
    };
    assert_eq!(store.abandon(sessions(NOW), NOW).await.unwrap(), 0);
    assert_eq!(store.abandon(sessions(NOW.plus(MOMENT)), NOW).await.unwrap(), 1);
    let due = take_due(store, NOW, 10).await;
    assert_eq!(due.len(), 1);
    assert!(
        due.iter()
            .all(|removal| removal.connection.id == completion.connection.id)
    );
    assert_eq!(
        store.authorization(browser).await.unwrap().unwrap().stage,
        Stage::Abandoned
    );
    assert!(matches!(
        store.authorization(oauth).await.unwrap().unwrap().stage,
        Stage::Completed { .. }
    ));
}

pub(crate) async fn what_nobody_wants_is_stored_to_be_removed(store: &Store) {
    let cancelled = opened(store, oauth_authorization()).await;
    cancel(store, cancelled, NOW).await.unwrap();
    let connection = new_connection();
    let owner = PublicTokenOwner::Authorization(cancelled);
    let public_token = hash();
    let queued = store.discard(connection.clone(), public_token, owner.clone(), NOW);
    assert!(queued.await.unwrap());
    let stored = store.connection(connection.id).await.unwrap().unwrap();
    assert_eq!(
        (stored.item_id, stored.removed_at),
        (connection.item_id, Some(NOW))
    );
    let due = take_due(store, NOW, 10).await;
    assert_eq!(due.len(), 1);
    assert!(
        due.iter()
            .all(|removal| { removal.connection.access_token.expose() == connection.access_token.expose() })
    );
    // A second time it is there already.
    let again = store.discard(new_connection(), public_token, owner, NOW);
    assert!(!again.await.unwrap());
    assert_eq!(take_due(store, NOW, 10).await.len(), 1);
}

pub(crate) async fn what_is_stored_already_is_not_discarded(store: &Store) {
    let id = opened(store, oauth_authorization()).await;
    let completion = completion_of(id, hash());
    store.complete(completion.clone(), NOW).await.unwrap();
    let owner = PublicTokenOwner::Authorization(id);
    let left_over = NewConnection {
        id: ConnectionId(crate::helpers::fresh_id()),
        ..completion.connection.clone()
    };
    let queued = store.discard(left_over.clone(), completion.public_token, owner, NOW);
    assert!(!queued.await.unwrap());
    assert!(store.connection(left_over.id).await.unwrap().is_none());
    let stored = store.connection(completion.connection.id).await.unwrap().unwrap();
    assert_eq!(stored.removed_at, None);
    assert!(take_due(store, NOW, 10).await.is_empty());
}

pub(crate) async fn purging_takes_a_bounded_number(store: &Store) {
    for _ in 0..600 {
        opened(store, oauth_authorization()).await;
    }
    let late = NOW.plus(AUTHORIZATION_TTL * 2);
    let mut counts = Vec::new();
    loop {
        match store.purge(late).await.unwrap() {
            0 => break,
            forgotten => counts.push(forgotten),
        }
    }
    assert_eq!(counts, [100; 6]);
}
