//! `/signal/evaluate` and `/transfer/…`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, Plaid, text};

struct Payer {
    plaid: Plaid,
    token: String,
    accounts: Value,
}

impl Payer {
    async fn new() -> Self {
        let plaid = Plaid::start().await;
        let token = plaid.item_with(&["transfer", "signal"]).await;
        let accounts = plaid.of_item("/accounts/get", &token).await.ok()["accounts"].clone();
        Self {
            plaid,
            token,
            accounts,
        }
    }

    fn account(&self, at: usize) -> String {
        text(&self.accounts[at], "account_id")
    }

    async fn authorize(&self, changes: Value) -> Answer {
        let mut body = json!({"access_token": self.token, "account_id": self.account(0), "type": "debit",
                              "network": "ach", "ach_class": "ppd", "amount": "10.00",
                              "user": {"legal_name": "Jo Doe"}});
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.plaid.call("/transfer/authorization/create", body).await
    }

    async fn create(&self, authorization: &Value, changes: Value) -> Answer {
        let mut body = json!({"access_token": self.token, "account_id": self.account(0),
                              "authorization_id": authorization["id"], "description": "rent"});
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.plaid.call("/transfer/create", body).await
    }
}

#[tokio::test]
async fn the_balance_decides() {
    let payer = Payer::new().await;
    for (changes, decision, code) in [
        (json!({}), "approved", Value::Null),
        (json!({"amount": "100.01"}), "declined", json!("NSF")),
        (
            json!({"amount": "100.01", "type": "credit"}),
            "approved",
            Value::Null,
        ),
    ] {
        let told = payer.authorize(changes).await.ok()["authorization"].clone();
        assert_eq!(told["decision"], decision);
        assert_eq!(told["decision_rationale"]["code"], code);
    }
    let empty = json!({"override_accounts": [{"type": "depository", "subtype": "checking",
                                              "force_available_balance": 0}]});
    let token = payer
        .plaid
        .item_of("user_custom", &empty.to_string(), &["transfer"])
        .await;
    let accounts = payer.plaid.of_item("/accounts/get", &token).await.ok();
    let of_empty = json!({"access_token": token, "account_id": accounts["accounts"][0]["account_id"]});
    let told = payer.authorize(of_empty).await.ok();
    assert_eq!(told["authorization"]["decision_rationale"]["code"], "RISK");
    payer
        .plaid
        .of_item("/sandbox/item/reset_login", &payer.token)
        .await
        .ok();
    let told = payer.authorize(json!({})).await.ok()["authorization"].clone();
    assert_eq!(told["decision"], "user_action_required");
    assert_eq!(told["decision_rationale"]["code"], "ITEM_LOGIN_REQUIRED");
}

#[tokio::test]
async fn authorizations_are_checked() {
    let payer = Payer::new().await;
    let field = ("INVALID_REQUEST", "INVALID_FIELD");
    let missing = ("INVALID_REQUEST", "MISSING_FIELDS");
    for (changes, (kind, code)) in [
        (json!({"amount": "10"}), field),
        (json!({"amount": "0.00"}), field),
        (json!({"amount": 10}), field),
        (json!({"type": "refund"}), field),
        (json!({"network": "pigeon"}), field),
        (json!({"ach_class": "x"}), field),
        (json!({"iso_currency_code": "EUR"}), field),
        (json!({"idempotency_key": "k".repeat(51)}), field),
        (json!({"user": {}}), missing),
        (json!({"account_id": "x"}), field),
        (
            json!({"account_id": payer.account(3)}),
            ("TRANSFER_ERROR", "TRANSFER_UNSUPPORTED_ACCOUNT_TYPE"),
        ),
    ] {
        let answer = payer.authorize(changes.clone()).await;
        assert_eq!(answer.body["error_code"], code, "{changes}");
        answer.refused(400, kind, code);
    }
    let keyed = json!({"idempotency_key": "once"});
    let first = payer.authorize(keyed.clone()).await.ok();
    let again = payer.authorize(keyed).await.ok();
    assert_eq!(first["authorization"], again["authorization"]);
}

#[tokio::test]
async fn a_transfer_is_made_once_and_in_time() {
    let payer = Payer::new().await;
    let authorization = payer.authorize(json!({})).await.ok()["authorization"].clone();
    for changes in [
        json!({"description": "much too long a text"}),
        json!({"amount": "10.01"}),
        json!({"metadata": {"a": 1}}),
        json!({"metadata": {"a": "ä"}}),
        json!({"account_id": payer.account(1)}),
        json!({"authorization_id": "unknown"}),
    ] {
        payer
            .create(&authorization, changes)
            .await
            .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    }
    let made = payer
        .create(&authorization, json!({"metadata": {"a": "b"}}))
        .await
        .ok()["transfer"]
        .clone();
    assert_eq!(
        (&made["status"], &made["amount"]),
        (&json!("pending"), &json!("10.00"))
    );
    let again = payer.create(&authorization, json!({})).await.ok();
    assert_eq!(again["transfer"]["id"], made["id"]);

    let late = payer.authorize(json!({})).await.ok()["authorization"].clone();
    payer.plaid.clock.advance(Duration::from_secs(60 * 60));
    let declined = payer.authorize(json!({"amount": "500.00"})).await.ok()["authorization"].clone();
    for authorization in [late, declined] {
        payer
            .create(&authorization, json!({}))
            .await
            .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    }
}

#[tokio::test]
async fn signal_scores_are_between_their_bounds() {
    let payer = Payer::new().await;
    let evaluate = |account: String, id: String, amount: f64| {
        let body = json!({"access_token": payer.token, "account_id": account, "client_transaction_id": id,
                          "amount": amount});
        payer.plaid.call("/signal/evaluate", body)
    };
    for n in 0..20 {
        let told = evaluate(payer.account(0), format!("t{n}"), 5.0).await.ok();
        for kind in ["customer_initiated_return_risk", "bank_initiated_return_risk"] {
            let score = told["scores"][kind]["score"].as_u64().unwrap();
            assert!((1..=99).contains(&score));
        }
    }
    let short = evaluate(payer.account(0), "a".to_owned(), 100.5).await.ok();
    assert_eq!(short["ruleset"]["result"], "REROUTE");
    evaluate(payer.account(3), "a".to_owned(), 1.0)
        .await
        .refused(400, "ITEM_ERROR", "NO_AUTH_ACCOUNTS");
    evaluate(payer.account(0), "x".repeat(37), 1.0)
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
}

#[tokio::test]
async fn nothing_is_moved_once_the_permission_is_revoked() {
    let payer = Payer::new().await;
    let authorization = payer.authorize(json!({})).await.ok()["authorization"].clone();
    let item = payer
        .plaid
        .simulator()
        .item_by_access_token(&payer.token)
        .unwrap();
    payer.plaid.simulator().revoke_item(&item.item_id).unwrap();
    for answer in [
        payer.authorize(json!({})).await,
        payer.create(&authorization, json!({})).await,
    ] {
        answer.refused(400, "INVALID_INPUT", "USER_PERMISSION_REVOKED");
    }
}
