//! Attacks by way of the person's browser: forged requests, planted sessions, frames, other origins' scripts.

use serde_json::json;

use super::{EVIL, ask};
use crate::harness::{Answer, Browser, TestBroker, between, query_value, success};
use crate::page_calls::EXCHANGE;
use crate::visitor::Visitor;

const FORMS: [&str; 3] = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
];

#[tokio::test]
async fn a_form_of_another_site_completes_nothing() {
    let broker = TestBroker::start().await;
    let victim = Browser::open(&broker, "?state=s").await;
    let attackers_token = broker.public_token().await;
    victim.start().await;
    // A form's text/plain body can be made to read as JSON; what a form cannot send is a header.
    let body = success(&attackers_token).to_string();
    for content_type in FORMS {
        for site in [
            None,
            Some("cross-site"),
            Some("same-site"),
            Some("none"),
            Some("same-origin"),
        ] {
            for path in [
                "/api/set_access_token",
                "/api/create_link_token",
                "/api/link_exit",
            ] {
                let mut request = broker
                    .post(&format!("{path}?x-broker-handle={}", victim.handle))
                    .header("cookie", victim.cookie_header())
                    .header("content-type", content_type)
                    .header("origin", format!("https://{EVIL}"))
                    .body(body.clone());
                if let Some(site) = site {
                    request = request.header("sec-fetch-site", site);
                }
                let answer = Answer::of(request).await;
                assert_eq!(
                    answer.status, 403,
                    "{path} {content_type} {site:?}: {}",
                    answer.body
                );
                assert!(answer.headers.get("set-cookie").is_none());
            }
        }
    }
    // The header alone does not help a script of another site either: the browser says where it comes from.
    for site in ["cross-site", "same-site", "none"] {
        let request = broker
            .post("/api/set_access_token")
            .header("cookie", victim.cookie_header())
            .header("x-broker-handle", &victim.handle)
            .header("sec-fetch-site", site)
            .body(body.clone());
        assert_eq!(Answer::of(request).await.error(), "cross_site");
    }
    assert_eq!(broker.simulator.count(EXCHANGE), 0);
    assert_eq!(victim.complete(&broker.public_token().await).await.status, 200);
}

#[tokio::test]
async fn a_planted_transaction_is_not_taken_up() {
    let broker = TestBroker::start().await;
    let attacker = Browser::open(&broker, "?state=attackers").await;
    // The attacker's cookie is in the victim's browser, and the address carries all that it could.
    let query = format!("state=victims&x-broker-handle={0}&handle={0}", attacker.handle);
    let request = broker
        .get(&format!("/?{query}"))
        .header("cookie", attacker.cookie_header())
        .header("x-broker-handle", &attacker.handle);
    let mut victim = Browser::show(&broker, Answer::of(request).await);
    assert_ne!(victim.handle, attacker.handle);
    assert!(
        victim
            .cookies
            .keys()
            .all(|name| !attacker.cookies.contains_key(name))
    );
    let planted = attacker.cookies.clone();
    victim.cookies.extend(planted.clone());
    let redirect_to = victim
        .complete(&broker.public_token().await)
        .await
        .text("redirect_to");
    assert_eq!(query_value(&redirect_to, "state").as_deref(), Some("victims"));
    // The attacker's own transaction has nothing of it.
    let code = query_value(&redirect_to, "code").unwrap();
    let attackers = attacker
        .complete(&broker.public_token().await)
        .await
        .text("redirect_to");
    assert_eq!(query_value(&attackers, "state").as_deref(), Some("attackers"));
    assert_ne!(query_value(&attackers, "code").unwrap(), code);
}

#[tokio::test]
async fn a_planted_session_is_replaced_when_a_person_connects() {
    let broker = TestBroker::start().await;
    let mut attacker = Browser::open(&broker, "").await;
    let landed = attacker.complete(&broker.public_token().await).await;
    let attackers_item = landed.text("item_id");
    attacker.keep_cookies(&landed);
    let session = attacker.cookies["ptb_session"].clone();

    let request = broker.get("/").header("cookie", format!("ptb_session={session}"));
    let mut victim = Browser::show(&broker, Answer::of(request).await);
    victim.cookies.insert("ptb_session".to_owned(), session.clone());
    let landed = victim.complete(&broker.public_token().await).await;
    victim.keep_cookies(&landed);
    assert_ne!(victim.cookies["ptb_session"], session);
    // Whoever planted the old one does not see the victim's connection.
    let info = broker
        .post("/api/info")
        .header("cookie", format!("ptb_session={session}"));
    assert_eq!(Answer::of(info).await.text("item_id"), attackers_item);
    assert_ne!(landed.text("item_id"), attackers_item);
}

#[tokio::test]
async fn no_html_page_can_be_framed_with_anything_of_value_in_it() {
    let broker = TestBroker::start().await;
    // An admin, whose pages have more of value than any other.
    let mut admin = Visitor::new(&broker);
    admin.log_in().await;
    let mut pages = 0;
    for path in [
        "/setup",
        "/setup/login",
        "/setup/connections",
        "/setup/connections/revoke?all=1",
        "/",
        "/?state=s",
        "/oauth/authorize?state=s",
        "/?client_id=nobody",
        "/?redirect_uri=https://evil.example",
        "/link/return?oauth_state_id=x",
        "/explorer",
        "/nothing",
        "/a/b/c",
    ] {
        for dest in [None, Some("document"), Some("iframe"), Some("object")] {
            let mut request = broker.get(path).header("accept", "text/html");
            if path.starts_with("/setup") {
                request = request.header("cookie", admin.cookie_header());
            }
            if let Some(dest) = dest {
                request = request.header("sec-fetch-dest", dest);
            }
            let answer = Answer::of(request).await;
            if answer.header("content-type") != Some("text/html; charset=utf-8") {
                continue;
            }
            pages += 1;
            let policy = answer.header("content-security-policy").unwrap();
            if policy.ends_with("frame-ancestors 'none'") {
                assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
            } else {
                // The one page that may be framed: a link out of the frame.
                assert!(
                    answer.body.contains("Continue in a new window"),
                    "{path} {dest:?}"
                );
                assert!(between(&answer.body, "data-handle=\"", "\"").is_none());
                assert!(!answer.body.contains("<script") && !answer.body.contains("<form"));
                assert!(answer.headers.get("set-cookie").is_none());
            }
        }
    }
    assert!(pages > 40, "{pages}");
}

#[tokio::test]
async fn no_other_origins_script_may_read_an_answer() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=s").await;
    let origin = format!("https://{EVIL}");
    for path in [
        "/",
        "/?state=s",
        "/oauth/authorize?state=s",
        "/explorer",
        "/api/info",
        "/api/create_link_token",
        "/api/set_access_token",
        "/api/send_the_access_token_AUTH",
        "/oauth/token",
        "/oauth/revoke",
        "/oauth/introspect",
        "/nothing",
    ] {
        for method in [http::Method::OPTIONS, http::Method::GET, http::Method::POST] {
            let request = broker
                .http
                .request(method.clone(), format!("{}{path}", broker.url))
                .header("origin", &origin)
                .header("cookie", browser.cookie_header())
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "x-broker-handle")
                .body("{}");
            let answer = Answer::of(request).await;
            for name in answer.headers.keys() {
                assert!(
                    !name.as_str().starts_with("access-control-"),
                    "{method} {path}: {name}"
                );
            }
        }
    }
}

#[tokio::test]
async fn everything_secret_is_neither_stored_nor_told_to_the_next_site() {
    let broker = TestBroker::start().await;
    let page = ask(&broker, "state=s").await;
    let browser = Browser::show(&broker, ask(&broker, "state=s").await);
    let link_token = browser.create_link_token().await;
    let completed = browser.complete(&broker.public_token().await).await;
    let code = query_value(&completed.text("redirect_to"), "code").unwrap();
    let tokens = broker.token(&[("code", &code)]).await;
    let replayed = broker.token(&[("code", &code)]).await;
    let refreshed = broker.refresh(&tokens.text("refresh_token")).await;
    let cancelled = Browser::open(&broker, "?state=s").await.cancel().await;
    let error = ask(&broker, "response_type=token&state=s").await;
    let introspected = broker.post("/oauth/introspect").json(&json!({
        "client_id": plaid_token_broker::simulator::CLIENT_ID,
        "client_secret": plaid_token_broker::simulator::SECRET,
        "token": tokens.text("refresh_token"),
    }));
    let introspected = Answer::of(introspected).await;
    assert_eq!(introspected.json["active"], true);
    let person = Browser::open(&broker, "").await;
    let landed = person.complete(&broker.public_token().await).await;
    let session = landed
        .header("set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let explorer = Answer::of(broker.get("/explorer").header("cookie", session)).await;
    assert_eq!(explorer.status, 200);
    for (what, answer) in [
        ("the page with its handle", &page),
        ("the link token", &link_token),
        ("the code", &completed),
        ("the tokens", &tokens),
        ("a refused code", &replayed),
        ("a refresh", &refreshed),
        ("access_denied", &cancelled),
        ("an error's redirect", &error),
        ("introspection", &introspected),
        ("a session", &landed),
        ("the explorer", &explorer),
    ] {
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{what}");
        assert_eq!(answer.header("etag"), None, "{what}");
    }
}
