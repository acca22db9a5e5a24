//! The `OpenAPI` document: its routes are the router's, and its answers are the real ones.

pub mod document;
mod schema;

use std::collections::BTreeSet;

use plaid_token_broker::server::router;
use plaid_token_broker::simulator::{CLIENT_ID, Fault, SECRET};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::harness::{Answer, Browser, TestBroker, encode, success};
use document::{DOCUMENT, operations};

/// Pages of the admin and what they call: documented for people, and not for programs.
fn is_administration(path: &str) -> bool {
    path.starts_with("/setup") && path != "/setup/instance"
}

#[tokio::test]
async fn every_route_is_documented_and_every_documented_route_is_there() {
    let broker = TestBroker::start().await;
    let routes = router::routes(&broker.app);
    let routes: BTreeSet<(&str, &str)> = routes.list().iter().copied().collect();
    let documented: BTreeSet<(String, String)> = operations()
        .iter()
        .map(|(path, method, _)| (method.to_uppercase(), (*path).to_owned()))
        .collect();
    let for_programs: BTreeSet<(String, String)> = routes
        .iter()
        .filter(|(_, path)| !is_administration(path))
        .map(|&(method, path)| (method.to_owned(), path.to_owned()))
        .collect();
    assert_eq!(for_programs, documented);
    let ids: BTreeSet<&str> = operations()
        .iter()
        .map(|(_, _, operation)| operation["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), documented.len(), "each has an id of its own");

    // The reference has all of them, and no other.
    let reference: BTreeSet<(&str, &str)> = include_str!("../../docs/http.md")
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| line.split('|').nth(1).unwrap().split('`').skip(1).step_by(2))
        .filter_map(|named| named.split_once(' '))
        .filter(|(method, _)| matches!(*method, "GET" | "POST"))
        .collect();
    let elsewhere = ["/livez", "/readyz", "/metrics", "/control"];
    let reference: BTreeSet<_> = reference
        .into_iter()
        .filter(|(_, path)| !elsewhere.contains(path))
        .collect();
    assert_eq!(reference, routes);
}

#[tokio::test]
async fn documented_methods_are_answered_and_no_others() {
    let broker = TestBroker::start().await;
    for (path, documented, _) in operations() {
        let path = path.replace("{file}", "nothing.css");
        for method in ["get", "post", "put", "patch", "delete", "options"] {
            let verb = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let request = broker.http.request(verb, format!("{}{path}", broker.url));
            let answer = Answer::of(request).await;
            if method == documented {
                let there = answer.status != 405 && (answer.status != 404 || path.starts_with("/static/"));
                assert!(there, "{method} {path}: {}", answer.status);
            } else {
                assert_eq!(answer.oauth_error(), (405, "invalid_request"), "{method} {path}");
                assert!(answer.header("allow").is_some(), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn the_broker_gives_its_document_to_everybody() {
    let broker = TestBroker::start_with(&[("PUBLIC_URL", "https://broker.example")]).await;
    let answer = Answer::of(broker.get("/openapi.json")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let mut expected = DOCUMENT.clone();
    expected["servers"] = json!([{ "url": "https://broker.example" }]);
    assert_eq!(answer.json, expected);
}

/// What was answered, as `(path, status)`.
#[derive(Default)]
struct Seen(BTreeSet<(String, String)>);

impl Seen {
    async fn ask(&mut self, request: RequestBuilder) -> Answer {
        let (_, sent) = request.try_clone().unwrap().build_split();
        let sent = sent.unwrap();
        let answer = Answer::of(request).await;
        let path = document::check(sent.method().as_str(), sent.url().path(), &answer).expect("documented");
        self.0.insert((path.to_owned(), answer.status.to_string()));
        answer
    }
}

/// What takes a broken broker or many seconds: other tests meet it, and `Answer::of` holds it against the document.
fn is_rare(path: &str, status: &str) -> bool {
    matches!(status, "408" | "429" | "500" | "503") && !matches!((path, status), ("/explorer", "503"))
}

#[tokio::test]
async fn every_documented_answer_is_given() {
    let broker = TestBroker::start().await;
    let mut seen = Seen::default();
    people(&broker, &mut seen).await;
    page_calls(&broker, &mut seen).await;
    clients(&broker, &mut seen).await;
    for path in [
        "/.well-known/oauth-authorization-server",
        "/openapi.json",
        "/static/x",
        "/setup/instance",
        "/setup/instance?challenge=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        seen.ask(broker.get(path)).await;
    }

    let mut documented = BTreeSet::new();
    for (path, _, operation) in operations() {
        for status in operation["responses"].as_object().unwrap().keys() {
            if !is_rare(path, status) {
                documented.insert((path.to_owned(), status.clone()));
            }
        }
    }
    let missing: Vec<_> = documented.difference(&seen.0).collect();
    assert!(missing.is_empty(), "documented, and not met: {missing:?}");
}

async fn people(broker: &TestBroker, seen: &mut Seen) {
    for path in ["/", "/oauth/authorize"] {
        for (query, status) in [
            ("?state=s", 200),
            ("?response_type=token", 303),
            ("?client_id=nobody", 400),
        ] {
            let answer = seen.ask(broker.get(&format!("{path}{query}"))).await;
            assert_eq!(answer.status, status, "{path}{query}");
        }
    }
    let page = seen.ask(broker.get("/link/return")).await;
    for asset in page.body.split("static/").skip(1) {
        let name = asset.split('"').next().unwrap();
        let answer = seen.ask(broker.get(&format!("/static/{name}"))).await;
        assert_eq!(answer.status, 200, "{name}");
    }
    seen.ask(broker.get("/explorer")).await;
    let mut browser = Browser::open(broker, "").await;
    let landed = browser.complete(&broker.public_token().await).await;
    browser.keep_cookies(&landed);
    let explorer = || broker.get("/explorer").header("cookie", browser.cookie_header());
    seen.ask(explorer()).await;
    let down = Fault::error(500, "API_ERROR", "INTERNAL_SERVER_ERROR");
    for _ in 0..2 {
        broker.simulator.enqueue("/accounts/get", down.clone());
    }
    seen.ask(explorer()).await;
    seen.ask(broker.post("/api/info").header("cookie", browser.cookie_header()))
        .await;
}

async fn page_calls(broker: &TestBroker, seen: &mut Seen) {
    let large = Value::from("x".repeat(70_000));
    let paths = [
        "/api/create_link_token",
        "/api/set_access_token",
        "/api/link_exit",
    ];
    let browser = Browser::open(broker, "?state=s").await;
    for path in paths {
        seen.ask(broker.post(path).json(&json!({}))).await;
    }
    // Link was not opened yet, so nothing can be completed.
    seen.ask(browser.call(paths[1]).json(&json!({}))).await;
    seen.ask(browser.create_link_token_request()).await;
    for path in paths {
        seen.ask(browser.call(path).body("no JSON")).await;
        seen.ask(browser.call(path).json(&large)).await;
    }
    seen.ask(
        browser
            .call(paths[2])
            .json(&json!({ "error": { "error_code": "X" } })),
    )
    .await;
    seen.ask(browser.call(paths[1]).json(&json!({ "public_token": null })))
        .await;
    let linked = success(&broker.public_token().await);
    seen.ask(browser.call(paths[1]).json(&linked)).await;
    // It is over now.
    seen.ask(browser.call(paths[0])).await;
    seen.ask(browser.call(paths[2]).json(&json!({ "cancel": true })))
        .await;
    let other = Browser::open(broker, "?state=s").await;
    let cancel = json!({ "cancel": true, "request": other.request });
    seen.ask(other.call(paths[2]).json(&cancel)).await;
    seen.ask(other.call(paths[1]).json(&linked)).await;
}

async fn clients(broker: &TestBroker, seen: &mut Seen) {
    let own = [("client_id", CLIENT_ID), ("client_secret", SECRET)];
    let form = |path: &str, more: &[(&str, &str)]| {
        let body = encode(&[&own[..], more].concat());
        broker
            .post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    };
    let code_path = "/oauth/token";
    let code = broker.code().await;
    let tokens = seen.ask(form(code_path, &[("code", &code)])).await;
    let refresh_token = tokens.text("refresh_token");
    let refreshed = json!({ "refresh_token": refresh_token, "client_secret": SECRET, "scope": null });
    seen.ask(broker.post("/api/send_the_access_token_AUTH").json(&refreshed))
        .await;
    let question = [("token", refresh_token.as_str())];
    seen.ask(form("/oauth/introspect", &question)).await;
    let access_token = tokens.text("access_token");
    let active = seen
        .ask(form("/oauth/introspect", &[("token", &access_token)]))
        .await;
    assert_eq!(active.json["token_type"], "Bearer");
    seen.ask(form("/oauth/revoke", &question)).await;
    let inactive = seen.ask(form("/oauth/introspect", &question)).await;
    assert_eq!(inactive.json, json!({ "active": false }));
    for path in [
        "/api/send_the_access_token_AUTH",
        code_path,
        "/oauth/revoke",
        "/oauth/introspect",
    ] {
        seen.ask(form(path, &[])).await;
        seen.ask(broker.post(path).json(&json!({ "client_secret": "wrong" })))
            .await;
        seen.ask(broker.post(path).body("x".repeat(70_000))).await;
        seen.ask(broker.post(path).header("content-type", "text/plain"))
            .await;
    }
}
