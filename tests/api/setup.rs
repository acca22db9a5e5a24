//! The set-up page over sockets: who may see it, what it never shows, and that who watches holds nothing up.

use std::time::Duration;

use plaid_token_broker::doctor::checks::ALL;
use plaid_token_broker::simulator::{CLIENT_ID, Options, SECRET};
use plaid_token_broker::store::model::AuditQuery;
use plaid_token_broker::telemetry::audit::Flush;
use reqwest::Response;

use crate::harness::{Answer, CALLBACK, Setup, TestBroker};
use crate::visitor::{Visitor, form_of, proof_of};

const ADDRESSES: [&str; 4] = ["/setup", "/setup/profile.md", "/setup/record", "/setup/checks"];

async fn watch(broker: &TestBroker, visitor: &Visitor<'_>, mark: Option<&str>) -> Response {
    let mut request = broker
        .get("/setup/record")
        .header("cookie", visitor.cookie_header());
    if let Some(mark) = mark {
        request = request.header("last-event-id", mark);
    }
    request.send().await.unwrap()
}

/// Reads the stream until it holds these words, or ends.
async fn read_until(response: &mut Response, words: &str) -> String {
    let mut text = String::new();
    while !text.contains(words) {
        let Some(chunk) = response.chunk().await.unwrap() else {
            break;
        };
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    text
}

async fn refused(broker: &TestBroker, uri: &str) {
    let answer = Answer::of(broker.get(&format!("/oauth/authorize?redirect_uri={uri}"))).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn strangers_see_nothing_and_change_nothing() {
    let broker = TestBroker::start().await;
    for address in ADDRESSES {
        assert_eq!(Answer::of(broker.get(address)).await.status, 401, "{address}");
    }
    let fields = [
        ("act", "allow"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", "https://evil.example/"),
    ];
    let mut visitor = Visitor::new(&broker);
    assert_eq!(
        visitor.post("/setup/callbacks", &fields).await.status,
        303,
        "to the login"
    );
    visitor.log_in().await;
    let without_proof = visitor.post("/setup/callbacks", &fields).await;
    assert_eq!(without_proof.status, 403);
    let proof = proof_of(&broker, &visitor);
    let mut with_proof = fields.to_vec();
    with_proof.push(("proof", &proof));
    let elsewhere = form_of(&broker, "/setup/callbacks", &with_proof).header("sec-fetch-site", "cross-site");
    assert_eq!(visitor.ask(elsewhere).await.status, 403);
    assert!(broker.app.allowed_redirect_uris().await.unwrap().is_empty());
}

#[tokio::test]
async fn no_secret_stands_on_the_page_and_what_was_sent_is_escaped() {
    let broker = TestBroker::start_as(Setup {
        plaid: Some(Options::default()),
        ..Setup::default()
    })
    .await;
    refused(
        &broker,
        "https://x.example/%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    )
    .await;
    let mut visitor = Visitor::new(&broker);
    visitor.log_in().await;
    let page = visitor.get("/setup").await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains(SECRET) && !page.body.contains("<script>alert"));
    assert!(
        page.body.contains("data-uri=\"https://x.example/"),
        "the callback is offered"
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("script-src 'self';") && !policy.contains("unsafe"),
        "{policy}"
    );
    let markdown = visitor.get("/setup/profile.md").await;
    assert_eq!(
        markdown.header("content-type"),
        Some("text/markdown; charset=utf-8")
    );
    assert!(!markdown.body.contains(SECRET) && markdown.body.contains("`https://{tenant}.plaid.com`"));
    assert_eq!(visitor.get("/setup?client=nobody").await.status, 404);
}

#[tokio::test]
async fn who_was_away_gets_what_was_missed_and_nothing_twice() {
    let broker = TestBroker::start().await;
    let mut visitor = Visitor::new(&broker);
    visitor.log_in().await;
    refused(&broker, "https://one.example/").await;
    let mut first = watch(&broker, &visitor, None).await;
    let header = |name: &str| first.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/event-stream");
    assert_eq!(
        (header("cache-control"), header("x-accel-buffering")),
        ("no-store".into(), "no".into())
    );
    let text = read_until(&mut first, "one.example").await;
    assert!(text.starts_with("event: reset"), "{text}");
    let mark = text
        .split("id: ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned();
    drop(first);

    refused(&broker, "https://two.example/").await;
    let mut again = watch(&broker, &visitor, Some(&mark)).await;
    let text = read_until(&mut again, "two.example").await;
    assert!(!text.contains("reset") && !text.contains("one.example"), "{text}");
}

#[tokio::test]
async fn who_logged_out_hears_no_more() {
    let broker = TestBroker::start().await;
    let mut visitor = Visitor::new(&broker);
    visitor.log_in().await;
    refused(&broker, "https://one.example/").await;
    let mut watching = watch(&broker, &visitor, None).await;
    read_until(&mut watching, "one.example").await;
    let proof = proof_of(&broker, &visitor);
    let out = visitor.post("/setup/logout", &[("proof", proof.as_str())]).await;
    assert_eq!(out.status, 303);
    refused(&broker, "https://two.example/").await;
    let mut rest = String::new();
    while let Some(chunk) = watching.chunk().await.unwrap() {
        rest.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(!rest.contains("two.example"), "{rest}");
}

#[tokio::test]
async fn watchers_are_bounded_and_do_not_hold_up_the_stop() {
    let broker = TestBroker::start().await;
    let mut visitor = Visitor::new(&broker);
    visitor.log_in().await;
    let mut watching = Vec::new();
    for _ in 0..16 {
        let response = watch(&broker, &visitor, None).await;
        assert_eq!(response.status(), 200);
        watching.push(response);
    }
    let refused = watch(&broker, &visitor, None).await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    // Far less than the drain may take.
    let stopped = tokio::time::timeout(Duration::from_secs(15), broker.stop()).await;
    assert_eq!(stopped, Ok(true), "the watchers held it up");
    for mut response in watching {
        read_until(&mut response, "never said").await;
    }
}

#[tokio::test]
async fn an_allowed_callback_is_audited_and_a_bad_one_is_told() {
    let broker = TestBroker::start().await;
    let mut visitor = Visitor::new(&broker);
    visitor.log_in().await;
    let proof = proof_of(&broker, &visitor);
    let uri = "https://idp.kore.com/workflows/callback";
    let fields = |uri, act| {
        [
            ("proof", proof.as_str()),
            ("act", act),
            ("client_id", CLIENT_ID),
            ("redirect_uri", uri),
        ]
    };
    let own = format!("{}/link/return", broker.url);
    for (bad, words) in [
        ("https://*.kore.com/", "*"),
        ("http://far.example/", "https"),
        ("", "callback"),
        (own.as_str(), "an address of this broker itself"),
    ] {
        let answer = visitor.post("/setup/callbacks", &fields(bad, "allow")).await;
        assert_eq!(answer.status, 422, "{bad}");
        assert!(answer.body.contains(words), "{bad}: {}", answer.body);
    }
    let bogus = visitor.post("/setup/callbacks", &fields(uri, "bogus")).await;
    assert_eq!(bogus.status, 400);
    refused(&broker, uri).await;
    let allowed = visitor.post("/setup/callbacks", &fields(uri, "allow")).await;
    let back = format!("../setup?client={CLIENT_ID}&done=allowed#callbacks");
    assert_eq!(
        (allowed.status, allowed.header("location")),
        (303, Some(back.as_str()))
    );
    let page = visitor.get("/setup?done=allowed").await.body;
    assert!(page.contains("allowed from now on") && !page.contains(&format!("data-uri=\"{uri}\"")));
    let answer = Answer::of(broker.get(&format!("/oauth/authorize?redirect_uri={uri}"))).await;
    assert_eq!(answer.status, 200);
    // What the settings list stays, whatever a form says.
    visitor
        .post("/setup/callbacks", &fields(CALLBACK, "forget"))
        .await;
    let answer = Answer::of(broker.get(&format!("/oauth/authorize?redirect_uri={CALLBACK}"))).await;
    assert_eq!(answer.status, 200);
    broker.app.audit.flush(Flush::All).await.unwrap();
    let query = AuditQuery {
        limit: 100,
        ..AuditQuery::default()
    };
    let audit = broker.app.store.audit(query).await.unwrap();
    let told = format!("{audit:?}");
    assert!(told.contains("admin") && told.contains(uri), "{told}");
}

#[tokio::test]
async fn each_finding_has_its_place_in_the_brokers_list() {
    let settings = [("BROKER_NGROK_API", "off"), ("BROKER_CLOUDFLARED_METRICS", "off")];
    let broker = TestBroker::start_with(&settings).await;
    let mut visitor = Visitor::new(&broker);
    visitor.log_in().await;
    let request = broker
        .get("/setup/checks")
        .header("cookie", visitor.cookie_header());
    let told = request.send().await.unwrap().text().await.unwrap();
    let mut places = Vec::new();
    let mut lines: Vec<serde_json::Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.pop().unwrap()["verdict"].is_string(), "{told}");
    for finding in lines {
        let place = usize::try_from(finding["place"].as_u64().unwrap()).unwrap();
        assert_eq!(finding["id"], ALL[place].id);
        places.push(place);
    }
    places.sort_unstable();
    let all_but_the_visit: Vec<usize> = (1..ALL.len()).collect();
    assert_eq!(places, all_but_the_visit, "{told}");
}

/// The page and the Markdown: in simulator mode, or in the sandbox, whose keys stand for the operator's.
async fn profile_with(plaid: Option<Options>, settings: &[(&str, &str)]) -> (String, String) {
    let broker = TestBroker::start_as(Setup {
        settings,
        plaid,
        ..Setup::default()
    })
    .await;
    let mut visitor = Visitor::new(&broker);
    visitor.log_in().await;
    let page = visitor.get("/setup").await;
    assert_eq!(page.status, 200);
    (page.body, visitor.get("/setup/profile.md").await.body)
}

#[tokio::test]
async fn the_simulators_public_secret_is_shown_in_simulator_mode_and_no_other_secret_ever_is() {
    let (page, markdown) = profile_with(None, &[]).await;
    let value = format!("<dt>Client Secret Key</dt><dd><code class=\"value\">{SECRET}</code>");
    assert!(page.contains(&value), "no value to copy");
    assert!(page.contains("which is public"));
    assert!(markdown.contains(&format!("| Client Secret Key | `{SECRET}` |")));

    let own = "a-secret-of-the-operator-alone-0123456789";
    for plaid in [None, Some(Options::default())] {
        let sandbox = plaid.is_some();
        let (page, markdown) = profile_with(plaid, &[("OAUTH_CLIENT_SECRET", own)]).await;
        assert!(!page.contains(own) && !markdown.contains(own));
        assert!(page.contains("the value of OAUTH_CLIENT_SECRET"));
        assert_eq!(
            page.contains(SECRET) || markdown.contains(SECRET),
            !sandbox,
            "the header's value"
        );
    }
}
