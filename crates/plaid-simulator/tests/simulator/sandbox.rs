//! Calls that only the Sandbox has, and what other calls refuse.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{OTHER, Plaid, text};
use plaid_simulator::{CLIENT_ID, SECRET};

const RESET: &str = "/sandbox/user/reset_login";
const MAKE: &str = "/sandbox/transactions/create";

async fn item_of(plaid: &Plaid, user: Value) -> Value {
    let mut body = json!({"institution_id": "ins_109508", "initial_products": ["auth"]});
    for (name, value) in user.as_object().unwrap() {
        body[name] = value.clone();
    }
    let public_token = plaid.call("/sandbox/public_token/create", body).await.ok();
    plaid.exchange(&text(&public_token, "public_token")).await.ok()
}

async fn needs_login(plaid: &Plaid, item: &Value) -> bool {
    let told = plaid.of_item("/item/get", &text(item, "access_token")).await.ok();
    told["item"]["error"]["error_code"] == "ITEM_LOGIN_REQUIRED"
}

#[tokio::test]
async fn the_logins_of_a_user_are_reset() {
    let plaid = Plaid::start().await;
    let user = plaid
        .call("/user/create", json!({"client_user_id": "one"}))
        .await
        .ok();
    let of_user = json!({"user_id": user["user_id"]});
    let by_id = item_of(&plaid, of_user.clone()).await;
    let by_token = item_of(&plaid, json!({"user_token": user["user_token"]})).await;
    let of_nobody = item_of(&plaid, json!({})).await;
    // Link knows whose Item it makes, too.
    let request = json!({"products": ["auth"], "user_id": user["user_id"]});
    let link_token = plaid.link_token(request).await;
    let success = plaid.simulator().complete_link(&link_token).unwrap();
    let by_link = plaid.exchange(success.public_token.unwrap().expose()).await.ok();

    for (body, kind, code) in [
        (json!({}), "INVALID_REQUEST", "MISSING_FIELDS"),
        (
            json!({"user_id": "usr_nobody"}),
            "INVALID_INPUT",
            "INVALID_USER_ID",
        ),
        (
            json!({"user_token": "user-sandbox-0"}),
            "INVALID_INPUT",
            "INVALID_USER_TOKEN",
        ),
        (
            json!({"user_id": user["user_id"], "item_ids": [of_nobody["item_id"]]}),
            "INVALID_REQUEST",
            "INVALID_FIELD",
        ),
        (
            json!({"user_id": user["user_id"], "item_ids": "x"}),
            "INVALID_REQUEST",
            "INVALID_FIELD",
        ),
    ] {
        plaid.call(RESET, body).await.refused(400, kind, code);
    }
    plaid
        .call_as(OTHER, RESET, of_user.clone())
        .await
        .refused(400, "INVALID_INPUT", "INVALID_USER_ID");
    assert!(!needs_login(&plaid, &by_id).await);

    let one = json!({"user_token": user["user_token"], "item_ids": [by_token["item_id"]]});
    plaid.call(RESET, one).await.ok();
    assert!(needs_login(&plaid, &by_token).await);
    assert!(!needs_login(&plaid, &by_id).await);
    plaid
        .of_item("/item/remove", &text(&by_token, "access_token"))
        .await
        .ok();
    let mut all = of_user;
    all["item_ids"] = json!(null);
    plaid.call(RESET, all).await.ok();
    assert!(needs_login(&plaid, &by_id).await && needs_login(&plaid, &by_link).await);
    assert!(!needs_login(&plaid, &of_nobody).await);
}

async fn dynamic_item(plaid: &Plaid, username: &str, password: &str) -> String {
    let body = json!({"institution_id": "ins_109508", "initial_products": ["transactions"],
                      "options": {"override_username": username, "override_password": password}});
    let public_token = plaid.call("/sandbox/public_token/create", body).await.ok();
    let item = plaid.exchange(&text(&public_token, "public_token")).await.ok();
    text(&item, "access_token")
}

/// One page; the names of what was added, and where to go on.
async fn sync(plaid: &Plaid, token: &str, cursor: &str, count: usize) -> (Vec<String>, String, bool) {
    let body = json!({"access_token": token, "cursor": cursor, "count": count});
    let page = plaid.call("/transactions/sync", body).await.ok();
    let added = page["added"].as_array().unwrap().iter();
    let names = added.map(|one| text(one, "name")).collect();
    (names, text(&page, "next_cursor"), page["has_more"] == true)
}

#[tokio::test]
async fn transactions_can_be_put_on_an_item() {
    let plaid = Plaid::start().await;
    let token = dynamic_item(&plaid, "user_transactions_dynamic", "x").await;
    // The clock stands at 2025-06-15.
    let make = |names: &[&str], changes: Value| {
        let one = |name: &&str| {
            let mut one = json!({"date_transacted": "2025-06-13", "date_posted": "2025-06-14", "amount": -12.5,
                                 "description": name});
            for (name, value) in changes.as_object().unwrap() {
                one[name] = value.clone();
            }
            one
        };
        json!({"access_token": token, "transactions": names.iter().map(one).collect::<Vec<_>>()})
    };
    plaid
        .call(MAKE, make(&["early"], json!({})))
        .await
        .refused(400, "ITEM_ERROR", "PRODUCT_NOT_READY");
    plaid.simulator().advance(Duration::from_secs(10));
    let (_, before, _) = sync(&plaid, &token, "now", 500).await;
    for (names, changes) in [
        (vec!["x"; 11], json!({})),
        (vec![], json!({})),
        (vec![""], json!({})),
        (vec!["x"], json!({"date_posted": "2025-06-16"})),
        (vec!["x"], json!({"date_transacted": "2023-06-15"})),
        (vec!["x"], json!({"iso_currency_code": "US"})),
        (vec!["x"], json!({"amount": "1"})),
    ] {
        let answer = plaid.call(MAKE, make(&names, changes.clone())).await;
        answer.refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    }
    plaid
        .call(MAKE, make(&["one", "two", "three"], json!({})))
        .await
        .ok();

    // In pages, once, and nobody who begins anew misses them.
    let (first, cursor, more) = sync(&plaid, &token, &before, 2).await;
    assert_eq!((first, more), (vec!["one".to_owned(), "two".to_owned()], true));
    let (second, after, more) = sync(&plaid, &token, &cursor, 2).await;
    assert_eq!((second, more), (vec!["three".to_owned()], false));
    assert_eq!(
        sync(&plaid, &token, &after, 2).await,
        (vec![], after.clone(), false)
    );
    let (all, from_the_start, more) = sync(&plaid, &token, "", 500).await;
    assert!(!more && all.len() > 3 && all.ends_with(&["one".into(), "two".into(), "three".into()]));
    assert_eq!(from_the_start, after);
    assert_eq!(
        sync(&plaid, &token, "now", 500).await,
        (vec![], after.clone(), false)
    );

    plaid.call(MAKE, make(&["four"], json!({"amount": 3}))).await.ok();
    let body = json!({"access_token": token, "cursor": cursor});
    plaid.call("/transactions/sync", body).await.refused(
        400,
        "TRANSACTIONS_ERROR",
        "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION",
    );
    assert_eq!(sync(&plaid, &token, &after, 500).await.0, ["four"]);

    let body = json!({"access_token": token, "start_date": "2025-06-14", "end_date": "2025-06-14"});
    let got = plaid.call("/transactions/get", body).await.ok();
    let listed = got["transactions"].as_array().unwrap();
    assert_eq!(got["total_transactions"], listed.len());
    let second = listed.iter().find(|one| one["name"] == "two").unwrap();
    assert_eq!(
        (&second["amount"], &second["date"]),
        (&json!(-12.5), &json!("2025-06-14"))
    );
    assert_eq!(
        (&second["authorized_date"], &second["pending"]),
        (&json!("2025-06-13"), &json!(false))
    );
    let of_seed = sync(&plaid, &token, "", 1).await;
    assert_eq!(of_seed.0.len(), 1);
    let accounts = plaid.of_item("/accounts/get", &token).await.ok();
    let of = |subtype: &str| {
        let mut all = accounts["accounts"].as_array().unwrap().iter();
        all.find(|account| account["subtype"] == subtype)
            .map(|account| account["account_id"].clone())
    };
    assert_eq!(Some(&second["account_id"]), of("checking").as_ref());

    // With the keys that every other transaction has.
    let keys = |one: &Value| one.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let body = json!({"access_token": token, "start_date": "2025-04-01", "end_date": "2025-06-15",
                      "options": {"count": 500}});
    let got = plaid.call("/transactions/get", body).await.ok();
    let other = got["transactions"].as_array().unwrap().iter();
    let other = other
        .clone()
        .find(|one| one["merchant_name"] != json!(null))
        .unwrap();
    assert_eq!(keys(second), keys(other));
}

#[tokio::test]
async fn only_test_users_that_change_take_transactions() {
    let plaid = Plaid::start().await;
    let body = |token: &str| {
        json!({"access_token": token, "transactions": [{"date_transacted": "2025-06-13",
               "date_posted": "2025-06-14", "amount": 1, "description": "made"}]})
    };
    let standard = plaid.item_with(&["transactions"]).await;
    let custom = dynamic_item(&plaid, "user_custom", "{}").await;
    plaid.simulator().advance(Duration::from_secs(10));
    plaid
        .call(MAKE, body(&standard))
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    plaid.call(MAKE, body(&custom)).await.ok();
    plaid
        .call(MAKE, body(&plaid.item_with(&["auth"]).await))
        .await
        .refused(400, "INVALID_INPUT", "ADDITIONAL_CONSENT_REQUIRED");
}

#[tokio::test]
async fn an_item_is_in_a_report_once_and_nothing_below_nothing_is_judged() {
    let plaid = Plaid::start().await;
    let token = plaid.item_with(&["assets", "signal"]).await;
    let body = json!({"access_tokens": [token, token], "days_requested": 10});
    let refused = plaid.call("/asset_report/create", body).await;
    refused.refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    assert!(text(&refused.body, "error_message").contains("twice"));
    let accounts = plaid.of_item("/accounts/get", &token).await.ok();
    let evaluate = |amount: f64| {
        let body = json!({"access_token": token, "account_id": accounts["accounts"][0]["account_id"],
                          "client_transaction_id": "one", "amount": amount});
        plaid.call("/signal/evaluate", body)
    };
    evaluate(-1.0)
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    evaluate(1.0).await.ok();
}

#[tokio::test]
async fn a_hosted_page_has_an_address_without_a_host_header() {
    let plaid = Plaid::start().await;
    let address = plaid.running.url().replace("http://", "");
    let body = json!({
        "client_id": CLIENT_ID, "secret": SECRET, "client_name": "x", "language": "en", "country_codes": ["US"],
        "products": ["auth"], "user": {"client_user_id": "u"}, "hosted_link": {},
    })
    .to_string();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /link/token/create HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (_, answer) = answer.split_once("\r\n\r\n").unwrap();
    let answer: Value = serde_json::from_str(answer).unwrap();
    let url = text(&answer, "hosted_link_url");
    assert!(
        url.starts_with(&format!("http://{address}/_simulator/hosted/")),
        "{url}"
    );
}
