//! What is told of banks, and what is special about some.

use serde_json::{Value, json};

use crate::support::{Plaid, text};

async fn bank(plaid: &Plaid, id: &str, country: &str) -> Value {
    let body = json!({
        "institution_id": id,
        "country_codes": [country],
        "options": {"include_status": true, "include_optional_metadata": true},
    });
    plaid.call("/institutions/get_by_id", body).await.ok()["institution"].clone()
}

async fn item_at(plaid: &Plaid, id: &str) -> String {
    let body = json!({"institution_id": id, "initial_products": ["auth"]});
    let created = plaid.call("/sandbox/public_token/create", body).await.ok();
    let exchanged = plaid.exchange(&text(&created, "public_token")).await.ok();
    text(&exchanged, "access_token")
}

/// The list of banks in Link, and so of this call, is never empty.
#[tokio::test]
async fn each_country_has_a_bank() {
    let plaid = Plaid::start().await;
    for country in [
        "US", "GB", "ES", "NL", "FR", "IE", "CA", "DE", "IT", "PL", "DK", "NO", "SE", "EE", "LT", "LV", "PT",
        "BE", "AT", "FI",
    ] {
        let body = json!({"count": 1, "offset": 0, "country_codes": [country]});
        let told = plaid.call("/institutions/get", body).await.ok();
        let bank = &told["institutions"][0];
        assert_eq!(bank["country_codes"], json!([country]));
        let link_token = plaid
            .link_token(json!({"country_codes": [country], "products": ["transactions"]}))
            .await;
        let success = plaid.simulator().complete_link(&link_token).unwrap();
        assert_eq!(
            success.metadata["institution"]["institution_id"],
            bank["institution_id"]
        );
    }
}

#[tokio::test]
async fn numbers_are_those_of_the_country() {
    let plaid = Plaid::start().await;
    let token = item_at(&plaid, "ins_900003").await;
    let told = plaid.of_item("/auth/get", &token).await.ok();
    assert_eq!(told["numbers"]["ach"], json!([]));
    let iban = text(&told["numbers"]["international"][0], "iban");
    assert!(iban.starts_with("DE") && iban.len() == 22, "{iban}");
}

/// Banks that give numbers to each connection alone say so, and say by another id which accounts are one.
#[tokio::test]
async fn tokenized_numbers_are_of_one_connection() {
    let plaid = Plaid::start().await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let token = item_at(&plaid, "ins_56").await;
        let told = plaid.of_item("/auth/get", &token).await.ok();
        let number = &told["numbers"]["ach"][0];
        assert_eq!(number["is_tokenized_account_number"], true);
        let persistent = &told["accounts"][0]["persistent_account_id"];
        seen.push((text(number, "account"), persistent.clone()));
    }
    assert_ne!(seen[0].0, seen[1].0);
    assert_eq!(seen[0].1, seen[1].1);
    let ordinary = item_at(&plaid, "ins_109508").await;
    let told = plaid.of_item("/auth/get", &ordinary).await.ok();
    let number = &told["numbers"]["ach"][0];
    assert_eq!(
        (&number["account"], &number["is_tokenized_account_number"]),
        (&json!("1111222233330000"), &json!(false))
    );
}

#[tokio::test]
async fn some_american_consents_last_a_year() {
    let plaid = Plaid::start().await;
    for (id, ends) in [
        ("ins_128026", json!("2026-06-15T15:06:40Z")),
        ("ins_13", json!("2026-06-15T15:06:40Z")),
        ("ins_117650", json!("2025-12-12T15:06:40Z")),
        ("ins_56", Value::Null),
        ("ins_109508", Value::Null),
    ] {
        let token = item_at(&plaid, id).await;
        let item = plaid.of_item("/item/get", &token).await.ok();
        assert_eq!(item["item"]["consent_expiration_time"], ends, "{id}");
    }
}

#[tokio::test]
async fn status_is_told_by_kind_of_request() {
    let plaid = Plaid::start().await;
    for (id, status, interval) in [
        ("ins_109508", "HEALTHY", "NORMAL"),
        ("ins_132363", "DEGRADED", "DELAYED"),
        ("ins_132361", "DOWN", "STOPPED"),
    ] {
        let told = bank(&plaid, id, "US").await;
        let told = &told["status"];
        for kind in ["item_logins", "auth", "identity", "investments", "liabilities"] {
            assert_eq!(told[kind]["status"], status, "{id} {kind}");
        }
        for kind in [
            "transactions_updates",
            "investments_updates",
            "liabilities_updates",
        ] {
            assert_eq!(
                told[kind]["breakdown"]["refresh_interval"], interval,
                "{id} {kind}"
            );
        }
        let breakdown = &told["item_logins"]["breakdown"];
        let sum: f64 = ["success", "error_plaid", "error_institution"]
            .iter()
            .map(|part| breakdown[part].as_f64().unwrap())
            .sum();
        assert!((sum - 1.0).abs() < 0.001);
    }
    let british = bank(&plaid, "ins_117650", "GB").await;
    assert!(british["status"]["liabilities"].is_null());
    assert!(text(&british, "logo").starts_with("iVBORw0KGgo"));
    for (id, name) in [
        ("ins_3", "Chase"),
        ("ins_4", "Wells Fargo"),
        ("ins_117181", "Flexible Platypus Open Banking"),
    ] {
        let country = if id == "ins_117181" { "GB" } else { "US" };
        assert_eq!(bank(&plaid, id, country).await["name"], name);
    }
    bank(&plaid, "ins_135842", "US").await;
}
