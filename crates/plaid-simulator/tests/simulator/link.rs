//! Link's page and its calls, without a browser.

use std::time::Duration;

use plaid_simulator::{LinkOptions, Options};
use serde_json::json;

use crate::link_support::{Link, account_ids};
use crate::support::{OTHER, Plaid, text};

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
    assert_eq!(again.events, ["ERROR", "EXIT"]);
    let exit = &link.sessions(&link_token).await[0]["exit"];
    assert_eq!(exit["error"]["error_code"], "INVALID_LINK_TOKEN");
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
