//! What the child does: a store of its own, decisions, and a line on standard error for each answer.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use plaid_token_broker::clock::{Clock as _, SystemClock, Timestamp};
use plaid_token_broker::random;
use plaid_token_broker::secret::PlaidAccessToken;
use plaid_token_broker::store::error::StoreError;
use plaid_token_broker::store::model::{
    AuthorizationId, CompleteOutcome, Completion, ConnectionId, Flow, GrantId, LinkStart, NewAuthorization,
    NewConnection, NewGrant, Nonce, OAuthRequest, PublicTokenHash, RedeemOutcome, Redemption,
};
use plaid_token_broker::store::{Durability, Store};

use crate::options;

const ROLE: &str = "DURABILITY_CHILD";
const DIRECTORY: &str = "DURABILITY_DIRECTORY";
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// What a child is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// One completion while syncs are held.
    CompleteSynced,
    /// The same with syncing switched off.
    CompleteUnsynced,
    /// Completions and redemptions from many tasks, until it is killed.
    Load,
    /// Decisions on a disk that is full for a while.
    FullDisk,
}

impl Role {
    const ALL: [Self; 4] = [
        Self::CompleteSynced,
        Self::CompleteUnsynced,
        Self::Load,
        Self::FullDisk,
    ];

    /// This program as that child: lines are read from its standard error.
    pub(crate) fn command(self, directory: &Path) -> Command {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["--exact", "child::child", "--ignored", "--nocapture"])
            .env(ROLE, format!("{self:?}"))
            .env(DIRECTORY, directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }
}

/// The file whose presence holds syncs, or fills the disk.
pub(crate) fn gate(directory: &Path) -> PathBuf {
    directory.join("gate")
}

/// The access token of a connection, as both sides know it.
pub(crate) fn access_token(id: ConnectionId) -> String {
    format!("access-sandbox-{id}")
}

#[test]
#[ignore = "runs as a child of the other tests only"]
fn child() {
    let Ok(role) = env::var(ROLE) else { return };
    let role = Role::ALL
        .into_iter()
        .find(|known| format!("{known:?}") == role)
        .unwrap();
    let directory = PathBuf::from(env::var_os(DIRECTORY).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        match role {
            Role::CompleteSynced => complete_once(&directory, Durability::Full).await,
            Role::CompleteUnsynced => complete_once(&directory, Durability::Off).await,
            Role::Load => load(&directory).await,
            Role::FullDisk => full_disk(&directory).await,
        }
    });
}

/// One write for the whole line, so that a kill does not cut it.
fn tell(line: &str) {
    std::io::stderr()
        .write_all(format!("{line}\n").as_bytes())
        .unwrap();
}

async fn complete_once(directory: &Path, durability: Durability) {
    let store = Store::open(options(directory, durability)).await.unwrap();
    let authorization_id = open(&store).await;
    fs::write(gate(directory), "").unwrap();
    tell("holding");
    complete(&store, authorization_id).await;
    tell("answered");
    fs::remove_file(gate(directory)).unwrap();
    store.close().await;
    tell("closed");
}

async fn load(directory: &Path) {
    let store = Store::open(options(directory, Durability::Full)).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| tokio::spawn(complete_and_redeem_forever(store.clone())))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn complete_and_redeem_forever(store: Store) {
    loop {
        let authorization_id = open(&store).await;
        let connection_id = complete(&store, authorization_id).await;
        tell(&format!("completed {connection_id}"));
        let grant = NewGrant {
            id: GrantId(random::id(SystemClock.now())),
            nonce: Nonce(rand::random()),
            client_id: "kore".to_owned(),
            scope: Vec::new(),
        };
        let grant_id = grant.id;
        let outcome = store
            .redeem(
                Redemption {
                    authorization_id,
                    grant,
                },
                NOW,
            )
            .await
            .unwrap();
        assert!(matches!(outcome, RedeemOutcome::Redeemed(_)));
        tell(&format!("redeemed {grant_id}"));
    }
}

async fn open(store: &Store) -> AuthorizationId {
    let id = AuthorizationId(random::id(SystemClock.now()));
    let request = OAuthRequest {
        client_id: "kore".to_owned(),
        redirect_uri: "https://idp.kore.ai/callback".to_owned(),
        state: None,
        code_challenge: None,
    };
    let new = NewAuthorization {
        id,
        nonce: Nonce(rand::random()),
        flow: Flow::OAuth(request),
        scope: None,
        client_user_id: uuid::Uuid::new_v4().to_string(),
        created_at: NOW,
        expires_at: NOW.plus(Duration::from_secs(1800)),
    };
    let start = store.start_link(new, 1, NOW).await;
    assert_eq!(start, Ok(LinkStart::Allowed { first: true }));
    id
}

async fn full_disk(directory: &Path) {
    let store = Store::open(options(directory, Durability::Full)).await.unwrap();
    let before = open(&store).await;
    let stored = complete(&store, before).await;
    let mut waiting = Vec::new();
    for _ in 0..32 {
        waiting.push(open(&store).await);
    }
    fs::write(gate(directory), "").unwrap();
    let tasks: Vec<_> = waiting
        .iter()
        .map(|id| {
            let (store, completion) = (store.clone(), completion_of(*id));
            tokio::spawn(async move { store.complete(completion, NOW).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Err(StoreError::Full));
    }
    assert_eq!(store.check().await, Err(StoreError::Full));
    assert!(store.connection(stored).await.unwrap().is_some());
    tell("full");
    fs::remove_file(gate(directory)).unwrap();
    for id in waiting {
        // Each is still open: nothing of the refused completion stayed behind.
        complete(&store, id).await;
    }
    store.check().await.unwrap();
    tell("room again");
    store.close().await;
    tell("closed");
}

fn completion_of(authorization_id: AuthorizationId) -> Completion {
    let id = ConnectionId(random::id(SystemClock.now()));
    Completion {
        authorization_id,
        public_token: PublicTokenHash(rand::random()),
        connection: NewConnection {
            id,
            item_id: format!("item-{id}"),
            access_token: PlaidAccessToken::new(access_token(id)),
            institution_id: None,
            institution_name: None,
        },
        code_ttl: Duration::from_secs(300),
    }
}

async fn complete(store: &Store, authorization_id: AuthorizationId) -> ConnectionId {
    let completion = completion_of(authorization_id);
    let id = completion.connection.id;
    assert_eq!(
        store.complete(completion, NOW).await.unwrap(),
        CompleteOutcome::Completed
    );
    id
}
