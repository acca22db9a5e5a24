//! A snapshot has all that a simulator remembers.

use std::time::Duration;

use plaid_simulator::Options;
use serde_json::{Value, json};

use crate::link_support::{Link, account_ids};
use crate::receiver::Receiver;
use crate::support::{Plaid, link_token_request, text};

/// Another simulator that goes on where this one stands.
async fn moved(plaid: &Plaid) -> Plaid {
    let other = Plaid::start().await;
    let snapshot = plaid.simulator().snapshot().unwrap();
    // As a file keeps it.
    let snapshot: Value = serde_json::from_str(&snapshot.to_string()).unwrap();
    other.simulator().restore(&snapshot).unwrap();
    other
}

#[tokio::test]
async fn link_goes_on_at_every_step() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let mut link = Link::at(&plaid, &link_token, "ins_109508").await;
    link.login("mfa_device").await;
    let session_id = link.session_id.clone();
    let events = link.sessions(&link_token).await[0]["events"].clone();

    let other = moved(&plaid).await;
    let mut link = Link::new(&other, &link_token);
    link.session_id.clone_from(&session_id);
    let told = link.sessions(&link_token).await[0].clone();
    assert_eq!(
        (&told["link_session_id"], &told["events"]),
        (&json!(session_id), &events)
    );
    assert_eq!(link.answer(&["phone"]).await["mfa_type"], "code");
    let pane = link.answer(&["1234"]).await;
    let body = json!({"account_ids": account_ids(&pane)});
    assert_eq!(link.pane("accounts", body).await["view"], "CONNECTED");

    let third = moved(&other).await;
    let mut link = Link::new(&third, &link_token);
    link.session_id = session_id;
    let finished = link.step("finish", json!({})).await.ok();
    third.exchange(&text(&finished, "public_token")).await.ok();
    assert_eq!(
        link.sessions(&link_token).await[0]["results"]["item_add_results"][0]["public_token"],
        finished["public_token"]
    );
}

#[tokio::test]
async fn account_numbers_and_codes_go_on() {
    let plaid = Plaid::start().await;
    let flags = json!({"same_day_microdeposits_enabled": true, "instant_microdeposits_enabled": true});
    let changes = json!({"products": ["auth"], "auth": flags});
    let link_token = plaid.link_token(changes).await;
    let mut link = Link::open(&plaid, &link_token).await;
    link.pane("continue", json!({})).await;
    link.pane("manual", json!({})).await;
    let session_id = link.session_id.clone();

    let other = moved(&plaid).await;
    let mut link = Link::new(&other, &link_token);
    link.session_id.clone_from(&session_id);
    let pane = link
        .pane("numbers", crate::deposits_manual::typed("333333334"))
        .await;
    assert_eq!(pane["asks_code"], true);
    link.pane("deposit_code", json!({"code": "XYZ"})).await;

    let third = moved(&other).await;
    let mut link = Link::new(&third, &link_token);
    link.session_id = session_id;
    let pane = link.pane("deposit_code", json!({"code": "XYZ"})).await;
    assert_eq!(pane["problem"], "The code is not right. You have one more try.");
    link.pane("deposit_code", json!({"code": "ABC"})).await;
    let finished = link.step("finish", json!({})).await.ok();
    let exchanged = third.exchange(&text(&finished, "public_token")).await.ok();
    let auth = third
        .of_item("/auth/get", &text(&exchanged, "access_token"))
        .await;
    assert_eq!(auth.ok()["numbers"]["ach"][0]["account"], "1111222233330000");
}

#[tokio::test]
async fn a_visit_of_a_bank_and_a_hosted_page_go_on() {
    let plaid = Plaid::start().await;
    let request = link_token_request(&json!({"hosted_link": {}}));
    let created = plaid.call("/link/token/create", request).await.ok();
    let url = text(&created, "hosted_link_url");
    let mut link = Link::hosted(&plaid, &url);
    link.start().await;
    let pane = link.choose("ins_127287").await;
    link.step("oauth", json!({"popup": true})).await.ok();

    let other = moved(&plaid).await;
    let decision = json!({"oauth_state_id": pane["oauth_state_id"], "granted": true});
    let decided = other.post("/_simulator/link/bank/decide", &decision).await;
    assert_eq!(decided.body, json!({"close": true}));
    let mut there = Link::hosted(&other, &url);
    there.session_id.clone_from(&link.session_id);
    let pane = there.pane("oauth_result", json!({})).await;
    assert_eq!(pane["view"], "SELECT_ACCOUNT");
    there.take_all(&pane).await;
}

#[tokio::test]
async fn reports_transfers_and_payments_go_on() {
    let plaid = Plaid::start().await;
    let access_token = plaid.item_with(&["assets", "transfer"]).await;
    let report = json!({"access_tokens": [access_token], "days_requested": 10});
    let report = plaid.call("/asset_report/create", report).await.ok();
    let accounts = plaid.of_item("/accounts/get", &access_token).await.ok();
    let account_id = text(&accounts["accounts"][0], "account_id");
    let authorize = json!({
        "access_token": access_token, "account_id": account_id, "type": "debit", "network": "ach", "ach_class": "web",
        "amount": "1.00", "user": {"legal_name": "A"}, "idempotency_key": "key",
    });
    let path = "/transfer/authorization/create";
    let authorized = plaid.call(path, authorize.clone()).await.ok();
    let recipient = json!({"name": "A", "iban": "GB29NWBK60161331926819"});
    let recipient = plaid
        .call("/payment_initiation/recipient/create", recipient)
        .await
        .ok();
    let payment = json!({
        "recipient_id": recipient["recipient_id"], "reference": "ref", "amount": {"currency": "GBP", "value": 1},
    });
    let payment = plaid
        .call("/payment_initiation/payment/create", payment)
        .await
        .ok();

    let other = moved(&plaid).await;
    other.clock.advance(Duration::from_secs(10));
    let get = json!({"asset_report_token": report["asset_report_token"]});
    let got = other.call("/asset_report/get", get).await.ok();
    assert_eq!(got["report"]["asset_report_id"], report["asset_report_id"]);
    let again = other.call(path, authorize).await.ok();
    assert_eq!(again["authorization"]["id"], authorized["authorization"]["id"]);
    let create = json!({
        "access_token": access_token, "account_id": account_id, "description": "d",
        "authorization_id": authorized["authorization"]["id"],
    });
    other.call("/transfer/create", create).await.ok();
    let get = json!({"payment_id": payment["payment_id"]});
    let got = other.call("/payment_initiation/payment/get", get).await.ok();
    assert_eq!(got["recipient_id"], recipient["recipient_id"]);
}

#[tokio::test]
async fn signing_keys_go_along() {
    let plaid = Plaid::start().await;
    let (receiver, url) = Receiver::start().await;
    let access_token = plaid.access_token().await;
    let update = json!({"access_token": access_token, "webhook": url});
    plaid.call("/item/webhook/update", update.clone()).await.ok();
    let before = receiver.next().await;
    plaid.simulator().rotate_webhook_key();

    let other = moved(&plaid).await;
    assert_eq!(before.verified(&other).await["expired_at"], 1_750_000_000);
    other.call("/item/webhook/update", update).await.ok();
    let after = receiver.next().await;
    assert!(after.verified(&plaid).await["expired_at"].is_null());
    assert_ne!(before.kid(), after.kid());
}

/// Whose data comes of another seed would find other transactions behind the same Item and cursor.
#[tokio::test]
async fn data_goes_along_to_a_simulator_with_another_seed() {
    let seeded = |seed| Options {
        seed,
        ..Options::default()
    };
    let (plaid, other) = (Plaid::with(seeded(5)).await, Plaid::with(seeded(6)).await);
    let access_token = plaid.item_with(&["transactions", "assets"]).await;
    let read = async |plaid: &Plaid| {
        let body = json!({"access_token": access_token, "count": 500});
        plaid.call("/transactions/sync", body).await.ok()
    };
    let first = read(&plaid).await;
    let snapshot = plaid.simulator().snapshot().unwrap();
    other.simulator().restore(&snapshot).unwrap();
    other.clock.advance(Duration::from_secs(3));
    let again = read(&other).await;
    assert_eq!(
        (&again["added"], &again["next_cursor"]),
        (&first["added"], &first["next_cursor"])
    );
}
