//! Whose call it is: cookie and handle bind a transaction to one browser and one tab.

use std::time::Duration;

use plaid_token_broker::store::TokenKind;
use plaid_token_broker::store::model::Nonce;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::json;

use crate::harness::{Answer, Browser, TestBroker, query_value};
use crate::page_calls::EXCHANGE;

/// The calls that need a transaction, each with a body that would do.
const CALLS: [(&str, &str); 3] = [
    ("/api/create_link_token", "{}"),
    ("/api/set_access_token", r#"{"public_token":"public-sandbox-x"}"#),
    ("/api/link_exit", r#"{"cancel":true}"#),
];

/// All calls are refused with these headers, and do nothing.
async fn all_refused(broker: &TestBroker, headers: &[(&str, &str)], error: &str) {
    let link_tokens = broker.simulator.count("/link/token/create");
    for (path, body) in CALLS {
        let mut request = broker.post(path).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, 403, "{path} {headers:?}: {}", answer.body);
        assert_eq!(answer.error(), error, "{path}");
        assert_eq!(
            answer.text("request_id"),
            answer.header("x-request-id").unwrap(),
            "{path}"
        );
    }
    assert_eq!(broker.simulator.count("/link/token/create"), link_tokens);
    assert_eq!(broker.simulator.count(EXCHANGE), 0);
}

#[tokio::test]
async fn cookie_and_handle_must_both_be_there_and_of_one_transaction() {
    let broker = TestBroker::start().await;
    let mine = Browser::open(&broker, "?state=mine").await;
    let theirs = Browser::open(&broker, "?state=theirs").await;
    mine.start().await;
    theirs.start().await;
    let (cookie, other_cookie) = (mine.cookie_header(), theirs.cookie_header());
    let refused = "unknown_transaction";
    all_refused(&broker, &[], refused).await;
    all_refused(&broker, &[("cookie", &cookie)], refused).await;
    all_refused(&broker, &[("x-broker-handle", &mine.handle)], refused).await;
    for cookie in [other_cookie.as_str(), "ptb_tx_=", "a=b; c", ""] {
        let headers = [("x-broker-handle", mine.handle.as_str()), ("cookie", cookie)];
        all_refused(&broker, &headers, refused).await;
    }
    // Another transaction's value under this one's name.
    let name = mine.cookies.keys().next().unwrap();
    let value = theirs.cookies.values().next().unwrap();
    let mixed = format!("{name}={value}");
    all_refused(
        &broker,
        &[("x-broker-handle", &mine.handle), ("cookie", &mixed)],
        refused,
    )
    .await;
    // The handle is no cookie and the cookie no handle.
    let swapped = format!("{name}={}", mine.handle);
    let value = mine.cookies.values().next().unwrap();
    all_refused(
        &broker,
        &[("x-broker-handle", value), ("cookie", &swapped)],
        refused,
    )
    .await;

    let completed = mine.complete(&broker.public_token().await).await;
    assert_eq!(completed.status, 200, "{}", completed.body);
}

#[tokio::test]
async fn other_sites_pages_are_refused() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=s").await;
    browser.start().await;
    let cookie = browser.cookie_header();
    for site in ["cross-site", "same-site", "none", "Same-Origin", ""] {
        let headers = [
            ("x-broker-handle", browser.handle.as_str()),
            ("cookie", cookie.as_str()),
            ("sec-fetch-site", site),
        ];
        all_refused(&broker, &headers, "cross_site").await;
    }
    let preflight = broker
        .http
        .request(
            http::Method::OPTIONS,
            format!("{}/api/set_access_token", broker.url),
        )
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "x-broker-handle");
    let answer = Answer::of(preflight).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(answer.header("access-control-allow-headers"), None);
}

#[tokio::test]
async fn a_changed_handle_or_cookie_opens_nothing() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=s").await;
    let value = browser.cookies.values().next().unwrap().clone();
    let name = browser.cookies.keys().next().unwrap().clone();
    let sealed = json!({ "request": browser.request });
    for changed in changes(&browser.handle, 40) {
        let request = browser.call("/api/create_link_token").json(&sealed);
        let request = with_header(request, "x-broker-handle", &changed);
        assert_eq!(Answer::of(request).await.status, 403, "{changed}");
    }
    for changed in changes(&value, 40) {
        let request = browser.call("/api/create_link_token").json(&sealed);
        let request = with_header(request, "cookie", &format!("{name}={changed}"));
        assert_eq!(Answer::of(request).await.status, 403, "{changed}");
    }
    assert_eq!(broker.simulator.count("/link/token/create"), 0);
}

/// Texts that differ from `token` in one to three places, in its own letters.
pub fn changes(token: &str, count: u32) -> Vec<String> {
    let strategy = proptest::collection::vec((0..token.len(), "[A-Za-z0-9_-]"), 1..=3).prop_map(|edits| {
        let mut text = token.to_owned();
        for (at, letter) in edits {
            text.replace_range(at..=at, &letter);
        }
        text
    });
    let mut runner = TestRunner::default();
    let mut changed = Vec::new();
    for _ in 0..count {
        let text = strategy.new_tree(&mut runner).unwrap().current();
        if text != token {
            changed.push(text);
        }
    }
    assert!(!changed.is_empty());
    changed
}

/// `header` would add a second one.
fn with_header(request: reqwest::RequestBuilder, name: &str, value: &str) -> reqwest::RequestBuilder {
    let name: http::HeaderName = name.parse().unwrap();
    request.headers(http::HeaderMap::from_iter([(name, value.parse().unwrap())]))
}

#[tokio::test]
async fn two_tabs_of_one_browser_do_not_disturb_each_other() {
    let broker = TestBroker::start().await;
    let mut one = Browser::open(&broker, "?state=one").await;
    let request = broker.get("/?state=two").header("cookie", one.cookie_header());
    let mut two = Browser::show(&broker, Answer::of(request).await);
    // One jar for both.
    let all: Vec<_> = one
        .cookies
        .clone()
        .into_iter()
        .chain(two.cookies.clone())
        .collect();
    assert_eq!(all.len(), 2);
    one.cookies.extend(all.clone());
    two.cookies.extend(all);
    let (first, second) = (broker.public_token().await, broker.public_token().await);
    let two_done = two.complete(&second).await.text("redirect_to");
    let one_done = one.complete(&first).await.text("redirect_to");
    assert_eq!(query_value(&one_done, "state").as_deref(), Some("one"));
    assert_eq!(query_value(&two_done, "state").as_deref(), Some("two"));
    assert_ne!(query_value(&one_done, "code"), query_value(&two_done, "code"));
}

#[tokio::test]
async fn many_tabs_keep_a_bounded_number_of_cookies() {
    let broker = TestBroker::start().await;
    let mut browser = Browser::open(&broker, "?state=0").await;
    browser
        .cookies
        .insert("ptb_tx_!".to_owned(), "planted".to_owned());
    let mut newest = (String::new(), String::new());
    for n in 1..20 {
        broker.clock.advance(Duration::from_millis(1));
        let request = broker
            .get(&format!("/?state={n}"))
            .header("cookie", browser.cookie_header());
        let answer = Answer::of(request).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let text = cookie.to_str().unwrap();
            let (name, rest) = text.split_once('=').unwrap();
            assert!(text.contains("; Path=/; "), "{text}");
            assert!(text.contains("; HttpOnly; SameSite=Lax"), "{text}");
            if text.contains("Max-Age=0") {
                browser.cookies.remove(name).unwrap();
            } else {
                browser
                    .cookies
                    .insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
            }
        }
        let shown = Browser::show(&broker, answer);
        newest = (shown.handle, shown.request);
    }
    assert_eq!(browser.cookies.len(), 8 + 1, "eight and the planted one");
    (browser.handle, browser.request) = newest;
    assert_eq!(browser.create_link_token().await.status, 200);
}

/// As somebody could make it who has the key and knows the row, but not the row's random value.
fn forged(broker: &TestBroker, genuine: &str) -> String {
    let kind = TokenKind::of(genuine).unwrap();
    let id = genuine.split('_').nth(2).unwrap().parse().unwrap();
    let tokens = broker.app.store.tokens();
    tokens.issue(kind, id, &Nonce([7; 32])).expose().to_owned()
}

#[tokio::test]
async fn the_key_alone_makes_no_cookie_handle_code_or_refresh_token() {
    let broker = TestBroker::start().await;
    let mut browser = Browser::open(&broker, "?state=s").await;
    let (name, cookie) = browser.cookies.pop_first().unwrap();
    browser.cookies.insert(name.clone(), forged(&broker, &cookie));
    assert_eq!(browser.create_link_token().await.status, 403);
    browser.cookies.insert(name, cookie);
    let handle = std::mem::take(&mut browser.handle);
    browser.handle = forged(&broker, &handle);
    assert_eq!(browser.create_link_token().await.status, 403);
    browser.handle = handle;
    assert_eq!(browser.create_link_token().await.status, 200);

    let code = broker.code().await;
    let answer = broker.token(&[("code", &forged(&broker, &code))]).await;
    assert_eq!(answer.oauth_error(), (400, "invalid_grant"));
    let refresh_token = broker.token(&[("code", &code)]).await.text("refresh_token");
    let answer = broker.refresh(&forged(&broker, &refresh_token)).await;
    assert_eq!(answer.oauth_error(), (400, "invalid_grant"));
    assert_eq!(broker.refresh(&refresh_token).await.status, 200);
}
