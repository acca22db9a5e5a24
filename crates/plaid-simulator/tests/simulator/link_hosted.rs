//! Hosted Link.

use std::time::Duration;

use plaid_simulator::{LinkOptions, Options};
use serde_json::{Value, json};

use crate::link_support::Link;
use crate::receiver::Receiver;
use crate::support::{Plaid, link_token_request, text};

const BANK: &str = "ins_109508";

async fn create(plaid: &Plaid, hosted_link: Value) -> Value {
    let user = json!({
        "client_user_id": "8a1b0f52",
        "phone_number": "+14155550123",
        "email_address": "a@example.com",
    });
    let request = link_token_request(&json!({"hosted_link": hosted_link, "user": user}));
    plaid.call("/link/token/create", request).await.ok()
}

#[tokio::test]
async fn the_page_runs_link_and_the_outcome_is_read_from_the_api() {
    let plaid = Plaid::start().await;
    let created = create(&plaid, json!({"completion_redirect_uri": "my-app://done"})).await;
    let link_token = text(&created, "link_token");
    let url = text(&created, "hosted_link_url");
    assert!(url.starts_with(&plaid.url("/_simulator/hosted/")), "{url}");
    assert!(!url.contains(&link_token));
    let response = plaid.http.get(&url).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");

    let mut link = Link::hosted(&plaid, &url);
    link.start().await;
    link.choose(BANK).await;
    let pane = link.login("pass_good").await;
    let finished = link.take_all(&pane).await;
    assert_eq!(finished["completion_redirect_uri"], "my-app://done");
    assert!(
        !finished.to_string().contains("public-sandbox"),
        "no token passes the browser: {finished}"
    );
    let sessions = link.sessions(&link_token).await;
    let public_token = text(&sessions[0]["results"]["item_add_results"][0], "public_token");
    plaid.exchange(&public_token).await.ok();
    let mut again = Link::hosted(&plaid, &url);
    again
        .step("start", json!({}))
        .await
        .refused(400, "INVALID_INPUT", "INVALID_LINK_TOKEN");
}

#[tokio::test]
async fn leaving_goes_to_the_same_address() {
    let plaid = Plaid::start().await;
    let done = "https://app.example/done?order=1";
    let created = create(&plaid, json!({"completion_redirect_uri": done})).await;
    let mut link = Link::hosted(&plaid, &text(&created, "hosted_link_url"));
    link.start().await;
    link.choose(BANK).await;
    let left = link.exit().await;
    assert_eq!(left["completion_redirect_uri"], done);
    let sessions = link.sessions(&text(&created, "link_token")).await;
    assert_eq!(sessions[0]["exit"]["metadata"]["status"], "requires_credentials");
}

#[tokio::test]
async fn the_address_lives_as_long_as_it_was_made_for() {
    let plaid = Plaid::start().await;
    for (hosted_link, seconds) in [
        (json!({}), 30 * 60),
        (json!({"url_lifetime_seconds": 60}), 60),
        (json!({"delivery_method": "sms"}), 24 * 60 * 60),
        (json!({"delivery_method": "email"}), 7 * 24 * 60 * 60),
        (
            json!({"delivery_method": "email", "url_lifetime_seconds": 60}),
            60,
        ),
        (
            json!({"url_lifetime_seconds": 21 * 24 * 60 * 60}),
            21 * 24 * 60 * 60,
        ),
    ] {
        let url = text(&create(&plaid, hosted_link).await, "hosted_link_url");
        plaid.clock.advance(Duration::from_secs(seconds - 1));
        Link::hosted(&plaid, &url).start().await;
        plaid.clock.advance(Duration::from_secs(1));
        Link::hosted(&plaid, &url).step("start", json!({})).await.refused(
            400,
            "INVALID_INPUT",
            "INVALID_LINK_TOKEN",
        );
    }
}

#[tokio::test]
async fn what_makes_no_page_is_refused() {
    let plaid = Plaid::start().await;
    for lifetime in [0, 21 * 24 * 60 * 60 + 1] {
        let changes = json!({"hosted_link": {"url_lifetime_seconds": lifetime}});
        plaid
            .call("/link/token/create", link_token_request(&changes))
            .await
            .refused(400, "INVALID_REQUEST", "INVALID_CONFIGURATION");
    }
    for uri in ["", "done", "javascript:alert(1)", "data:text/html,x"] {
        let changes = json!({"hosted_link": {"completion_redirect_uri": uri}});
        plaid
            .call("/link/token/create", link_token_request(&changes))
            .await
            .refused(400, "INVALID_REQUEST", "INVALID_FIELD");
    }
}

#[tokio::test]
async fn the_link_token_of_a_hosted_page_runs_no_frame() {
    let plaid = Plaid::start().await;
    let created = create(&plaid, json!({})).await;
    Link::new(&plaid, &text(&created, "link_token"))
        .step("start", json!({}))
        .await
        .refused(400, "INVALID_INPUT", "INVALID_LINK_TOKEN");
    let success = plaid
        .simulator()
        .complete_link(&text(&created, "link_token"))
        .unwrap();
    plaid.exchange(success.public_token.unwrap().expose()).await.ok();
}

/// The next webhook, whose keys are checked.
async fn told(receiver: &Receiver, plaid: &Plaid, code: &str, link_token: &str) -> Value {
    let delivery = receiver.next().await;
    delivery.verified(plaid).await;
    let webhook = delivery.json();
    assert_eq!(
        (&webhook["webhook_type"], &webhook["webhook_code"]),
        (&json!("LINK"), &json!(code))
    );
    assert_eq!(webhook["link_token"], link_token);
    assert_eq!(webhook["environment"], "sandbox");
    webhook
}

#[tokio::test]
async fn webhooks_tell_of_both_ends() {
    let plaid = Plaid::start().await;
    let (receiver, url) = Receiver::start().await;
    let request = link_token_request(&json!({"hosted_link": {}, "webhook": url}));
    let success = plaid.call("/link/token/create", request.clone()).await.ok();
    let link_token = text(&success, "link_token");
    let success = plaid.simulator().complete_link(&link_token).unwrap();
    let public_token = success.public_token.unwrap();
    let added = told(&receiver, &plaid, "ITEM_ADD_RESULT", &link_token).await;
    assert_eq!(added["public_token"], public_token.expose());
    let finished = told(&receiver, &plaid, "SESSION_FINISHED", &link_token).await;
    assert_eq!(finished["status"], "SUCCESS");
    assert_eq!(finished["public_tokens"], json!([public_token.expose()]));
    assert_eq!(finished["link_session_id"], success.metadata["link_session_id"]);
    let events = told(&receiver, &plaid, "EVENTS", &link_token).await;
    assert_eq!(events["events"][0]["event_name"], "HANDOFF");

    let left = plaid.call("/link/token/create", request).await.ok();
    let link_token = text(&left, "link_token");
    let mut link = Link::hosted(&plaid, &text(&left, "hosted_link_url"));
    link.start().await;
    link.exit().await;
    let finished = told(&receiver, &plaid, "SESSION_FINISHED", &link_token).await;
    assert_eq!(finished["status"], "EXITED");
    assert!(finished.get("public_token").is_none());
    let events = told(&receiver, &plaid, "EVENTS", &link_token).await;
    assert_eq!(events["events"][0]["event_name"], "EXIT");
}

#[tokio::test]
async fn other_sessions_have_webhooks_on_request() {
    for link_events in [false, true] {
        let link = LinkOptions {
            link_events,
            ..LinkOptions::default()
        };
        let options = Options {
            link,
            ..Options::default()
        };
        let plaid = Plaid::with(options).await;
        let (receiver, url) = Receiver::start().await;
        let link_token = plaid.link_token(json!({"webhook": url})).await;
        plaid.simulator().complete_link(&link_token).unwrap();
        if link_events {
            told(&receiver, &plaid, "ITEM_ADD_RESULT", &link_token).await;
        } else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert_eq!(receiver.count(), 0);
        }
    }
}

#[tokio::test]
async fn a_link_that_is_sent_needs_somebody_to_send_it_to() {
    let plaid = Plaid::start().await;
    for method in ["sms", "email"] {
        let changes = json!({"hosted_link": {"delivery_method": method}});
        plaid
            .call("/link/token/create", link_token_request(&changes))
            .await
            .refused(400, "INVALID_REQUEST", "MISSING_FIELDS");
    }
}

#[tokio::test]
async fn a_hosted_update_lives_half_an_hour_and_adds_no_item() {
    let plaid = Plaid::start().await;
    let (receiver, url) = Receiver::start().await;
    let access_token = plaid.access_token().await;
    let changes = json!({"hosted_link": {"url_lifetime_seconds": 86_400}, "webhook": url});
    let mut request = link_token_request(&changes);
    request["access_token"] = access_token.into();
    request.as_object_mut().unwrap().remove("products");
    let created = plaid.call("/link/token/create", request).await.ok();
    let ends: jiff::Timestamp = text(&created, "expiration").parse().unwrap();
    let now: jiff::Timestamp = plaid.simulator().time().parse().unwrap();
    assert_eq!(ends.as_second() - now.as_second(), 30 * 60);
    let link_token = text(&created, "link_token");
    plaid.simulator().complete_link(&link_token).unwrap();
    let finished = told(&receiver, &plaid, "SESSION_FINISHED", &link_token).await;
    assert_eq!(finished["status"], "SUCCESS");
    told(&receiver, &plaid, "EVENTS", &link_token).await;
    assert_eq!(plaid.simulator().webhooks().len(), 2, "no Item was added");
}

#[tokio::test]
async fn events_tell_of_a_session_that_was_abandoned() {
    let plaid = Plaid::start().await;
    let (receiver, url) = Receiver::start().await;
    let changes = json!({"hosted_link": {"url_lifetime_seconds": 86_400}, "webhook": url});
    let created = plaid.call("/link/token/create", link_token_request(&changes));
    let created = created.await.ok();
    let link_token = text(&created, "link_token");
    let mut link = Link::hosted(&plaid, &text(&created, "hosted_link_url"));
    link.start().await;
    link.choose(BANK).await;
    let wait = |minutes: u64| plaid.simulator().advance(Duration::from_secs(minutes * 60));
    wait(9);
    assert!(plaid.simulator().webhooks().is_empty());
    wait(1);
    let events = told(&receiver, &plaid, "EVENTS", &link_token).await;
    assert_eq!(events["link_session_id"], link.session_id);
    assert_eq!(events["events"][0]["event_metadata"]["view_name"], "CREDENTIAL");
    wait(60);
    assert_eq!(plaid.simulator().webhooks().len(), 1, "it is told once");

    link.login("pass_good").await;
    wait(10);
    let events = told(&receiver, &plaid, "EVENTS", &link_token).await;
    assert_eq!(
        events["events"][0]["event_metadata"]["view_name"],
        "SELECT_ACCOUNT"
    );
    link.exit().await;
    told(&receiver, &plaid, "SESSION_FINISHED", &link_token).await;
    told(&receiver, &plaid, "EVENTS", &link_token).await;
    wait(60);
    assert_eq!(plaid.simulator().webhooks().len(), 4, "it has ended");
}

#[tokio::test]
async fn a_page_that_expired_under_the_person_is_abandoned_too() {
    let plaid = Plaid::start().await;
    let (receiver, url) = Receiver::start().await;
    let changes = json!({"hosted_link": {"url_lifetime_seconds": 60}, "webhook": url});
    let created = plaid.call("/link/token/create", link_token_request(&changes));
    let created = created.await.ok();
    Link::hosted(&plaid, &text(&created, "hosted_link_url"))
        .start()
        .await;
    plaid.simulator().advance(Duration::from_secs(90 * 60));
    told(&receiver, &plaid, "EVENTS", &text(&created, "link_token")).await;
    assert_eq!(plaid.simulator().webhooks().len(), 1);
}
