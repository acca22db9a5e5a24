//! Link's page and its calls, without a browser.

use std::time::Duration;

use plaid_token_broker::simulator::{LinkOptions, Options};
use serde_json::{Value, json};

use crate::link_support::{Link, account_ids, update_token};
use crate::support::{OTHER, Plaid, link_token_request, text};

const BANK: &str = "ins_109508";

#[tokio::test]
async fn a_person_connects_a_bank() {
    let plaid = Plaid::start().await;
    let changes =
        json!({"optional_products": ["identity"], "additional_consented_products": ["liabilities"]});
    let link_token = plaid.link_token(changes).await;
    let mut link = Link::open(&plaid, &link_token).await;
    assert_eq!(
        link.pane("continue", json!({})).await["view"],
        "SELECT_INSTITUTION"
    );
    let found = link.step("institutions", json!({"query": "platypus"})).await.ok();
    assert_eq!(
        found["institutions"][0],
        json!({"institution_id": BANK, "name": "First Platypus Bank"})
    );
    let pane = link.pane("select", json!({"institution_id": BANK})).await;
    assert_eq!(
        (&pane["view"], &pane["exit_status"]),
        (&json!("CREDENTIAL"), &json!("requires_credentials"))
    );

    let pane = link.login("pass_good").await;
    assert_eq!(pane["view"], "SELECT_ACCOUNT");
    let ids = account_ids(&pane);
    assert_eq!(ids.len(), 2, "auth leaves checking and savings: {pane}");
    link.pane("accounts", json!({"account_ids": [ids[1]]})).await;
    let finished = link.step("finish", json!({})).await.ok();
    let metadata = &finished["metadata"];
    assert_eq!(
        metadata["institution"],
        json!({"name": "First Platypus Bank", "institution_id": BANK})
    );
    assert_eq!(metadata["link_session_id"], link.session_id);
    let accounts = metadata["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 1);
    let account = json!({
        "id": ids[1], "name": "Plaid Saving", "mask": "1111", "type": "depository", "subtype": "savings",
        "verification_status": null, "class_type": null,
    });
    assert_eq!(accounts[0], account);

    let public_token = text(&finished, "public_token");
    let exchange = json!({"public_token": public_token});
    plaid
        .call_as(OTHER, "/item/public_token/exchange", exchange)
        .await
        .refused(400, "INVALID_INPUT", "INVALID_PUBLIC_TOKEN");
    let access_token = text(&plaid.exchange(&public_token).await.ok(), "access_token");
    let accounts = plaid.of_item("/accounts/get", &access_token).await.ok();
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), 1);
    assert_eq!(accounts["accounts"][0]["account_id"], ids[1]);
    let item = plaid.of_item("/item/get", &access_token).await.ok();
    assert_eq!(
        item["item"]["billed_products"],
        json!(["auth", "transactions", "identity"])
    );
    assert_eq!(
        item["item"]["consented_products"],
        json!(["auth", "transactions", "identity", "liabilities"])
    );
}

#[tokio::test]
async fn the_page_and_the_api_hear_the_same_events_in_order() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let mut link = Link::at(&plaid, &link_token, BANK).await;
    link.refused_login("wrong").await;
    let pane = link.login("pass_good").await;
    let finished = link.take_all(&pane).await;
    let expected = [
        "OPEN",
        "TRANSITION_VIEW",
        "TRANSITION_VIEW",
        "SELECT_INSTITUTION",
        "TRANSITION_VIEW",
        "SUBMIT_CREDENTIALS",
        "ERROR",
        "TRANSITION_VIEW",
        "TRANSITION_VIEW",
        "SUBMIT_CREDENTIALS",
        "TRANSITION_VIEW",
        "TRANSITION_VIEW",
        "HANDOFF",
    ];
    assert_eq!(link.events, expected);
    let sessions = link.sessions(&link_token).await;
    let session = &sessions[0];
    let mut told: Vec<_> = session["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| text(event, "event_name"))
        .collect();
    told.reverse();
    assert_eq!(told, expected, "newest first");
    let metadata_of = |name: &str| {
        let events = session["events"].as_array().unwrap();
        let event = events.iter().find(|event| event["event_name"] == name).unwrap();
        assert!(event["event_id"].is_string() && event["timestamp"].is_string());
        event["event_metadata"].clone()
    };
    assert_eq!(metadata_of("ERROR")["error_code"], "INVALID_CREDENTIALS");
    assert_eq!(metadata_of("HANDOFF")["institution_id"], BANK);
    assert_eq!(metadata_of("TRANSITION_VIEW")["view_name"], "CONNECTED");
    assert_eq!(
        metadata_of("SUBMIT_CREDENTIALS").get("mfa_type"),
        None,
        "no nulls here"
    );
    let results = &session["results"]["item_add_results"][0];
    assert_eq!(results["public_token"], finished["public_token"]);
    assert_eq!(results["accounts"], finished["metadata"]["accounts"]);
    assert_eq!(session["on_success"]["public_token"], finished["public_token"]);
    assert!(session["exit"].is_null() && session["on_exit"].is_null());
    assert!(session["finished_at"].is_string());
}

#[tokio::test]
async fn an_event_for_the_page_has_every_key() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let mut link = Link::new(&plaid, &link_token);
    let started = link.step("start", json!({})).await.ok();
    let metadata = started["events"][0]["metadata"].as_object().unwrap();
    let mut keys: Vec<_> = metadata.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "account_number_mask",
            "error_code",
            "error_message",
            "error_type",
            "exit_status",
            "institution_id",
            "institution_name",
            "institution_search_query",
            "is_update_mode",
            "link_session_id",
            "match_reason",
            "mfa_type",
            "request_id",
            "routing_number",
            "selection",
            "timestamp",
            "view_name",
        ]
    );
    assert_eq!(metadata["request_id"], started["request_id"]);
    assert_eq!(metadata["is_update_mode"], "false");
}

#[tokio::test]
async fn a_person_leaves_at_every_step() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let status = async |link: &mut Link<'_>| link.exit().await["metadata"]["status"].clone();

    let mut link = Link::open(&plaid, &link_token).await;
    let left = link.exit().await;
    assert!(left["error"].is_null() && left["metadata"]["status"].is_null());
    assert_eq!(left["metadata"]["request_id"], left["request_id"]);
    assert!(left["metadata"]["institution"].is_null());

    let mut link = Link::open(&plaid, &link_token).await;
    link.pane("continue", json!({})).await;
    link.step("institutions", json!({"query": "no such bank"}))
        .await
        .ok();
    assert_eq!(status(&mut link).await, "institution_not_found");
    assert!(link.events.contains(&"SEARCH_INSTITUTION".to_owned()));

    let mut link = Link::open(&plaid, &link_token).await;
    assert_eq!(link.choose("ins_133402").await["view"], "ERROR");
    let left = link.exit().await;
    assert_eq!(left["metadata"]["status"], "institution_not_supported");
    assert_eq!(left["error"]["error_code"], "INSTITUTION_NO_LONGER_SUPPORTED");

    for (password, expected) in [
        ("mfa_device", "choose_device"),
        ("mfa_questions_1_1", "requires_questions"),
        ("mfa_selections", "requires_selections"),
        ("pass_good", "requires_account_selection"),
    ] {
        let mut link = Link::at(&plaid, &link_token, BANK).await;
        link.login(password).await;
        assert_eq!(status(&mut link).await, expected);
    }
    let mut link = Link::at(&plaid, &link_token, BANK).await;
    link.login("mfa_device").await;
    link.answer(&["email"]).await;
    assert_eq!(status(&mut link).await, "requires_code");
    let mut link = Link::at(&plaid, &link_token, "ins_127287").await;
    assert_eq!(status(&mut link).await, "requires_oauth");

    let mut link = Link::at(&plaid, &link_token, BANK).await;
    link.login("wrong").await;
    let left = link.exit().await;
    assert_eq!(left["error"]["error_code"], "INVALID_CREDENTIALS");
    assert_eq!(left["metadata"]["status"], "requires_credentials");
    assert_eq!(left["metadata"]["institution"]["institution_id"], BANK);
    link.step("login", json!({"username": "user_good", "password": "pass_good"}))
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    let sessions = link.sessions(&link_token).await;
    let last = sessions.as_array().unwrap().last().unwrap();
    assert_eq!(last["exit"]["metadata"]["status"], "requires_credentials");
    assert_eq!(last["exit"], last["on_exit"]);
    assert!(last["results"].is_null());
    let exit = &last["events"][0];
    assert_eq!(exit["event_name"], "EXIT");
    assert_eq!(exit["event_metadata"]["exit_status"], "requires_credentials");
    assert_eq!(exit["event_metadata"]["error_code"], "INVALID_CREDENTIALS");
    assert!(
        sessions[0]["exit"]["metadata"].get("status").is_none(),
        "no status is an absent one: {sessions}"
    );
}

#[tokio::test]
async fn banks_ask_more_than_a_password() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let mut link = Link::at(&plaid, &link_token, BANK).await;
    let pane = link.login("mfa_device").await;
    assert_eq!(
        (&pane["view"], &pane["mfa_type"]),
        (&json!("MFA"), &json!("device"))
    );
    assert_eq!(link.answer(&["phone"]).await["mfa_type"], "code");
    let wrong = link.answer(&["4321"]).await;
    assert_eq!(
        (&wrong["view"], &wrong["mfa_type"]),
        (&json!("MFA"), &json!("code"))
    );
    assert!(wrong["problem"].is_string());
    assert_eq!(link.answer(&["1234"]).await["view"], "SELECT_ACCOUNT");
    assert!(link.events.contains(&"SUBMIT_MFA".to_owned()) && link.events.contains(&"ERROR".to_owned()));

    let mut link = Link::at(&plaid, &link_token, BANK).await;
    link.login("mfa_questions_2_1").await;
    assert_eq!(
        link.answer(&["answer_0_0"]).await["asked"][0]["text"],
        "Question 1-0"
    );
    assert_eq!(link.answer(&["answer_1_0"]).await["view"], "SELECT_ACCOUNT");
    let mut link = Link::at(&plaid, &link_token, BANK).await;
    link.login("mfa_selections").await;
    assert_eq!(link.answer(&["Yes"]).await["view"], "SELECT_ACCOUNT");
}

#[tokio::test]
async fn errors_come_as_asked_for() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let mut link = Link::at(&plaid, &link_token, BANK).await;
    for code in [
        "ITEM_LOCKED",
        "INVALID_SEND_METHOD",
        "USER_SETUP_REQUIRED",
        "INSTITUTION_NOT_RESPONDING",
    ] {
        assert_eq!(link.refused_login(&format!("error_{code}")).await, code);
    }
    let mut down = Link::at(&plaid, &link_token, "ins_132361").await;
    assert_eq!(down.refused_login("pass_good").await, "INSTITUTION_DOWN");
    let mut degraded = Link::at(&plaid, &link_token, "ins_132363").await;
    assert_eq!(degraded.login("pass_good").await["view"], "SELECT_ACCOUNT");
}

#[tokio::test]
async fn too_many_wrong_logins_lock_and_then_end_the_link_token() {
    let options = Options {
        link: LinkOptions {
            wrong_logins: 2,
            ..LinkOptions::default()
        },
        ..Options::default()
    };
    let plaid = Plaid::with(options).await;
    let link_token = plaid.link_token(json!({})).await;
    let mut link = Link::at(&plaid, &link_token, BANK).await;
    assert_eq!(link.refused_login("wrong").await, "INVALID_CREDENTIALS");
    assert_eq!(link.refused_login("wrong").await, "ITEM_LOCKED");
    let body = json!({"username": "user_good", "password": "wrong"});
    link.step("login", body)
        .await
        .refused(400, "INVALID_INPUT", "INVALID_LINK_TOKEN");
    let left = link.exit().await;
    assert_eq!(left["error"]["error_code"], "INVALID_LINK_TOKEN");
    let mut again = Link::new(&plaid, &link_token);
    again
        .step("start", json!({}))
        .await
        .refused(400, "INVALID_INPUT", "INVALID_LINK_TOKEN");
    let exit = &link.sessions(&link_token).await[0]["exit"];
    assert_eq!(exit["error"]["error_code"], "INVALID_LINK_TOKEN");
}

#[tokio::test]
async fn logins_without_a_fitting_account_are_told_which_kind_is_missing() {
    let plaid = Plaid::start().await;
    let credit = json!({"credit": {"account_subtypes": ["all"]}});
    let savings = json!({"depository": {"account_subtypes": ["savings"]}});
    let none = json!({"other": {"account_subtypes": ["all"]}});
    for (products, filters, expected) in [
        (json!(["transactions"]), &none, "NO_ACCOUNTS"),
        (json!(["auth"]), &credit, "NO_AUTH_ACCOUNTS"),
        (json!(["liabilities"]), &savings, "NO_LIABILITY_ACCOUNTS"),
        (json!(["investments"]), &savings, "NO_INVESTMENT_ACCOUNTS"),
    ] {
        let changes = json!({"products": products, "account_filters": filters});
        let link_token = plaid.link_token(changes).await;
        let mut link = Link::at(&plaid, &link_token, BANK).await;
        assert_eq!(link.refused_login("pass_good").await, expected);
    }
    let changes = json!({"products": ["transactions"], "account_filters": credit});
    let link_token = plaid.link_token(changes).await;
    let mut link = Link::at(&plaid, &link_token, BANK).await;
    assert_eq!(account_ids(&link.login("pass_good").await).len(), 1);
}

#[tokio::test]
async fn a_customization_may_ask_for_one_account() {
    let plaid = Plaid::start().await;
    let link_token = plaid
        .link_token(json!({"link_customization_name": "single_account"}))
        .await;
    let mut link = Link::at(&plaid, &link_token, BANK).await;
    let pane = link.login("pass_good").await;
    assert_eq!(pane["single"], true);
    let ids = account_ids(&pane);
    link.step("accounts", json!({"account_ids": ids}))
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    let pane = link.pane("accounts", json!({"account_ids": [ids[0]]})).await;
    assert_eq!(pane["view"], "CONNECTED");
}

#[tokio::test]
async fn every_step_wants_a_live_link_token_and_its_turn() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let mut link = Link::open(&plaid, &link_token).await;
    for step in [
        "institutions",
        "select",
        "login",
        "mfa",
        "oauth",
        "oauth_result",
        "accounts",
        "finish",
    ] {
        link.step(step, json!({}))
            .await
            .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    }
    link.choose(BANK).await;
    link.login("pass_good").await;
    for chosen in [json!([]), json!(["unknown"])] {
        let answer = link.step("accounts", json!({"account_ids": chosen})).await;
        answer.refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    }
    link.step("elsewhere", json!({}))
        .await
        .refused(404, "INVALID_REQUEST", "NOT_FOUND");
    plaid.clock.advance(Duration::from_secs(4 * 60 * 60));
    for step in [
        "start",
        "continue",
        "institutions",
        "login",
        "mfa",
        "accounts",
        "finish",
    ] {
        link.step(step, json!({}))
            .await
            .refused(400, "INVALID_INPUT", "INVALID_LINK_TOKEN");
    }
    assert_eq!(link.exit().await["error"]["error_code"], "INVALID_LINK_TOKEN");
    let unknown = json!({"link_token": "link-sandbox-af1a0311-da53-4636-b754-dd15cc058176"});
    plaid
        .post("/_simulator/link/session/start", &unknown)
        .await
        .refused(400, "INVALID_INPUT", "INVALID_LINK_TOKEN");
}

#[tokio::test]
async fn update_mode_heals_the_item() {
    let plaid = Plaid::start().await;
    let access_token = plaid.access_token().await;
    plaid
        .of_item("/sandbox/item/reset_login", &access_token)
        .await
        .ok();
    let link_token = update_token(&plaid, &access_token, json!({})).await;
    let mut link = Link::open(&plaid, &link_token).await;
    let pane = link.pane("continue", json!({})).await;
    assert_eq!(pane["view"], "CREDENTIAL");
    assert_eq!(pane["institution"]["institution_id"], BANK);
    link.step("back", json!({}))
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    assert_eq!(link.login("pass_good").await["view"], "CONNECTED");
    let finished = link.step("finish", json!({})).await.ok();
    let item = plaid.of_item("/item/get", &access_token).await.ok();
    assert!(item["item"]["error"].is_null());
    let exchanged = plaid.exchange(&text(&finished, "public_token")).await.ok();
    assert_eq!(exchanged["access_token"], access_token);
}

#[tokio::test]
async fn update_mode_changes_the_accounts_when_it_is_asked_to() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({"products": ["transactions"]})).await;
    let mut link = Link::at(&plaid, &link_token, BANK).await;
    let ids = account_ids(&link.login("pass_good").await);
    link.pane("accounts", json!({"account_ids": [ids[0]]})).await;
    let finished = link.step("finish", json!({})).await.ok();
    let exchanged = plaid.exchange(&text(&finished, "public_token")).await.ok();
    let access_token = text(&exchanged, "access_token");

    let changes = json!({"update": {"account_selection_enabled": true}});
    let update = update_token(&plaid, &access_token, changes).await;
    let mut link = Link::open(&plaid, &update).await;
    link.pane("continue", json!({})).await;
    let pane = link.login("pass_good").await;
    assert_eq!(pane["view"], "SELECT_ACCOUNT");
    assert_eq!(account_ids(&pane), ids, "the ids stay");
    let selected: Vec<&Value> = pane["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|account| account["selected"] == true)
        .collect();
    assert_eq!(selected.len(), 1);
    link.pane("accounts", json!({"account_ids": [ids[1], ids[2]]}))
        .await;
    link.step("finish", json!({})).await.ok();
    let accounts = plaid.of_item("/accounts/get", &access_token).await.ok();
    let now: Vec<_> = accounts["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|account| text(account, "account_id"))
        .collect();
    assert_eq!(now, &ids[1..3]);
}

#[tokio::test]
async fn link_can_be_run_in_process() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let success = plaid.simulator().complete_link(&link_token).unwrap();
    assert_eq!(success.metadata["accounts"].as_array().unwrap().len(), 2);
    let exchanged = plaid.exchange(success.public_token.expose()).await.ok();
    let access_token = text(&exchanged, "access_token");
    let item = plaid.simulator().item_by_access_token(&access_token).unwrap();
    assert_eq!(item.institution_id, "ins_109508");
    assert_eq!(item.account_ids.len(), 2);

    let mut update = link_token_request(&json!({"access_token": access_token}));
    update.as_object_mut().unwrap().remove("products");
    plaid
        .of_item("/sandbox/item/reset_login", &access_token)
        .await
        .ok();
    let update = text(&plaid.call("/link/token/create", update).await.ok(), "link_token");
    assert!(plaid.simulator().complete_link(&update).is_some());
    assert!(
        !plaid
            .simulator()
            .item_by_access_token(&access_token)
            .unwrap()
            .login_required
    );

    let nowhere = plaid.link_token(json!({"country_codes": ["FI"]})).await;
    assert!(plaid.simulator().complete_link(&nowhere).is_none());
    assert!(plaid.simulator().complete_link("link-sandbox-nonsense").is_none());
}

#[tokio::test]
async fn the_page_and_its_files_are_served_with_strict_policies() {
    let plaid = Plaid::start().await;
    for (file, content_type) in [
        ("link-initialize.js", "text/javascript; charset=utf-8"),
        ("link.html", "text/html; charset=utf-8"),
        ("link.js", "text/javascript; charset=utf-8"),
        ("flow.js", "text/javascript; charset=utf-8"),
        ("bank.html", "text/html; charset=utf-8"),
        ("panes.js", "text/javascript; charset=utf-8"),
        ("link.css", "text/css; charset=utf-8"),
    ] {
        let response = plaid
            .http
            .get(plaid.url(&format!("/_simulator/link/{file}")))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "{file}");
        assert_eq!(response.headers()["content-type"], content_type);
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        let policy = response.headers().get("content-security-policy").cloned();
        if content_type.starts_with("text/html") {
            let policy = policy.unwrap();
            let policy = policy.to_str().unwrap();
            assert!(
                policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
                "{policy}"
            );
        }
    }
    let broker = axum::Router::new().nest("/_simulator/link", plaid.simulator().link_routes());
    let request = http::Request::get("/_simulator/link/link.html")
        .body(axum::body::Body::empty())
        .unwrap();
    let response = tower::ServiceExt::oneshot(broker, request).await.unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.ends_with("frame-ancestors 'self'"), "{policy}");
}

#[tokio::test]
async fn links_calls_take_nothing_that_a_form_can_send() {
    let plaid = Plaid::start().await;
    let body = json!({"link_token": plaid.link_token(json!({})).await}).to_string();
    let request = plaid.http.post(plaid.url("/_simulator/link/session/start"));
    let response = request
        .header("content-type", "text/plain")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 400);
}
