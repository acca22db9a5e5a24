//! What is written in the commit of a change, what is batched, and that nothing of it can be changed.

use std::time::Duration;

use crate::helpers::{
    NOW, browser_authorization, cancel, completed, completion_of, end, hash, oauth_authorization, opened,
    raw_exchange_of, redemption_of, unredeemed,
};
use plaid_token_broker_core::clock::Timestamp;
use plaid_token_broker_store::Store;
use plaid_token_broker_store::model::{
    Actor, AuditEvent, AuditOutcome, AuditQuery, AuditRecord, AuthorizationId, Batch, ConnectionKey,
    EndTarget, NewAudit, Noted, Origin, PublicTokenOwner, Revocation, Rotation,
};

fn at(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

/// The whole log, the oldest first.
pub(crate) async fn log(store: &Store) -> Vec<AuditRecord> {
    store.audit_after(0, usize::MAX >> 1).await.unwrap()
}

async fn events(store: &Store) -> Vec<String> {
    log(store).await.into_iter().map(|record| record.event).collect()
}

pub(crate) async fn each_change_writes_its_row_with_who_and_what(store: &Store) {
    let address = "203.0.113.9".parse().unwrap();
    let store = store.by(Origin::request(address, "req-1".to_owned()));
    let (authorization, connection) = completed(&store).await;
    let redemption = redemption_of(authorization);
    let grant = redemption.grant.clone();
    store.redeem(redemption, at(1)).await.unwrap();
    let rotation = Rotation {
        grant_id: grant.id,
        from: grant.nonce,
        to: crate::helpers::nonce(),
    };
    store.rotate(rotation, at(2)).await.unwrap();
    let by_client = store.by(Origin::actor(Actor::Client));
    for _ in 0..2 {
        let revocation = Revocation::GrantAndConnection;
        by_client.revoke(grant.id, revocation, at(3)).await.unwrap();
    }
    for _ in 0..2 {
        store
            .by(Origin::default())
            .finish_removal(connection, at(4))
            .await
            .unwrap();
    }
    let log = log(&store).await;
    let told: Vec<_> = log
        .iter()
        .map(|record| (record.event.as_str(), record.actor.as_str(), record.at))
        .collect();
    assert_eq!(
        told,
        [
            ("authorization.opened", "person", NOW),
            ("authorization.completed", "person", NOW),
            ("code.redeemed", "client", at(1)),
            ("refresh_token.rotated", "client", at(2)),
            ("grant.revoked", "client", at(3)),
            ("connection.ended", "client", at(3)),
            ("connection.removed", "broker", at(4)),
        ]
    );
    let redeemed = log.get(2).unwrap();
    assert_eq!(redeemed.client_id.as_deref(), Some("kore"));
    assert_eq!(redeemed.authorization_id, Some(authorization.to_string()));
    assert_eq!(redeemed.connection_id, Some(connection.to_string()));
    assert_eq!(redeemed.grant_id, Some(grant.id.to_string()));
    assert_eq!(redeemed.address.as_deref(), Some("203.0.113.9"));
    assert_eq!(redeemed.request_id.as_deref(), Some("req-1"));
    assert_eq!((redeemed.times, redeemed.outcome.as_str()), (1, "done"));
    assert!(
        log.iter()
            .all(|record| record.address.is_some() == record.request_id.is_some())
    );
}

pub(crate) async fn what_changes_nothing_writes_nothing(store: &Store) {
    let (authorization, _) = completed(store).await;
    let token = hash();
    store.exchange_raw(raw_exchange_of(token), NOW).await.unwrap();
    let before = events(store).await;
    // Refused, repeated, unknown, too late: each one a decision that came out as no change.
    cancel(store, authorization, NOW).await.unwrap();
    store
        .complete(completion_of(authorization, hash()), NOW)
        .await
        .unwrap();
    store.exchange_raw(raw_exchange_of(token), NOW).await.unwrap();
    store
        .redeem(redemption_of(authorization), at(9999))
        .await
        .unwrap();
    let unknown = EndTarget::One(ConnectionKey::Item("no such item".to_owned()));
    end(store, unknown, NOW).await;
    store
        .forget_redirect_uri("kore".to_owned(), "https://a.example/".to_owned(), NOW)
        .await
        .unwrap();
    assert_eq!(events(store).await, before);
}

pub(crate) async fn an_item_that_stays_is_not_logged_as_removed(store: &Store) {
    let (_, connection) = completed(store).await;
    store.abandon(unredeemed(at(1)), at(2)).await.unwrap();
    let before = events(store).await.len();
    for second in 3..5 {
        store.keep_item(connection, at(second)).await.unwrap();
    }
    let log = log(store).await;
    let row = log.last().unwrap();
    assert_eq!(log.len(), before + 1);
    assert_eq!(
        (row.event.as_str(), row.actor.as_str(), row.at),
        ("connection.item_kept", "broker", at(3))
    );
    assert_eq!(row.connection_id, Some(connection.to_string()));
    assert!(crate::helpers::take_due(store, at(9999), 9).await.is_empty());
}

pub(crate) async fn what_is_given_up_is_told_with_its_connection(store: &Store) {
    let (authorization, connection) = completed(store).await;
    store.abandon(unredeemed(at(1)), at(2)).await.unwrap();
    let cancelled = opened(store, oauth_authorization()).await;
    cancel(store, cancelled, at(3)).await.unwrap();
    cancel(store, cancelled, at(4)).await.unwrap();
    let unwanted = crate::helpers::new_connection();
    let unwanted_id = unwanted.id;
    let owner = PublicTokenOwner::Authorization(AuthorizationId(crate::helpers::fresh_id()));
    store
        .discard(unwanted, crate::helpers::hash(), owner, at(5))
        .await
        .unwrap();
    let log = log(store).await;
    let told: Vec<_> = log.iter().skip(2).map(|record| record.event.as_str()).collect();
    assert_eq!(
        told,
        [
            "authorization.abandoned",
            "connection.ended",
            "authorization.opened",
            "authorization.cancelled",
            "connection.ended",
        ]
    );
    let abandoned = log.get(2).unwrap();
    assert_eq!(abandoned.authorization_id, Some(authorization.to_string()));
    assert_eq!(abandoned.connection_id, Some(connection.to_string()));
    assert_eq!(
        (abandoned.actor.as_str(), abandoned.client_id.as_deref()),
        ("broker", Some("kore"))
    );
    assert_eq!(log.last().unwrap().connection_id, Some(unwanted_id.to_string()));
    let ended = log.get(3).unwrap();
    assert_eq!(ended.detail.as_deref(), Some("nobody used it"));
}

pub(crate) async fn a_batch_is_read_back_with_its_counts(store: &Store) {
    opened(store, browser_authorization()).await;
    let refused = NewAudit::new(AuditEvent::TokenRefused, Actor::Client)
        .outcome(AuditOutcome::Refused, "token: the client secret is wrong");
    let batch = Batch {
        noted: vec![Noted {
            new: refused.clone(),
            at: at(1),
            last_at: at(6),
            times: 5000,
        }],
        ..Batch::default()
    };
    store.record_batch(batch).await.unwrap();
    store.record(refused.client("kore"), at(7)).await.unwrap();
    let log = log(store).await;
    let batched = log.get(1).unwrap();
    assert_eq!((batched.at, batched.last_at, batched.times), (at(1), at(6), 5000));
    assert_eq!(batched.outcome, "refused");
    assert_eq!(
        batched.detail.as_deref(),
        Some("token: the client secret is wrong")
    );
    assert_eq!(store.last_audit_id().await.unwrap(), Some(log.last().unwrap().id));
}

pub(crate) async fn the_log_is_read_newest_first_by_time_client_and_page(store: &Store) {
    for second in 0..10 {
        let new = NewAudit::new(AuditEvent::AdminLogin, Actor::Admin);
        let new = if second % 2 == 0 { new.client("kore") } else { new };
        store.record(new, at(second)).await.unwrap();
    }
    let query = AuditQuery {
        limit: 3,
        ..AuditQuery::default()
    };
    let page = store.audit(query.clone()).await.unwrap();
    let moments = |page: &[AuditRecord]| page.iter().map(|record| record.at).collect::<Vec<_>>();
    assert_eq!(moments(&page), [at(9), at(8), at(7)]);
    let next = AuditQuery {
        before_id: page.last().map(|record| record.id),
        ..query.clone()
    };
    assert_eq!(moments(&store.audit(next).await.unwrap()), [at(6), at(5), at(4)]);
    let of_client = AuditQuery {
        client_id: Some("kore".to_owned()),
        since: Some(at(3)),
        limit: 99,
        ..AuditQuery::default()
    };
    assert_eq!(
        moments(&store.audit(of_client).await.unwrap()),
        [at(8), at(6), at(4)]
    );
}

pub(crate) async fn old_rows_are_forgotten_and_that_is_told(store: &Store) {
    for second in 0..1500 {
        store
            .record(NewAudit::new(AuditEvent::AdminLogin, Actor::Admin), at(second))
            .await
            .unwrap();
    }
    let mut forgotten = Vec::new();
    loop {
        match store.forget_audit(at(1490), at(2000)).await.unwrap() {
            0 => break,
            count => forgotten.push(count),
        }
    }
    assert_eq!(forgotten, [1000, 490]);
    let log = log(store).await;
    let logins = log.iter().filter(|record| record.event == "admin.login").count();
    assert_eq!(logins, 10);
    let told: Vec<_> = log
        .iter()
        .filter(|record| record.event == "audit.forgotten")
        .map(|record| record.times)
        .collect();
    assert_eq!(told, forgotten);
}
