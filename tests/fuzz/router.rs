//! Whole requests, at the routers: odd cookies, handles, queries and bodies, and the simulator's JSON.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::Body;
use http::{HeaderValue, Request, StatusCode, Uri};
use plaid_token_broker::config::{Config, LoadOptions};
use plaid_token_broker::http::client_ip::Connected;
use plaid_token_broker::server::router;
use plaid_token_broker::server::{self, Dependencies};
use plaid_token_broker::simulator::{self, Simulator};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::mutation::{cases, feed, mutated};

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// The broker's router on a store of its own. Nothing is served and no Plaid is there.
fn broker(runtime: &Runtime) -> (Router, TempDir) {
    let dir = TempDir::new().unwrap();
    let database = format!("sqlite://{}", dir.path().join("fuzz.db").display());
    let settings = [
        ("APP_PORT", "0"),
        ("BROKER_OPS_BIND", "127.0.0.1:0"),
        ("BROKER_SIMULATOR_BIND", "127.0.0.1:0"),
        ("BROKER_RATE_LIMIT", "off"),
        ("PLAID_REDIRECT_URI", "http://127.0.0.1:9/callback"),
        ("DATABASE_URL", &database),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::load(settings, None, LoadOptions::default()).unwrap();
    let built = runtime
        .block_on(server::build(config, Dependencies::default()))
        .expect("a broker");
    (
        router::build(built.app().clone(), built.request_log().clone()),
        dir,
    )
}

fn status(runtime: &Runtime, router: &Router, mut request: Request<Body>) -> StatusCode {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    request.extensions_mut().insert(Connected(address));
    let answer = runtime.block_on(router.clone().oneshot(request));
    answer.expect("it cannot fail").status()
}

/// A handle or cookie of the right shape, whose check is wrong.
fn token(prefix: &str) -> String {
    format!("{prefix}_{}_{}", "0".repeat(32), "A".repeat(51))
}

#[test]
fn cookies_and_handles_are_read_without_panic() {
    let runtime = runtime();
    let (router, _dir) = broker(&runtime);
    let id = "0".repeat(32);
    let cookies = [
        format!("ptb_tx_{id}={}; ptb_session={}", token("ptb_tc"), token("ptb_se")),
        format!("__Host-ptb_tx_{id}=x; a=b; ptb_tx_=; ptb_tx_{id}"),
    ];
    let cookies = mutated(cookies.map(String::into_bytes).to_vec());
    let handles = mutated(vec![token("ptb_th").into_bytes()]);
    let paths = select(vec![
        ("POST", "/api/info"),
        ("POST", "/api/link_exit"),
        ("GET", "/explorer"),
    ]);
    feed(
        cases(4),
        &(cookies, handles, paths),
        |(cookies, handle, (method, path))| {
            let mut request = Request::builder().method(method).uri(path);
            for (name, value) in [("cookie", cookies), ("x-broker-handle", handle)] {
                if let Ok(value) = HeaderValue::from_bytes(&value) {
                    request = request.header(name, value);
                }
            }
            let status = status(&runtime, &router, request.body(Body::from("{}")).unwrap());
            let expected = if path == "/api/info" {
                status == 200
            } else {
                status.is_client_error()
            };
            prop_assert!(expected, "{path}: {status}");
            Ok(())
        },
    );
}

#[test]
fn queries_and_token_requests_are_never_our_fault() {
    let runtime = runtime();
    let (router, _dir) = broker(&runtime);
    let corpus = [
        "response_type=code&client_id=5a11ced0c0ffee0000000001&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fcallback&state=x",
        "response_type=token&state=a%2Bb&scope=auth+identity",
        "state=s&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
        "grant_type=authorization_code&code=ptb_ac_x&client_id=5a11ced0c0ffee0000000001",
        r#"{"grant_type":"refresh_token","refresh_token":"ptb_rt_x"}"#,
    ];
    let text = mutated(corpus.map(|text| text.as_bytes().to_vec()).to_vec());
    let media = select(vec!["application/x-www-form-urlencoded", "application/json", ""]);
    feed(cases(10), &(text, media), |(text, media)| {
        let target = [b"/oauth/authorize?", text.as_slice()].concat();
        if let Ok(uri) = Uri::try_from(target) {
            let request = Request::builder().uri(uri).body(Body::empty()).unwrap();
            let status = status(&runtime, &router, request);
            prop_assert!([200, 303, 400].contains(&status.as_u16()), "{status}");
        }
        let mut request = Request::builder().method("POST").uri("/oauth/token");
        if !media.is_empty() {
            request = request.header("content-type", media);
        }
        let request = request.body(Body::from(text)).unwrap();
        let status = status(&runtime, &router, request);
        prop_assert!(status.is_client_error(), "{status}");
        Ok(())
    });
}

#[test]
fn the_simulator_answers_any_body() {
    let runtime = runtime();
    let router = Simulator::new(simulator::Options::default()).router();
    let keys = |mut body: serde_json::Value| {
        body["client_id"] = json!(simulator::CLIENT_ID);
        body["secret"] = json!(simulator::SECRET);
        body.to_string().into_bytes()
    };
    let corpus = vec![
        keys(json!({
            "client_name": "Test", "language": "en", "country_codes": ["US"], "products": ["auth"],
            "user": { "client_user_id": "u" }, "webhook": "https://w.example/", "redirect_uri": "https://r.example/",
        })),
        keys(
            json!({ "institution_id": "ins_109508", "initial_products": ["auth"], "options": { "override_username": "user_good" } }),
        ),
        keys(json!({ "public_token": "public-sandbox-00000000-0000-0000-0000-000000000000" })),
        keys(
            json!({ "access_token": "access-sandbox-00000000-0000-0000-0000-000000000000", "options": { "account_ids": ["a"] } }),
        ),
        keys(json!({ "link_token": "link-sandbox-00000000-0000-0000-0000-000000000000" })),
    ];
    let paths = select(vec![
        "/link/token/create",
        "/link/token/get",
        "/item/public_token/exchange",
        "/item/get",
        "/item/remove",
        "/item/access_token/invalidate",
        "/accounts/get",
        "/transactions/sync",
        "/transactions/get",
        "/identity/get",
        "/investments/transactions/get",
        "/sandbox/item/fire_webhook",
        "/sandbox/public_token/create",
        "/institutions/get_by_id",
        "/nothing",
    ]);
    feed(cases(4), &(mutated(corpus), paths), |(body, path)| {
        let request = Request::builder()
            .method("POST")
            .uri(path)
            .header("content-type", "application/json");
        let status = status(&runtime, &router, request.body(Body::from(body)).unwrap());
        prop_assert!(!status.is_server_error(), "{path}: {status}");
        Ok(())
    });
}
