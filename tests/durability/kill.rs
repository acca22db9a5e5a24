//! `kill -9` at random moments under load: what was answered is there, opens, and the store is sound.

use std::io::{BufRead, BufReader};

use plaid_token_broker::store::model::{ConnectionId, GrantId};
use plaid_token_broker::store::{Durability, Store};
use uuid::Uuid;

use crate::child::{Role, access_token};
use crate::options;

const ROUNDS: u32 = 8;

#[tokio::test]
async fn what_was_answered_before_a_kill_is_there_afterwards() {
    let directory = tempfile::tempdir().unwrap();
    let (mut connections, mut grants) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let mut child = Role::Load.command(directory.path()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut answers = 0;
        let kill_after = rand::random_range(1..400);
        // What it wrote before it died was answered too: the pipe is read to its end.
        while let Some(line) = lines.next().transpose().unwrap() {
            match line.split_once(' ') {
                Some(("completed", id)) => connections.push(ConnectionId(Uuid::try_parse(id).unwrap())),
                Some(("redeemed", id)) => grants.push(GrantId(Uuid::try_parse(id).unwrap())),
                _ => panic!("round {round}: the child says {line:?}"),
            }
            answers += 1;
            if answers == kill_after {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(answers >= kill_after, "round {round}: the child ended by itself");

        let store = Store::open(options(directory.path(), Durability::Full))
            .await
            .unwrap();
        for id in &connections {
            let connection = store.connection(*id).await.unwrap().unwrap();
            assert_eq!(connection.access_token.expose(), access_token(*id));
        }
        for id in &grants {
            assert!(store.grant(*id).await.unwrap().is_some(), "round {round}");
        }
        store.check().await.unwrap();
        store.close().await;
    }
    assert!(!connections.is_empty() && !grants.is_empty());
}
