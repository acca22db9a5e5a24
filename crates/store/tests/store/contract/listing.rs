//! What operators see and end.

use std::time::Duration;

use super::audit::log;
use crate::helpers::{
    NOW, browser_authorization, completed, completion_of, end, hash, many_raw, nonce, opened,
    raw_exchange_of, redemption_of, take_due, unredeemed,
};
use plaid_token_broker_core::clock::Timestamp;
use plaid_token_broker_store::Store;
use plaid_token_broker_store::model::{
    Actor, Batch, ConnectionFilter, ConnectionId, ConnectionKey, ConnectionState, ConnectionSummary,
    EndTarget, Ended, GrantId, NewGrant, Origin, RedeemOutcome, Redemption, Revocation,
};

const LATER: Timestamp = Timestamp::from_millis(NOW.as_millis() + 60_000);

fn all() -> ConnectionFilter {
    ConnectionFilter {
        limit: 1000,
        ..ConnectionFilter::default()
    }
}

async fn list(store: &Store, filter: ConnectionFilter) -> Vec<ConnectionId> {
    let found = store.connections(filter).await.unwrap();
    found.into_iter().map(|connection| connection.id).collect()
}

/// A connection of this client by a raw public token, with its grant.
async fn raw(store: &Store, client_id: &str) -> (ConnectionId, GrantId) {
    let mut exchange = raw_exchange_of(hash());
    client_id.clone_into(&mut exchange.grant.client_id);
    let ids = (exchange.connection.id, exchange.grant.id);
    store.exchange_raw(exchange, NOW).await.unwrap();
    ids
}

async fn summary(store: &Store, id: ConnectionId) -> ConnectionSummary {
    store
        .connection_summary(ConnectionKey::Id(id))
        .await
        .unwrap()
        .unwrap()
}

async fn is_live(store: &Store, id: ConnectionId) -> bool {
    summary(store, id).await.state == ConnectionState::Live
}

pub(crate) async fn connections_are_listed_newest_first_by_page(store: &Store) {
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(completed(store).await.1);
        // Ids of one millisecond are in no order.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    made.reverse();
    assert_eq!(list(store, all()).await, made);
    let mut paged = Vec::new();
    let mut before = None;
    loop {
        let page = list(
            store,
            ConnectionFilter {
                before,
                limit: 3,
                ..ConnectionFilter::default()
            },
        )
        .await;
        before = page.last().copied();
        if before.is_none() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, made);
    assert_eq!(store.connection_count().await.unwrap(), 7);
}

pub(crate) async fn a_summary_tells_all_but_the_token(store: &Store) {
    let (authorization, id) = completed(store).await;
    let redemption = redemption_of(authorization);
    let grant_id = redemption.grant.id;
    store.redeem(redemption, LATER).await.unwrap();
    let batch = Batch {
        refreshed: vec![(grant_id, LATER)],
        health: vec![(id, "ITEM_LOGIN_REQUIRED".to_owned(), LATER)],
        ..Batch::default()
    };
    store.record_batch(batch).await.unwrap();
    // Older news does not replace newer.
    let batch = Batch {
        refreshed: vec![(grant_id, NOW)],
        health: vec![(id, "healthy".to_owned(), NOW)],
        ..Batch::default()
    };
    store.record_batch(batch).await.unwrap();
    let told = summary(store, id).await;
    assert_eq!(told.item_id, format!("item-{id}"));
    assert_eq!(told.institution_name.as_deref(), Some("Bank of Tests"));
    assert_eq!((told.created_at, told.removed_at), (NOW, None));
    assert_eq!(told.client_id.as_deref(), Some("kore"));
    assert_eq!(told.clients(), ["kore"]);
    assert_eq!(told.products(), ["auth"]);
    assert_eq!(told.refreshed_at(), Some(LATER));
    let health = told.health.clone().unwrap();
    assert_eq!((health.word.as_str(), health.at), ("ITEM_LOGIN_REQUIRED", LATER));
    let grant = told.grants.first().unwrap();
    assert_eq!(
        (grant.id, grant.created_at, grant.revoked_at),
        (grant_id, LATER, None)
    );
    let json = serde_json::to_string(&told).unwrap();
    assert!(!json.contains("access-"), "{json}");
    assert_eq!(serde_json::from_str::<ConnectionSummary>(&json).unwrap(), told);
    let by_item = ConnectionKey::read(&told.item_id);
    assert_eq!(store.connection_summary(by_item).await.unwrap(), Some(told));
    let by_id = ConnectionKey::read(&id.to_string());
    assert_eq!(by_id, ConnectionKey::Id(id));
    let unknown = ConnectionKey::Id(ConnectionId(crate::helpers::fresh_id()));
    assert_eq!(store.connection_summary(unknown).await.unwrap(), None);
}

pub(crate) async fn connections_are_found_by_client_item_and_state(store: &Store) {
    let (_, unredeemed_one) = completed(store).await;
    let (other, _) = raw(store, "other").await;
    let browser = opened(store, browser_authorization()).await;
    let completion = completion_of(browser, hash());
    let own = completion.connection.id;
    store.complete(completion, NOW).await.unwrap();
    let (gone, grant) = raw(store, "kore").await;
    let (ending, ending_grant) = raw(store, "kore").await;
    for grant in [grant, ending_grant] {
        store
            .revoke(grant, Revocation::GrantAndConnection, LATER)
            .await
            .unwrap();
    }
    store.finish_removal(gone, LATER).await.unwrap();

    let of = |client: &str| ConnectionFilter {
        client_id: Some(client.to_owned()),
        ..all()
    };
    let sorted = |mut ids: Vec<ConnectionId>| {
        ids.sort();
        ids
    };
    assert_eq!(
        sorted(list(store, of("kore")).await),
        sorted(vec![unredeemed_one, gone, ending])
    );
    assert_eq!(list(store, of("other")).await, [other]);
    assert!(list(store, of("nobody")).await.is_empty());
    let item = ConnectionFilter {
        item_id: Some(format!("item-{own}")),
        ..all()
    };
    assert_eq!(list(store, item).await, [own]);
    let in_state = |state| ConnectionFilter {
        state: Some(state),
        ..all()
    };
    assert_eq!(list(store, in_state(ConnectionState::Ending)).await, [ending]);
    assert_eq!(list(store, in_state(ConnectionState::Removed)).await, [gone]);
    assert_eq!(
        sorted(list(store, in_state(ConnectionState::Live)).await),
        sorted(vec![unredeemed_one, other, own])
    );
    assert!(summary(store, ending).await.removal.is_some());
}

pub(crate) async fn one_connection_is_ended_with_its_grants(store: &Store) {
    let (first, first_grant) = raw(store, "kore").await;
    let (second, _) = raw(store, "kore").await;
    let operator = store.by(Origin::actor(Actor::Operator));
    let by_item = EndTarget::One(ConnectionKey::Item(format!("item-{first}")));
    let ended = end(&operator, by_item.clone(), LATER).await;
    let one = Ended {
        found: 1,
        grants: 1,
        connections: 1,
    };
    assert_eq!(ended, one);
    let again = end(&operator, by_item, LATER).await;
    assert_eq!((again.found, again.grants, again.connections), (1, 0, 0));
    assert!(!is_live(store, first).await && is_live(store, second).await);
    let due = take_due(store, LATER, 9).await;
    assert_eq!(due.len(), 1);
    let (grant, _) = store.grant(first_grant).await.unwrap().unwrap();
    assert_eq!(grant.revoked_at, Some(LATER));
    let by_id = EndTarget::One(ConnectionKey::Id(second));
    assert_eq!(end(&operator, by_id, LATER).await, one);
    let unknown = EndTarget::One(ConnectionKey::Item("none".to_owned()));
    assert_eq!(end(&operator, unknown, LATER).await, Ended::default());
    let told = log(store).await;
    let told: Vec<_> = told
        .iter()
        .skip(2)
        .map(|row| (row.event.as_str(), row.actor.as_str()))
        .collect();
    let each = [("grant.revoked", "operator"), ("connection.ended", "operator")];
    assert_eq!(told, [each, each].concat());
}

pub(crate) async fn ending_a_client_spares_what_others_use(store: &Store) {
    let (own, _) = raw(store, "kore").await;
    let (other, _) = raw(store, "other").await;
    // Completed for the client, and its code not redeemed yet.
    let (authorization, waiting) = completed(store).await;
    let ended = end(store, EndTarget::Client("kore".to_owned()), LATER).await;
    assert_eq!((ended.found, ended.grants, ended.connections), (2, 1, 2));
    assert!(!is_live(store, own).await && !is_live(store, waiting).await);
    assert!(is_live(store, other).await);
    let outcome = store.redeem(redemption_of(authorization), LATER).await.unwrap();
    assert!(matches!(outcome, RedeemOutcome::NotRedeemable), "{outcome:?}");
}

pub(crate) async fn a_connection_of_two_clients_outlives_one(store: &Store) {
    let (authorization, shared) = completed(store).await;
    let grant = NewGrant {
        client_id: "other".to_owned(),
        nonce: nonce(),
        ..crate::helpers::new_grant()
    };
    let redemption = Redemption {
        authorization_id: authorization,
        grant,
    };
    store.redeem(redemption, NOW).await.unwrap();
    // The authorization was the client's, the live grant is the other's.
    let ended = end(store, EndTarget::Client("kore".to_owned()), LATER).await;
    assert_eq!((ended.found, ended.grants, ended.connections), (1, 0, 0));
    assert!(is_live(store, shared).await);
}

pub(crate) async fn the_kill_switch_ends_everything(store: &Store) {
    let (first, _) = raw(store, "kore").await;
    let (second, _) = raw(store, "other").await;
    let (authorization, waiting) = completed(store).await;
    let ended = end(store, EndTarget::All, LATER).await;
    assert_eq!((ended.found, ended.grants, ended.connections), (3, 2, 3));
    for id in [first, second, waiting] {
        assert_eq!(summary(store, id).await.state, ConnectionState::Ending);
    }
    assert_eq!(take_due(store, LATER, 9).await.len(), 3);
    // Abandoning what was ended already queues nothing twice.
    assert_eq!(store.abandon(unredeemed(LATER), LATER).await.unwrap(), 1);
    assert_eq!(take_due(store, LATER, 9).await.len(), 3);
    assert!(store.authorization(authorization).await.unwrap().is_some());
}

pub(crate) async fn ending_goes_in_bounded_steps_and_is_resumed_by_beginning_again(store: &Store) {
    many_raw(store, 250).await;
    let step = store.end_step(EndTarget::All, None, LATER).await.unwrap();
    let hundred = Ended {
        found: 100,
        grants: 100,
        connections: 100,
    };
    assert_eq!((step.examined, step.ended), (100, hundred));
    assert!(step.next.is_some());
    assert_eq!(
        take_due(store, LATER, 1000).await.len(),
        100,
        "what one commit has ended"
    );
    // As after a kill: whoever begins again passes over what is ended.
    let rest = end(store, EndTarget::All, LATER).await;
    assert_eq!((rest.found, rest.grants, rest.connections), (250, 150, 150));
    assert_eq!(take_due(store, LATER, 1000).await.len(), 250);
    let log = store.audit_after(0, 10_000).await.unwrap();
    let told = |event: &str| log.iter().filter(|row| row.event == event).count();
    assert_eq!((told("grant.revoked"), told("connection.ended")), (250, 250));
}

pub(crate) async fn ending_a_client_passes_over_the_others_step_by_step(store: &Store) {
    let (first, _) = raw(store, "other").await;
    many_raw(store, 120).await;
    // Ids of one millisecond are in no order.
    tokio::time::sleep(Duration::from_millis(2)).await;
    let (last, _) = raw(store, "other").await;
    let target = EndTarget::Client("other".to_owned());
    let step = store.end_step(target.clone(), None, LATER).await.unwrap();
    assert_eq!((step.examined, step.ended.connections), (100, 1));
    assert!(!is_live(store, first).await && is_live(store, last).await);
    let step = store.end_step(target, step.next, LATER).await.unwrap();
    assert_eq!((step.examined, step.ended.connections, step.next), (22, 1, None));
    assert!(!is_live(store, last).await);
    let live = ConnectionFilter {
        state: Some(ConnectionState::Live),
        ..all()
    };
    assert_eq!(list(store, live).await.len(), 120);
}

pub(crate) async fn counts_count(store: &Store) {
    let empty = store.counts(NOW).await.unwrap();
    assert_eq!(
        (empty.live(), empty.ending, empty.removed, empty.oldest_removal),
        (0, 0, 0, None)
    );
    let (healthy, _) = raw(store, "kore").await;
    let (ending, ending_grant) = raw(store, "kore").await;
    let (gone, gone_grant) = raw(store, "kore").await;
    completed(store).await;
    opened(store, browser_authorization()).await;
    for grant in [ending_grant, gone_grant] {
        store
            .revoke(grant, Revocation::GrantAndConnection, NOW)
            .await
            .unwrap();
    }
    store.finish_removal(gone, NOW).await.unwrap();
    let batch = Batch {
        health: [healthy, ending]
            .map(|id| (id, "healthy".to_owned(), NOW))
            .to_vec(),
        ..Batch::default()
    };
    store.record_batch(batch).await.unwrap();
    let counts = store.counts(LATER).await.unwrap();
    let by_health: Vec<_> = counts
        .live_by_health
        .iter()
        .map(|(word, n)| (word.as_str(), *n))
        .collect();
    assert_eq!(by_health, [("healthy", 1), ("unasked", 1)]);
    assert_eq!((counts.ending, counts.removed, counts.grants), (1, 1, 1));
    assert_eq!(counts.oldest_removal, Some(Duration::from_secs(60)));
    let authorizations: Vec<_> = counts
        .authorizations
        .iter()
        .map(|(stage, n)| (*stage, *n))
        .collect();
    assert_eq!(authorizations, [("completed", 1), ("open", 1)]);
    assert_eq!(counts.codes_outstanding, 1);
    let over = store.counts(NOW.plus(crate::helpers::CODE_TTL)).await.unwrap();
    assert_eq!(over.codes_outstanding, 0);
}

pub(crate) async fn allowed_callbacks_are_kept_once_and_told(store: &Store) {
    let admin = store.by(Origin::actor(Actor::Admin));
    let allow = |client: &'static str, uri: &'static str| {
        let admin = admin.clone();
        async move {
            admin
                .allow_redirect_uri(client.to_owned(), uri.to_owned(), NOW)
                .await
                .unwrap()
        }
    };
    assert!(allow("kore", "https://a.example/cb").await);
    assert!(!allow("kore", "https://a.example/cb").await);
    assert!(allow("other", "https://a.example/cb").await);
    let listed = store.redirect_uris().await.unwrap();
    let told: Vec<_> = listed
        .iter()
        .map(|uri| (uri.client_id.as_str(), uri.uri.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("kore", "https://a.example/cb"),
            ("other", "https://a.example/cb")
        ]
    );
    assert!(
        listed
            .iter()
            .all(|uri| uri.allowed_by == "admin" && uri.allowed_at == NOW)
    );
    let forget = admin.forget_redirect_uri("kore".to_owned(), "https://a.example/cb".to_owned(), NOW);
    assert!(forget.await.unwrap());
    assert_eq!(store.redirect_uris().await.unwrap().len(), 1);
    let events: Vec<_> = log(store)
        .await
        .into_iter()
        .map(|row| (row.event, row.detail))
        .collect();
    let uri = Some("https://a.example/cb".to_owned());
    assert_eq!(
        events,
        [
            ("redirect_uri.allowed".to_owned(), uri.clone()),
            ("redirect_uri.allowed".to_owned(), uri.clone()),
            ("redirect_uri.forgotten".to_owned(), uri),
        ]
    );
}
