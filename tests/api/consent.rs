//! What each authorization request needs anew, and where its response goes.

use crate::harness::{Answer, Browser, TestBroker, encode, query_value};
use crate::page_calls::EXCHANGE;

/// A browser that has finished one authorization is as far as a new one for the next.
#[tokio::test]
async fn each_request_needs_a_consent_of_its_own_in_the_same_browser() {
    let broker = TestBroker::start().await;
    let mut browser = Browser::open(&broker, "?state=first").await;
    let public_token = broker.public_token().await;
    let first = browser.complete(&public_token).await;
    assert_eq!(first.status, 200, "{}", first.body);

    // With all cookies that it has by now.
    browser.keep_cookies(&first);
    let again = broker
        .get("/?state=second")
        .header("cookie", browser.cookie_header());
    let answer = Answer::of(again).await;
    assert_eq!(
        answer.header("location"),
        None,
        "nothing is granted without the page"
    );
    let mut second = Browser::show(&broker, answer);
    second.cookies.extend(browser.cookies.clone());
    assert_ne!(second.handle, browser.handle);

    // What was consented to the first time is worth nothing for the second.
    let repeated = second.complete(&public_token).await;
    assert_eq!(repeated.status, 409, "{}", repeated.body);
    assert!(!repeated.body.contains("code="));
    assert_eq!(broker.simulator.count(EXCHANGE), 1);
    let consented = second.complete(&broker.public_token().await).await;
    assert_eq!(consented.status, 200, "{}", consented.body);
    let location = consented.text("redirect_to");
    assert_eq!(query_value(&location, "state").as_deref(), Some("second"));
}

#[tokio::test]
async fn no_response_mode_moves_the_response_out_of_the_query() {
    let broker = TestBroker::start().await;
    for mode in [
        "query",
        "fragment",
        "form_post",
        "web_message",
        "query.jwt",
        "none",
        "",
    ] {
        let query = encode(&[("state", "s"), ("response_mode", mode)]);
        let answer = Answer::of(broker.get(&format!("/oauth/authorize?{query}"))).await;
        // Accepted, the response is in the query; refused, the error is.
        let location = if answer.status == 200 {
            let browser = Browser::show(&broker, answer);
            let completed = browser.complete(&broker.public_token().await).await;
            assert_eq!(completed.status, 200, "{mode}: {}", completed.body);
            completed.text("redirect_to")
        } else {
            assert_eq!(answer.status, 303, "{mode}: {}", answer.body);
            answer.header("location").unwrap().to_owned()
        };
        let (address, fragment) = location.split_once('#').unwrap_or((&location, ""));
        assert_eq!(fragment, "", "{mode}: {address}");
        assert_eq!(query_value(address, "state").as_deref(), Some("s"), "{mode}");
        let given = ["code", "error"].map(|name| query_value(address, name).is_some());
        assert!(given[0] != given[1], "{mode}: {given:?}");
        assert!(mode != "query" || given[0], "the mode that there is");
    }
}
