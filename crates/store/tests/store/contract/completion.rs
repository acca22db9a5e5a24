//! Opening, completing and cancelling an authorization.

use std::time::Duration;

use crate::helpers::{
    AUTHORIZATION_TTL, CODE_TTL, MOST_LINK_TOKENS, NOW, at_once, browser_authorization, cancel, completed,
    completion_of, hash, oauth_authorization, open, opened,
};
use plaid_token_broker_store::Store;
use plaid_token_broker_store::model::{
    AuthorizationId, CancelOutcome, CompleteOutcome, Flow, LinkStart, PublicTokenOwner, RedeemOutcome,
    Repeat, RepeatOutcome, Stage,
};

pub(crate) async fn an_authorization_reads_back_as_it_was_opened(store: &Store) {
    let mut bare = oauth_authorization();
    if let Flow::OAuth(request) = &mut bare.flow {
        request.state = None;
        request.code_challenge = None;
    }
    let mut narrowed_to_nothing = browser_authorization();
    narrowed_to_nothing.scope = Some(Vec::new());
    for new in [
        browser_authorization(),
        oauth_authorization(),
        bare,
        narrowed_to_nothing,
    ] {
        assert!(store.authorization(new.id).await.unwrap().is_none());
        opened(store, new.clone()).await;
        let found = store.authorization(new.id).await.unwrap().unwrap();
        assert_eq!((found.id, found.nonce, found.flow), (new.id, new.nonce, new.flow));
        assert_eq!(
            (found.scope, found.client_user_id),
            (new.scope, new.client_user_id)
        );
        assert_eq!(
            (found.created_at, found.expires_at),
            (new.created_at, new.expires_at)
        );
        assert_eq!(found.stage, Stage::Open);
    }
}

pub(crate) async fn an_authorization_is_stored_once_and_gets_a_bounded_number_of_link_tokens(store: &Store) {
    let new = oauth_authorization();
    let outcomes = at_once(store, vec![new.clone(); 12], |store, new| async move {
        open(&store, new).await.unwrap()
    })
    .await;
    let count = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    let most = usize::try_from(MOST_LINK_TOKENS).unwrap();
    assert_eq!(count(LinkStart::Allowed { first: true }), 1, "{outcomes:?}");
    assert_eq!(
        count(LinkStart::Allowed { first: false }),
        most - 1,
        "{outcomes:?}"
    );
    assert_eq!(count(LinkStart::TooMany), 12 - most, "{outcomes:?}");
    assert_eq!(store.authorization(new.id).await.unwrap().unwrap().flow, new.flow);
    // What was begun can be completed, however many were asked for.
    let outcome = store.complete(completion_of(new.id, hash()), NOW).await.unwrap();
    assert_eq!(outcome, CompleteOutcome::Completed);
    assert_eq!(open(store, new).await, Ok(LinkStart::NotOpen));
}

pub(crate) async fn an_expired_authorization_is_not_stored(store: &Store) {
    let new = oauth_authorization();
    let late = new.expires_at;
    let outcome = store
        .start_link(new.clone(), MOST_LINK_TOKENS, late)
        .await
        .unwrap();
    assert_eq!(outcome, LinkStart::NotOpen);
    assert!(store.authorization(new.id).await.unwrap().is_none());
}

pub(crate) async fn an_expired_authorization_that_is_not_stored_cannot_be_cancelled(store: &Store) {
    let new = oauth_authorization();
    let late = new.expires_at;
    for _ in 0..2 {
        let outcome = store.cancel(new.clone(), late).await.unwrap();
        assert_eq!(outcome, CancelOutcome::TooLate);
        assert!(store.authorization(new.id).await.unwrap().is_none());
    }
    // While its row is there, its client still gets an answer.
    opened(store, new.clone()).await;
    let outcome = store.cancel(new, late).await.unwrap();
    assert_eq!(outcome, CancelOutcome::Cancelled);
}

pub(crate) async fn cancelled_before_it_was_stored_it_cannot_be_started(store: &Store) {
    let new = oauth_authorization();
    for _ in 0..2 {
        assert_eq!(
            store.cancel(new.clone(), NOW).await.unwrap(),
            CancelOutcome::Cancelled
        );
    }
    assert_eq!(open(store, new.clone()).await, Ok(LinkStart::NotOpen));
    let completion = completion_of(new.id, hash());
    assert_eq!(
        store.complete(completion, NOW).await.unwrap(),
        CompleteOutcome::NotOpen
    );
    let row = store.authorization(new.id).await.unwrap().unwrap();
    assert_eq!((row.stage, row.nonce), (Stage::Cancelled, new.nonce));
    let Flow::OAuth(request) = row.flow else {
        panic!("an OAuth request")
    };
    assert_eq!(
        (request.state, row.scope),
        (None, None),
        "nothing that is not needed is kept"
    );
}

pub(crate) async fn completing_stores_connection_public_token_and_code(store: &Store) {
    let id = opened(store, oauth_authorization()).await;
    let completion = completion_of(id, hash());
    let now = NOW.plus(Duration::from_secs(7));
    assert_eq!(
        store.complete(completion.clone(), now).await.unwrap(),
        CompleteOutcome::Completed
    );

    let stage = store.authorization(id).await.unwrap().unwrap().stage;
    let new = completion.connection;
    let expected = Stage::Completed {
        connection_id: new.id,
        public_token: completion.public_token,
        at: now,
        code_expires_at: now.plus(CODE_TTL),
    };
    assert_eq!(stage, expected);
    let found = store.connection(new.id).await.unwrap().unwrap();
    assert_eq!((found.id, &found.item_id), (new.id, &new.item_id));
    assert_eq!(found.access_token.expose(), new.access_token.expose());
    assert_eq!(
        (found.institution_id, found.institution_name),
        (new.institution_id, new.institution_name)
    );
    assert_eq!((found.created_at, found.removed_at), (now, None));
    let record = store
        .public_token(completion.public_token)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(record.owner, PublicTokenOwner::Authorization(id));
    assert_eq!((record.connection_id, record.exchanged_at), (new.id, now));
}

pub(crate) async fn a_repeat_is_answered_alike_and_stores_nothing(store: &Store) {
    let id = opened(store, oauth_authorization()).await;
    let first = completion_of(id, hash());
    store.complete(first.clone(), NOW).await.unwrap();
    let repeated = CompleteOutcome::Repeated {
        connection_id: first.connection.id,
    };
    let again = completion_of(id, first.public_token);
    assert_eq!(store.complete(again.clone(), NOW).await.unwrap(), repeated);
    assert!(store.connection(again.connection.id).await.unwrap().is_none());
    // Also when the code is used or past its time: what is repeated is the answer, not the code's life.
    store
        .redeem(crate::helpers::redemption_of(id), NOW)
        .await
        .unwrap();
    let late = NOW.plus(AUTHORIZATION_TTL * 9);
    assert_eq!(store.complete(again, late).await.unwrap(), repeated);
}

pub(crate) async fn another_public_token_finds_it_not_open(store: &Store) {
    let (id, _) = completed(store).await;
    let second = completion_of(id, hash());
    assert_eq!(
        store.complete(second.clone(), NOW).await.unwrap(),
        CompleteOutcome::NotOpen
    );
    assert!(store.connection(second.connection.id).await.unwrap().is_none());
    assert!(store.public_token(second.public_token).await.unwrap().is_none());
}

pub(crate) async fn from_its_last_moment_on_it_is_not_open(store: &Store) {
    let last = NOW.plus(AUTHORIZATION_TTL);
    let id = opened(store, oauth_authorization()).await;
    let completion = completion_of(id, hash());
    assert_eq!(
        store.complete(completion.clone(), last).await.unwrap(),
        CompleteOutcome::NotOpen
    );
    assert!(
        store
            .public_token(completion.public_token)
            .await
            .unwrap()
            .is_none()
    );
    let before = last.minus(Duration::from_millis(1));
    assert_eq!(
        store.complete(completion, before).await.unwrap(),
        CompleteOutcome::Completed
    );
}

pub(crate) async fn an_unknown_authorization_is_not_found(store: &Store) {
    let nobody = AuthorizationId(plaid_token_broker_core::random::id(
        plaid_token_broker_core::clock::Clock::now(&plaid_token_broker_core::clock::SystemClock),
    ));
    assert_eq!(
        store.complete(completion_of(nobody, hash()), NOW).await.unwrap(),
        CompleteOutcome::NotFound
    );
    let outcome = store
        .redeem(crate::helpers::redemption_of(nobody), NOW)
        .await
        .unwrap();
    assert!(matches!(outcome, RedeemOutcome::NotRedeemable));
}

pub(crate) async fn a_public_token_belongs_to_who_brought_it_first(store: &Store) {
    let (first, second) = (
        opened(store, oauth_authorization()).await,
        opened(store, oauth_authorization()).await,
    );
    let public_token = hash();
    store
        .complete(completion_of(first, public_token), NOW)
        .await
        .unwrap();
    let thief = completion_of(second, public_token);
    assert_eq!(
        store.complete(thief.clone(), NOW).await.unwrap(),
        CompleteOutcome::PublicTokenTaken
    );
    assert!(store.connection(thief.connection.id).await.unwrap().is_none());
    assert_eq!(
        store.authorization(second).await.unwrap().unwrap().stage,
        Stage::Open
    );
}

pub(crate) async fn of_many_completions_at_once_one_stores(store: &Store) {
    let id = opened(store, oauth_authorization()).await;
    let public_token = hash();
    let completions: Vec<_> = (0..32).map(|_| completion_of(id, public_token)).collect();
    let ids: Vec<_> = completions
        .iter()
        .map(|completion| completion.connection.id)
        .collect();
    let outcomes = at_once(store, completions, |store, completion| async move {
        store.complete(completion, NOW).await.unwrap()
    })
    .await;
    let winner = outcomes
        .iter()
        .position(|outcome| *outcome == CompleteOutcome::Completed)
        .unwrap();
    let connection_id = *ids.get(winner).unwrap();
    for (place, outcome) in outcomes.iter().enumerate() {
        assert!(place == winner || *outcome == CompleteOutcome::Repeated { connection_id });
    }
    for id in ids {
        assert_eq!(store.connection(id).await.unwrap().is_some(), id == connection_id);
    }
}

pub(crate) async fn of_two_owners_at_once_one_has_the_public_token(store: &Store) {
    for _ in 0..20 {
        let public_token = hash();
        let mut completions = Vec::new();
        for _ in 0..2 {
            completions.push(completion_of(
                opened(store, oauth_authorization()).await,
                public_token,
            ));
        }
        let outcomes = at_once(store, completions, |store, completion| async move {
            store.complete(completion, NOW).await.unwrap()
        })
        .await;
        assert!(outcomes.contains(&CompleteOutcome::Completed), "{outcomes:?}");
        assert!(
            outcomes.contains(&CompleteOutcome::PublicTokenTaken),
            "{outcomes:?}"
        );
    }
}

pub(crate) async fn cancelling_is_final_and_repeatable(store: &Store) {
    let id = opened(store, oauth_authorization()).await;
    assert_eq!(cancel(store, id, NOW).await.unwrap(), CancelOutcome::Cancelled);
    assert_eq!(cancel(store, id, NOW).await.unwrap(), CancelOutcome::Cancelled);
    assert_eq!(
        store.authorization(id).await.unwrap().unwrap().stage,
        Stage::Cancelled
    );
    assert_eq!(
        store.complete(completion_of(id, hash()), NOW).await.unwrap(),
        CompleteOutcome::NotOpen
    );
}

pub(crate) async fn what_is_completed_cannot_be_cancelled(store: &Store) {
    let (id, _) = completed(store).await;
    assert_eq!(cancel(store, id, NOW).await.unwrap(), CancelOutcome::TooLate);
    assert!(matches!(
        store.authorization(id).await.unwrap().unwrap().stage,
        Stage::Completed { .. }
    ));
    store
        .redeem(crate::helpers::redemption_of(id), NOW)
        .await
        .unwrap();
    assert_eq!(cancel(store, id, NOW).await.unwrap(), CancelOutcome::TooLate);
}

pub(crate) async fn of_cancel_and_complete_one_wins(store: &Store) {
    for _ in 0..20 {
        let id = opened(store, oauth_authorization()).await;
        let completion = completion_of(id, hash());
        let connection_id = completion.connection.id;
        let won = at_once(
            store,
            vec![None, Some(completion)],
            move |store, completion| async move {
                match completion {
                    Some(completion) => {
                        store.complete(completion, NOW).await.unwrap() == CompleteOutcome::Completed
                    }
                    None => cancel(&store, id, NOW).await.unwrap() == CancelOutcome::Cancelled,
                }
            },
        )
        .await;
        let [cancelled, completed] = won.try_into().unwrap();
        assert_ne!(cancelled, completed);
        assert_eq!(
            store.connection(connection_id).await.unwrap().is_some(),
            completed
        );
    }
}

pub(crate) async fn a_caller_that_goes_away_undoes_nothing(store: &Store) {
    use std::task::Poll;
    let id = opened(store, oauth_authorization()).await;
    let completion = completion_of(id, hash());
    let connection_id = completion.connection.id;
    {
        let mut call = std::pin::pin!(store.complete(completion, NOW));
        // One poll queues the decision; the caller goes away before its answer.
        std::future::poll_fn(|context| {
            let _ = call.as_mut().poll(context);
            Poll::Ready(())
        })
        .await;
    }
    // It is decided, in its order or beside others: nobody is there to be told of it.
    let decided = async {
        while store.connection(connection_id).await.unwrap().is_none() {
            store.check().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(10), decided)
        .await
        .unwrap();
}

pub(crate) async fn a_repeat_makes_an_unredeemed_code_good_again(store: &Store) {
    let id = opened(store, oauth_authorization()).await;
    let completion = completion_of(id, hash());
    store.complete(completion.clone(), NOW).await.unwrap();
    let repeat = Repeat {
        authorization_id: id,
        public_token: completion.public_token,
        code_ttl: crate::helpers::CODE_TTL,
    };
    let repeated = RepeatOutcome::Repeated(completion.connection.id);
    let late = NOW.plus(crate::helpers::CODE_TTL * 2);
    let other = Repeat {
        public_token: hash(),
        ..repeat
    };
    assert_eq!(store.repeat(other, late).await.unwrap(), RepeatOutcome::Over);
    let refused = store
        .redeem(crate::helpers::redemption_of(id), late)
        .await
        .unwrap();
    assert!(matches!(refused, RedeemOutcome::Expired));
    assert_eq!(store.repeat(repeat, late).await.unwrap(), repeated);
    let redeemed = store
        .redeem(crate::helpers::redemption_of(id), late)
        .await
        .unwrap();
    assert!(matches!(redeemed, RedeemOutcome::Redeemed(_)));
    assert_eq!(store.repeat(repeat, late).await.unwrap(), repeated);

    let (abandoned, _) = completed(store).await;
    store
        .abandon(crate::helpers::unredeemed(late), late)
        .await
        .unwrap();
    let Repeat { public_token, .. } = repeat;
    let over = Repeat {
        authorization_id: abandoned,
        public_token,
        code_ttl: crate::helpers::CODE_TTL,
    };
    assert_eq!(store.repeat(over, late).await.unwrap(), RepeatOutcome::Over);
}
