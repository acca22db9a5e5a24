//! What `/link/token/create` and `/sandbox/public_token/create` refuse, or take, beyond the form of single fields.

use serde_json::{Value, json};

use crate::link_support::{Link, update_token};
use crate::support::{OTHER, Plaid, link_token_request, text};

const FIELD: &str = "INVALID_FIELD";
const MISSING: &str = "MISSING_FIELDS";
const SETTINGS: &str = "INVALID_CONFIGURATION";

/// Each request is changed so, and taken or refused with this code.
async fn decided(plaid: &Plaid, cases: &[(Value, Option<&str>)]) {
    for (changes, refused) in cases {
        let request = link_token_request(changes);
        let answer = plaid.call("/link/token/create", request).await;
        match refused {
            Some(code) => {
                assert_eq!(answer.body["error_code"], *code, "{changes}: {}", answer.body);
                answer.refused(400, "INVALID_REQUEST", code);
            }
            None => assert_eq!(answer.status, 200, "{changes}: {}", answer.body),
        }
    }
}

fn user(field: &str, value: &Value) -> Value {
    json!({"user": {"client_user_id": "8a1b0f52", field: value}})
}

#[tokio::test]
async fn a_user_can_be_reached() {
    let plaid = Plaid::start().await;
    let mut cases = Vec::new();
    for (number, refused) in [
        ("+14155550123", None),
        ("+1 415 5550123", None),
        ("+447911123456", None),
        ("+4930901820", None),
        ("+6512345678", None),
        ("12345", Some(FIELD)),
        ("4155550123", Some(FIELD)),
        ("+10000000000", Some(FIELD)),
        ("+11155550123", Some(FIELD)),
        ("+1415555012", Some(FIELD)),
        ("+0123456789", Some(FIELD)),
        ("+1234567890123456", Some(FIELD)),
        ("+44 call me", Some(FIELD)),
        ("", Some(FIELD)),
    ] {
        cases.push((user("phone_number", &json!(number)), refused));
    }
    for (address, refused) in [
        ("a@example.com", None),
        ("a.b+c@mail.example.co.uk", None),
        ("nope", Some(FIELD)),
        ("@example.com", Some(FIELD)),
        ("a@example", Some(FIELD)),
    ] {
        cases.push((user("email_address", &json!(address)), refused));
    }
    decided(&plaid, &cases).await;
}

#[tokio::test]
async fn who_a_user_is_matters_to_identity_verification_only() {
    let plaid = Plaid::start().await;
    let name = json!({"given_name": "Anna", "family_name": "Charleston"});
    let address = json!({"country": "US", "city": "Malakoff"});
    let number = json!({"type": "us_ssn_last_4", "value": "1234"});
    let with = |products: Value, field: &str, value: &Value| {
        let mut request = user(field, value);
        request["products"] = products;
        request["identity_verification"] = json!({"template_id": "idvtmp_1"});
        request
    };
    let verification = || json!(["identity_verification"]);
    let cases = [
        (user("name", &name), Some(FIELD)),
        (user("address", &address), Some(FIELD)),
        (user("id_number", &number), Some(FIELD)),
        (with(json!(["identity"]), "name", &name), Some(FIELD)),
        (with(json!(["identity"]), "id_number", &number), Some(FIELD)),
        (
            with(
                verification(),
                "id_number",
                &json!({"type": "NOPE", "value": "1"}),
            ),
            Some(FIELD),
        ),
        (with(verification(), "name", &name), None),
        (with(verification(), "address", &address), None),
        (with(verification(), "id_number", &number), None),
        (with(json!(["identity_match"]), "address", &address), None),
        (with(json!(["identity"]), "address", &address), None),
        (user("name", &Value::Null), None),
        (user("legal_name", &json!("Anna Charleston")), None),
    ];
    decided(&plaid, &cases).await;
}

#[tokio::test]
async fn filters_name_subtypes_of_their_type() {
    let plaid = Plaid::start().await;
    let filters =
        |kind: &str, subtypes: Value| json!({"account_filters": {kind: {"account_subtypes": subtypes}}});
    let cases = [
        (filters("depository", json!(["nope"])), Some(SETTINGS)),
        (filters("credit", json!(["checking"])), Some(SETTINGS)),
        (filters("other", json!(["401k"])), Some(SETTINGS)),
        (
            filters("depository", json!(["checking", "money market", "all"])),
            None,
        ),
        (filters("credit", json!(["credit card", "paypal"])), None),
        (filters("loan", json!(["student", "mortgage"])), None),
        (
            filters("investment", json!(["401k", "403B", "roth 401k", "sep ira"])),
            None,
        ),
        (filters("other", json!(["other"])), None),
        (
            json!({"account_filters": {"depository": {
                "account_subtypes": ["limited purpose checking"],
                "limited_purpose_types": ["RENT_MORTGAGE"],
            }}}),
            None,
        ),
    ];
    decided(&plaid, &cases).await;
}

#[tokio::test]
async fn filters_of_an_update_need_a_choice_of_accounts() {
    let plaid = Plaid::start().await;
    let access_token = plaid.access_token().await;
    let filters = json!({"account_filters": {"depository": {"account_subtypes": ["checking"]}}});
    let mut request = link_token_request(&filters);
    request["access_token"] = access_token.clone().into();
    request.as_object_mut().unwrap().remove("products");
    plaid
        .call("/link/token/create", request)
        .await
        .refused(400, "INVALID_REQUEST", FIELD);
    let mut good = filters;
    good["update"] = json!({"account_selection_enabled": true});
    update_token(&plaid, &access_token, good).await;
}

#[tokio::test]
async fn statements_go_back_two_years() {
    let plaid = Plaid::start().await;
    for (start, end, good) in [
        ("2023-06-15", "2025-06-15", true),
        ("2025-06-15", "2025-06-15", true),
        ("2024-01-01", "2025-12-31", true),
        ("2022-06-15", "2025-06-15", false),
        ("2001-01-01", "2002-01-01", false),
        ("2025-06-15", "2025-06-14", false),
        ("2025-01-01", "2028-01-01", false),
    ] {
        let period = json!({"start_date": start, "end_date": end});
        let changes = json!({"products": ["statements"], "statements": period});
        decided(&plaid, &[(changes, (!good).then_some(SETTINGS))]).await;
        let body = json!({
            "institution_id": "ins_109508",
            "initial_products": ["statements"],
            "options": {"statements": period},
        });
        let answer = plaid.call("/sandbox/public_token/create", body).await;
        if good {
            answer.ok();
        } else {
            answer.refused(400, "INVALID_REQUEST", FIELD);
        }
    }
}

#[tokio::test]
async fn a_user_token_stands_beside_a_user() {
    let plaid = Plaid::start().await;
    let body = json!({"client_user_id": "one"});
    let user = plaid.call("/user/create", body).await.ok();
    let user_token = json!({"user_token": user["user_token"]});
    let mut alone = link_token_request(&user_token);
    alone.as_object_mut().unwrap().remove("user");
    plaid
        .call("/link/token/create", alone)
        .await
        .refused(400, "INVALID_REQUEST", MISSING);
    decided(&plaid, &[(user_token, None)]).await;
}

#[tokio::test]
async fn the_sandbox_knows_the_users_too() {
    let plaid = Plaid::start().await;
    let body = json!({"client_user_id": "one"});
    let user = plaid.call("/user/create", body).await.ok();
    for (field, code, made_up) in [
        ("user_id", "INVALID_USER_ID", "usr_9nSp2KuZ2x4JDw"),
        ("user_token", "INVALID_USER_TOKEN", "user-sandbox-1"),
    ] {
        let with = |value: &Value| json!({"institution_id": "ins_109508", "initial_products": ["auth"], field: value});
        let path = "/sandbox/public_token/create";
        plaid.call(path, with(&user[field])).await.ok();
        plaid
            .call(path, with(&json!(made_up)))
            .await
            .refused(400, "INVALID_INPUT", code);
        plaid
            .call_as(OTHER, path, with(&user[field]))
            .await
            .refused(400, "INVALID_INPUT", code);
    }
}

#[tokio::test]
async fn the_user_id_is_told_again() {
    let plaid = Plaid::start().await;
    let body = json!({"client_user_id": "one"});
    let user = plaid.call("/user/create", body).await.ok();
    let mut request = link_token_request(&json!({"user_id": user["user_id"]}));
    request.as_object_mut().unwrap().remove("user");
    let created = plaid.call("/link/token/create", request).await.ok();
    assert_eq!(created["user_id"], user["user_id"]);
    let get = async |link_token: String| {
        let got = plaid.call("/link/token/get", json!({"link_token": link_token}));
        got.await.ok()
    };
    assert_eq!(
        get(text(&created, "link_token")).await["user_id"],
        user["user_id"]
    );
    let without = get(plaid.link_token(json!({})).await).await;
    assert!(without.get("user_id").is_none());
}

#[tokio::test]
async fn an_empty_name_of_an_app_is_none() {
    let plaid = Plaid::start().await;
    let uri = "https://example.com/back";
    let cases = [
        (json!({"android_package_name": "", "redirect_uri": uri}), None),
        (
            json!({"android_package_name": "com.example", "redirect_uri": ""}),
            None,
        ),
        (json!({"android_package_name": "com.example"}), None),
        (
            json!({"android_package_name": "com.example", "redirect_uri": uri}),
            Some(FIELD),
        ),
        (
            json!({"android_package_name": "", "redirect_uri": ""}),
            Some(FIELD),
        ),
    ];
    decided(&plaid, &cases).await;
}

#[tokio::test]
async fn a_bank_sends_nobody_back_to_an_empty_address() {
    let plaid = Plaid::start().await;
    let changes = json!({"android_package_name": "com.example", "redirect_uri": ""});
    let link_token = plaid.link_token(changes).await;
    let mut link = Link::at(&plaid, &link_token, "ins_127287").await;
    assert_eq!(link.pane("oauth", json!({"popup": false})).await["view"], "ERROR");
}

#[tokio::test]
async fn what_may_be_null_may_be_null() {
    let plaid = Plaid::start().await;
    let flags = json!({
        "manual_entry_enabled": null,
        "masked_number_match_enabled": null,
        "stated_account_number_enabled": null,
        "rollover_401k_enabled": null,
    });
    decided(&plaid, &[(json!({"investments_auth": flags}), None)]).await;
    let body = json!({
        "institution_id": "ins_109508",
        "initial_products": ["auth"],
        "options": {"statements": null},
    });
    plaid.call("/sandbox/public_token/create", body).await.ok();
    let access_token = plaid.item_with(&["transfer"]).await;
    let accounts = plaid.of_item("/accounts/get", &access_token).await.ok();
    let body = json!({
        "access_token": access_token,
        "account_id": accounts["accounts"][0]["account_id"],
        "type": "debit",
        "network": "ach",
        "ach_class": "ppd",
        "amount": "10.00",
        "user": {"legal_name": "Jo Doe"},
        "ruleset_key": null,
    });
    plaid.call("/transfer/authorization/create", body).await.ok();
}

#[tokio::test]
async fn a_whole_number_may_have_a_decimal_point() {
    let plaid = Plaid::start().await;
    let access_token = plaid.item_with(&["transactions"]).await;
    let sync = async |count: Value| {
        let body = json!({"access_token": access_token, "count": count});
        plaid.call("/transactions/sync", body).await
    };
    let page = sync(json!(7.0)).await.ok();
    assert_eq!(page["added"].as_array().unwrap().len(), 7);
    for count in [json!(7.5), json!(0.0), json!(501.0), json!(1e300)] {
        sync(count).await.refused(400, "INVALID_REQUEST", FIELD);
    }
    decided(
        &plaid,
        &[
            (json!({"transactions": {"days_requested": 30.0}}), None),
            (json!({"transactions": {"days_requested": 30.5}}), Some(SETTINGS)),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_sandbox_brings_transactions_of_the_days_that_were_asked_for() {
    let plaid = Plaid::start().await;
    let dates = async |transactions: Value| {
        let body = json!({
            "institution_id": "ins_109508",
            "initial_products": ["transactions"],
            "options": {"transactions": transactions},
        });
        let created = plaid.call("/sandbox/public_token/create", body).await.ok();
        let item = plaid.exchange(&text(&created, "public_token")).await.ok();
        plaid.clock.advance(std::time::Duration::from_secs(3));
        let body = json!({"access_token": item["access_token"], "count": 500});
        let page = plaid.call("/transactions/sync", body).await.ok();
        let mut dates: Vec<_> = page["added"]
            .as_array()
            .unwrap()
            .iter()
            .map(|transaction| text(transaction, "date"))
            .collect();
        dates.sort();
        (dates.first().unwrap().clone(), dates.last().unwrap().clone())
    };
    let (first, last) = dates(json!({"start_date": "2025-02-01", "end_date": "2025-02-28"})).await;
    assert!(first.starts_with("2025-02-0"), "{first}");
    assert!(last.starts_with("2025-02-2"), "{last}");
    let (first, last) = dates(json!({"start_date": "2025-01-10", "days_requested": 730})).await;
    assert!(first.starts_with("2025-01-1"), "{first}");
    assert!(last.starts_with("2025-06-1"), "{last}");
    let (first, last) = dates(json!({"end_date": "2025-05-31", "days_requested": 60})).await;
    assert!(first.starts_with("2025-04-1"), "{first}");
    assert!(last.starts_with("2025-05-"), "{last}");
}
