//! Raw public tokens at the token endpoint, and the tokens of our own.

use crate::helpers::{NOW, at_once, completion_of, hash, oauth_authorization, opened, raw_exchange_of};
use plaid_token_broker_store::Store;
use plaid_token_broker_store::model::{CompleteOutcome, PublicTokenOwner, RawExchangeOutcome};
use plaid_token_broker_store::tokens::TokenKind;

pub(crate) async fn a_raw_public_token_is_exchanged_once(store: &Store) {
    let first = raw_exchange_of(hash());
    assert!(matches!(
        store.exchange_raw(first.clone(), NOW).await.unwrap(),
        RawExchangeOutcome::Exchanged
    ));
    let (grant, connection) = store.grant(first.grant.id).await.unwrap().unwrap();
    assert_eq!(
        (grant.connection_id, connection.id),
        (first.connection.id, first.connection.id)
    );
    assert_eq!(
        connection.access_token.expose(),
        first.connection.access_token.expose()
    );

    let second = raw_exchange_of(first.public_token);
    let RawExchangeOutcome::Taken(record) = store.exchange_raw(second.clone(), NOW).await.unwrap() else {
        panic!("it was exchanged before")
    };
    assert_eq!(
        (record.connection_id, record.exchanged_at),
        (first.connection.id, NOW)
    );
    let owner = PublicTokenOwner::Client {
        client_id: "kore".to_owned(),
        grant_id: first.grant.id,
    };
    assert_eq!(record.owner, owner);
    assert!(store.connection(second.connection.id).await.unwrap().is_none());
    assert!(store.grant(second.grant.id).await.unwrap().is_none());
}

pub(crate) async fn of_many_raw_exchanges_at_once_one_stores(store: &Store) {
    let public_token = hash();
    let exchanges = (0..32).map(|_| raw_exchange_of(public_token)).collect();
    let outcomes = at_once(store, exchanges, |store, exchange| async move {
        store.exchange_raw(exchange, NOW).await.unwrap()
    })
    .await;
    let stored = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, RawExchangeOutcome::Exchanged))
        .count();
    assert_eq!(stored, 1);
}

pub(crate) async fn raw_and_browser_do_not_share_a_public_token(store: &Store) {
    let id = opened(store, oauth_authorization()).await;
    let (browser, raw) = (hash(), hash());
    store.complete(completion_of(id, browser), NOW).await.unwrap();
    let RawExchangeOutcome::Taken(record) = store.exchange_raw(raw_exchange_of(browser), NOW).await.unwrap()
    else {
        panic!("the browser brought it first")
    };
    assert_eq!(record.owner, PublicTokenOwner::Authorization(id));

    store.exchange_raw(raw_exchange_of(raw), NOW).await.unwrap();
    let other = opened(store, oauth_authorization()).await;
    assert_eq!(
        store.complete(completion_of(other, raw), NOW).await.unwrap(),
        CompleteOutcome::PublicTokenTaken
    );
}

pub(crate) async fn tokens_of_the_store_belong_to_its_rows(store: &Store) {
    let new = oauth_authorization();
    crate::helpers::opened(store, new.clone()).await;
    let row = store.authorization(new.id).await.unwrap().unwrap();
    let token = store.tokens().issue(TokenKind::Code, new.id.0, &new.nonce);
    let presented = store.tokens().parse(TokenKind::Code, token.expose()).unwrap();
    assert_eq!(presented.id(), row.id.0);
    assert!(presented.belongs_to(store.tokens(), &row.nonce));
    assert!(!presented.belongs_to(store.tokens(), &oauth_authorization().nonce));
}
