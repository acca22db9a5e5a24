//! Two instances on one database, at the same moment.

use std::collections::BTreeSet;
use std::time::Duration;

use super::cluster::client;
use super::{fresh, keys, options, two, with};
use crate::helpers::{
    NOW, at_once, completed, completion_of, end, hash, many_raw, nonce, oauth_authorization, open, opened,
    raw_exchange_of, redemption_of, take_due, unredeemed,
};
use plaid_token_broker_core::clock::Timestamp;
use plaid_token_broker_store::Store;
use plaid_token_broker_store::model::{
    Actor, AuditEvent, Batch, CompleteOutcome, EndTarget, NewAudit, Noted, RawExchangeOutcome, RedeemOutcome,
    Revocation, RotateOutcome, Rotation,
};

const LATER: Timestamp = Timestamp::from_millis(NOW.as_millis() + 7_200_000);

/// Runs a decision many times at one moment, in turn by the two.
async fn spread<I, T, F, Fut>(first: &Store, second: &Store, inputs: Vec<I>, decide: F) -> Vec<T>
where
    I: Send + 'static,
    T: Send + 'static,
    F: Fn(Store, I) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    let inputs = inputs.into_iter().enumerate().collect();
    let second = second.clone();
    at_once(first, inputs, move |store, (place, input)| {
        let store = if place % 2 == 0 { store } else { second.clone() };
        decide(store, input)
    })
    .await
}

fn count<T>(outcomes: &[T], is: impl Fn(&T) -> bool) -> usize {
    outcomes.iter().filter(|outcome| is(outcome)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn of_64_redemptions_over_both_one_wins() {
    let (first, second, _database) = two().await;
    let (id, connection) = completed(&first).await;
    let outcomes = spread(&first, &second, vec![(); 64], move |store, ()| async move {
        store.redeem(redemption_of(id), NOW).await.unwrap()
    })
    .await;
    let won = count(&outcomes, |outcome| matches!(outcome, RedeemOutcome::Redeemed(_)));
    let known = count(&outcomes, |outcome| {
        matches!(outcome, RedeemOutcome::AlreadyRedeemed { .. })
    });
    assert_eq!((won, known), (1, 63));
    let summary = second
        .connection_summary(plaid_token_broker_store::model::ConnectionKey::Id(connection))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(summary.grants.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn of_completions_rotations_and_raw_exchanges_over_both_one_wins() {
    let (first, second, _database) = two().await;
    let id = opened(&first, oauth_authorization()).await;
    let outcomes = spread(&first, &second, vec![(); 32], move |store, ()| async move {
        store.complete(completion_of(id, hash()), NOW).await.unwrap()
    })
    .await;
    assert_eq!(
        count(&outcomes, |outcome| *outcome == CompleteOutcome::Completed),
        1
    );

    let token = hash();
    let outcomes = spread(&first, &second, vec![(); 32], move |store, ()| async move {
        store.exchange_raw(raw_exchange_of(token), NOW).await.unwrap()
    })
    .await;
    let stored = count(&outcomes, |outcome| {
        matches!(outcome, RawExchangeOutcome::Exchanged)
    });
    assert_eq!(stored, 1);

    let exchange = raw_exchange_of(hash());
    let grant = exchange.grant.clone();
    second.exchange_raw(exchange, NOW).await.unwrap();
    let outcomes = spread(&first, &second, vec![(); 32], move |store, ()| {
        let rotation = Rotation {
            grant_id: grant.id,
            from: grant.nonce,
            to: nonce(),
        };
        async move { store.rotate(rotation, NOW).await.unwrap() }
    })
    .await;
    assert_eq!(count(&outcomes, |outcome| *outcome == RotateOutcome::Rotated), 1);
}

/// A grant is never given for a connection whose removal is queued, whoever is faster.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn redeeming_at_one_and_ending_at_the_other_agree() {
    let (first, second, _database) = two().await;
    for _ in 0..20 {
        let (id, connection) = completed(&first).await;
        let outcomes = spread(
            &first,
            &second,
            vec![true, false, true, false],
            move |store, redeems| async move {
                if redeems {
                    let redeemed = store.redeem(redemption_of(id), NOW).await.unwrap();
                    matches!(redeemed, RedeemOutcome::Redeemed(_))
                } else {
                    let ended = end(&store, EndTarget::All, NOW).await;
                    ended.connections > 0
                }
            },
        )
        .await;
        let key = plaid_token_broker_store::model::ConnectionKey::Id(connection);
        let summary = second.connection_summary(key).await.unwrap().unwrap();
        let live = summary.grants.iter().any(|grant| grant.revoked_at.is_none());
        assert_ne!(live, summary.removed_at.is_some(), "{outcomes:?} {summary:?}");
        end(&first, EndTarget::All, NOW).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn abandoning_and_purging_by_both_do_each_row_once() {
    let (first, second, _database) = two().await;
    for _ in 0..60 {
        completed(&first).await;
    }
    let abandoned = spread(&first, &second, vec![(); 8], |store, ()| async move {
        store.abandon(unredeemed(LATER), LATER).await.unwrap()
    })
    .await;
    // What one had in hand the others passed over.
    assert_eq!(abandoned.iter().sum::<u64>(), 60);
    let queued = take_due(&first, LATER, 1000).await;
    assert_eq!(queued.len(), 60);
    let purged = spread(&first, &second, vec![(); 8], |store, ()| async move {
        store.purge(LATER).await.unwrap()
    })
    .await;
    assert_eq!(purged.iter().sum::<u64>(), 120);
    // Both ask Plaid for the same removal and finish it: it is told once.
    let id = queued[0].connection.id;
    spread(&first, &second, vec![(); 8], move |store, ()| async move {
        store.finish_removal(id, LATER).await.unwrap();
        store.postpone_removal(id, LATER).await.unwrap();
    })
    .await;
    let log = first.audit_after(0, 100_000).await.unwrap();
    let told = |event: &str| log.iter().filter(|row| row.event == event).count();
    assert_eq!(told("authorization.abandoned"), 60);
    assert_eq!(told("connection.ended"), 60);
    assert_eq!(told("connection.removed"), 1);
    assert_eq!(take_due(&first, LATER, 1000).await.len(), 59);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn instances_share_the_removals_and_none_is_taken_twice() {
    let (first, second, _database) = two().await;
    let mut made = many_raw(&first, 120).await;
    assert_eq!(end(&second, EndTarget::All, NOW).await.connections, 120);
    let lease = LATER.plus(Duration::from_secs(60));
    let taken = spread(&first, &second, vec![(); 16], move |store, ()| async move {
        let mut taken = Vec::new();
        loop {
            let some = store.take_removals(LATER, lease, 7).await.unwrap();
            if some.leased == 0 {
                return taken;
            }
            taken.extend(some.removals.iter().map(|removal| removal.connection.id));
        }
    });
    let mut taken = taken.await.concat();
    taken.sort();
    made.sort();
    assert_eq!(taken, made);
    // The instances that had them were killed: another one gets all of them once their leases are over.
    assert!(take_due(&second, LATER, 1000).await.is_empty());
    assert_eq!(take_due(&second, lease, 1000).await.len(), 120);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn resealing_by_both_seals_each_value_once() {
    let (store, database) = fresh().await;
    for _ in 0..50 {
        completed(&store).await;
    }
    store.close().await;
    let rotating = with(&database.url, keys(&[("b", 2), ("a", 1)]));
    let first = Store::open(rotating.clone()).await.unwrap();
    let second = Store::open(rotating).await.unwrap();
    let resealed = spread(&first, &second, vec![(); 4], |store, ()| async move {
        let (mut next, mut resealed) = (None, 0);
        loop {
            let step = store.reseal(next, 7).await.unwrap();
            resealed += step.resealed;
            next = step.next;
            if next.is_none() {
                return resealed;
            }
        }
    })
    .await;
    assert_eq!(resealed.iter().sum::<u64>(), 51);
    let report = second.keys_report().await.unwrap();
    assert_eq!((report.unopened, report.idle()), (0, vec!["a"]));
}

/// A number that was drawn first and committed last: whoever follows the log does not pass it over, and holds up nobody
/// while it is not committed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn who_follows_the_log_comes_again_for_a_row_that_is_not_committed_yet() {
    let (first, second, database) = two().await;
    let slow = client(&database.url).await;
    slow.batch_execute(
        "BEGIN; INSERT INTO audit (at, event, outcome, actor, detail, times, last_at) \
         VALUES (1, 'admin.login', 'done', 'admin', 'slow', 1, 1)",
    )
    .await
    .unwrap();
    let quick = NewAudit::new(AuditEvent::AdminLogin, Actor::Admin).detail("quick");
    second.record(quick, NOW).await.unwrap();
    let following = {
        let first = first.clone();
        tokio::spawn(async move {
            for _ in 0..5 {
                assert!(first.audit_after(0, 10).await.unwrap().is_empty());
                assert_eq!(first.last_audit_id().await.unwrap(), None);
            }
        })
    };
    while !following.is_finished() {
        completed(&second).await;
    }
    following.await.unwrap();
    slow.batch_execute("COMMIT").await.unwrap();
    assert!(first.last_audit_id().await.unwrap().is_some());
    let seen = first.audit_after(0, 10).await.unwrap();
    let seen: Vec<_> = seen.iter().filter_map(|row| row.detail.as_deref()).collect();
    assert_eq!(seen, ["slow", "quick"]);
}

/// Whoever follows the log sees every row, though ids are drawn before their commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn who_follows_the_log_misses_no_row_of_either() {
    let (first, second, _database) = two().await;
    let follower = {
        let store = first.clone();
        tokio::spawn(async move {
            let (mut last, mut seen) = (0, BTreeSet::new());
            while seen.len() < 400 {
                for record in store.audit_after(last, 50).await.unwrap() {
                    assert!(record.id > last);
                    last = record.id;
                    assert!(seen.insert(record.detail.unwrap()));
                }
            }
        })
    };
    let rows = (0..400).collect();
    spread(&first, &second, rows, |store, number: i32| async move {
        let new = NewAudit::new(AuditEvent::AdminLogin, Actor::Admin).detail(number.to_string());
        if number % 3 == 0 {
            let noted = vec![Noted {
                new,
                at: NOW,
                last_at: NOW,
                times: 1,
            }];
            let batch = Batch {
                noted,
                ..Batch::default()
            };
            store.record_batch(batch).await.unwrap();
        } else {
            store.record(new, NOW).await.unwrap();
        }
    })
    .await;
    tokio::time::timeout(Duration::from_secs(30), follower)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn batches_about_the_same_rows_do_not_lock_up_and_the_newest_stays() {
    let (first, second, _database) = two().await;
    let mut grants = Vec::new();
    for _ in 0..20 {
        let exchange = raw_exchange_of(hash());
        grants.push((exchange.grant.id, exchange.connection.id));
        first.exchange_raw(exchange, NOW).await.unwrap();
    }
    let told = grants.clone();
    let results = spread(&first, &second, (0..16).collect(), move |store, second: u64| {
        let at = NOW.plus(Duration::from_secs(second));
        let mut told = told.clone();
        if second.is_multiple_of(2) {
            told.reverse();
        }
        let batch = Batch {
            refreshed: told.iter().map(|(grant, _)| (*grant, at)).collect(),
            health: told
                .iter()
                .map(|(_, id)| (*id, "healthy".to_owned(), at))
                .collect(),
            ..Batch::default()
        };
        async move { store.record_batch(batch).await }
    })
    .await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let newest = Some(NOW.plus(Duration::from_secs(15)));
    let filter = plaid_token_broker_store::model::ConnectionFilter {
        limit: 100,
        ..Default::default()
    };
    for connection in first.connections(filter).await.unwrap() {
        assert_eq!(connection.refreshed_at(), newest);
        assert_eq!(connection.health.map(|health| health.at), newest);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn old_rows_of_the_log_are_forgotten_once_by_both() {
    let (first, second, _database) = two().await;
    for _ in 0..30 {
        completed(&first).await;
    }
    let forgotten = spread(&first, &second, vec![(); 6], |store, ()| async move {
        store.forget_audit(LATER, LATER).await.unwrap()
    })
    .await;
    assert_eq!(forgotten.iter().sum::<u64>(), 60);
    let log = second.audit_after(0, 100).await.unwrap();
    let told: u64 = log
        .iter()
        .filter(|row| row.event == "audit.forgotten")
        .map(|row| row.times)
        .sum();
    assert_eq!((told, log.len()), (60, 1));
}

/// What one revokes the other one does not open any more, at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn a_revocation_at_one_is_seen_by_the_other_at_once() {
    let (first, second, _database) = two().await;
    let exchange = raw_exchange_of(hash());
    let grant = exchange.grant.id;
    first.exchange_raw(exchange, NOW).await.unwrap();
    assert!(second.grant(grant).await.unwrap().is_some());
    first
        .revoke(grant, Revocation::GrantAndConnection, LATER)
        .await
        .unwrap();
    let (grant, connection) = second.grant(grant).await.unwrap().unwrap();
    assert_eq!(
        (grant.revoked_at, connection.removed_at),
        (Some(LATER), Some(LATER))
    );
}

/// More callers than connections wait, and none of them is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn a_small_pool_is_shared() {
    let (_, database) = fresh().await;
    let store = Store::open(options(&format!("{}?pool_size=1", database.url)))
        .await
        .unwrap();
    let made = at_once(&store, vec![(); 100], |store, ()| async move {
        open(&store, oauth_authorization()).await
    })
    .await;
    assert!(made.iter().all(Result::is_ok), "{made:?}");
}
