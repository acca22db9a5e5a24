//! The page's own calls: what they take and ask for, what repeats, and what a person can do over.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plaid_token_broker::simulator::{self, Options};
use serde_json::{Value, json};

use crate::harness::{Answer, Browser, CALLBACK, Setup, TestBroker, query_value, success};

pub const EXCHANGE: &str = "/item/public_token/exchange";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn completing_twice_gives_the_same_answer_and_exchanges_once() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=s").await;
    let public_token = broker.public_token().await;
    let (first, second) = tokio::join!(browser.complete(&public_token), browser.complete(&public_token));
    let third = browser.complete(&public_token).await;
    assert_eq!(first.status, 200, "{}", first.body);
    assert_eq!(first.body, second.body);
    assert_eq!(first.body, third.body);
    assert!(!first.body.contains("access-"), "{}", first.body);
    assert_eq!(broker.simulator.count(EXCHANGE), 1);

    let code = query_value(&first.text("redirect_to"), "code").unwrap();
    assert_eq!(broker.token(&[("code", &code)]).await.status, 200);
    // Even then: the browser may have been slower than the client.
    assert_eq!(browser.complete(&public_token).await.body, first.body);
    assert_eq!(broker.simulator.count(EXCHANGE), 1);
}

#[tokio::test]
async fn a_transaction_that_is_over_takes_nothing_more() {
    let broker = TestBroker::start().await;
    let completed = Browser::open(&broker, "?state=s").await;
    completed
        .complete(&broker.public_token().await)
        .await
        .text("redirect_to");
    let cancelled = Browser::open(&broker, "?state=s").await;
    cancelled.cancel().await.text("redirect_to");
    let landed = Browser::open(&broker, "").await;
    landed
        .complete(&broker.public_token().await)
        .await
        .text("item_id");
    let expired = Browser::open(&broker, "?state=s").await;
    expired.start().await;
    broker.clock.advance(Duration::from_secs(4 * 3600));

    let exchanged = broker.simulator.count(EXCHANGE);
    let link_tokens = broker.simulator.count("/link/token/create");
    for browser in [&completed, &cancelled, &landed, &expired] {
        for answer in [
            browser.complete(&broker.public_token().await).await,
            browser.create_link_token().await,
        ] {
            assert_eq!(answer.status, 409, "{}", answer.body);
            assert_eq!(answer.error(), "transaction_over");
            assert_eq!(answer.text("next"), "reload");
        }
    }
    assert_eq!(broker.simulator.count(EXCHANGE), exchanged);
    assert_eq!(broker.simulator.count("/link/token/create"), link_tokens);
    assert_eq!(completed.cancel().await.error(), "transaction_over");
}

#[tokio::test]
async fn who_cancels_is_sent_back_with_access_denied() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=a%2Bb").await;
    let exit = json!({
        "error": { "error_code": "INSTITUTION_DOWN", "unknown": [] },
        "metadata": { "status": "requires_credentials", "link_session_id": "x", "request_id": null },
        "more": 1,
        "request": browser.request,
    });
    let left = Answer::of(browser.call("/api/link_exit").json(&exit)).await;
    assert_eq!((left.status, left.body.as_str()), (200, "{}"));
    // Leaving Link is not the end: the person may try again.
    assert_eq!(browser.create_link_token().await.status, 200);

    let redirect_to = browser.cancel().await.text("redirect_to");
    assert!(
        redirect_to.starts_with(&format!("{CALLBACK}?error=access_denied&")),
        "{redirect_to}"
    );
    assert!(redirect_to.ends_with("&state=a%2Bb"), "{redirect_to}");
    assert_eq!(query_value(&redirect_to, "iss").unwrap(), broker.app.public_url);
    // The answer may have been lost on its way.
    assert_eq!(browser.cancel().await.text("redirect_to"), redirect_to);
    // A page that was left open over night still leads back.
    let late = Browser::open(&broker, "?state=s").await;
    late.create_link_token().await;
    let forgotten = Browser::open(&broker, "?state=s").await;
    broker.clock.advance(Duration::from_secs(10 * 3600));
    assert!(
        late.cancel()
            .await
            .text("redirect_to")
            .contains("error=access_denied")
    );
    // One that never opened Link may have been cancelled and forgotten since: nobody is sent back twice.
    let refused = forgotten.cancel().await;
    assert_eq!(
        (refused.status, refused.error().as_str()),
        (409, "transaction_over")
    );
    assert_eq!(broker.simulator.count(EXCHANGE), 0);
}

#[tokio::test]
async fn a_public_token_is_the_first_ones_alone() {
    let broker = TestBroker::start().await;
    let first = Browser::open(&broker, "?state=first").await;
    let second = Browser::open(&broker, "?state=second").await;
    let public_token = broker.public_token().await;
    first.complete(&public_token).await.text("redirect_to");
    let stolen = second.complete(&public_token).await;
    assert_eq!(stolen.status, 409, "{}", stolen.body);
    assert_eq!(
        (stolen.error().as_str(), stolen.text("next").as_str()),
        ("start_over", "restart")
    );
    assert_eq!(broker.simulator.count(EXCHANGE), 1);
    // The second can still complete with its own.
    assert_eq!(second.complete(&broker.public_token().await).await.status, 200);
}

#[tokio::test]
async fn a_public_token_that_plaid_refuses_lets_the_person_start_over() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=s").await;
    let expired = broker.public_token().await;
    broker.clock.advance(Duration::from_secs(30 * 60));
    let fresh = broker.public_token().await;
    for wrong in [
        expired.as_str(),
        &fresh.replace("sandbox", "production"),
        "public-sandbox-00000000-0000-0000-0000-000000000000",
        "nonsense",
        "access-sandbox-00000000-0000-0000-0000-000000000000",
    ] {
        let answer = browser.complete(wrong).await;
        assert_eq!(answer.status, 409, "{wrong}: {}", answer.body);
        assert_eq!(answer.error(), "start_over");
        assert_eq!(answer.text("next"), "restart");
        assert!(!answer.body.contains(wrong), "{}", answer.body);
    }
    assert_eq!(browser.complete(&fresh).await.status, 200);
}

#[tokio::test]
async fn odd_bodies_are_refused_and_unknown_members_are_fine() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=s").await;
    browser.start().await;
    for body in [
        "",
        "[]",
        "public_token=x",
        r#"{"public_token":1}"#,
        "{\"public_token\":\"x\"",
    ] {
        let answer = Answer::of(browser.call("/api/set_access_token").body(body)).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (400, "bad_request"),
            "{body}"
        );
    }
    // Link can end well without an Item (https://plaid.com/docs/link/web/#onsuccess), and what is no token starts over.
    for (body, expected) in [
        ("{}", (422, "no_token")),
        (r#"{"public_token":null,"metadata":null}"#, (422, "no_token")),
        (r#"{"public_token":""}"#, (409, "start_over")),
        (r#"{"public_token":"access-sandbox-1"}"#, (409, "start_over")),
    ] {
        let answer = Answer::of(browser.call("/api/set_access_token").body(body)).await;
        assert_eq!((answer.status, answer.error().as_str()), expected, "{body}");
    }
    for body in ["", "cancel=true", r#"{"cancel":"yes"}"#] {
        let answer = Answer::of(browser.call("/api/link_exit").body(body)).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (400, "bad_request"),
            "{body}"
        );
    }
    let large = format!("{{\"public_token\":\"{}\"}}", "x".repeat(70_000));
    for path in ["/api/set_access_token", "/api/link_exit"] {
        let answer = Answer::of(browser.call(path).body(large.clone())).await;
        assert_eq!((answer.status, answer.error().as_str()), (413, "too_large"));
    }
    assert_eq!(broker.simulator.count(EXCHANGE), 0);

    let mut body = success(&broker.public_token().await);
    body["metadata"]["accounts"] = json!([{ "id": "a", "unknown": {} }]);
    body["metadata"]["institution"] = json!(null);
    body["metadata"]["link_session_id"] = json!(null);
    body["more"] = json!(1);
    let answer = Answer::of(browser.call("/api/set_access_token").json(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// A Plaid that gives link tokens and keeps what it was asked: the simulator's own record has no free text in it.
struct Listener {
    url: String,
    asked: Arc<Mutex<Vec<(http::HeaderMap, Value)>>>,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Listener {
    async fn start() -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        let answer = async move |headers: http::HeaderMap, axum::Json(body): axum::Json<Value>| {
            kept.lock().unwrap().push((headers, body));
            axum::Json(json!({
                "link_token": "link-sandbox-0c8b3a4e-6f0f-4d0a-9a51-2f0b7d3c1e5a", "request_id": "r",
                "expiration": "2026-11-18T16:26:40Z",
            }))
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = axum::Router::new().route("/link/token/create", axum::routing::post(answer));
        let serving = tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, asked, serving }
    }

    fn last(&self, count: usize) -> Vec<(http::HeaderMap, Value)> {
        let asked = self.asked.lock().unwrap();
        asked[asked.len() - count..].to_vec()
    }
}

#[tokio::test]
async fn a_link_token_is_asked_for_with_what_the_products_need() {
    let plaid = Listener::start().await;
    let broker = TestBroker::start_as(Setup {
        plaid: Some(Options::default()),
        settings: &[
            ("PLAID_BASE_URL", &plaid.url),
            ("PLAID_PRODUCTS", "auth,statements"),
            ("PLAID_CLIENT_NAME", "Bank of Tests"),
            ("PLAID_COUNTRY_CODES", "us,ca"),
            ("PLAID_LANGUAGE", "fr"),
        ],
        ..Setup::default()
    })
    .await;
    let mut users = BTreeSet::new();
    for _ in 0..2 {
        let browser = Browser::open(&broker, "?state=s").await;
        let answer = browser.create_link_token().await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.text("expiration").ends_with('Z'), "{}", answer.body);
        // Renewed for the same person.
        browser.create_link_token().await.text("link_token");
        let asked = plaid.last(2);
        let [(headers, body), (_, renewed)] = asked.as_slice() else {
            panic!("two requests")
        };
        assert_eq!(body, renewed);
        assert_eq!(headers["plaid-version"], "2020-09-14");
        assert_eq!(body["client_name"], "Bank of Tests");
        assert_eq!(body["country_codes"], json!(["US", "CA"]));
        assert_eq!(body["language"], "fr");
        assert_eq!(body["products"], json!(["auth", "statements"]));
        // The tests' clock stands in November 2026.
        assert_eq!(
            body["statements"],
            json!({ "start_date": "2024-11-18", "end_date": "2026-11-18" })
        );
        assert_eq!(
            body["redirect_uri"],
            json!(null),
            "the client's callback is not Plaid's matter"
        );
        users.insert(body["user"]["client_user_id"].as_str().unwrap().to_owned());
    }
    assert_eq!(users.len(), 2, "fresh for each transaction");
    let narrowed = Browser::open(&broker, "?scope=auth").await;
    narrowed.create_link_token().await.text("link_token");
    let asked = plaid.last(1);
    let [(_, body)] = asked.as_slice() else {
        panic!("one request")
    };
    assert_eq!(body["statements"], json!(null));
    plaid.serving.abort();
}

#[tokio::test]
async fn no_answer_of_the_page_calls_holds_an_access_token_or_our_secret() {
    let broker = TestBroker::start().await;
    let mut browser = Browser::open(&broker, "").await;
    let token = broker.public_token().await;
    let mut answers = vec![browser.create_link_token().await, browser.complete(&token).await];
    browser.keep_cookies(&answers[1]);
    answers.push(Answer::of(browser.call("/api/info").json(&json!({}))).await);
    answers.push(Answer::of(browser.call("/api/info")).await);
    answers.push(Answer::of(broker.get("/explorer").header("cookie", browser.cookie_header())).await);
    for answer in answers {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let all = format!("{:?} {}", answer.headers, answer.body);
        assert!(!all.contains("access-sandbox"), "{all}");
        assert!(!all.contains(simulator::SECRET), "{all}");
    }
}
