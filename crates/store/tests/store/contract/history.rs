//! Any history of decisions, one after the other, against a model that is simple enough to be right.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Handle;

use crate::helpers::{
    AUTHORIZATION_TTL, CODE_TTL, NOW, browser_authorization, cancel, completion_of, hash,
    oauth_authorization, open, raw_exchange_of, redemption_of, take_due,
};
use plaid_token_broker_core::clock::Timestamp;
use plaid_token_broker_store::Store;
use plaid_token_broker_store::model::{
    AuthorizationId, CancelOutcome, CompleteOutcome, ConnectionId, Flow, GrantId, PublicTokenHash,
    RawExchangeOutcome, RedeemOutcome, Stage,
};

#[derive(Clone, Debug)]
enum Step {
    Open { oauth: bool },
    Complete { authorization: usize, token: usize },
    Cancel { authorization: usize },
    Redeem { authorization: usize },
    Raw { token: usize },
    Abandon,
    FinishRemovals,
    Purge,
    Wait { seconds: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => any::<bool>().prop_map(|oauth| Step::Open { oauth }),
        6 => (0..6_usize, 0..4_usize).prop_map(|(authorization, token)| Step::Complete { authorization, token }),
        1 => (0..6_usize).prop_map(|authorization| Step::Cancel { authorization }),
        4 => (0..6_usize).prop_map(|authorization| Step::Redeem { authorization }),
        2 => (0..4_usize).prop_map(|token| Step::Raw { token }),
        2 => Just(Step::Abandon),
        1 => Just(Step::FinishRemovals),
        1 => Just(Step::Purge),
        2 => prop_oneof![Just(1_u64), Just(299), Just(300), Just(1799), Just(1800)]
            .prop_map(|seconds| Step::Wait { seconds }),
    ];
    proptest::collection::vec(step, 0..40)
}

struct Known {
    id: AuthorizationId,
    oauth: bool,
    expires_at: Timestamp,
    stage: Stage,
}

/// What should be in the store.
struct Model {
    now: Timestamp,
    tokens: Vec<PublicTokenHash>,
    authorizations: Vec<Known>,
    brought: BTreeMap<usize, (ConnectionId, Timestamp)>,
    removed: BTreeMap<ConnectionId, Timestamp>,
    queued: BTreeSet<ConnectionId>,
    connections: BTreeSet<ConnectionId>,
    grants: BTreeMap<GrantId, ConnectionId>,
}

pub(crate) async fn any_history_goes_as_the_model_says(store: &Store) {
    tokio::task::block_in_place(|| {
        let mut runner = TestRunner::new(Config {
            cases: 48,
            failure_persistence: None,
            ..Config::default()
        });
        let result = runner.run(&steps(), |steps| {
            Handle::current().block_on(live(store, steps));
            Ok(())
        });
        result.unwrap();
    });
}

async fn live(store: &Store, steps: Vec<Step>) {
    // What earlier histories left is ended and forgotten, as decisions over all rows would meet it.
    let end = NOW.plus(Duration::from_secs(1 << 30));
    store.abandon(crate::helpers::unredeemed(end), end).await.unwrap();
    store.purge(end).await.unwrap();
    for removal in take_due(store, end, usize::MAX).await {
        store.finish_removal(removal.connection.id, end).await.unwrap();
    }
    let mut model = Model {
        now: NOW,
        tokens: (0..4).map(|_| hash()).collect(),
        authorizations: Vec::new(),
        brought: BTreeMap::new(),
        removed: BTreeMap::new(),
        queued: BTreeSet::new(),
        connections: BTreeSet::new(),
        grants: BTreeMap::new(),
    };
    for step in steps {
        model.step(store, step).await;
    }
    model.compare(store).await;
}

impl Model {
    async fn step(&mut self, store: &Store, step: Step) {
        match step {
            Step::Open { oauth } => {
                let mut new = if oauth {
                    oauth_authorization()
                } else {
                    browser_authorization()
                };
                new.created_at = self.now;
                new.expires_at = self.now.plus(AUTHORIZATION_TTL);
                let known = Known {
                    id: new.id,
                    oauth,
                    expires_at: new.expires_at,
                    stage: Stage::Open,
                };
                open(store, new).await.unwrap();
                self.authorizations.push(known);
            }
            Step::Complete { authorization, token } => self.complete(store, authorization, token).await,
            Step::Cancel { authorization } => {
                let Some(known) = self.authorizations.get_mut(authorization) else {
                    return;
                };
                let expected = match known.stage {
                    Stage::Open | Stage::Cancelled => {
                        known.stage = Stage::Cancelled;
                        CancelOutcome::Cancelled
                    }
                    _ => CancelOutcome::TooLate,
                };
                assert_eq!(cancel(store, known.id, self.now).await.unwrap(), expected);
            }
            Step::Redeem { authorization } => self.redeem(store, authorization).await,
            Step::Raw { token } => {
                let exchange = raw_exchange_of(*self.tokens.get(token).unwrap());
                let (connection_id, grant_id) = (exchange.connection.id, exchange.grant.id);
                match (
                    store.exchange_raw(exchange, self.now).await.unwrap(),
                    self.brought.get(&token),
                ) {
                    (RawExchangeOutcome::Exchanged, None) => {
                        self.brought.insert(token, (connection_id, self.now));
                        self.connections.insert(connection_id);
                        self.grants.insert(grant_id, connection_id);
                    }
                    (RawExchangeOutcome::Taken(record), Some(brought)) => {
                        assert_eq!((record.connection_id, record.exchanged_at), *brought);
                    }
                    other => panic!("{other:?}"),
                }
            }
            Step::Abandon => self.abandon(store).await,
            Step::FinishRemovals => {
                for id in std::mem::take(&mut self.queued) {
                    store.finish_removal(id, self.now).await.unwrap();
                }
            }
            Step::Purge => self.purge(store).await,
            Step::Wait { seconds } => self.now = self.now.plus(Duration::from_secs(seconds)),
        }
    }

    async fn complete(&mut self, store: &Store, authorization: usize, token: usize) {
        let public_token = *self.tokens.get(token).unwrap();
        let Some(known) = self.authorizations.get_mut(authorization) else {
            return;
        };
        let completion = completion_of(known.id, public_token);
        let connection_id = completion.connection.id;
        let expected = match &known.stage {
            Stage::Completed {
                connection_id,
                public_token: of,
                ..
            }
            | Stage::Redeemed {
                connection_id,
                public_token: of,
                ..
            } if *of == public_token => CompleteOutcome::Repeated {
                connection_id: *connection_id,
            },
            Stage::Open if self.now >= known.expires_at => CompleteOutcome::NotOpen,
            Stage::Open if self.brought.contains_key(&token) => CompleteOutcome::PublicTokenTaken,
            Stage::Open => CompleteOutcome::Completed,
            _ => CompleteOutcome::NotOpen,
        };
        assert_eq!(store.complete(completion, self.now).await.unwrap(), expected);
        if expected == CompleteOutcome::Completed {
            let code_expires_at = self.now.plus(CODE_TTL);
            known.stage = Stage::Completed {
                connection_id,
                public_token,
                at: self.now,
                code_expires_at,
            };
            self.brought.insert(token, (connection_id, self.now));
            self.connections.insert(connection_id);
        }
    }

    async fn redeem(&mut self, store: &Store, authorization: usize) {
        let Some(known) = self.authorizations.get_mut(authorization) else {
            return;
        };
        let redemption = redemption_of(known.id);
        let new_grant = redemption.grant.id;
        let outcome = store.redeem(redemption, self.now).await.unwrap();
        match known.stage.clone() {
            Stage::Completed {
                connection_id,
                public_token,
                code_expires_at,
                ..
            } if known.oauth && self.now < code_expires_at => {
                assert!(
                    matches!(outcome, RedeemOutcome::Redeemed(connection) if connection.id == connection_id)
                );
                known.stage = Stage::Redeemed {
                    connection_id,
                    public_token,
                    grant_id: new_grant,
                    at: self.now,
                };
                self.grants.insert(new_grant, connection_id);
            }
            Stage::Completed { .. } if known.oauth => assert!(matches!(outcome, RedeemOutcome::Expired)),
            Stage::Redeemed { grant_id, at, .. } => assert!(
                matches!(outcome, RedeemOutcome::AlreadyRedeemed { grant_id: of, at: then } if (of, then) == (grant_id, at))
            ),
            _ => assert!(matches!(outcome, RedeemOutcome::NotRedeemable)),
        }
    }

    async fn abandon(&mut self, store: &Store) {
        let before = self.now.minus(Duration::from_secs(300));
        let mut abandoned = 0;
        for known in self.authorizations.iter_mut().filter(|known| known.oauth) {
            if let Stage::Completed {
                connection_id, at, ..
            } = known.stage
                && at < before
            {
                known.stage = Stage::Abandoned;
                self.removed.insert(connection_id, self.now);
                self.queued.insert(connection_id);
                abandoned += 1;
            }
        }
        assert_eq!(
            store
                .abandon(crate::helpers::unredeemed(before), self.now)
                .await
                .unwrap(),
            abandoned
        );
    }

    async fn purge(&mut self, store: &Store) {
        let (authorizations, tokens) = (self.authorizations.len(), self.brought.len());
        let now = self.now;
        self.authorizations.retain(|known| {
            matches!(known.stage, Stage::Completed { .. } | Stage::Redeemed { .. }) || known.expires_at >= now
        });
        let removed = &self.removed;
        self.brought
            .retain(|_, (connection_id, at)| *at >= now || !removed.contains_key(connection_id));
        let forgotten = authorizations - self.authorizations.len() + tokens - self.brought.len();
        assert_eq!(store.purge(now).await.unwrap(), forgotten as u64);
    }

    async fn compare(&self, store: &Store) {
        for known in &self.authorizations {
            let found = store.authorization(known.id).await.unwrap().unwrap();
            assert_eq!(
                (found.stage, matches!(found.flow, Flow::OAuth(_))),
                (known.stage.clone(), known.oauth)
            );
        }
        for (token, hash) in self.tokens.iter().enumerate() {
            let found = store.public_token(*hash).await.unwrap();
            let found = found.map(|record| (record.connection_id, record.exchanged_at));
            assert_eq!(found, self.brought.get(&token).copied());
        }
        for id in &self.connections {
            let found = store.connection(*id).await.unwrap().unwrap();
            assert_eq!(found.removed_at, self.removed.get(id).copied());
        }
        for (id, connection_id) in &self.grants {
            let (grant, connection) = store.grant(*id).await.unwrap().unwrap();
            assert_eq!(
                (grant.connection_id, connection.id),
                (*connection_id, *connection_id)
            );
        }
        let queued = take_due(store, self.now, usize::MAX).await;
        let queued: BTreeSet<_> = queued.iter().map(|removal| removal.connection.id).collect();
        assert_eq!(queued, self.queued);
    }
}
