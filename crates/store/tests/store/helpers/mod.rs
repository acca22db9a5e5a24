//! Stores, and what is put into them.

#[cfg(unix)]
pub(crate) mod cluster;
#[cfg(unix)]
pub(crate) mod postgres;
pub(crate) mod sqlite;

use std::time::Duration;

use uuid::Uuid;

use plaid_token_broker_core::clock::{Clock as _, SystemClock, Timestamp};
use plaid_token_broker_core::random;
use plaid_token_broker_core::secret::PlaidAccessToken;
use plaid_token_broker_store::model::{
    Abandonment, AuthorizationId, CancelOutcome, Completion, ConnectionId, EndTarget, Ended, Flow, GrantId,
    LinkStart, NewAuthorization, NewConnection, NewGrant, Nonce, OAuthRequest, PublicTokenHash, RawExchange,
    Redemption, Removal,
};
use plaid_token_broker_store::{Store, StoreError};

pub(crate) fn fresh_id() -> Uuid {
    random::id(SystemClock.now())
}

/// The moment at which all begins.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// How long authorizations can be completed.
pub(crate) const AUTHORIZATION_TTL: Duration = Duration::from_secs(1800);
/// Link tokens of one authorization.
pub(crate) const MOST_LINK_TOKENS: u32 = 3;
/// How long codes are good.
pub(crate) const CODE_TTL: Duration = Duration::from_secs(300);

/// Only codes that nobody redeemed, of before that moment.
pub(crate) fn unredeemed(before: Timestamp) -> Abandonment {
    Abandonment {
        unredeemed_before: before,
        sessions_before: Timestamp::from_millis(i64::MIN),
    }
}

pub(crate) fn nonce() -> Nonce {
    Nonce(rand::random())
}

pub(crate) fn hash() -> PublicTokenHash {
    PublicTokenHash(rand::random())
}

pub(crate) fn browser_authorization() -> NewAuthorization {
    NewAuthorization {
        id: AuthorizationId(fresh_id()),
        nonce: nonce(),
        flow: Flow::Browser,
        scope: None,
        client_user_id: Uuid::new_v4().to_string(),
        created_at: NOW,
        expires_at: NOW.plus(AUTHORIZATION_TTL),
    }
}

pub(crate) fn oauth_authorization() -> NewAuthorization {
    let request = OAuthRequest {
        client_id: "kore".to_owned(),
        redirect_uri: "https://idp.kore.ai/callback".to_owned(),
        state: Some("a%20b".to_owned()),
        code_challenge: Some("challenge".to_owned()),
    };
    NewAuthorization {
        flow: Flow::OAuth(request),
        scope: Some(vec!["auth".to_owned(), "identity".to_owned()]),
        ..browser_authorization()
    }
}

pub(crate) fn new_connection() -> NewConnection {
    let id = ConnectionId(fresh_id());
    NewConnection {
        id,
        item_id: format!("item-{id}"),
        access_token: PlaidAccessToken::new(format!("access-sandbox-{id}")),
        institution_id: Some("ins_1".to_owned()),
        institution_name: Some("Bank of Tests".to_owned()),
    }
}

pub(crate) fn completion_of(authorization_id: AuthorizationId, public_token: PublicTokenHash) -> Completion {
    Completion {
        authorization_id,
        public_token,
        connection: new_connection(),
        code_ttl: CODE_TTL,
    }
}

pub(crate) fn new_grant() -> NewGrant {
    NewGrant {
        id: GrantId(fresh_id()),
        nonce: nonce(),
        client_id: "kore".to_owned(),
        scope: vec!["auth".to_owned()],
    }
}

pub(crate) fn redemption_of(authorization_id: AuthorizationId) -> Redemption {
    Redemption {
        authorization_id,
        grant: new_grant(),
    }
}

pub(crate) fn raw_exchange_of(public_token: PublicTokenHash) -> RawExchange {
    RawExchange {
        public_token,
        connection: new_connection(),
        grant: new_grant(),
    }
}

pub(crate) async fn opened(store: &Store, new: NewAuthorization) -> AuthorizationId {
    let id = new.id;
    assert_eq!(open(store, new).await, Ok(LinkStart::Allowed { first: true }));
    id
}

/// The first link token of an authorization.
pub(crate) async fn open(store: &Store, new: NewAuthorization) -> Result<LinkStart, StoreError> {
    let now = new.created_at;
    store.start_link(new, MOST_LINK_TOKENS, now).await
}

/// Cancels an authorization that is stored; were it not, it would be stored as another one.
pub(crate) async fn cancel(
    store: &Store,
    id: AuthorizationId,
    now: Timestamp,
) -> Result<CancelOutcome, StoreError> {
    let new = NewAuthorization {
        id,
        ..oauth_authorization()
    };
    store.cancel(new, now).await
}

/// A completed OAuth authorization and its connection.
pub(crate) async fn completed(store: &Store) -> (AuthorizationId, ConnectionId) {
    let id = opened(store, oauth_authorization()).await;
    let completion = completion_of(id, hash());
    let connection_id = completion.connection.id;
    let outcome = store.complete(completion, NOW).await.unwrap();
    assert_eq!(
        outcome,
        plaid_token_broker_store::model::CompleteOutcome::Completed
    );
    (id, connection_id)
}

/// All steps of `end_step`.
pub(crate) async fn end(store: &Store, target: EndTarget, now: Timestamp) -> Ended {
    let (mut ended, mut next) = (Ended::default(), None);
    loop {
        let step = store.end_step(target.clone(), next, now).await.unwrap();
        ended += step.ended;
        next = step.next;
        if next.is_none() {
            return ended;
        }
    }
}

/// The removals that are due, by leases that end at once.
pub(crate) async fn take_due(store: &Store, now: Timestamp, limit: usize) -> Vec<Removal> {
    store.take_removals(now, now, limit).await.unwrap().removals
}

/// Connections of the client `kore` by raw public tokens.
pub(crate) async fn many_raw(store: &Store, count: usize) -> Vec<ConnectionId> {
    let mut made = Vec::new();
    while made.len() < count {
        let some = vec![(); (count - made.len()).min(50)];
        let ids = at_once(store, some, |store, ()| async move {
            let exchange = raw_exchange_of(hash());
            let id = exchange.connection.id;
            store.exchange_raw(exchange, NOW).await.unwrap();
            id
        });
        made.extend(ids.await);
    }
    made
}

/// Runs a decision in as many tasks as there are inputs, all released at one moment.
pub(crate) async fn at_once<I, T, F, Fut>(store: &Store, inputs: Vec<I>, decide: F) -> Vec<T>
where
    I: Send + 'static,
    T: Send + 'static,
    F: Fn(Store, I) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    let start = std::sync::Arc::new(tokio::sync::Barrier::new(inputs.len()));
    let tasks: Vec<_> = inputs
        .into_iter()
        .map(|input| {
            let (store, start, decide) = (store.clone(), start.clone(), decide.clone());
            tokio::spawn(async move {
                start.wait().await;
                decide(store, input).await
            })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}
