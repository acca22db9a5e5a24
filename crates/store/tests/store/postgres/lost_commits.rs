//! A network that fails at the worst moment: the commit stands, and its answer is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::cluster::Database;
use super::options;
use crate::helpers::{
    NOW, completed, completion_of, hash, oauth_authorization, opened, redemption_of, take_due,
};
use plaid_token_broker_store::model::{
    CompleteOutcome, ConnectionId, NewConnection, PublicTokenOwner, RedeemOutcome,
};
use plaid_token_broker_store::{Store, StoreError};

/// Stands between store and server. Cuts the connection in the place of the answer to the next COMMIT.
#[derive(Clone, Default)]
struct Cutter(Arc<AtomicBool>);

impl Cutter {
    fn cut_the_next_commit(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn has_cut(&self) -> bool {
        !self.0.load(Ordering::SeqCst)
    }

    /// The URL that leads through it.
    async fn before(&self, url: &str) -> String {
        let mut url = Url::parse(url).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let cutter = self.clone();
        tokio::spawn(async move {
            while let Ok((store, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(cutter.clone().between(store, server));
            }
        });
        url.into()
    }

    async fn between(self, store: TcpStream, server: TcpStream) {
        let (mut from_store, mut to_store) = store.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let mut asked = vec![0; 64 * 1024];
        let mut answered = vec![0; 64 * 1024];
        let mut cutting = false;
        loop {
            tokio::select! {
                read = from_store.read(&mut asked) => {
                    let Some(bytes) = read.ok().and_then(|read| asked.get(..read)).filter(|bytes| !bytes.is_empty()) else {
                        return;
                    };
                    if bytes.windows(7).any(|word| word == b"COMMIT\0") {
                        cutting = self.0.swap(false, Ordering::SeqCst);
                    }
                    if to_server.write_all(bytes).await.is_err() {
                        return;
                    }
                }
                read = from_server.read(&mut answered) => {
                    let Some(bytes) = read.ok().and_then(|read| answered.get(..read)).filter(|bytes| !bytes.is_empty()) else {
                        return;
                    };
                    // The server has committed: this is its word for that, and it is not passed on.
                    if cutting || to_store.write_all(bytes).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

async fn cut() -> (Cutter, Store, Database) {
    let database = Database::make().await;
    let cutter = Cutter::default();
    let store = Store::open(options(&cutter.before(&database.url).await))
        .await
        .unwrap();
    (cutter, store, database)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn a_redemption_whose_commit_was_not_heard_of_has_won() {
    let (cutter, store, _database) = cut().await;
    let (authorization, connection) = completed(&store).await;
    let redemption = redemption_of(authorization);
    cutter.cut_the_next_commit();
    let outcome = store.redeem(redemption.clone(), NOW).await.unwrap();
    assert!(cutter.has_cut());
    assert!(matches!(outcome, RedeemOutcome::Redeemed(redeemed) if redeemed.id == connection));
    assert!(store.grant(redemption.grant.id).await.unwrap().is_some());
    let other = store.redeem(redemption_of(authorization), NOW).await.unwrap();
    assert!(matches!(other, RedeemOutcome::AlreadyRedeemed { .. }));
}

/// What Plaid gave is kept in memory then, and given up later: the Item of the connection that stands must not be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn a_completion_whose_commit_was_not_heard_of_is_not_discarded() {
    let (cutter, store, _database) = cut().await;
    let id = opened(&store, oauth_authorization()).await;
    let completion = completion_of(id, hash());
    cutter.cut_the_next_commit();
    let lost = store.complete(completion.clone(), NOW).await;
    assert!(
        cutter.has_cut() && matches!(lost, Err(StoreError::Unavailable(_))),
        "{lost:?}"
    );
    let left_over = NewConnection {
        id: ConnectionId(plaid_token_broker_core::random::id(NOW)),
        ..completion.connection.clone()
    };
    let owner = PublicTokenOwner::Authorization(id);
    let queued = store
        .discard(left_over, completion.public_token, owner, NOW)
        .await;
    assert!(!queued.unwrap());
    assert!(take_due(&store, NOW, 10).await.is_empty());
    let again = store.complete(completion.clone(), NOW).await.unwrap();
    let connection_id = completion.connection.id;
    assert_eq!(again, CompleteOutcome::Repeated { connection_id });
}
