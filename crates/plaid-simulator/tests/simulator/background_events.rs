//! What happens to Items by themselves, and the webhooks that tell of it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::link_support::update_token;
use crate::receiver::Receiver;
use crate::support::{Plaid, text};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn item(plaid: &Plaid, institution: &str, webhook: &str) -> (String, String) {
    let body = json!({
        "institution_id": institution,
        "initial_products": ["transactions"],
        "options": {"webhook": webhook},
    });
    let created = plaid.call("/sandbox/public_token/create", body).await.ok();
    let item = plaid.exchange(&text(&created, "public_token")).await.ok();
    (text(&item, "access_token"), text(&item, "item_id"))
}

fn code(webhook: &Value) -> (String, String) {
    (text(webhook, "webhook_type"), text(webhook, "webhook_code"))
}

fn codes(kind: &str, code: &str) -> (String, String) {
    (kind.to_owned(), code.to_owned())
}

#[tokio::test]
async fn each_later_update_is_told_to_those_who_sync() {
    let plaid = Plaid::start().await;
    let (receiver, url) = Receiver::start().await;
    let (access_token, _) = item(&plaid, "ins_109508", &url).await;
    plaid.simulator().advance(Duration::from_secs(3));
    let sync = async |cursor: &str| {
        let body = json!({"access_token": access_token, "cursor": cursor, "count": 500});
        plaid.call("/transactions/sync", body).await.ok()
    };
    let mut cursor = text(&sync("").await, "next_cursor");
    let told = codes("TRANSACTIONS", "SYNC_UPDATES_AVAILABLE");
    assert_eq!(code(&receiver.next().await.json()), told, "of the history");
    for _ in 0..3 {
        plaid.simulator().advance(DAY);
        let webhook = receiver.next().await.json();
        assert_eq!(code(&webhook), told);
        assert_eq!(webhook["historical_update_complete"], true);
        let news = sync(&cursor).await;
        assert_ne!(news["added"], json!([]), "there is what the webhook told of");
        cursor = text(&news, "next_cursor");
    }
    plaid.simulator().advance(Duration::from_secs(60));
    assert_eq!(plaid.simulator().webhooks().len(), 4, "no news, no webhook");
}

#[tokio::test]
async fn those_who_never_synced_get_the_older_webhook() {
    let plaid = Plaid::start().await;
    let (receiver, url) = Receiver::start().await;
    item(&plaid, "ins_109508", &url).await;
    plaid.simulator().advance(DAY);
    let webhook = receiver.next().await.json();
    assert_eq!(code(&webhook), codes("TRANSACTIONS", "DEFAULT_UPDATE"));
    assert!(webhook["new_transactions"].as_u64().unwrap() > 0, "{webhook}");
}

#[tokio::test]
async fn a_consent_that_is_about_to_end_is_told_a_week_before() {
    let plaid = Plaid::start().await;
    for (institution, expected, field) in [
        ("ins_117650", "PENDING_EXPIRATION", "consent_expiration_time"),
        ("ins_109508", "PENDING_DISCONNECT", "disconnect_time"),
    ] {
        let (receiver, url) = Receiver::start().await;
        let (access_token, item_id) = item(&plaid, institution, &url).await;
        plaid.simulator().end_consent(&item_id).unwrap();
        let webhook = receiver.next().await.json();
        assert_eq!(code(&webhook), codes("ITEM", expected));
        let told = plaid.of_item("/item/get", &access_token).await.ok();
        assert_eq!(webhook[field], told["item"]["consent_expiration_time"]);
        assert!(told["item"]["error"].is_null());
        plaid.simulator().advance(7 * DAY);
        let webhook = receiver.next().await.json();
        assert_eq!(webhook["error"]["error_code"], "ITEM_LOGIN_REQUIRED", "{webhook}");
        plaid
            .of_item("/accounts/get", &access_token)
            .await
            .refused(400, "ITEM_ERROR", "ITEM_LOGIN_REQUIRED");
        let link_token = update_token(&plaid, &access_token, json!({"country_codes": ["US", "GB"]})).await;
        plaid.simulator().complete_link(&link_token).unwrap();
        plaid.of_item("/accounts/get", &access_token).await.ok();
    }
    assert!(plaid.simulator().end_consent("none").is_err());
}

/// In Europe a consent lasts 180 days, if the login is renewed meanwhile as the Sandbox wants it every 30 days.
#[tokio::test]
async fn a_european_consent_lasts_half_a_year() {
    let plaid = Plaid::start().await;
    let (access_token, _) = item(&plaid, "ins_117650", "http://127.0.0.1:9/").await;
    let told = plaid.of_item("/item/get", &access_token).await.ok();
    let ends: jiff::Timestamp = text(&told["item"], "consent_expiration_time").parse().unwrap();
    assert_eq!(ends.as_second() - 1_750_000_000, 180 * 24 * 60 * 60);
    let (american, _) = item(&plaid, "ins_109508", "http://127.0.0.1:9/").await;
    let told = plaid.of_item("/item/get", &american).await.ok();
    assert!(told["item"]["consent_expiration_time"].is_null());
}
