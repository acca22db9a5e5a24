//! Redeeming a code: the consuming write is the gate.

use std::time::Duration;

use crate::helpers::{
    CODE_TTL, NOW, at_once, browser_authorization, cancel, completed, completion_of, hash,
    oauth_authorization, opened, redemption_of, take_due,
};
use plaid_token_broker_store::Store;
use plaid_token_broker_store::model::{RedeemOutcome, Stage};

pub(crate) async fn a_code_is_redeemed_once_and_the_second_learns_of_the_grant(store: &Store) {
    let (id, connection_id) = completed(store).await;
    let first = redemption_of(id);
    let now = NOW.plus(Duration::from_secs(3));
    let RedeemOutcome::Redeemed(connection) = store.redeem(first.clone(), now).await.unwrap() else {
        panic!("the first redemption wins")
    };
    assert_eq!(connection.id, connection_id);
    assert_eq!(
        connection.access_token.expose(),
        format!("access-sandbox-{connection_id}")
    );
    let (grant, of) = store.grant(first.grant.id).await.unwrap().unwrap();
    assert_eq!(
        (grant.id, grant.nonce, grant.client_id),
        (first.grant.id, first.grant.nonce, first.grant.client_id)
    );
    assert_eq!(
        (grant.scope, grant.connection_id, of.id),
        (first.grant.scope, connection_id, connection_id)
    );
    assert_eq!((grant.created_at, grant.revoked_at), (now, None));

    let second = redemption_of(id);
    for later in [now, now.plus(CODE_TTL * 99)] {
        let outcome = store.redeem(second.clone(), later).await.unwrap();
        assert!(
            matches!(outcome, RedeemOutcome::AlreadyRedeemed { grant_id, at } if grant_id == first.grant.id && at == now)
        );
    }
    assert!(store.grant(second.grant.id).await.unwrap().is_none());
    assert!(matches!(
        store.authorization(id).await.unwrap().unwrap().stage,
        Stage::Redeemed { grant_id, .. } if grant_id == first.grant.id
    ));
}

/// Whoever did not hear of its commit asks with the same grant.
pub(crate) async fn the_same_redemption_again_has_won_still(store: &Store) {
    let (id, connection_id) = completed(store).await;
    let redemption = redemption_of(id);
    for _ in 0..2 {
        let outcome = store.redeem(redemption.clone(), NOW).await.unwrap();
        assert!(matches!(outcome, RedeemOutcome::Redeemed(connection) if connection.id == connection_id));
    }
    let (grant, _) = store.grant(redemption.grant.id).await.unwrap().unwrap();
    assert_eq!(grant.revoked_at, None);
}

pub(crate) async fn of_64_redemptions_at_once_one_wins(store: &Store) {
    let (id, connection_id) = completed(store).await;
    let redemptions: Vec<_> = (0..64).map(|_| redemption_of(id)).collect();
    let grants: Vec<_> = redemptions.iter().map(|redemption| redemption.grant.id).collect();
    let outcomes = at_once(store, redemptions, |store, redemption| async move {
        store.redeem(redemption, NOW).await.unwrap()
    })
    .await;
    let winners: Vec<_> = grants
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| matches!(outcome, RedeemOutcome::Redeemed(connection) if connection.id == connection_id))
        .map(|(grant_id, _)| *grant_id)
        .collect();
    let [winner] = winners.try_into().unwrap();
    let told = |outcome: &RedeemOutcome| matches!(outcome, RedeemOutcome::AlreadyRedeemed { grant_id, .. } if *grant_id == winner);
    assert_eq!(outcomes.iter().filter(|outcome| told(outcome)).count(), 63);
    for grant_id in grants {
        assert_eq!(store.grant(grant_id).await.unwrap().is_some(), grant_id == winner);
    }
}

pub(crate) async fn a_code_is_good_until_its_last_moment(store: &Store) {
    let (id, _) = completed(store).await;
    let end = NOW.plus(CODE_TTL);
    assert!(matches!(
        store.redeem(redemption_of(id), end).await.unwrap(),
        RedeemOutcome::Expired
    ));
    let before = end.minus(Duration::from_millis(1));
    assert!(matches!(
        store.redeem(redemption_of(id), before).await.unwrap(),
        RedeemOutcome::Redeemed(_)
    ));
}

pub(crate) async fn only_completed_oauth_authorizations_are_redeemable(store: &Store) {
    let open = opened(store, oauth_authorization()).await;
    let cancelled = opened(store, oauth_authorization()).await;
    cancel(store, cancelled, NOW).await.unwrap();
    let browser = opened(store, browser_authorization()).await;
    store.complete(completion_of(browser, hash()), NOW).await.unwrap();
    let (abandoned, _) = completed(store).await;
    store
        .abandon(
            crate::helpers::unredeemed(NOW.plus(Duration::from_millis(1))),
            NOW,
        )
        .await
        .unwrap();
    for id in [open, cancelled, browser, abandoned] {
        assert!(matches!(
            store.redeem(redemption_of(id), NOW).await.unwrap(),
            RedeemOutcome::NotRedeemable
        ));
    }
}

pub(crate) async fn redemptions_of_many_codes_do_not_mix(store: &Store) {
    let mut codes = Vec::new();
    for _ in 0..40 {
        codes.push(completed(store).await);
    }
    let mine = at_once(store, codes, |store, (id, connection_id)| async move {
        matches!(
            store.redeem(redemption_of(id), NOW).await.unwrap(),
            RedeemOutcome::Redeemed(connection) if connection.id == connection_id
        )
    })
    .await;
    assert!(mine.iter().all(|mine| *mine));
}

pub(crate) async fn a_refused_redemption_leaves_no_grant(store: &Store) {
    let open = opened(store, oauth_authorization()).await;
    let redemption = redemption_of(open);
    store.redeem(redemption.clone(), NOW).await.unwrap();
    assert!(store.grant(redemption.grant.id).await.unwrap().is_none());
    // A grant whose id is taken fails the whole decision: the code stays good.
    let (first, _) = completed(store).await;
    let (second, _) = completed(store).await;
    let taken = redemption_of(first);
    store.redeem(taken.clone(), NOW).await.unwrap();
    let mut clash = redemption_of(second);
    clash.grant.id = taken.grant.id;
    assert!(store.redeem(clash, NOW).await.is_err());
    assert!(matches!(
        store.redeem(redemption_of(second), NOW).await.unwrap(),
        RedeemOutcome::Redeemed(_)
    ));
}

pub(crate) async fn the_code_of_a_removed_connection_is_not_redeemable(store: &Store) {
    let (id, connection_id) = completed(store).await;
    // Plaid said that the Item is gone before anybody asked for its removal.
    store.finish_removal(connection_id, NOW).await.unwrap();
    assert!(matches!(
        store.redeem(redemption_of(id), NOW).await.unwrap(),
        RedeemOutcome::NotRedeemable
    ));
    let late = NOW.plus(CODE_TTL * 99);
    assert_eq!(
        store
            .abandon(crate::helpers::unredeemed(late), late)
            .await
            .unwrap(),
        1
    );
    assert!(take_due(store, late, 10).await.is_empty());
}
