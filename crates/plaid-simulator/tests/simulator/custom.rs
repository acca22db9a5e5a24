//! `user_custom` and the other test users.

use serde_json::{Value, json};

use crate::data::ALL;
use crate::link_support::Link;
use crate::support::{Plaid, text};

fn configuration() -> String {
    json!({
        "seed": "mine",
        "override_accounts": [
            {
                "type": "depository",
                "subtype": "checking",
                "starting_balance": 1000.5,
                "force_available_balance": 0,
                "currency": "CAD",
                "meta": {"name": "Mine", "official_name": "My own", "mask": "4321"},
                "numbers": {"account": "999", "ach_routing": "123456789"},
                "transactions": [
                    {"date_transacted": "2025-06-12", "date_posted": "2025-06-20", "amount": 12.5,
                     "description": "Coffee"},
                    {"date_transacted": "2025-06-01", "date_posted": "2025-06-02", "amount": -100,
                     "description": "Gift", "currency": "USD"},
                ],
                "identity": {"names": ["Jo Doe"]},
            },
            {
                "type": "investment",
                "subtype": "brokerage",
                "holdings": [{"institution_price": 10, "cost_basis": 9, "quantity": 3.5,
                              "security": {"ticker_symbol": "ABC"}}],
                "investment_transactions": [{"date": "2025-05-01", "name": "buy ABC", "quantity": 3.5, "price": 9,
                                             "type": "buy", "security": {"ticker_symbol": "ABC"}}],
            },
            {"type": "loan", "subtype": "student", "liability": {"type": "student", "nominal_apr": 3.1}},
            {"type": "credit", "subtype": "credit card", "liability": {"type": "credit", "purchase_apr": 9.5},
             "transactions": [], "inflow_model": {"type": "monthly-income", "income_amount": 50,
                                                  "payment_day_of_month": 10}},
        ],
    })
    .to_string()
}

#[tokio::test]
async fn a_custom_user_gets_what_was_written() {
    let plaid = Plaid::start().await;
    let token = plaid.item_of("user_custom", &configuration(), ALL).await;
    let accounts = plaid.of_item("/accounts/get", &token).await.ok();
    let mine = &accounts["accounts"][0];
    assert_eq!((&mine["name"], &mine["mask"]), (&json!("Mine"), &json!("4321")));
    assert_eq!(
        mine["balances"],
        json!({"available": 0, "current": 1000.5, "limit": null, "iso_currency_code": "CAD",
               "unofficial_currency_code": null})
    );
    let numbers = plaid.of_item("/auth/get", &token).await.ok()["numbers"]["ach"].clone();
    assert_eq!(
        (&numbers[0]["account"], &numbers[0]["routing"]),
        (&json!("999"), &json!("123456789"))
    );
    let identity = plaid.of_item("/identity/get", &token).await.ok();
    assert_eq!(identity["accounts"][0]["owners"][0]["names"], json!(["Jo Doe"]));

    let body = json!({"access_token": token, "start_date": "2025-05-01", "end_date": "2025-06-15",
                      "options": {"account_ids": [mine["account_id"], accounts["accounts"][3]["account_id"]]}});
    let told = plaid.call("/transactions/get", body).await.ok();
    let seen: Vec<_> = told["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| json!([t["date"], t["amount"], t["iso_currency_code"], t["pending"]]))
        .collect();
    assert_eq!(
        seen,
        [
            json!(["2025-06-12", 12.5, "CAD", true]),
            json!(["2025-06-10", -50, "USD", false]),
            json!(["2025-06-02", -100, "USD", false]),
            json!(["2025-05-10", -50, "USD", false]),
        ]
    );

    let held = plaid.of_item("/investments/holdings/get", &token).await.ok();
    assert_eq!(held["holdings"][0]["institution_value"], 35);
    assert_eq!(held["securities"][0]["ticker_symbol"], "ABC");
    let owed = plaid.of_item("/liabilities/get", &token).await.ok();
    assert_eq!(owed["liabilities"]["student"][0]["interest_rate_percentage"], 3.1);
    assert_eq!(owed["liabilities"]["credit"][0]["aprs"][2]["apr_percentage"], 9.5);
    assert!(owed["liabilities"]["mortgage"].is_null());
}

/// A configuration with so many transactions.
fn listing(count: usize) -> Value {
    let one = json!({"date_transacted": "2025-06-01", "date_posted": "2025-06-02", "amount": 1, "description": "x"});
    json!({"override_accounts": [
        {"type": "depository", "subtype": "checking", "transactions": vec![one.clone(); count - 1]},
        {"type": "depository", "subtype": "savings", "transactions": [one]},
    ]})
}

#[tokio::test]
async fn a_student_loan_ends_when_its_repayment_does() {
    let plaid = Plaid::start().await;
    let liability = json!({
        "type": "student", "origination_date": "2021-03-15", "principal": 30_000, "nominal_apr": 5.5,
        "repayment_model": {"type": "standard", "non_repayment_months": 6, "repayment_months": 120},
    });
    let password = json!({"override_accounts": [
        {"type": "loan", "subtype": "student", "starting_balance": 20_000, "liability": liability},
        {"type": "credit", "subtype": "credit card", "starting_balance": 300, "transactions": [
            {"date_transacted": "2025-06-01", "date_posted": "2025-06-02", "amount": -55.5, "description": "Thanks"},
        ]},
    ]})
    .to_string();
    let token = plaid.item_of("user_custom", &password, &["liabilities"]).await;
    let told = plaid.of_item("/liabilities/get", &token).await.ok();
    let loan = &told["liabilities"]["student"][0];
    assert_eq!(
        (&loan["expected_payoff_date"], &loan["origination_date"]),
        (&json!("2031-09-15"), &json!("2021-03-15"))
    );
    // The part that brings 20,000 to nothing by then.
    let monthly = loan["minimum_payment_amount"].as_f64().unwrap();
    assert!((311.0..318.0).contains(&monthly), "{monthly}");
    let card = &told["liabilities"]["credit"][0];
    assert_eq!(
        (&card["last_payment_amount"], &card["last_payment_date"]),
        (&json!(55.5), &json!("2025-06-02"))
    );
    assert!(card["aprs"][2]["interest_charge_amount"].is_null());
}

#[tokio::test]
async fn configurations_have_limits() {
    let plaid = Plaid::start().await;
    let account = json!({"type": "depository", "subtype": "checking"});
    let masked = |mask: &str| json!({"override_accounts": [{"type": "loan", "subtype": "student", "meta": {"mask": mask}}]});
    for (password, code) in [
        ("pass_good".to_owned(), "INVALID_CREDENTIALS"),
        (json!({"version": 3}).to_string(), "INVALID_CREDENTIALS"),
        (
            json!({"override_accounts": vec![account.clone(); 11]}).to_string(),
            "INVALID_CREDENTIALS",
        ),
        (
            json!({"override_accounts": [{"type": "house", "subtype": "x"}]}).to_string(),
            "INVALID_CREDENTIALS",
        ),
        (
            json!({"override_accounts": [{"type": "depository", "subtype": "mortgage"}]}).to_string(),
            "INVALID_CREDENTIALS",
        ),
        (json!({"override_account": []}).to_string(), "INVALID_CREDENTIALS"),
        (listing(251).to_string(), "INVALID_CREDENTIALS"),
        (masked("12345").to_string(), "INVALID_CREDENTIALS"),
        (
            json!({"seed": "x".repeat(55_000)}).to_string(),
            "INVALID_CREDENTIALS",
        ),
        (json!({"force_error": "ITEM_LOCKED"}).to_string(), "ITEM_LOCKED"),
    ] {
        let body = json!({
            "institution_id": "ins_109508",
            "initial_products": ["auth"],
            "options": {"override_username": "user_custom", "override_password": password},
        });
        plaid
            .call("/sandbox/public_token/create", body)
            .await
            .refused(400, "ITEM_ERROR", code);
    }
    plaid
        .item_of("user_custom", &listing(250).to_string(), &["auth"])
        .await;
    let full = json!({"override_accounts": vec![account; 10]}).to_string();
    let token = plaid.item_of("user_custom", &full, &["auth"]).await;
    let accounts = plaid.of_item("/accounts/get", &token).await.ok();
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn test_users_live_differently() {
    let plaid = Plaid::start().await;
    let mut lives: Vec<Vec<Value>> = Vec::new();
    for (user, password) in [
        ("user_good", "pass_good"),
        ("user_custom", "{}"),
        ("user_transactions_dynamic", "any"),
        ("user_ewa_user", "any"),
        ("user_yuppie", "any"),
        ("user_small_business", "any"),
        ("user_bank_income", "{}"),
        ("user_credit_profile_poor", "any"),
        ("user_credit_profile_good", "any"),
        ("user_credit_profile_excellent", "any"),
        ("user_credit_bonus", "any"),
        ("user_credit_joint_account", "any"),
    ] {
        let token = plaid.item_of(user, password, &["transactions"]).await;
        let body = json!({"access_token": token, "start_date": "2025-04-01", "end_date": "2025-06-01",
                          "options": {"count": 500}});
        let told = plaid.call("/transactions/get", body).await.ok();
        let life: Vec<_> = told["transactions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| json!([text(t, "name"), t["amount"]]))
            .collect();
        assert!(life.len() > 20, "{user}: {}", life.len());
        assert!(!lives.contains(&life), "{user} lives like another");
        lives.push(life);
    }
}

#[tokio::test]
async fn a_custom_user_is_asked_what_the_configuration_says() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let log_in = async |configuration: Value| {
        let mut link = Link::at(&plaid, &link_token, "ins_109508").await;
        let login = json!({"username": "user_custom", "password": configuration.to_string()});
        let pane = link.pane("login", login).await;
        (link, pane)
    };
    let (mut link, pane) = log_in(json!({"mfa": {"type": "device"}})).await;
    assert_eq!(pane["mfa_type"], "device");
    link.answer(&["phone"]).await;
    assert_eq!(link.answer(&["1234"]).await["view"], "SELECT_ACCOUNT");

    let questions = json!({"mfa": {"type": "questions", "question_rounds": 2, "questions_per_round": 1}});
    let (mut link, pane) = log_in(questions).await;
    assert_eq!(pane["asked"].as_array().unwrap().len(), 1);
    assert_eq!(link.answer(&["answer_0_0"]).await["mfa_type"], "questions");
    assert_eq!(link.answer(&["answer_1_0"]).await["view"], "SELECT_ACCOUNT");

    let selections = json!({"mfa": {"type": "selections", "selections_per_question": 3}});
    let (mut link, pane) = log_in(selections).await;
    assert_eq!(pane["asked"][0]["answers"].as_array().unwrap().len(), 3);
    assert_eq!(link.answer(&["answer_0_0_0"]).await["view"], "SELECT_ACCOUNT");

    let (_, pane) = log_in(json!({"recaptcha": "bad"})).await;
    assert_eq!(
        (&pane["error"]["error_type"], &pane["error"]["error_code"]),
        (&json!("RECAPTCHA_ERROR"), &json!("RECAPTCHA_BAD"))
    );
    let (_, pane) = log_in(json!({"recaptcha": "good"})).await;
    assert_eq!(pane["view"], "SELECT_ACCOUNT");
    for wrong in [json!({"mfa": {"type": "dance"}}), json!({"recaptcha": "maybe"})] {
        let (_, pane) = log_in(wrong).await;
        assert_eq!(pane["error"]["error_code"], "INVALID_CREDENTIALS");
    }
}

#[tokio::test]
async fn a_failed_recaptcha_of_the_standard_user() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let mut link = Link::at(&plaid, &link_token, "ins_109508").await;
    assert_eq!(
        link.refused_login(r#"{"recaptcha":"bad"}"#).await,
        "RECAPTCHA_BAD"
    );
}
