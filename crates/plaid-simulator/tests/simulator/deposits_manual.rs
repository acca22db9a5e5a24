//! Account numbers typed in place of a login: same-day and instant micro-deposits.

use serde_json::{Value, json};

use crate::link_support::{Link, update_token};
use crate::support::{Plaid, text};

pub(crate) const WINDOWPANE: &str = "ins_135858";

/// A link token's changes with these flags of `auth`.
pub(crate) fn with_flags(flags: &Value) -> Value {
    json!({"products": ["auth"], "auth": flags})
}

pub(crate) fn same_day() -> Value {
    with_flags(&json!({"same_day_microdeposits_enabled": true}))
}

/// What the person types.
pub(crate) fn typed(routing_number: &str) -> Value {
    json!({
        "routing_number": routing_number,
        "account_number": "1111 2222 3333 0000",
        "name": "Alberta Charleson",
        "subtype": "savings",
    })
}

/// Link up to the pane for numbers, from the list of banks.
async fn at_the_numbers(plaid: &Plaid, changes: Value) -> Link<'_> {
    let link_token = plaid.link_token(changes).await;
    let mut link = Link::open(plaid, &link_token).await;
    assert_eq!(link.pane("continue", json!({})).await["manual"], true);
    link.step("institutions", json!({"query": "xyzzy"})).await.ok();
    let pane = link.pane("manual", json!({})).await;
    assert_eq!(
        (&pane["view"], &pane["subtypes"]),
        (&json!("NUMBERS"), &json!(["checking", "savings"]))
    );
    link
}

/// An Item whose deposit is on its way: what Link ended with, and the access token.
pub(crate) async fn pending(plaid: &Plaid, changes: Value) -> (Value, String) {
    let mut link = at_the_numbers(plaid, changes).await;
    assert_eq!(
        link.pane("numbers", typed("110000000")).await["view"],
        "CONNECTED"
    );
    let finished = link.step("finish", json!({})).await.ok();
    assert_eq!(
        link.events,
        [
            "OPEN",
            "TRANSITION_VIEW",
            "TRANSITION_VIEW",
            "SEARCH_INSTITUTION",
            "TRANSITION_VIEW",
            "SUBMIT_ROUTING_NUMBER",
            "SUBMIT_ACCOUNT_NUMBER",
            "TRANSITION_VIEW",
            "TRANSITION_VIEW",
            "HANDOFF",
        ]
    );
    let exchanged = plaid.exchange(&text(&finished, "public_token")).await.ok();
    (finished, text(&exchanged, "access_token"))
}

#[tokio::test]
async fn same_day_micro_deposits_make_an_item_of_no_bank() {
    let plaid = Plaid::start().await;
    let (finished, access_token) = pending(&plaid, same_day()).await;
    let metadata = &finished["metadata"];
    assert!(metadata["institution"].is_null());
    let account = &metadata["accounts"][0];
    assert_eq!(
        (
            &account["name"],
            &account["mask"],
            &account["subtype"],
            &account["verification_status"]
        ),
        (
            &json!("Savings...0000"),
            &json!("0000"),
            &json!("savings"),
            &json!("pending_manual_verification")
        )
    );
    let item = plaid.of_item("/item/get", &access_token).await.ok();
    let item = &item["item"];
    assert!(item["institution_id"].is_null() && item["institution_name"].is_null());
    assert_eq!(item["auth_method"], "SAME_DAY_MICRODEPOSITS");
    assert_eq!(
        (&item["products"], &item["available_products"]),
        (&json!(["auth"]), &json!(["transfer"]))
    );
    let accounts = plaid.of_item("/accounts/get", &access_token).await.ok();
    let told = &accounts["accounts"][0];
    assert_eq!(told["verification_name"], "Alberta Charleson");
    assert!(told["balances"]["current"].is_null() && told["balances"]["available"].is_null());
    assert_eq!(told["balances"]["iso_currency_code"], "USD");
    for (path, code) in [
        ("/auth/get", "PRODUCT_NOT_READY"),
        ("/accounts/balance/get", "PRODUCTS_NOT_SUPPORTED"),
        ("/identity/get", "PRODUCTS_NOT_SUPPORTED"),
    ] {
        plaid
            .of_item(path, &access_token)
            .await
            .refused(400, "ITEM_ERROR", code);
    }
}

#[tokio::test]
async fn the_code_verifies_in_update_mode_and_then_link_closes_at_once() {
    let plaid = Plaid::start().await;
    let (_, access_token) = pending(&plaid, same_day()).await;
    let link_token = update_token(&plaid, &access_token, json!({})).await;
    let mut link = Link::new(&plaid, &link_token);
    let started = link.step("start", json!({})).await.ok();
    link.session_id = text(&started, "link_session_id");
    assert_eq!(started["pane"]["view"], "SAME_DAY_MICRODEPOSIT_VERIFICATION");
    assert!(started["pane"]["institution"].is_null());
    let pane = link.pane("deposit_code", json!({"code": "XYZ"})).await;
    assert_eq!(pane["problem"], "The code is not right. You have two more tries.");
    let pane = link.pane("deposit_code", json!({"code": "abc"})).await;
    assert_eq!(
        (&pane["view"], &pane["closes_at_once"]),
        (&json!("CONNECTED"), &json!(false))
    );
    let finished = link.step("finish", json!({})).await.ok();
    let account = &finished["metadata"]["accounts"][0];
    assert_eq!(account["verification_status"], "manually_verified");
    let auth = plaid.of_item("/auth/get", &access_token).await.ok();
    assert_eq!(auth["numbers"]["ach"][0]["account"], "1111222233330000");
    assert_eq!(auth["numbers"]["ach"][0]["routing"], "110000000");
    assert_eq!(auth["accounts"][0]["verification_status"], "manually_verified");
    let transfer = json!({
        "access_token": access_token,
        "account_id": account["id"],
        "type": "debit", "network": "ach", "ach_class": "ppd", "amount": "10.00",
        "user": {"legal_name": "Alberta Charleson"},
    });
    let decided = plaid.call("/transfer/authorization/create", transfer).await.ok();
    let decided = &decided["authorization"];
    assert_eq!(decided["decision"], "approved");
    assert_eq!(decided["decision_rationale"]["code"], "MANUALLY_VERIFIED_ITEM");

    let again = update_token(&plaid, &access_token, json!({})).await;
    let mut link = Link::new(&plaid, &again);
    let started = link.step("start", json!({})).await.ok();
    assert_eq!(
        (&started["pane"]["view"], &started["pane"]["closes_at_once"]),
        (&json!("CONNECTED"), &json!(true))
    );
}

#[tokio::test]
async fn three_wrong_codes_lock_the_item_for_good() {
    let plaid = Plaid::start().await;
    let (_, access_token) = pending(&plaid, same_day()).await;
    // Over several runs of Link: they count against the Item.
    let mut codes = Vec::new();
    for _ in 0..3 {
        let link_token = update_token(&plaid, &access_token, json!({})).await;
        let mut link = Link::open(&plaid, &link_token).await;
        link.pane("deposit_code", json!({"code": "XYZ"})).await;
        codes.push(text(&link.exit().await["error"], "error_code"));
    }
    assert_eq!(
        codes,
        [
            "INCORRECT_DEPOSIT_VERIFICATION",
            "INCORRECT_DEPOSIT_VERIFICATION",
            "TOO_MANY_VERIFICATION_ATTEMPTS"
        ]
    );
    let link_token = update_token(&plaid, &access_token, json!({})).await;
    let mut link = Link::new(&plaid, &link_token);
    let started = link.step("start", json!({})).await.ok();
    link.session_id = text(&started, "link_session_id");
    for pane in [started["pane"].clone(), link.pane("again", json!({})).await] {
        assert_eq!(pane["error"]["error_code"], "TOO_MANY_VERIFICATION_ATTEMPTS");
    }
    let refused = link.pane("deposit_code", json!({"code": "ABC"})).await;
    assert_eq!(refused["view"], "ERROR");
    let accounts = plaid.of_item("/accounts/get", &access_token).await.ok();
    assert_eq!(
        accounts["accounts"][0]["verification_status"],
        "verification_failed"
    );
    let refused = plaid.of_item("/auth/get", &access_token).await;
    refused.refused(400, "ITEM_ERROR", "PRODUCT_NOT_READY");
}

#[tokio::test]
async fn items_of_typed_numbers_never_ask_for_a_login_and_survive_snapshots() {
    let plaid = Plaid::start().await;
    let (_, access_token) = pending(&plaid, same_day()).await;
    let other = Plaid::start().await;
    other
        .simulator()
        .restore(&plaid.simulator().snapshot().unwrap())
        .unwrap();
    other
        .simulator()
        .advance(std::time::Duration::from_secs(40 * 24 * 60 * 60));
    let item = other.of_item("/item/get", &access_token).await.ok();
    assert!(item["item"]["error"].is_null() && item["item"]["institution_id"].is_null());
    assert_eq!(other.simulator().items()[0].institution_id, "");
    let link_token = update_token(&other, &access_token, json!({})).await;
    let done = other.simulator().complete_link(&link_token).unwrap();
    assert_eq!(
        done.metadata["accounts"][0]["verification_status"],
        "manually_verified"
    );
    other.of_item("/auth/get", &access_token).await.ok();
}

#[tokio::test]
async fn account_numbers_are_offered_only_where_they_can_be_used() {
    let plaid = Plaid::start().await;
    let flags = json!({"same_day_microdeposits_enabled": true});
    let other_account = json!({"credit": {"account_subtypes": ["all"]}});
    for changes in [
        json!({"products": ["auth"]}),
        json!({"products": ["auth", "transactions"], "auth": flags}),
        json!({"products": ["auth"], "auth": flags, "country_codes": ["US", "CA"]}),
        json!({"products": ["auth"], "auth": flags, "account_filters": other_account}),
    ] {
        let link_token = plaid.link_token(changes).await;
        let mut link = Link::open(&plaid, &link_token).await;
        assert_eq!(link.pane("continue", json!({})).await["manual"], false);
        link.step("manual", json!({}))
            .await
            .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    }
    let beside = json!({
        "products": ["transfer"],
        "optional_products": ["auth", "identity"],
        "auth": flags,
        "account_filters": {"depository": {"account_subtypes": ["savings"]}},
    });
    let link_token = plaid.link_token(beside).await;
    let mut link = Link::open(&plaid, &link_token).await;
    link.pane("continue", json!({})).await;
    let pane = link.pane("manual", json!({})).await;
    assert_eq!(pane["subtypes"], json!(["savings"]));
    let mut checking = typed("110000000");
    checking["subtype"] = "checking".into();
    link.step("numbers", checking)
        .await
        .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    link.pane("numbers", typed("110000000")).await;
    let finished = link.step("finish", json!({})).await.ok();
    let exchanged = plaid.exchange(&text(&finished, "public_token")).await.ok();
    let item = plaid
        .of_item("/item/get", &text(&exchanged, "access_token"))
        .await
        .ok();
    assert_eq!(
        item["item"]["products"],
        json!(["transfer", "auth"]),
        "identity needs a login"
    );
}

#[tokio::test]
async fn an_error_at_a_bank_leads_to_account_numbers_too() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(same_day()).await;
    let mut link = Link::at(&plaid, &link_token, "ins_109508").await;
    let pane = link.login("wrong").await;
    assert_eq!((&pane["view"], &pane["manual"]), (&json!("ERROR"), &json!(true)));
    let pane = link.pane("manual", json!({})).await;
    assert!(pane["institution"].is_null());
    let pane = link
        .pane("numbers", json!({"name": "A", "subtype": "checking"}))
        .await;
    assert_eq!(
        (&pane["view"], pane["problem"].is_string()),
        (&json!("NUMBERS"), true)
    );
    assert_eq!(link.pane("back", json!({})).await["view"], "SELECT_INSTITUTION");
}

#[tokio::test]
async fn auth_type_select_asks_first() {
    let plaid = Plaid::start().await;
    let flags = json!({"same_day_microdeposits_enabled": true, "auth_type_select_enabled": true});
    for (selection, view) in [
        ("flow_type_manual", "NUMBERS"),
        ("flow_type_instant", "SELECT_INSTITUTION"),
    ] {
        let link_token = plaid.link_token(with_flags(&flags)).await;
        let mut link = Link::open(&plaid, &link_token).await;
        assert_eq!(link.pane("continue", json!({})).await["view"], "SELECT_AUTH_TYPE");
        link.step("auth_type", json!({"selection": "both"}))
            .await
            .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
        assert_eq!(
            link.pane("auth_type", json!({"selection": selection})).await["view"],
            view
        );
        link.exit().await;
        let sessions = link.sessions(&link_token).await;
        let events = sessions[0]["events"].as_array().unwrap().clone();
        let chosen = events
            .iter()
            .find(|event| event["event_name"] == "SELECT_AUTH_TYPE")
            .unwrap();
        assert_eq!(chosen["event_metadata"]["selection"], selection);
    }
    let link_token = plaid.link_token(with_flags(&flags)).await;
    let done = plaid.simulator().complete_link(&link_token).unwrap();
    assert_eq!(done.metadata["institution"]["institution_id"], "ins_109508");
}

#[tokio::test]
async fn instant_micro_deposits_are_verified_in_one_run() {
    let plaid = Plaid::start().await;
    let changes = with_flags(&json!({"instant_microdeposits_enabled": true}));
    let link_token = plaid.link_token(changes).await;
    let mut link = Link::open(&plaid, &link_token).await;
    let pane = link.choose(WINDOWPANE).await;
    assert_eq!(pane["view"], "NUMBERS", "nobody logs in there");
    let pane = link.pane("numbers", typed("333333334")).await;
    assert_eq!(pane["view"], "INSTANT_MICRODEPOSIT_AUTHORIZED");
    let pane = link.pane("deposit_code", json!({"code": "no"})).await;
    assert!(pane["problem"].is_string());
    assert_eq!(
        link.pane("deposit_code", json!({"code": "ABC"})).await["view"],
        "CONNECTED"
    );
    let finished = link.step("finish", json!({})).await.ok();
    let metadata = &finished["metadata"];
    assert_eq!(metadata["institution"]["institution_id"], WINDOWPANE);
    assert_eq!(
        metadata["accounts"][0]["verification_status"],
        "manually_verified"
    );
    let exchanged = plaid.exchange(&text(&finished, "public_token")).await.ok();
    let auth = plaid
        .of_item("/auth/get", &text(&exchanged, "access_token"))
        .await
        .ok();
    assert_eq!(auth["item"]["auth_method"], "INSTANT_MICRODEPOSITS");
    assert_eq!(auth["numbers"]["ach"][0]["routing"], "333333334");

    let mut usual = Link::at(
        &plaid,
        &plaid.link_token(json!({"products": ["auth"]})).await,
        WINDOWPANE,
    )
    .await;
    assert_eq!(
        usual.login("pass_good").await["view"],
        "SELECT_ACCOUNT",
        "without the flag there is a login"
    );
}

#[tokio::test]
async fn a_same_day_deposit_becomes_an_instant_one_where_the_bank_takes_it() {
    let plaid = Plaid::start().await;
    let flags = json!({"same_day_microdeposits_enabled": true, "instant_microdeposits_enabled": true});
    let mut link = at_the_numbers(&plaid, with_flags(&flags)).await;
    let pane = link.pane("numbers", typed("333333334")).await;
    assert_eq!(pane["view"], "INSTANT_MICRODEPOSIT_AUTHORIZED");
    for _ in 0..2 {
        link.pane("deposit_code", json!({"code": "XYZ"})).await;
    }
    let pane = link.pane("deposit_code", json!({"code": "XYZ"})).await;
    assert_eq!(pane["error"]["error_code"], "TOO_MANY_VERIFICATION_ATTEMPTS");
    assert_eq!(
        link.pane("again", json!({})).await["view"],
        "SELECT_INSTITUTION",
        "the person may begin anew"
    );
    link.pane("manual", json!({})).await;
    link.pane("numbers", typed("333333334")).await;
    link.pane("deposit_code", json!({"code": "ABC"})).await;
    let finished = link.step("finish", json!({})).await.ok();
    assert!(finished["metadata"]["institution"].is_null());
    assert_eq!(
        finished["metadata"]["accounts"][0]["verification_status"],
        "manually_verified"
    );
}
