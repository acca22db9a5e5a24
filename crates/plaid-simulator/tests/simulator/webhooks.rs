//! Webhooks: which come, with what, signed how, and what happens when nobody takes them.

use std::time::Duration;

use plaid_simulator::WebhookState;
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::support::{Plaid, text};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A simulator, a receiver, and an Item with all that `fire_webhook` wants.
async fn start() -> (Plaid, Receiver, Value) {
    let plaid = Plaid::start().await;
    let (receiver, url) = Receiver::start().await;
    let body = json!({
        "institution_id": "ins_109508",
        "initial_products": ["transactions", "auth", "investments", "liabilities", "assets"],
        "options": {"webhook": url},
    });
    let answer = plaid.call("/sandbox/public_token/create", body).await.ok();
    let item = plaid.exchange(&text(&answer, "public_token")).await.ok();
    (plaid, receiver, item)
}

#[tokio::test]
async fn a_reset_login_is_told_signed_over_the_bytes_that_are_sent() {
    let (plaid, receiver, item) = start().await;
    let access_token = text(&item, "access_token");
    plaid
        .of_item("/sandbox/item/reset_login", &access_token)
        .await
        .ok();
    let delivery = receiver.next().await;
    let webhook = delivery.json();
    assert_eq!(webhook["webhook_type"], "ITEM");
    assert_eq!(webhook["webhook_code"], "ERROR");
    assert_eq!(webhook["environment"], "sandbox");
    assert_eq!(webhook["item_id"], item["item_id"]);
    assert_eq!(webhook["error"]["error_code"], "ITEM_LOGIN_REQUIRED");
    assert_eq!(webhook["error"]["status"], 400);
    assert!(webhook["error"].get("request_id").is_none());
    assert!(delivery.body.starts_with(b"{\n  \""), "two spaces of indentation");
    let key = delivery.verified(&plaid).await;
    assert_eq!((&key["kty"], &key["use"]), (&json!("EC"), &json!("sig")));
    assert!(key["expired_at"].is_null());
    let told = plaid.of_item("/item/get", &access_token).await.ok();
    assert_eq!(told["status"]["last_webhook"]["code_sent"], "ERROR");
}

#[tokio::test]
async fn a_new_url_is_acknowledged_there_and_null_ends_it() {
    let (plaid, old, item) = start().await;
    let access_token = text(&item, "access_token");
    let (new, url) = Receiver::start().await;
    let update = |webhook: Value| json!({"access_token": access_token, "webhook": webhook});
    let answer = plaid.call("/item/webhook/update", update(json!(url))).await.ok();
    assert_eq!(answer["item"]["webhook"], url);
    let webhook = new.next().await.json();
    assert_eq!(webhook["webhook_code"], "WEBHOOK_UPDATE_ACKNOWLEDGED");
    assert_eq!(webhook["new_webhook_url"], url);
    let answer = plaid.call("/item/webhook/update", update(Value::Null)).await.ok();
    assert!(answer["item"]["webhook"].is_null());
    plaid
        .of_item("/sandbox/item/reset_login", &access_token)
        .await
        .ok();
    assert!(plaid.simulator().webhooks().len() == 1 && old.count() == 0);
    plaid
        .call(
            "/sandbox/item/fire_webhook",
            json!({"access_token": access_token, "webhook_code": "LOGIN_REPAIRED"}),
        )
        .await
        .refused(400, "SANDBOX_ERROR", "SANDBOX_WEBHOOK_INVALID");
    plaid
        .call("/item/webhook/update", update(json!("no url")))
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
}

#[tokio::test]
async fn every_webhook_can_be_fired() {
    let (plaid, receiver, item) = start().await;
    let access_token = text(&item, "access_token");
    let fire = async |kind: Option<&str>, code: &str| {
        let mut body = json!({"access_token": access_token, "webhook_code": code});
        if let Some(kind) = kind {
            body["webhook_type"] = kind.into();
        }
        plaid.call("/sandbox/item/fire_webhook", body).await
    };
    for (kind, code, field) in [
        ("TRANSACTIONS", "DEFAULT_UPDATE", "new_transactions"),
        ("HOLDINGS", "DEFAULT_UPDATE", "new_holdings"),
        (
            "INVESTMENTS_TRANSACTIONS",
            "DEFAULT_UPDATE",
            "new_investments_transactions",
        ),
        (
            "LIABILITIES",
            "DEFAULT_UPDATE",
            "account_ids_with_new_liabilities",
        ),
        ("AUTH", "DEFAULT_UPDATE", "account_ids_with_updated_auth"),
        ("AUTH", "SMS_MICRODEPOSITS_VERIFICATION", "status"),
        ("TRANSACTIONS", "RECURRING_TRANSACTIONS_UPDATE", "account_ids"),
        (
            "TRANSACTIONS",
            "SYNC_UPDATES_AVAILABLE",
            "historical_update_complete",
        ),
        ("ASSETS", "PRODUCT_READY", "asset_report_id"),
        ("ASSETS", "ERROR", "error"),
        ("ITEM", "NEW_ACCOUNTS_AVAILABLE", "error"),
        ("ITEM", "USER_PERMISSION_REVOKED", "error"),
        ("ITEM", "USER_ACCOUNT_REVOKED", "account_id"),
        ("ITEM", "PENDING_DISCONNECT", "disconnect_time"),
        ("ITEM", "LOGIN_REPAIRED", "item_id"),
        ("ITEM", "AUTHORIZATION_GRANTED", "item_id"),
    ] {
        let answer = fire(Some(kind), code).await.ok();
        assert_eq!(answer["webhook_fired"], true);
        let delivery = receiver.next().await;
        let webhook = delivery.json();
        assert_eq!(
            (&webhook["webhook_type"], &webhook["webhook_code"]),
            (&json!(kind), &json!(code))
        );
        assert!(webhook.get(field).is_some(), "{webhook}");
        delivery.verified(&plaid).await;
    }
    fire(Some("ITEM"), "DEFAULT_UPDATE")
        .await
        .refused(400, "SANDBOX_ERROR", "SANDBOX_WEBHOOK_INVALID");
    fire(None, "SOMETHING_ELSE")
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    // Firing changes nothing: the Item can be read.
    plaid.of_item("/accounts/get", &access_token).await.ok();
}

#[tokio::test]
async fn a_webhook_of_a_product_that_is_not_there_is_refused() {
    let plaid = Plaid::start().await;
    let body = json!({
        "institution_id": "ins_109508",
        "initial_products": ["auth"],
        "options": {"webhook": "http://127.0.0.1:9/hook"},
    });
    let answer = plaid.call("/sandbox/public_token/create", body).await.ok();
    let item = plaid.exchange(&text(&answer, "public_token")).await.ok();
    plaid
        .call(
            "/sandbox/item/fire_webhook",
            json!({"access_token": item["access_token"], "webhook_code": "SYNC_UPDATES_AVAILABLE"}),
        )
        .await
        .refused(400, "SANDBOX_ERROR", "SANDBOX_PRODUCT_NOT_ENABLED");
}

#[tokio::test]
async fn nobody_there_means_again_later_by_the_simulators_clock() {
    let (plaid, receiver, item) = start().await;
    receiver.answer_with(503);
    plaid
        .of_item("/sandbox/item/reset_login", &text(&item, "access_token"))
        .await
        .ok();
    let first = receiver.next().await;
    let settled = async |state: WebhookState, attempts: u32| {
        for _ in 0..400 {
            let views = plaid.simulator().webhooks();
            if views[0].state == state && views[0].attempts == attempts {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{:?}", plaid.simulator().webhooks());
    };
    settled(WebhookState::Waiting, 1).await;
    plaid.simulator().advance(Duration::from_secs(29));
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(receiver.count(), 0);
    receiver.answer_with(200);
    plaid.simulator().advance(Duration::from_secs(1));
    let second = receiver.next().await;
    assert_eq!(first.body, second.body);
    settled(WebhookState::Delivered, 2).await;
}

#[tokio::test]
async fn a_login_that_lapses_by_itself_is_told_once() {
    let (plaid, receiver, item) = start().await;
    plaid.simulator().advance(DAY * 30);
    let webhook = receiver.next().await.json();
    assert_eq!(webhook["error"]["error_code"], "ITEM_LOGIN_REQUIRED");
    plaid.simulator().advance(DAY);
    assert_eq!(plaid.simulator().webhooks().len(), 1);
    plaid
        .of_item("/accounts/get", &text(&item, "access_token"))
        .await
        .refused(400, "ITEM_ERROR", "ITEM_LOGIN_REQUIRED");
    plaid.simulator().repair_item(&text(&item, "item_id")).unwrap();
    assert_eq!(receiver.next().await.json()["webhook_code"], "LOGIN_REPAIRED");
    plaid
        .of_item("/accounts/get", &text(&item, "access_token"))
        .await
        .ok();
}

#[tokio::test]
async fn a_person_can_take_the_permission_back() {
    let (plaid, receiver, item) = start().await;
    plaid.simulator().revoke_item(&text(&item, "item_id")).unwrap();
    let webhook = receiver.next().await.json();
    assert_eq!(webhook["webhook_code"], "USER_PERMISSION_REVOKED");
    let access_token = text(&item, "access_token");
    plaid.of_item("/accounts/get", &access_token).await.refused(
        400,
        "INVALID_INPUT",
        "USER_PERMISSION_REVOKED",
    );
    let told = plaid.of_item("/item/get", &access_token).await.ok();
    assert_eq!(told["item"]["error"]["error_code"], "USER_PERMISSION_REVOKED");
    assert!(plaid.simulator().revoke_item("none").is_err());
}

#[tokio::test]
async fn keys_rotate_and_expire() {
    let (plaid, receiver, item) = start().await;
    let access_token = text(&item, "access_token");
    let reset = async || {
        plaid
            .of_item("/sandbox/item/reset_login", &access_token)
            .await
            .ok();
        receiver.next().await
    };
    let before = reset().await;
    plaid.simulator().rotate_webhook_key();
    let after = reset().await;
    assert_ne!(before.kid(), after.kid());
    assert_eq!(before.verified(&plaid).await["expired_at"], 1_750_000_000);
    assert!(after.verified(&plaid).await["expired_at"].is_null());
    plaid.simulator().expire_webhook_key();
    let refusable = reset().await;
    assert_eq!(refusable.kid(), after.kid());
    assert_eq!(refusable.verified(&plaid).await["expired_at"], 1_750_000_000);
    plaid
        .call(
            "/webhook_verification_key/get",
            json!({"key_id": "6c5516e1-92dc-479e-a8ff-5a51992e0001"}),
        )
        .await
        .refused(400, "INVALID_INPUT", "INVALID_WEBHOOK_VERIFICATION_KEY_ID");
}

#[tokio::test]
async fn micro_deposits_are_verified_by_order() {
    let (plaid, receiver, item) = start().await;
    let access_token = text(&item, "access_token");
    let accounts = plaid.of_item("/accounts/get", &access_token).await.ok();
    let account_id = text(&accounts["accounts"][0], "account_id");
    let set = |account_id: &str| {
        json!({
            "access_token": access_token,
            "account_id": account_id,
            "verification_status": "automatically_verified",
        })
    };
    let path = "/sandbox/item/set_verification_status";
    plaid.call(path, set(&account_id)).await.ok();
    assert_eq!(
        receiver.next().await.json()["webhook_code"],
        "AUTOMATICALLY_VERIFIED"
    );
    let accounts = plaid.of_item("/accounts/get", &access_token).await.ok();
    assert_eq!(
        accounts["accounts"][0]["verification_status"],
        "automatically_verified"
    );
    plaid
        .call(path, set(&"x".repeat(37)))
        .await
        .refused(400, "INVALID_INPUT", "INVALID_ACCOUNT_ID");
}
