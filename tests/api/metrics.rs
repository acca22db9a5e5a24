//! `/metrics` after real traffic: right by Prometheus's rules, true, and not longer whatever strangers send.

mod documents;
mod text;

use std::io::Write as _;
use std::process::{Command, Stdio};

use http::Method;
use plaid_token_broker::simulator::{self, Fault};
use serde_json::json;

use crate::harness::{Answer, Browser, TestBroker};
use text::Metrics;

async fn ask(broker: &TestBroker, path: &str) -> Answer {
    let request = broker.http.get(format!("{}{path}", broker.ops_url));
    Answer::read(request.send().await.unwrap()).await
}

async fn scrape(broker: &TestBroker) -> Metrics {
    let answer = ask(broker, "/metrics").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    // Prometheus chooses its parser by it.
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4"));
    Metrics::read(&answer.body)
}

/// Good and bad days, of everybody who comes by.
async fn traffic(broker: &TestBroker) {
    let tokens = broker.tokens().await;
    let refresh_token = tokens.text("refresh_token");
    assert_eq!(broker.refresh(&refresh_token).await.status, 200);
    let code = broker.code().await;
    let redeemed = broker.token(&[("code", &code)]).await;
    assert_eq!(redeemed.status, 200, "{}", redeemed.body);
    assert_eq!(broker.token(&[("code", &code)]).await.error(), "invalid_grant");
    assert_eq!(broker.token(&[]).await.error(), "invalid_request");
    assert_eq!(Browser::open(broker, "?state=s").await.cancel().await.status, 200);

    let browser = Browser::open(broker, "?state=s").await;
    for fault in [
        Fault::error(429, "RATE_LIMIT_EXCEEDED", "RATE_LIMIT"),
        Fault::Reset,
        Fault::Hang,
    ] {
        broker.simulator.enqueue("/link/token/create", fault);
        assert_eq!(browser.create_link_token().await.status, 503);
    }
    assert_eq!(browser.create_link_token().await.status, 200);

    let revocation = broker
        .post("/oauth/revoke")
        .basic_auth(simulator::CLIENT_ID, Some(simulator::SECRET))
        .json(&json!({ "token": refresh_token }));
    let revoked = Answer::of(revocation).await;
    assert_eq!(revoked.status, 200, "{}", revoked.body);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told in its order")]
async fn what_happened_is_what_is_counted() {
    let broker = TestBroker::start().await;
    let before = scrape(&broker).await;
    // The first one of each is an increase only if there was a zero before it.
    for (name, labels) in [
        (
            "ptb_token_requests_total",
            [("grant", "refresh_token"), ("outcome", "ok")].as_slice(),
        ),
        ("ptb_transactions_total", &[("event", "completed")]),
        ("ptb_codes_total", &[("event", "replayed")]),
        ("ptb_store_commits_total", &[("outcome", "failed")]),
        ("ptb_rate_limited_requests_total", &[("budget", "token")]),
        ("ptb_removals_total", &[("outcome", "failed")]),
    ] {
        assert_eq!(before.value(name, labels), Some(0.0), "{name}");
    }
    traffic(&broker).await;
    let metrics = scrape(&broker).await;
    let token = "/api/send_the_access_token_AUTH";
    for (name, labels, expected) in [
        (
            "ptb_token_requests_total",
            [("grant", "authorization_code"), ("outcome", "ok")].as_slice(),
            2.0,
        ),
        (
            "ptb_token_requests_total",
            &[("grant", "authorization_code"), ("outcome", "invalid_grant")],
            1.0,
        ),
        (
            "ptb_token_requests_total",
            &[("grant", "refresh_token"), ("outcome", "ok")],
            1.0,
        ),
        (
            "ptb_token_requests_total",
            &[("grant", "none"), ("outcome", "invalid_request")],
            1.0,
        ),
        ("ptb_transactions_total", &[("event", "opened")], 3.0),
        ("ptb_transactions_total", &[("event", "completed")], 2.0),
        ("ptb_transactions_total", &[("event", "cancelled")], 1.0),
        ("ptb_codes_total", &[("event", "issued")], 2.0),
        ("ptb_codes_total", &[("event", "redeemed")], 2.0),
        ("ptb_codes_total", &[("event", "replayed")], 1.0),
        ("ptb_health_checks_total", &[("health", "healthy")], 1.0),
        (
            "ptb_http_requests_total",
            &[("route", token), ("method", "POST"), ("status", "200")],
            3.0,
        ),
        (
            "ptb_http_requests_total",
            &[("route", token), ("method", "POST"), ("status", "400")],
            2.0,
        ),
        (
            "ptb_http_request_duration_seconds_count",
            &[("route", token), ("method", "POST")],
            5.0,
        ),
        ("ptb_http_requests_in_flight", &[], 0.0),
        (
            "ptb_plaid_requests_total",
            &[("endpoint", "/item/public_token/exchange"), ("outcome", "ok")],
            2.0,
        ),
        (
            "ptb_plaid_requests_total",
            &[("endpoint", "/link/token/create"), ("outcome", "RATE_LIMIT")],
            1.0,
        ),
        (
            "ptb_plaid_requests_total",
            &[("endpoint", "/link/token/create"), ("outcome", "broken")],
            1.0,
        ),
        (
            "ptb_plaid_requests_total",
            &[("endpoint", "/link/token/create"), ("outcome", "timed_out")],
            1.0,
        ),
        (
            "ptb_plaid_request_duration_seconds_count",
            &[("endpoint", "/link/token/create")],
            6.0,
        ),
        ("ptb_store_commits_total", &[("outcome", "failed")], 0.0),
        (
            "ptb_build_info",
            &[
                ("version", env!("CARGO_PKG_VERSION")),
                ("environment", "simulator"),
            ],
            1.0,
        ),
    ] {
        assert_eq!(
            metrics.value(name, labels),
            Some(expected),
            "{name} {labels:?}\n{}",
            metrics.text
        );
    }
    let commits = metrics
        .value("ptb_store_commits_total", &[("outcome", "ok")])
        .unwrap();
    assert!(commits >= 10.0, "{commits}");
    // The removal worker may commit while the text is made.
    let measured = metrics.value("ptb_store_commit_duration_seconds_count", &[]);
    assert!(
        (measured.unwrap() - commits).abs() <= 2.0,
        "{measured:?} {commits}"
    );
    if cfg!(target_os = "linux") {
        assert!(metrics.value("process_resident_memory_bytes", &[]).unwrap() > 1e6);
        assert!(metrics.value("process_open_fds", &[]).unwrap() > 3.0);
        assert!(metrics.value("process_start_time_seconds", &[]).unwrap() > 1e9);
    }
}

#[tokio::test]
async fn the_metrics_keep_prometheuss_rules() {
    let broker = TestBroker::start().await;
    traffic(&broker).await;
    let metrics = scrape(&broker).await;
    assert_eq!(metrics.problems(), Vec::<String>::new(), "{}", metrics.text);
    promtool_agrees(&metrics.text);
}

/// Prometheus's own lint.
fn promtool_agrees(text: &str) {
    if let Some((good, said)) = promtool(&["check", "metrics"], text) {
        assert!(good && said.trim().is_empty(), "{said}\n{text}");
    }
}

/// Runs promtool, where it is installed (`tests/run` sees to that and says so by `PROMTOOL`): whether it is content, and
/// what it says.
fn promtool(arguments: &[&str], input: &str) -> Option<(bool, String)> {
    let named = std::env::var_os("PROMTOOL");
    let started = Command::new(named.as_deref().unwrap_or("promtool".as_ref()))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut promtool = match started {
        Ok(child) => child,
        Err(_) if named.is_none() => return None,
        Err(error) => panic!("PROMTOOL={named:?}: {error}"),
    };
    promtool
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let ended = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr) + String::from_utf8_lossy(&ended.stdout);
    Some((ended.status.success(), said.into_owned()))
}

#[tokio::test]
async fn strangers_choose_no_label() {
    let broker = TestBroker::start().await;
    let stranger = async |round: u32| {
        for path in [
            format!("/made-up-{round}"),
            format!("/static/made-up-{round}.css"),
            format!("/_simulator/link/made-up-{round}"),
            format!("/?client_id=made-up-{round}"),
            format!("/oauth/token/{round}"),
        ] {
            let method = Method::from_bytes(format!("MADEUP{round}").as_bytes()).unwrap();
            let url = format!("{}{path}", broker.url);
            broker.http.request(method, &url).send().await.unwrap();
            broker.http.get(&url).send().await.unwrap();
        }
        for form in [
            json!({ "grant_type": format!("made-up-{round}") }),
            json!({ "code": "x", "client_id": format!("made-up-{round}") }),
            json!({ "code": format!("made-up-{round}") }),
        ] {
            broker.post("/oauth/token").json(&form).send().await.unwrap();
        }
    };
    stranger(0).await;
    let first = scrape(&broker).await.series();
    for round in 1..20 {
        stranger(round).await;
    }
    let then = scrape(&broker).await;
    let new: Vec<_> = then.series().difference(&first).cloned().collect();
    assert!(new.is_empty(), "{new:?}");
    assert!(!then.text.to_lowercase().contains("made"), "{}", then.text);
    // And the routes have their own names still.
    for route in ["(no route)", "/static/{file}", "/"] {
        let labels = [("route", route), ("method", "other")];
        let count = then.value("ptb_http_request_duration_seconds_count", &labels);
        assert!(count >= Some(1.0), "{route}\n{}", then.text);
    }
}

#[tokio::test]
async fn whoever_comes_too_often_is_counted() {
    let broker = TestBroker::start().await;
    let mut refused = 0.0;
    for _ in 0..400 {
        let answer = broker.token(&[("code", "x")]).await;
        refused += if answer.status == 429 { 1.0 } else { 0.0 };
    }
    let metrics = scrape(&broker).await;
    assert!(refused > 0.0);
    let counted = metrics.value("ptb_rate_limited_requests_total", &[("budget", "token")]);
    assert_eq!(counted, Some(refused));
}

#[tokio::test]
async fn a_caller_who_hangs_up_is_counted_and_not_under_way_any_more() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=s").await;
    broker.simulator.enqueue("/link/token/create", Fault::Hang);
    let call = browser
        .call("/api/create_link_token")
        .json(&json!({ "request": browser.request }));
    let hangs_up = call.timeout(std::time::Duration::from_millis(200)).send().await;
    assert!(hangs_up.is_err(), "there was no answer yet");
    let labels = [
        ("route", "/api/create_link_token"),
        ("method", "POST"),
        ("status", "none"),
    ];
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let metrics = scrape(&broker).await;
        if metrics.value("ptb_http_requests_total", &labels) == Some(1.0) {
            assert_eq!(metrics.value("ptb_http_requests_in_flight", &[]), Some(0.0));
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{}", metrics.text);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn readiness_tells_of_plaid_and_does_not_depend_on_it() {
    let broker = TestBroker::start().await;
    let fresh = ask(&broker, "/readyz").await;
    assert_eq!(fresh.status, 200, "{}", fresh.body);
    assert_eq!(
        fresh.json,
        json!({ "status": "ready", "store": "ok", "keys": "ok", "plaid": { "last_call": null } })
    );
    let browser = Browser::open(&broker, "?state=s").await;
    let wrong_keys = Fault::error(400, "INVALID_INPUT", "INVALID_API_KEYS");
    broker.simulator.enqueue("/link/token/create", wrong_keys);
    assert_eq!(browser.create_link_token().await.status, 500);
    let told = ask(&broker, "/readyz").await;
    assert_eq!(told.status, 200, "{}", told.body);
    let last = &told.json["plaid"]["last_call"];
    assert_eq!(last["endpoint"], "/link/token/create");
    assert_eq!(last["outcome"], "INVALID_API_KEYS");
    assert!(last["age_seconds"].as_u64().unwrap() < 60, "{last}");
}

#[tokio::test]
async fn a_store_that_the_keys_do_not_open_any_more_is_not_ready() {
    let broker = TestBroker::start().await;
    assert_eq!(ask(&broker, "/readyz").await.status, 200);
    // As a restored file of another broker would have it.
    let file = broker.dir.path().join("data/test.db");
    let db = rusqlite::Connection::open(file).unwrap();
    db.execute(
        "UPDATE meta SET value = zeroblob(120) WHERE name = 'token_key'",
        (),
    )
    .unwrap();
    broker.clock.advance(std::time::Duration::from_secs(3));
    let told = ask(&broker, "/readyz").await;
    assert_eq!(
        (told.status, told.text("status").as_str()),
        (503, "not ready"),
        "{}",
        told.body
    );
    assert_eq!(told.text("store"), "ok");
    assert!(told.text("keys").contains("does not open"), "{}", told.body);
    assert_eq!(
        ask(&broker, "/livez").await.status,
        200,
        "a restart would not help"
    );
}

#[tokio::test]
async fn while_it_drains_it_is_alive_and_not_ready() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=s").await;
    broker.simulator.enqueue("/link/token/create", Fault::Hang);
    let ops = broker.ops_url.clone();
    let http = broker.http.clone();
    let call = browser
        .call("/api/create_link_token")
        .json(&json!({ "request": browser.request }))
        .send();
    let stop = broker.stop.clone();
    let look = async move {
        // The call is under way before the stop.
        while !Metrics::read(
            &http
                .get(format!("{ops}/metrics"))
                .send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap(),
        )
        .value("ptb_http_requests_in_flight", &[])
        .is_some_and(|count| count >= 1.0)
        {
            tokio::task::yield_now().await;
        }
        stop.drain.cancel();
        let ready = Answer::read(http.get(format!("{ops}/readyz")).send().await.unwrap()).await;
        let alive = http.get(format!("{ops}/livez")).send().await.unwrap().status();
        (ready, alive)
    };
    let (_, (ready, alive)) = tokio::join!(call, look);
    assert_eq!(
        (ready.status, ready.text("status").as_str()),
        (503, "draining"),
        "{}",
        ready.body
    );
    assert_eq!(ready.text("store"), "ok");
    assert_eq!(alive, 200);
}
