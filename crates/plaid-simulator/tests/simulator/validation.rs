//! Each required field missing, each field mistyped, one field too many, on every endpoint.

use plaid_simulator::Options;
use serde_json::{Value, json};

use crate::support::{OTHER, Plaid, link_token_request, text};

/// An endpoint with a body that it takes; every field of that body is required.
async fn endpoints(plaid: &Plaid) -> Vec<(&'static str, Value)> {
    let access_token = plaid.access_token().await;
    let of_item = json!({"access_token": access_token});
    vec![
        ("/link/token/create", link_token_request(&json!({}))),
        (
            "/link/token/get",
            json!({"link_token": plaid.link_token(json!({})).await}),
        ),
        (
            "/institutions/get_by_id",
            json!({"institution_id": "ins_109508", "country_codes": ["US"]}),
        ),
        (
            "/sandbox/public_token/create",
            json!({"institution_id": "ins_109508", "initial_products": ["auth"]}),
        ),
        (
            "/item/public_token/exchange",
            json!({"public_token": plaid.public_token().await}),
        ),
        ("/item/get", of_item.clone()),
        ("/accounts/get", of_item.clone()),
        ("/accounts/balance/get", of_item.clone()),
        ("/sandbox/item/reset_login", of_item.clone()),
        (
            "/item/access_token/invalidate",
            json!({"access_token": plaid.access_token().await}),
        ),
        ("/item/remove", of_item),
    ]
}

#[tokio::test]
async fn every_endpoint_checks_its_fields() {
    let plaid = Plaid::start().await;
    check_fields(&plaid, endpoints(&plaid).await).await;
}

/// Leaves out, mistypes and adds a field to each body in turn; the body itself has to pass.
pub(crate) async fn check_fields(plaid: &Plaid, endpoints: Vec<(&'static str, Value)>) {
    for (path, good) in endpoints {
        for field in good.as_object().unwrap().keys() {
            let mut missing = good.clone();
            missing.as_object_mut().unwrap().remove(field);
            let answer = plaid.call(path, missing).await;
            answer.refused(400, "INVALID_REQUEST", "MISSING_FIELDS");
            assert!(
                answer.body["error_message"]
                    .as_str()
                    .unwrap()
                    .contains(field.as_str()),
                "{path} {field}"
            );

            let mut mistyped = good.clone();
            mistyped[field] = if good[field].is_number() {
                json!("17")
            } else {
                json!(17)
            };
            let answer = plaid.call(path, mistyped).await;
            answer.refused(400, "INVALID_REQUEST", "INVALID_FIELD");
            assert!(
                answer.body["error_message"]
                    .as_str()
                    .unwrap()
                    .contains(field.as_str()),
                "{path} {field}"
            );
        }
        let mut more = good.clone();
        more["one_too_many"] = json!(1);
        let answer = plaid.call(path, more).await;
        answer.refused(400, "INVALID_REQUEST", "UNKNOWN_FIELDS");
        assert!(
            answer.body["error_message"]
                .as_str()
                .unwrap()
                .contains("one_too_many"),
            "{path}"
        );

        plaid.call(path, good).await.ok();
    }
}

#[tokio::test]
async fn link_token_create_refuses_each_bad_value() {
    let plaid = Plaid::start().await;
    let field = ("INVALID_REQUEST", "INVALID_FIELD");
    let missing = ("INVALID_REQUEST", "MISSING_FIELDS");
    let settings = ("INVALID_REQUEST", "INVALID_CONFIGURATION");
    let product = ("INVALID_INPUT", "INVALID_PRODUCT");
    let access = ("INVALID_INPUT", "INVALID_ACCESS_TOKEN");
    for (changes, (error_type, error_code)) in [
        (json!({"client_name": ""}), field),
        (json!({"language": "xx"}), field),
        (json!({"country_codes": []}), field),
        (json!({"country_codes": ["us"]}), field),
        (json!({"country_codes": "US"}), field),
        (json!({"user": {}}), missing),
        (json!({"user": {"client_user_id": ""}}), field),
        (json!({"user": {"client_user_id": "jane@example.com"}}), field),
        (json!({"user": {"client_user_id": "+14155550123"}}), field),
        (
            json!({"user": {"client_user_id": "a", "nick": "b"}}),
            ("INVALID_REQUEST", "UNKNOWN_FIELDS"),
        ),
        (json!({"products": []}), missing),
        (json!({"products": null}), missing),
        (json!({"products": ["nonsense"]}), product),
        (json!({"products": ["balance"]}), product),
        (json!({"optional_products": ["recurring_transactions"]}), product),
        (json!({"optional_products": ["auth"]}), field),
        (json!({"required_if_supported_products": ["auth"]}), field),
        (json!({"additional_consented_products": ["auth"]}), field),
        (
            json!({"optional_products": ["identity"], "required_if_supported_products": ["identity"]}),
            field,
        ),
        (json!({"products": ["statements"]}), missing),
        (json!({"products": ["payment_initiation"]}), missing),
        (json!({"products": ["payment_initiation", "auth"]}), product),
        (json!({"statements": {"start_date": "2024-01-01"}}), settings),
        (json!({"transactions": {"days_requested": 731}}), settings),
        (json!({"hosted_link": {"url_lifetime_seconds": 0}}), settings),
        (json!({"auth": {"reroute_to_credentials": "MAYBE"}}), settings),
        (json!({"account_filters": {"depository": {}}}), settings),
        (json!({"update": []}), settings),
        (json!({"base_report": {}}), settings),
        (json!({"card_switch": {"card_bin": 1}}), settings),
        (json!({"cashflow_report": {"days_requested": 731}}), settings),
        (
            json!({"cra_options": {"days_requested": 1, "lend_score": {"lend_score_version": "v9"}}}),
            settings,
        ),
        (json!({"cra_report_parameter": {"scope": 1}}), settings),
        (json!({"credit_partner_insights": {"more": 1}}), settings),
        (json!({"employment": {"bank_employment": {}}}), settings),
        (json!({"eu_config": {"headless": "no"}}), settings),
        (
            json!({"income_verification": {"stated_income_sources": [{"pay_type": "ALL"}]}}),
            settings,
        ),
        (json!({"payment_configuration": {"description": "d"}}), settings),
        (json!({"webhook": "not a url"}), field),
        (json!({"redirect_uri": ""}), field),
        (json!({"redirect_uri": "nonsense"}), field),
        (json!({"redirect_uri": "http://example.com/link/return"}), field),
        (
            json!({"redirect_uri": "https://example.com/link/return?a=b"}),
            field,
        ),
        (
            json!({"redirect_uri": "https://example.com/link/return#a"}),
            field,
        ),
        (
            json!({"redirect_uri": "https://*.example.com/link/return"}),
            field,
        ),
        (json!({"redirect_uri": "myapp://return"}), field),
        (
            json!({"redirect_uri": "https://example.com/", "android_package_name": "com.example"}),
            field,
        ),
        (json!({"access_token": "nonsense"}), access),
    ] {
        let answer = plaid
            .call("/link/token/create", link_token_request(&changes))
            .await;
        assert_eq!(
            answer.body["error_code"], error_code,
            "{changes}: {}",
            answer.body
        );
        answer.refused(400, error_type, error_code);
    }
}

#[tokio::test]
async fn link_token_create_takes_what_plaid_takes() {
    let plaid = Plaid::start().await;
    for changes in [
        json!({"client_name": "A name of more than thirty characters is no error"}),
        json!({"redirect_uri": "https://example.com/link/return"}),
        json!({"redirect_uri": "http://localhost:8000/link/return"}),
        json!({"redirect_uri": "http://127.0.0.1:8000/link/return"}),
        json!({"products": ["statements"], "statements": {"start_date": "2024-01-01", "end_date": "2025-01-01"}}),
        json!({"optional_products": ["identity"], "required_if_supported_products": ["liabilities"],
               "additional_consented_products": ["investments"]}),
        json!({"webhook": "https://example.com/webhooks/plaid", "transactions": {"days_requested": 730}}),
        json!({"country_codes": ["US", "CA"], "language": "fr", "link_customization_name": "default"}),
        json!({"account_filters": {"depository": {"account_subtypes": ["checking"]}}}),
        json!({"cra_options": {"days_requested": 365, "partner_insights": {"prism_versions": {"detect": "4"}}}}),
        json!({"income_verification": {"payroll_income": {"flow_types": ["payroll_digital_income"]}}}),
    ] {
        plaid
            .call("/link/token/create", link_token_request(&changes))
            .await
            .ok();
    }
    let user = json!({"client_user_id": "one"});
    let user = plaid.call("/user/create", user).await.ok();
    let mut without_user = link_token_request(&json!({"user_id": user["user_id"]}));
    without_user.as_object_mut().unwrap().remove("user");
    plaid.call("/link/token/create", without_user).await.ok();
    for (name, word, code) in [
        ("user_id", "usr_9nSp2KuZ2x4JDw", "INVALID_USER_ID"),
        ("user_token", "user-sandbox-1", "INVALID_USER_TOKEN"),
    ] {
        let unknown = link_token_request(&json!({name: word}));
        plaid
            .call("/link/token/create", unknown)
            .await
            .refused(400, "INVALID_INPUT", code);
        let foreign = link_token_request(&json!({name: user[name]}));
        plaid
            .call_as(OTHER, "/link/token/create", foreign)
            .await
            .refused(400, "INVALID_INPUT", code);
    }
}

#[tokio::test]
async fn link_token_get_echoes_the_request() {
    let plaid = Plaid::start().await;
    let link_token = plaid
        .link_token(
            json!({"webhook": "https://example.com/hook", "redirect_uri": "https://example.com/return"}),
        )
        .await;
    let got = plaid
        .call("/link/token/get", json!({"link_token": link_token}))
        .await
        .ok();
    assert_eq!(got["link_token"], link_token);
    assert_eq!(
        got["metadata"],
        json!({
            "initial_products": ["auth", "transactions"],
            "webhook": "https://example.com/hook",
            "country_codes": ["US"],
            "language": "en",
            "redirect_uri": "https://example.com/return",
            "client_name": "Test bank bot",
        })
    );
    let get = |link_token: &str| plaid.call("/link/token/get", json!({"link_token": link_token}));
    get("not-real")
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    get("link-sandbox-af1a0311-da53-4636-b754-dd15cc058176")
        .await
        .refused(400, "INVALID_INPUT", "INVALID_LINK_TOKEN");
}

#[tokio::test]
async fn redirect_uris_can_be_limited_to_a_list() {
    let listed = "https://example.com/link/return";
    let options = Options {
        redirect_uris: Some(vec![listed.to_owned()]),
        ..Options::default()
    };
    let plaid = Plaid::with(options).await;
    plaid.link_token(json!({"redirect_uri": listed})).await;
    let other = link_token_request(&json!({"redirect_uri": "https://example.com/link/return/"}));
    plaid
        .call("/link/token/create", other)
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
}

#[tokio::test]
async fn a_wildcard_of_the_list_stands_for_subdomains() {
    let options = Options {
        redirect_uris: Some(vec!["https://*.example.com/oauth.html".to_owned()]),
        ..Options::default()
    };
    let plaid = Plaid::with(options).await;
    plaid
        .link_token(json!({"redirect_uri": "https://a.example.com/oauth.html"}))
        .await;
    for other in [
        "https://*.example.com/oauth.html",
        "https://example.com/oauth.html",
        "https://.example.com/oauth.html",
        "https://a.example.com/",
        "https://a.example.com:8443/oauth.html",
        "http://a.example.com/oauth.html",
        "https://evil.test/.example.com/oauth.html",
        "https://evil.test#.example.com/oauth.html",
        "https://user@a.example.com/oauth.html",
    ] {
        let request = link_token_request(&json!({"redirect_uri": other}));
        let answer = plaid.call("/link/token/create", request).await;
        answer.refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    }
}

#[tokio::test]
async fn sandbox_public_tokens_need_a_bank_that_can() {
    let plaid = Plaid::start().await;
    for (changes, error_type, error_code) in [
        (
            json!({"institution_id": "ins_0"}),
            "INVALID_INPUT",
            "INVALID_INSTITUTION",
        ),
        (
            json!({"initial_products": []}),
            "INVALID_REQUEST",
            "INVALID_FIELD",
        ),
        (
            json!({"initial_products": ["nonsense"]}),
            "INVALID_REQUEST",
            "INVALID_FIELD",
        ),
        (
            json!({"initial_products": ["balance"]}),
            "INVALID_INPUT",
            "INVALID_PRODUCT",
        ),
        (
            json!({"initial_products": ["payment_initiation"]}),
            "ITEM_ERROR",
            "PRODUCTS_NOT_SUPPORTED",
        ),
        (
            json!({"initial_products": ["statements"]}),
            "INVALID_REQUEST",
            "MISSING_FIELDS",
        ),
        (json!({"options": null}), "INVALID_REQUEST", "INVALID_FIELD"),
        (
            json!({"options": {"webhook": "x"}}),
            "INVALID_REQUEST",
            "INVALID_FIELD",
        ),
        (
            json!({"options": {"override_password": "wrong"}}),
            "ITEM_ERROR",
            "INVALID_CREDENTIALS",
        ),
        (
            json!({"options": {"override_password": "error_ITEM_LOCKED"}}),
            "ITEM_ERROR",
            "ITEM_LOCKED",
        ),
    ] {
        let mut body = json!({"institution_id": "ins_109508", "initial_products": ["auth"]});
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = plaid.call("/sandbox/public_token/create", body).await;
        assert_eq!(
            answer.body["error_code"], error_code,
            "{changes}: {}",
            answer.body
        );
        answer.refused(400, error_type, error_code);
    }
}

#[tokio::test]
async fn institutions_are_found_by_id_and_country() {
    let plaid = Plaid::start().await;
    let get = |id: &str, country: &str| {
        let body =
            json!({"institution_id": id, "country_codes": [country], "options": {"include_status": true}});
        plaid.call("/institutions/get_by_id", body)
    };
    let found = get("ins_109511", "US").await.ok();
    assert_eq!(text(&found["institution"], "name"), "Tartan Bank");
    assert_eq!(found["institution"]["oauth"], false);
    assert!(found["institution"]["status"].is_object() && found["institution"]["url"].is_null());
    assert_eq!(get("ins_127287", "US").await.ok()["institution"]["oauth"], true);
    for (id, country) in [("ins_0", "US"), ("ins_109511", "GB")] {
        get(id, country)
            .await
            .refused(400, "INVALID_INPUT", "INVALID_INSTITUTION");
    }
}
