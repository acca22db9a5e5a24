//! One login, linked twice.

use std::time::Duration;

use serde_json::{Value, json};

use crate::link_support::{Link, account_ids};
use crate::receiver::Receiver;
use crate::support::{Plaid, text};

const CHASE: &str = "ins_56";

/// Links this many accounts at a bank with a page of its own; gives the access token.
async fn link(plaid: &Plaid, institution: &str, username: &str, accounts: usize, changes: Value) -> String {
    let link_token = plaid.link_token(changes).await;
    let mut link = Link::open(plaid, &link_token).await;
    let pane = link.choose(institution).await;
    link.step("oauth", json!({"popup": true})).await.ok();
    let decision = json!({"oauth_state_id": pane["oauth_state_id"], "granted": true, "username": username});
    plaid.post("/_simulator/link/bank/decide", &decision).await;
    let pane = link.pane("oauth_result", json!({})).await;
    let mut ids = account_ids(&pane);
    ids.truncate(accounts);
    link.pane("accounts", json!({"account_ids": ids})).await;
    let finished = link.step("finish", json!({})).await.ok();
    let exchanged = plaid.exchange(&text(&finished, "public_token")).await.ok();
    text(&exchanged, "access_token")
}

async fn read(plaid: &Plaid, access_token: &str) -> u16 {
    plaid.of_item("/accounts/get", access_token).await.status
}

#[tokio::test]
async fn the_older_item_with_other_accounts_needs_a_login_at_banks_that_allow_one() {
    let plaid = Plaid::start().await;
    let (receiver, url) = Receiver::start().await;
    let hook = json!({"webhook": url});
    let older = link(&plaid, CHASE, "jane", 1, hook.clone()).await;
    let same = link(&plaid, CHASE, "jane", 1, json!({})).await;
    let stranger = link(&plaid, CHASE, "joe", 2, json!({})).await;
    assert_eq!(
        (read(&plaid, &older).await, read(&plaid, &same).await),
        (200, 200)
    );

    let newer = link(&plaid, CHASE, "jane", 2, json!({})).await;
    plaid
        .of_item("/accounts/get", &older)
        .await
        .refused(400, "ITEM_ERROR", "ITEM_LOGIN_REQUIRED");
    let webhook = receiver.next().await.json();
    assert_eq!(
        (&webhook["webhook_code"], &webhook["error"]["error_code"]),
        (&json!("ERROR"), &json!("ITEM_LOGIN_REQUIRED"))
    );
    assert_eq!(
        (read(&plaid, &newer).await, read(&plaid, &stranger).await),
        (200, 200)
    );

    // Other banks keep both.
    let first = link(&plaid, "ins_127287", "jane", 1, json!({})).await;
    link(&plaid, "ins_127287", "jane", 2, json!({})).await;
    assert_eq!(read(&plaid, &first).await, 200);
}

#[tokio::test]
async fn accounts_of_two_items_are_told_to_be_the_same() {
    let plaid = Plaid::start().await;
    let ids = async |institution: &str, username: &str| {
        let access_token = link(&plaid, institution, username, 2, json!({"products": ["auth"]})).await;
        plaid.clock.advance(Duration::from_secs(3));
        let mut told = Vec::new();
        for path in ["/accounts/get", "/accounts/balance/get", "/auth/get"] {
            let answer = plaid.of_item(path, &access_token).await.ok();
            told.push(answer["accounts"][0]["persistent_account_id"].clone());
        }
        assert!(told.iter().all(|id| *id == told[0]), "{told:?}");
        told.remove(0)
    };
    let first = ids("ins_127287", "jane").await;
    assert_eq!(first.as_str().unwrap().len(), 56);
    assert_eq!(first, ids("ins_127287", "jane").await);
    assert_ne!(first, ids("ins_127287", "joe").await);
    assert_eq!(
        ids("ins_128026", "jane").await,
        Value::Null,
        "not a bank with such numbers"
    );
}
