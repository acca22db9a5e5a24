//! Tokens and Items: how they begin, live and end.

use std::time::Duration;

use plaid_simulator::{CLIENT_ID, Options, PublicTokenReuse, SECRET};
use serde_json::{Value, json};

use crate::support::{OTHER, Plaid, text};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);
const TICK: Duration = Duration::from_millis(1);

#[tokio::test]
async fn tokens_and_ids_have_plaids_shapes() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let public_token = plaid.public_token().await;
    let exchanged = plaid.exchange(&public_token).await.ok();
    let shapes = [
        ("link", link_token),
        ("public", public_token),
        ("access", text(&exchanged, "access_token")),
    ];
    for (kind, token) in shapes {
        let id = token
            .strip_prefix(&format!("{kind}-sandbox-"))
            .unwrap_or_else(|| panic!("{token}"));
        assert_eq!(uuid::Uuid::parse_str(id).unwrap().get_version_num(), 4);
    }
    let item_id = text(&exchanged, "item_id");
    assert!(
        item_id.len() == 37 && item_id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "{item_id}"
    );
}

#[tokio::test]
async fn an_item_walks_through_its_life() {
    let plaid = Plaid::start().await;
    let first = plaid.access_token().await;
    let item = plaid.of_item("/item/get", &first).await.ok();
    assert!(item["item"]["error"].is_null());
    assert_eq!(item["item"]["billed_products"], json!(["transactions"]));
    assert_eq!(item["item"]["institution_name"], "First Platypus Bank");
    assert!(item["status"]["last_webhook"].is_null());
    assert_eq!(plaid.simulator().live_items(), 1);

    let rotated = plaid.of_item("/item/access_token/invalidate", &first).await.ok();
    let second = text(&rotated, "new_access_token");
    plaid
        .of_item("/item/get", &first)
        .await
        .refused(400, "INVALID_INPUT", "INVALID_ACCESS_TOKEN");
    let same = plaid.of_item("/item/get", &second).await.ok();
    assert_eq!(same["item"]["item_id"], item["item"]["item_id"]);

    let reset = plaid.of_item("/sandbox/item/reset_login", &second).await.ok();
    assert_eq!(reset["reset_login"], true);
    let sick = plaid.of_item("/item/get", &second).await.ok();
    assert_eq!(sick["item"]["error"]["error_code"], "ITEM_LOGIN_REQUIRED");
    assert!(
        plaid
            .simulator()
            .item_by_access_token(&second)
            .unwrap()
            .login_required
    );
    for path in ["/accounts/get", "/accounts/balance/get"] {
        plaid
            .of_item(path, &second)
            .await
            .refused(400, "ITEM_ERROR", "ITEM_LOGIN_REQUIRED");
    }

    plaid.of_item("/item/remove", &second).await.ok();
    assert!(plaid.simulator().item_by_access_token(&second).unwrap().removed);
    assert_eq!(plaid.simulator().live_items(), 0);
    for path in [
        "/item/get",
        "/item/remove",
        "/item/access_token/invalidate",
        "/accounts/get",
        "/accounts/balance/get",
        "/sandbox/item/reset_login",
    ] {
        plaid
            .of_item(path, &second)
            .await
            .refused(400, "ITEM_ERROR", "ITEM_NOT_FOUND");
    }
}

#[tokio::test]
async fn a_login_lapses_after_thirty_days() {
    let plaid = Plaid::start().await;
    let access_token = plaid.access_token().await;
    plaid.clock.advance((DAY * 30).saturating_sub(TICK));
    plaid.of_item("/accounts/get", &access_token).await.ok();
    plaid.clock.advance(TICK);
    plaid
        .of_item("/accounts/get", &access_token)
        .await
        .refused(400, "ITEM_ERROR", "ITEM_LOGIN_REQUIRED");
}

#[tokio::test]
async fn a_public_token_lives_thirty_minutes() {
    let plaid = Plaid::start().await;
    let (in_time, late) = (plaid.public_token().await, plaid.public_token().await);
    plaid.clock.advance(HALF_AN_HOUR.saturating_sub(TICK));
    plaid.exchange(&in_time).await.ok();
    plaid.clock.advance(TICK);
    let refused = plaid.exchange(&late).await;
    refused.refused(400, "INVALID_INPUT", "INVALID_PUBLIC_TOKEN");
    assert!(
        refused.body["error_message"]
            .as_str()
            .unwrap()
            .contains("expired")
    );
    plaid.clock.advance(DAY);
    plaid.public_token().await;
    plaid
        .exchange(&late)
        .await
        .refused(400, "INVALID_INPUT", "INVALID_PUBLIC_TOKEN");
}

#[tokio::test]
async fn a_second_exchange_follows_the_switch() {
    for reuse in [
        PublicTokenReuse::SingleUse,
        PublicTokenReuse::SameToken,
        PublicTokenReuse::NewToken,
    ] {
        let plaid = Plaid::with(Options {
            public_token_reuse: reuse,
            ..Options::default()
        })
        .await;
        let public_token = plaid.public_token().await;
        let first = plaid.exchange(&public_token).await.ok();
        let second = plaid.exchange(&public_token).await;
        if reuse == PublicTokenReuse::SingleUse {
            second.refused(400, "INVALID_INPUT", "INVALID_PUBLIC_TOKEN");
            continue;
        }
        let second = second.ok();
        assert_eq!(second["item_id"], first["item_id"]);
        let same = second["access_token"] == first["access_token"];
        assert_eq!(same, reuse == PublicTokenReuse::SameToken);
        for token in [&first, &second] {
            plaid
                .of_item("/item/get", &text(token, "access_token"))
                .await
                .ok();
        }
        plaid
            .of_item("/item/remove", &text(&second, "access_token"))
            .await
            .ok();
        plaid
            .exchange(&public_token)
            .await
            .refused(400, "ITEM_ERROR", "ITEM_NOT_FOUND");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_exchanges_at_once_one_wins() {
    let plaid = Plaid::start().await;
    let public_token = plaid.public_token().await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let body = json!({"client_id": CLIENT_ID, "secret": SECRET, "public_token": public_token});
        calls.spawn(
            plaid
                .http
                .post(plaid.url("/item/public_token/exchange"))
                .json(&body)
                .send(),
        );
    }
    let answers = calls.join_all().await;
    let won = answers
        .iter()
        .filter(|answer| answer.as_ref().unwrap().status() == 200)
        .count();
    assert_eq!(won, 1);
    assert_eq!(plaid.simulator().live_items(), 1);
}

#[tokio::test]
async fn wrong_tokens_get_the_documented_errors() {
    let plaid = Plaid::start().await;
    let id = "de3ce8ef-33f8-452c-a685-8671031fc0f6";
    for token in [
        "",
        "not-real",
        &format!("public-production-{id}"),
        &format!("public-sandbox-{id}"),
    ] {
        plaid
            .exchange(token)
            .await
            .refused(400, "INVALID_INPUT", "INVALID_PUBLIC_TOKEN");
    }
    for token in [
        "",
        "not-real",
        &format!("public-sandbox-{id}"),
        &format!("access-production-{id}"),
        &format!("access-sandbox-{id}"),
    ] {
        plaid
            .of_item("/item/get", token)
            .await
            .refused(400, "INVALID_INPUT", "INVALID_ACCESS_TOKEN");
    }
}

#[tokio::test]
async fn tokens_belong_to_their_client() {
    let plaid = Plaid::start().await;
    let public_token = plaid.public_token().await;
    let access_token = plaid.access_token().await;
    let link_token = plaid.link_token(json!({})).await;
    let other = |path: &'static str, body: Value| plaid.call_as(OTHER, path, body);
    other(
        "/item/public_token/exchange",
        json!({"public_token": public_token}),
    )
    .await
    .refused(400, "INVALID_INPUT", "INVALID_PUBLIC_TOKEN");
    other("/item/remove", json!({"access_token": access_token}))
        .await
        .refused(400, "INVALID_INPUT", "INVALID_ACCESS_TOKEN");
    other("/link/token/get", json!({"link_token": link_token}))
        .await
        .refused(400, "INVALID_INPUT", "INVALID_LINK_TOKEN");
    plaid.exchange(&public_token).await.ok();
    assert_eq!(
        plaid
            .simulator()
            .item_by_access_token(&access_token)
            .unwrap()
            .client_id,
        CLIENT_ID
    );
}

#[tokio::test]
async fn accounts_are_those_of_user_good() {
    let plaid = Plaid::start().await;
    let (first, second) = (plaid.access_token().await, plaid.access_token().await);
    let all = plaid.of_item("/accounts/get", &first).await.ok();
    let accounts = all["accounts"].as_array().unwrap();
    let names: Vec<_> = accounts
        .iter()
        .take(4)
        .map(|account| account["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["Plaid Checking", "Plaid Saving", "Plaid CD", "Plaid Credit Card"]
    );
    assert_eq!(
        all["item"]["item_id"],
        plaid.of_item("/item/get", &first).await.ok()["item"]["item_id"]
    );
    let id = accounts[1]["account_id"].clone();
    let of_other = plaid.of_item("/accounts/get", &second).await.ok();
    assert_ne!(of_other["accounts"][1]["account_id"], id);

    let some = |token: &str, id: &Value| json!({"access_token": token, "options": {"account_ids": [id]}});
    let one = plaid.call("/accounts/balance/get", some(&first, &id)).await.ok();
    assert_eq!(one["accounts"].as_array().unwrap().len(), 1);
    assert_eq!(one["accounts"][0]["balances"]["available"], 200);
    plaid
        .call("/accounts/balance/get", some(&first, &json!("not-real")))
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    plaid
        .call("/accounts/get", some(&second, &id))
        .await
        .refused(400, "INVALID_INPUT", "INVALID_ACCOUNT_ID");
}

#[tokio::test]
async fn link_tokens_expire_and_say_when() {
    let plaid = Plaid::start().await;
    let access_token = plaid.access_token().await;
    let lifetime = |body: Value| {
        let plaid = &plaid;
        async move {
            let created = plaid.call("/link/token/create", body).await.ok();
            let got = plaid
                .call("/link/token/get", json!({"link_token": created["link_token"]}))
                .await
                .ok();
            assert_eq!(got["expiration"], created["expiration"]);
            let time = |field: &str| got[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
            (time("expiration").as_second() - time("created_at").as_second()) / 60
        }
    };
    let mut update = crate::support::link_token_request(&json!({"access_token": access_token}));
    update.as_object_mut().unwrap().remove("products");
    assert_eq!(
        lifetime(crate::support::link_token_request(&json!({}))).await,
        240
    );
    assert_eq!(lifetime(update).await, 30);
}
