//! Guesses about Link, observed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::guesses::{Expected, outcome};
use crate::link_support::{Link, update_token};
use crate::receiver::Receiver;
use crate::support::{Plaid, link_token_request, text};

const BANK: &str = "ins_109508";
const OAUTH: &str = "ins_127287";
const RETURN: &str = "http://localhost:9/return";

pub(crate) const CASES: &[Expected] = &[
    (
        "session_public_token",
        &[
            ("thirty_minutes", "INVALID_INPUT/INVALID_PUBLIC_TOKEN"),
            ("six_hours", "ok 200"),
        ],
    ),
    (
        "update_token_exchange",
        &[
            ("same_token", "the same"),
            ("new_token", "another"),
            ("refused", "INVALID_INPUT/INVALID_PUBLIC_TOKEN"),
        ],
    ),
    ("mfa_device", &[("device_first", "device"), ("code_only", "code")]),
    (
        "bank_refusal",
        &[("item_error", "ITEM_ERROR"), ("oauth_error", "OAUTH_ERROR")],
    ),
    (
        "altered_return",
        &[("refused", "INVALID_REQUEST/INVALID_FIELD"), ("taken", "ok 200")],
    ),
    ("reentry_session", &[("same_id", "true"), ("new_id", "false")]),
    ("reentry_open", &[("told", "2"), ("silent", "1")]),
    ("ticked_accounts", &[("all", "true"), ("none", "false")]),
    (
        "unfit_accounts",
        &[("refused", "ERROR"), ("let_through", "SELECT_ACCOUNT")],
    ),
    (
        "delivered_page",
        &[("as_production", "604800"), ("ignored", "1800")],
    ),
    (
        "completion_uri",
        &[("any", "ok 200"), ("listed", "INVALID_REQUEST/INVALID_FIELD")],
    ),
    (
        "completion_query",
        &[
            ("kept", "https://a.test/done?b=c"),
            ("dropped", "https://a.test/done"),
        ],
    ),
    ("session_status", &[("upper", "EXITED"), ("lower", "exited")]),
];

/// At the bank's page: the session, and the `oauth_state_id`.
async fn at_the_bank<'a>(plaid: &'a Plaid, link_token: &str) -> (Link<'a>, String) {
    let mut link = Link::open(plaid, link_token).await;
    let pane = link.choose(OAUTH).await;
    link.step("oauth", json!({"popup": false})).await.ok();
    (link, text(&pane, "oauth_state_id"))
}

async fn decide(plaid: &Plaid, state_id: &str, granted: bool) {
    let body = json!({"oauth_state_id": state_id, "granted": granted});
    let answer = plaid.post("/_simulator/link/bank/decide", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// Back from the bank, at `redirect_uri`.
async fn come_back(link: &mut Link<'_>, state_id: &str) -> Value {
    let body = json!({"received_redirect_uri": format!("{RETURN}?oauth_state_id={state_id}")});
    link.step("start", body).await.ok()
}

async fn hosted(plaid: &Plaid, hosted_link: Value, changes: Value) -> Value {
    let mut request = link_token_request(&changes);
    request["hosted_link"] = hosted_link;
    plaid.call("/link/token/create", request).await.ok()
}

/// What is seen of the guess with this name.
#[expect(clippy::too_many_lines, reason = "one arm for each guess")]
pub(crate) async fn of_link(plaid: &Plaid, name: &str) -> String {
    match name {
        "session_public_token" => {
            let link_token = plaid.link_token(json!({})).await;
            let done = plaid.simulator().complete_link(&link_token).unwrap();
            plaid.clock.advance(Duration::from_secs(60 * 60));
            outcome(&plaid.exchange(done.public_token.unwrap().expose()).await)
        }
        "update_token_exchange" => {
            let access_token = plaid.access_token().await;
            let link_token = update_token(plaid, &access_token, json!({})).await;
            let done = plaid.simulator().complete_link(&link_token).unwrap();
            let answer = plaid.exchange(done.public_token.unwrap().expose()).await;
            match answer.body["access_token"].as_str() {
                None => outcome(&answer),
                Some(same) if same == access_token => "the same".to_owned(),
                Some(_) => "another".to_owned(),
            }
        }
        "mfa_device" => {
            let link_token = plaid.link_token(json!({})).await;
            let mut link = Link::at(plaid, &link_token, BANK).await;
            text(&link.login("mfa_device").await, "mfa_type")
        }
        "bank_refusal" => {
            let link_token = plaid.link_token(json!({"redirect_uri": RETURN})).await;
            let (mut link, state_id) = at_the_bank(plaid, &link_token).await;
            decide(plaid, &state_id, false).await;
            text(
                &come_back(&mut link, &state_id).await["pane"]["error"],
                "error_type",
            )
        }
        "altered_return" => {
            let link_token = plaid.link_token(json!({"redirect_uri": RETURN})).await;
            let (mut link, state_id) = at_the_bank(plaid, &link_token).await;
            decide(plaid, &state_id, true).await;
            let altered = format!("{RETURN}?oauth_state_id={state_id}&more=1");
            let body = json!({"received_redirect_uri": altered});
            outcome(&link.step("start", body).await)
        }
        "reentry_session" | "reentry_open" => {
            let link_token = plaid.link_token(json!({"redirect_uri": RETURN})).await;
            let (mut link, state_id) = at_the_bank(plaid, &link_token).await;
            let before = link.session_id.clone();
            decide(plaid, &state_id, true).await;
            let back = come_back(&mut link, &state_id).await;
            link.session_id = text(&back, "link_session_id");
            let same = link.session_id == before;
            link.take_all(&back["pane"]).await;
            let opened = link.events.iter().filter(|event| *event == "OPEN").count();
            if name == "reentry_open" {
                opened.to_string()
            } else {
                same.to_string()
            }
        }
        "ticked_accounts" => {
            let link_token = plaid.link_token(json!({})).await;
            let mut link = Link::at(plaid, &link_token, BANK).await;
            link.login("pass_good").await["accounts"][0]["selected"].to_string()
        }
        "unfit_accounts" => {
            let filters = json!({"depository": {"account_subtypes": ["all"]}});
            let changes = json!({"products": ["liabilities"], "account_filters": filters});
            let link_token = plaid.link_token(changes).await;
            let mut link = Link::at(plaid, &link_token, BANK).await;
            text(&link.login("pass_good").await, "view")
        }
        "delivered_page" => {
            let user = json!({"client_user_id": "8a1b0f52", "email_address": "a@example.com"});
            let changes = json!({"user": user});
            let created = hosted(plaid, json!({"delivery_method": "email"}), changes).await;
            let ends: jiff::Timestamp = text(&created, "expiration").parse().unwrap();
            let now: jiff::Timestamp = plaid.simulator().time().parse().unwrap();
            (ends.as_second() - now.as_second()).to_string()
        }
        "completion_uri" => {
            let guesses = plaid.simulator().switches().guesses;
            let listed = Plaid::with(plaid_simulator::Options {
                guesses,
                redirect_uris: Some(vec!["https://a.test/back".to_owned()]),
                ..plaid_simulator::Options::default()
            })
            .await;
            let hosted_link = json!({"completion_redirect_uri": "https://a.test/done"});
            let request = link_token_request(&json!({"hosted_link": hosted_link}));
            outcome(&listed.call("/link/token/create", request).await)
        }
        "completion_query" => {
            let hosted_link = json!({"completion_redirect_uri": "https://a.test/done?b=c"});
            let created = hosted(plaid, hosted_link, json!({})).await;
            let mut link = Link::hosted(plaid, &text(&created, "hosted_link_url"));
            link.start().await;
            text(&link.exit().await, "completion_redirect_uri")
        }
        "session_status" => {
            let (receiver, url) = Receiver::start().await;
            let created = hosted(plaid, json!({}), json!({"webhook": url})).await;
            let mut link = Link::hosted(plaid, &text(&created, "hosted_link_url"));
            link.start().await;
            link.exit().await;
            text(&receiver.next().await.json(), "status")
        }
        other => panic!("{other} is not observed"),
    }
}
