//! Account numbers typed after a login: Instant Match and automated micro-deposits.

use std::time::Duration;

use serde_json::{Value, json};

use crate::link_support::{Link, account_ids, update_token};
use crate::receiver::Receiver;
use crate::support::{Plaid, text};

pub(crate) const HOUNDSTOOTH: &str = "ins_109512";
const PASSWORD: &str = "microdeposits_good";

/// What the person types for the account with this mask.
pub(crate) fn numbers_of(mask: &str) -> Value {
    json!({
        "routing_number": "021000021",
        "account_number": format!("111122223333{mask}"),
        "name": "Alberta Charleson",
    })
}

fn automated() -> Value {
    json!({"products": ["auth", "transactions"], "auth": {"automated_microdeposits_enabled": true}})
}

/// Link up to the pane for the numbers of the first account.
async fn at_the_numbers<'a>(plaid: &'a Plaid, link_token: &str, password: &str) -> (Link<'a>, Value) {
    let mut link = Link::at(plaid, link_token, HOUNDSTOOTH).await;
    let pane = link.login(password).await;
    assert_eq!(
        (&pane["view"], &pane["single"]),
        (&json!("SELECT_ACCOUNT"), &json!(true))
    );
    let ids = account_ids(&pane);
    link.step("accounts", json!({"account_ids": ids}))
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    let pane = link.pane("accounts", json!({"account_ids": [ids[0]]})).await;
    assert_eq!(pane["view"], "NUMBERS");
    (link, pane)
}

/// An Item that waits for its deposit: what Link ended with, and the access token.
async fn pending(plaid: &Plaid, changes: Value) -> (Value, String, Vec<String>) {
    let link_token = plaid.link_token(changes).await;
    let (mut link, pane) = at_the_numbers(plaid, &link_token, PASSWORD).await;
    assert_eq!(
        (&pane["asks_name"], &pane["makes_deposit"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        link.pane("numbers", numbers_of("0000")).await["view"],
        "CONNECTED"
    );
    let finished = link.step("finish", json!({})).await.ok();
    let sessions = link.sessions(&link_token).await;
    let result = &sessions[0]["results"]["item_add_results"][0];
    assert_eq!(result["accounts"], finished["metadata"]["accounts"]);
    assert_eq!(result["institution"]["institution_id"], HOUNDSTOOTH);
    let exchanged = plaid.exchange(&text(&finished, "public_token")).await.ok();
    (finished, text(&exchanged, "access_token"), link.events)
}

#[tokio::test]
async fn automated_micro_deposits_wait_and_are_verified_by_order() {
    let plaid = Plaid::start().await;
    let (receiver, url) = Receiver::start().await;
    let mut changes = automated();
    changes["webhook"] = url.into();
    let (finished, access_token, events) = pending(&plaid, changes).await;
    let account = &finished["metadata"]["accounts"][0];
    assert_eq!(account["verification_status"], "pending_automatic_verification");
    assert_eq!(
        events,
        [
            "OPEN",
            "TRANSITION_VIEW",
            "TRANSITION_VIEW",
            "SELECT_INSTITUTION",
            "TRANSITION_VIEW",
            "SUBMIT_CREDENTIALS",
            "TRANSITION_VIEW",
            "TRANSITION_VIEW",
            "SUBMIT_ROUTING_NUMBER",
            "SUBMIT_ACCOUNT_NUMBER",
            "TRANSITION_VIEW",
            "HANDOFF",
        ]
    );
    let item = plaid.of_item("/item/get", &access_token).await.ok();
    assert_eq!(item["item"]["auth_method"], "AUTOMATED_MICRODEPOSITS");
    assert_eq!(item["item"]["institution_id"], HOUNDSTOOTH);
    let accounts = plaid.of_item("/accounts/get", &access_token).await.ok();
    let told = &accounts["accounts"][0];
    assert_eq!(told["verification_status"], "pending_automatic_verification");
    assert_eq!(told["verification_name"], "Alberta Charleson");
    assert_eq!(told["balances"]["current"], 110, "the bank told it");
    let refused = plaid.of_item("/auth/get", &access_token).await;
    refused.refused(400, "ITEM_ERROR", "PRODUCT_NOT_READY");
    let balances = plaid.of_item("/accounts/balance/get", &access_token).await.ok();
    assert_eq!(
        balances["accounts"][0]["verification_status"],
        "pending_automatic_verification"
    );

    let set = json!({
        "access_token": access_token,
        "account_id": told["account_id"],
        "verification_status": "automatically_verified",
    });
    plaid
        .call("/sandbox/item/set_verification_status", set)
        .await
        .ok();
    let webhook = receiver.next().await.json();
    assert_eq!(
        (
            &webhook["webhook_type"],
            &webhook["webhook_code"],
            &webhook["account_id"]
        ),
        (
            &json!("AUTH"),
            &json!("AUTOMATICALLY_VERIFIED"),
            &told["account_id"]
        )
    );
    let auth = plaid.of_item("/auth/get", &access_token).await.ok();
    assert_eq!(
        auth["numbers"]["ach"],
        json!([{
            "account_id": told["account_id"],
            "account": "1111222233330000",
            "is_tokenized_account_number": false,
            "routing": "021000021",
            "wire_routing": null,
        }])
    );
    assert_eq!(
        auth["accounts"][0]["verification_status"],
        "automatically_verified"
    );
}

#[tokio::test]
async fn an_automated_micro_deposit_is_found_after_a_day_and_told_once() {
    let plaid = Plaid::start().await;
    let (receiver, url) = Receiver::start().await;
    let mut changes = automated();
    changes["webhook"] = url.into();
    changes["products"] = json!(["auth"]);
    let (_, access_token, _) = pending(&plaid, changes).await;
    plaid.simulator().advance(Duration::from_secs(24 * 60 * 60 - 1));
    let refused = plaid.of_item("/auth/get", &access_token).await;
    refused.refused(400, "ITEM_ERROR", "PRODUCT_NOT_READY");
    plaid.simulator().advance(Duration::from_secs(1));
    assert_eq!(
        receiver.next().await.json()["webhook_code"],
        "AUTOMATICALLY_VERIFIED"
    );
    plaid.of_item("/auth/get", &access_token).await.ok();
    plaid.simulator().advance(Duration::from_secs(60));
    let codes: Vec<_> = plaid
        .simulator()
        .webhooks()
        .into_iter()
        .map(|one| one.webhook_code)
        .collect();
    assert_eq!(codes, ["AUTOMATICALLY_VERIFIED"]);
}

#[tokio::test]
async fn a_verification_that_expired_stays_so() {
    let plaid = Plaid::start().await;
    let (receiver, url) = Receiver::start().await;
    let mut changes = automated();
    changes["webhook"] = url.into();
    let (finished, access_token, _) = pending(&plaid, changes).await;
    let set = json!({
        "access_token": access_token,
        "account_id": finished["metadata"]["accounts"][0]["id"],
        "verification_status": "verification_expired",
    });
    plaid
        .call("/sandbox/item/set_verification_status", set)
        .await
        .ok();
    assert_eq!(
        receiver.next().await.json()["webhook_code"],
        "VERIFICATION_EXPIRED"
    );
    plaid.simulator().advance(Duration::from_secs(48 * 60 * 60));
    let accounts = plaid.of_item("/accounts/get", &access_token).await.ok();
    assert_eq!(
        accounts["accounts"][0]["verification_status"],
        "verification_expired"
    );
    let refused = plaid.of_item("/auth/get", &access_token).await;
    refused.refused(400, "ITEM_ERROR", "PRODUCT_NOT_READY");
}

#[tokio::test]
async fn the_item_survives_update_mode_and_snapshots() {
    let plaid = Plaid::start().await;
    let (_, access_token, _) = pending(&plaid, automated()).await;
    plaid
        .of_item("/sandbox/item/reset_login", &access_token)
        .await
        .ok();
    let changes = json!({"update": {"account_selection_enabled": true}});
    let link_token = update_token(&plaid, &access_token, changes).await;
    let mut link = Link::open(&plaid, &link_token).await;
    link.pane("continue", json!({})).await;
    assert_eq!(
        link.login(PASSWORD).await["view"],
        "CONNECTED",
        "numbers are asked for once"
    );
    let finished = link.step("finish", json!({})).await.ok();
    let account = &finished["metadata"]["accounts"][0];
    assert_eq!(account["verification_status"], "pending_automatic_verification");
    let other = Plaid::start().await;
    other
        .simulator()
        .restore(&plaid.simulator().snapshot().unwrap())
        .unwrap();
    other.simulator().advance(Duration::from_secs(24 * 60 * 60));
    let auth = other.of_item("/auth/get", &access_token).await.ok();
    assert_eq!(auth["numbers"]["ach"][0]["routing"], "021000021");
}

#[tokio::test]
async fn wrong_numbers_ask_again() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(automated()).await;
    let (mut link, _) = at_the_numbers(&plaid, &link_token, PASSWORD).await;
    let mut wrong = numbers_of("0000");
    wrong["routing_number"] = "011401533".into();
    for wrong in [numbers_of("1111"), wrong, json!({"name": "A"})] {
        let pane = link.pane("numbers", wrong).await;
        assert_eq!(pane["view"], "NUMBERS");
        assert!(pane["problem"].is_string());
    }
    let mut nameless = numbers_of("0000");
    nameless["name"] = " ".into();
    link.step("numbers", nameless)
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    let left = link.exit().await;
    assert_eq!(left["error"]["error_code"], "INVALID_ACCOUNT_NUMBER");
    assert!(left["metadata"]["status"].is_null());
}

#[tokio::test]
async fn the_callers_name_for_the_person_is_not_asked_for() {
    let plaid = Plaid::start().await;
    let mut changes = automated();
    changes["user"] = json!({"client_user_id": "one", "legal_name": "Bobbeth Charleson"});
    let link_token = plaid.link_token(changes).await;
    let (mut link, pane) = at_the_numbers(&plaid, &link_token, PASSWORD).await;
    assert_eq!(pane["asks_name"], false);
    link.pane("numbers", numbers_of("0000")).await;
    let finished = link.step("finish", json!({})).await.ok();
    let exchanged = plaid.exchange(&text(&finished, "public_token")).await.ok();
    let accounts = plaid
        .of_item("/accounts/get", &text(&exchanged, "access_token"))
        .await
        .ok();
    assert_eq!(accounts["accounts"][0]["verification_name"], "Bobbeth Charleson");
}

#[tokio::test]
async fn the_password_of_micro_deposits_is_wrong_elsewhere() {
    let plaid = Plaid::start().await;
    let off = json!({"auth": {"automated_microdeposits_enabled": false}});
    let elsewhere = json!({"country_codes": ["US", "CA"], "auth": {"automated_microdeposits_enabled": true}});
    let without = json!({"products": ["transactions"], "auth": {"automated_microdeposits_enabled": true}});
    for (bank, changes) in [
        ("ins_109508", automated()),
        (HOUNDSTOOTH, off),
        (HOUNDSTOOTH, elsewhere),
        (HOUNDSTOOTH, without),
    ] {
        let link_token = plaid.link_token(changes).await;
        let mut link = Link::at(&plaid, &link_token, bank).await;
        assert_eq!(link.refused_login(PASSWORD).await, "INVALID_CREDENTIALS");
    }
    let body = json!({
        "institution_id": "ins_109508",
        "initial_products": ["auth"],
        "options": {"override_username": "user_good", "override_password": PASSWORD},
    });
    let created = plaid.call("/sandbox/public_token/create", body).await;
    created.refused(400, "ITEM_ERROR", "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn instant_match_compares_numbers_with_what_the_bank_tells() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({"products": ["auth"]})).await;
    let (mut link, pane) = at_the_numbers(&plaid, &link_token, "pass_good").await;
    assert_eq!(
        (&pane["asks_name"], &pane["makes_deposit"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(
        link.pane("numbers", numbers_of("0000")).await["view"],
        "CONNECTED"
    );
    let finished = link.step("finish", json!({})).await.ok();
    assert!(finished["metadata"]["accounts"][0]["verification_status"].is_null());
    let exchanged = plaid.exchange(&text(&finished, "public_token")).await.ok();
    let access_token = text(&exchanged, "access_token");
    let auth = plaid.of_item("/auth/get", &access_token).await.ok();
    assert_eq!(auth["item"]["auth_method"], "INSTANT_MATCH");
    assert_eq!(auth["numbers"]["ach"][0]["routing"], "021000021");
    assert!(auth["accounts"][0].get("verification_status").is_none());

    let changes = json!({"products": ["auth"], "auth": {"instant_match_enabled": false}});
    for changes in [
        changes,
        json!({"products": ["auth"], "country_codes": ["US", "GB"]}),
    ] {
        let link_token = plaid.link_token(changes).await;
        let mut link = Link::at(&plaid, &link_token, HOUNDSTOOTH).await;
        let pane = link.login("pass_good").await;
        assert_eq!(pane["single"], false);
        link.take_all(&pane).await;
    }
}

#[tokio::test]
async fn a_pending_item_can_be_had_without_link() {
    let plaid = Plaid::start().await;
    let body = json!({
        "institution_id": HOUNDSTOOTH,
        "initial_products": ["auth"],
        "options": {"override_username": "user_good", "override_password": PASSWORD},
    });
    let created = plaid.call("/sandbox/public_token/create", body).await.ok();
    let exchanged = plaid.exchange(&text(&created, "public_token")).await.ok();
    let access_token = text(&exchanged, "access_token");
    let accounts = plaid.of_item("/accounts/get", &access_token).await.ok();
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), 1);
    assert_eq!(
        accounts["accounts"][0]["verification_status"],
        "pending_automatic_verification"
    );
    let transfer = json!({
        "access_token": access_token,
        "account_id": accounts["accounts"][0]["account_id"],
        "type": "debit", "network": "ach", "ach_class": "ppd", "amount": "10.00",
        "user": {"legal_name": "Alberta Charleson"},
    });
    let refused = plaid
        .call("/transfer/authorization/create", transfer.clone())
        .await;
    refused.refused(400, "ITEM_ERROR", "PRODUCT_NOT_READY");
    plaid.simulator().advance(Duration::from_secs(24 * 60 * 60));
    let allowed = plaid.call("/transfer/authorization/create", transfer).await.ok();
    assert_eq!(allowed["authorization"]["decision"], "approved");
}
