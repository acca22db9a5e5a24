//! Banks with a login page of their own.

use serde_json::{Value, json};

use crate::link_support::{Link, update_token};
use crate::support::{Answer, Plaid, text};

const BANK: &str = "ins_127287";
const RETURN: &str = "http://localhost:9/link/return";

async fn bank(plaid: &Plaid, step: &str, state_id: &str, granted: bool) -> Answer {
    let body = json!({"oauth_state_id": state_id, "granted": granted});
    plaid.post(&format!("/_simulator/link/bank/{step}"), &body).await
}

async fn decide(plaid: &Plaid, state_id: &str, granted: bool) -> Value {
    let answer = bank(plaid, "decide", state_id, granted).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// At the bank's page; gives its `oauth_state_id`.
async fn go(link: &mut Link<'_>, popup: bool) -> String {
    let pane = link.pane("continue", json!({})).await;
    let pane = if pane["view"] == "SELECT_INSTITUTION" {
        link.pane("select", json!({"institution_id": BANK})).await
    } else {
        pane
    };
    assert_eq!(pane["view"], "OAUTH", "{pane}");
    link.step("oauth", json!({"popup": popup})).await.ok();
    text(&pane, "oauth_state_id")
}

#[tokio::test]
async fn the_bank_in_a_window_of_its_own() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let mut link = Link::open(&plaid, &link_token).await;
    let state_id = go(&mut link, true).await;
    let shown = bank(&plaid, "look", &state_id, false).await.body;
    assert_eq!(shown["institution"]["institution_id"], BANK);
    assert_eq!(decide(&plaid, &state_id, true).await, json!({"close": true}));
    bank(&plaid, "decide", &state_id, false).await.refused(
        208,
        "OAUTH_ERROR",
        "OAUTH_STATE_ID_ALREADY_PROCESSED",
    );
    let pane = link.pane("oauth_result", json!({})).await;
    assert_eq!(pane["view"], "SELECT_ACCOUNT");
    let finished = link.take_all(&pane).await;
    assert_eq!(finished["metadata"]["institution"]["institution_id"], BANK);
    assert_eq!(
        link.events,
        [
            "OPEN",
            "TRANSITION_VIEW",
            "TRANSITION_VIEW",
            "SELECT_INSTITUTION",
            "TRANSITION_VIEW",
            "OPEN_OAUTH",
            "CLOSE_OAUTH",
            "TRANSITION_VIEW",
            "TRANSITION_VIEW",
            "HANDOFF",
        ]
    );
    plaid.exchange(&text(&finished, "public_token")).await.ok();
}

#[tokio::test]
async fn who_says_no_at_the_bank_or_closes_its_window_can_try_again() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let mut link = Link::open(&plaid, &link_token).await;
    let closed = go(&mut link, true).await;
    let pane = link.pane("oauth_result", json!({})).await;
    assert_eq!(pane["view"], "OAUTH");
    let state_id = text(&pane, "oauth_state_id");
    assert_ne!(state_id, closed);
    bank(&plaid, "look", &closed, false).await.refused(
        208,
        "OAUTH_ERROR",
        "OAUTH_STATE_ID_ALREADY_PROCESSED",
    );
    link.step("oauth", json!({"popup": true})).await.ok();
    decide(&plaid, &state_id, false).await;
    let pane = link.pane("oauth_result", json!({})).await;
    assert_eq!(pane["view"], "ERROR");
    assert_eq!(link.pane("again", json!({})).await["view"], "OAUTH");
    let left = link.exit().await;
    assert_eq!(left["metadata"]["status"], "requires_oauth");
    assert_eq!(left["error"]["error_code"], "ACCESS_NOT_GRANTED");
    let after: Vec<_> = link
        .events
        .iter()
        .map(String::as_str)
        .skip_while(|name| *name != "FAIL_OAUTH")
        .collect();
    assert_eq!(
        after,
        [
            "FAIL_OAUTH",
            "ERROR",
            "TRANSITION_VIEW",
            "TRANSITION_VIEW",
            "EXIT"
        ]
    );
}

#[tokio::test]
async fn the_bank_takes_the_whole_tab_and_sends_it_back() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({"redirect_uri": RETURN})).await;
    let mut link = Link::open(&plaid, &link_token).await;
    let state_id = go(&mut link, false).await;
    let address = format!("{RETURN}?oauth_state_id={state_id}");
    let back = json!({"received_redirect_uri": address});

    let mut early = Link::new(&plaid, &link_token);
    early
        .step("start", back.clone())
        .await
        .refused(404, "OAUTH_ERROR", "OAUTH_STATE_ID_NOT_FOUND");
    assert_eq!(
        decide(&plaid, &state_id, true).await,
        json!({"return_to": address})
    );

    let other = plaid.link_token(json!({"redirect_uri": RETURN})).await;
    let mut foreign = Link::new(&plaid, &other);
    foreign
        .step("start", back.clone())
        .await
        .refused(400, "OAUTH_ERROR", "INCORRECT_LINK_TOKEN");

    let mut reopened = Link::new(&plaid, &link_token);
    let resumed = reopened.step("start", back.clone()).await.ok();
    assert_eq!(resumed["link_session_id"], link.session_id, "the session goes on");
    assert_eq!(resumed["pane"]["view"], "SELECT_ACCOUNT");
    reopened.session_id.clone_from(&link.session_id);
    let mut again = Link::new(&plaid, &link_token);
    again
        .step("start", back)
        .await
        .refused(208, "OAUTH_ERROR", "OAUTH_STATE_ID_ALREADY_PROCESSED");
    let finished = reopened.take_all(&resumed["pane"]).await;
    plaid.exchange(&text(&finished, "public_token")).await.ok();
    assert_eq!(reopened.sessions(&link_token).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_refusal_comes_back_as_well() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({"redirect_uri": RETURN})).await;
    let mut link = Link::open(&plaid, &link_token).await;
    let state_id = go(&mut link, false).await;
    let address = text(&decide(&plaid, &state_id, false).await, "return_to");
    let pane = link
        .pane("start", json!({"received_redirect_uri": address}))
        .await;
    assert_eq!(pane["view"], "ERROR");
    assert_eq!(link.exit().await["metadata"]["status"], "requires_oauth");
}

#[tokio::test]
async fn only_a_bank_gives_addresses_to_come_back_to() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let mut link = Link::new(&plaid, &link_token);
    for address in [
        RETURN.to_owned(),
        format!("{RETURN}?oauth_state_id=1"),
        "nonsense".to_owned(),
        String::new(),
    ] {
        let answer = link
            .step("start", json!({"received_redirect_uri": address}))
            .await;
        answer.refused(400, "INVALID_REQUEST", "INVALID_FIELD");
        assert_eq!(
            answer.body["error_message"],
            "oauth uri does not contain a valid oauth_state_id query parameter"
        );
    }
    let unknown = format!("{RETURN}?oauth_state_id=7d1b2a5e-4f3c-4a9b-8c6d-000000000001");
    link.step("start", json!({"received_redirect_uri": unknown}))
        .await
        .refused(404, "OAUTH_ERROR", "OAUTH_STATE_ID_NOT_FOUND");
    bank(&plaid, "look", "unknown", false)
        .await
        .refused(404, "OAUTH_ERROR", "OAUTH_STATE_ID_NOT_FOUND");
}

#[tokio::test]
async fn without_pop_ups_and_redirect_uri_the_person_is_told() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({})).await;
    let mut link = Link::open(&plaid, &link_token).await;
    link.choose(BANK).await;
    let pane = link.pane("oauth", json!({"popup": false})).await;
    assert_eq!(pane["view"], "ERROR");
    assert_eq!(link.pane("again", json!({})).await["view"], "OAUTH");
}

#[tokio::test]
async fn update_mode_goes_to_the_bank_too() {
    let plaid = Plaid::start().await;
    let body = json!({"institution_id": BANK, "initial_products": ["transactions"]});
    let created = plaid.call("/sandbox/public_token/create", body).await.ok();
    let exchanged = plaid.exchange(&text(&created, "public_token")).await.ok();
    let access_token = text(&exchanged, "access_token");
    let link_token = update_token(&plaid, &access_token, json!({})).await;
    let mut link = Link::open(&plaid, &link_token).await;
    let state_id = go(&mut link, true).await;
    decide(&plaid, &state_id, true).await;
    assert_eq!(link.pane("oauth_result", json!({})).await["view"], "CONNECTED");
    link.step("finish", json!({})).await.ok();
    assert!(plaid.simulator().complete_link(&link_token).is_some());
}

#[tokio::test]
async fn the_address_of_the_way_back_is_told_as_it_is() {
    let plaid = Plaid::start().await;
    let link_token = plaid.link_token(json!({"redirect_uri": RETURN})).await;
    let mut link = Link::open(&plaid, &link_token).await;
    let state_id = go(&mut link, false).await;
    let address = text(&decide(&plaid, &state_id, true).await, "return_to");
    for altered in [
        format!("https://evil.example/other?x=1&oauth_state_id={state_id}"),
        format!("{address}&x=1"),
        format!("{address}#"),
        format!("{RETURN}/?oauth_state_id={state_id}"),
        address.replace("http:", "https:"),
    ] {
        Link::new(&plaid, &link_token)
            .step("start", json!({"received_redirect_uri": altered}))
            .await
            .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    }
    let back = json!({"received_redirect_uri": address});
    assert_eq!(link.pane("start", back).await["view"], "SELECT_ACCOUNT");
}
