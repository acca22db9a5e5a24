//! Finding grants by Plaid's access token.

use crate::helpers::{NOW, completed, hash, raw_exchange_of, redemption_of};
use plaid_token_broker_core::clock::Timestamp;
use plaid_token_broker_core::random;
use plaid_token_broker_core::secret::PlaidAccessToken;
use plaid_token_broker_store::model::{ConnectionId, RawExchange, Revocation};
use plaid_token_broker_store::token_index::{ItemUse, Step};
use plaid_token_broker_store::{Store, StoreError};

fn token_of(id: ConnectionId) -> PlaidAccessToken {
    PlaidAccessToken::new(format!("access-sandbox-{id}"))
}

async fn found(store: &Store, token: PlaidAccessToken) -> Vec<plaid_token_broker_store::model::GrantId> {
    let found = store.grants_by_access_token(token).await.unwrap();
    found.into_iter().map(|(grant, _)| grant.id).collect()
}

/// The index of a new store is complete from the start.
pub(crate) async fn an_access_token_names_the_grants_that_it_opens(store: &Store) {
    let (authorization, connection) = completed(store).await;
    // A connection without a grant is nobody's yet.
    assert!(found(store, token_of(connection)).await.is_empty());
    let redemption = redemption_of(authorization);
    let grant = redemption.grant.id;
    store.redeem(redemption, NOW).await.unwrap();
    assert_eq!(found(store, token_of(connection)).await, [grant]);

    // Another client has exchanged a public token of the same Item.
    let mut exchange = raw_exchange_of(hash());
    exchange.connection.access_token = token_of(connection);
    "other".clone_into(&mut exchange.grant.client_id);
    let other = exchange.grant.id;
    store.exchange_raw(exchange, NOW).await.unwrap();
    assert_eq!(found(store, token_of(connection)).await, [other, grant]);

    store
        .revoke(grant, Revocation::GrantAndConnection, NOW)
        .await
        .unwrap();
    let mut of_each = Vec::new();
    for (_, connection) in store.grants_by_access_token(token_of(connection)).await.unwrap() {
        of_each.push(store.item_use(&connection).await.unwrap());
    }
    // The connection that lives keeps the Item of the one that was ended, and not the other way round.
    assert_eq!(of_each, [ItemUse::Here, ItemUse::Elsewhere]);
    let ended = store.grants_by_access_token(token_of(connection)).await.unwrap();
    let live: Vec<bool> = ended
        .iter()
        .map(|(grant, _)| grant.revoked_at.is_none())
        .collect();
    assert_eq!(live, [true, false]);
    for unknown in [
        "",
        "access-sandbox-",
        "access-sandbox-00000000-0000-0000-0000-000000000000",
    ] {
        assert!(found(store, PlaidAccessToken::new(unknown)).await.is_empty());
    }
}

/// An exchange whose connection is the one at this place in the order of the ids.
pub(crate) fn raw_exchange_at(place: i64) -> RawExchange {
    let mut exchange = raw_exchange_of(hash());
    exchange.connection.id = ConnectionId(random::id(Timestamp::from_millis(NOW.as_millis() + place)));
    exchange
}

/// Connections as an earlier version stored them: `unindex` takes them out of the index and starts the pass anew.
pub(crate) async fn older_connections_are_added_in_chunks<F: Future<Output = ()>>(
    store: &Store,
    unindex: impl Fn() -> F,
) {
    let mut made = Vec::new();
    for place in 0..6 {
        if place == 5 {
            unindex().await;
        }
        let exchange = raw_exchange_at(place);
        made.push((exchange.connection.access_token.clone(), exchange.grant.id));
        store.exchange_raw(exchange, NOW).await.unwrap();
    }
    for round in 0..3 {
        for (place, (token, grant)) in made.iter().enumerate() {
            if place < round * 2 || place == 5 {
                assert_eq!(found(store, token.clone()).await, [*grant]);
            } else {
                // It must not look unknown.
                let answer = store.grants_by_access_token(token.clone()).await;
                assert!(
                    matches!(answer, Err(StoreError::Unavailable(_))),
                    "{round} {place}"
                );
            }
        }
        assert_eq!(store.index_step(2).await.unwrap(), Step::Next);
    }
    // The last chunk was full, so one more sees the end.
    for _ in 0..2 {
        assert_eq!(store.index_step(2).await.unwrap(), Step::Done);
    }
    for (token, grant) in made {
        assert_eq!(found(store, token).await, [grant]);
    }
    assert!(
        found(store, PlaidAccessToken::new("access-sandbox-1"))
            .await
            .is_empty()
    );
}

/// Two clients have a connection to one Item, and the index has only the newer one.
pub(crate) async fn an_incomplete_index_ends_no_grant_and_no_item<F: Future<Output = ()>>(
    store: &Store,
    unindex: impl Fn() -> F,
) {
    let older = raw_exchange_at(0);
    let mut newer = raw_exchange_at(1);
    newer.connection.access_token = older.connection.access_token.clone();
    let token = || newer.connection.access_token.clone();
    let (first, second) = (older.grant.id, newer.grant.id);
    store.exchange_raw(older, NOW).await.unwrap();
    unindex().await;
    store.exchange_raw(newer.clone(), NOW).await.unwrap();
    // Enough for a description of the token.
    assert_eq!(found(store, token()).await, [second]);
    let all = store.all_grants_by_access_token(token()).await;
    assert!(matches!(all, Err(StoreError::Unavailable(_))), "{all:?}");
    let connection = store.connection(newer.connection.id).await.unwrap().unwrap();
    assert_eq!(store.item_use(&connection).await.unwrap(), ItemUse::NotKnownYet);

    assert_eq!(store.index_step(9).await.unwrap(), Step::Done);
    let all = store.all_grants_by_access_token(token()).await.unwrap();
    let mut ids: Vec<_> = all.into_iter().map(|(grant, _)| grant.id).collect();
    ids.sort_by_key(|id| *id != first);
    assert_eq!(ids, [first, second]);
    assert_eq!(store.item_use(&connection).await.unwrap(), ItemUse::Elsewhere);
}
