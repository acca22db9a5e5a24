//! Whatever is sent: no value of it stands in the record.

use plaid_token_broker::request_log::Entry;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;

use crate::harness::{TestBroker, encode};

/// Everything whose value is nobody's business. `redirect_uri` is kept when it is refused, because it can be allowed then.
const NAMES: [&str; 18] = [
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "public_token",
    "refresh_token",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "token",
    "token_type_hint",
    "a_name_of_their_own",
];

const PATHS: [&str; 4] = [
    "/oauth/authorize",
    "/oauth/token",
    "/oauth/revoke",
    "/oauth/introspect",
];

#[derive(Clone, Debug)]
struct Sent {
    path: &'static str,
    method: Method,
    parameters: Vec<(&'static str, String)>,
    json: bool,
    content_type: Option<String>,
    headers: Vec<(&'static str, String)>,
}

/// Values that cannot stand in the record by chance: each holds a mark that nothing else does.
fn value() -> impl Strategy<Value = String> {
    let beginnings = prop::sample::select(vec![
        "",
        "ptb_ac_",
        "ptb_rt_",
        "access-sandbox-",
        "public-",
        "link-",
        "{{",
        "Bearer ",
        " ",
        "5a11ced0c0ffee",
    ]);
    (beginnings, "[!-~]{0,12}", 0..u32::MAX)
        .prop_map(|(before, between, n)| format!("{before}{between}Qz{n:08x}qZ"))
}

fn sent() -> impl Strategy<Value = Sent> {
    let parameter = (prop::sample::select(NAMES.to_vec()), value());
    let header = (
        prop::sample::select(vec![
            "plaid-secret",
            "plaid-client-id",
            "authorization",
            "cookie",
            "x-forwarded-for",
        ]),
        value(),
    );
    (
        prop::sample::select(PATHS.to_vec()),
        prop::sample::select(vec![Method::GET, Method::POST, Method::PUT]),
        prop::collection::vec(parameter, 0..8),
        any::<bool>(),
        prop::option::of(prop_oneof![Just("application/json".to_owned()), value()]),
        prop::collection::vec(header, 0..3),
    )
        .prop_map(|(path, method, parameters, json, content_type, headers)| Sent {
            path,
            method,
            parameters,
            json,
            content_type,
            headers,
        })
}

async fn send(broker: &TestBroker, sent: &Sent) {
    let pairs: Vec<(&str, &str)> = sent.parameters.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let query = if sent.method == Method::GET {
        encode(&pairs)
    } else {
        String::new()
    };
    let body = if sent.json {
        let members: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{}:{}", serde_json::json!(name), serde_json::json!(value)))
            .collect();
        format!("{{{}}}", members.join(","))
    } else {
        encode(&pairs)
    };
    let mut request = broker.http.request(
        sent.method.clone(),
        format!("{}{}?{query}", broker.url, sent.path),
    );
    for (name, value) in &sent.headers {
        request = request.header(*name, value.trim());
    }
    let fallback = if sent.json {
        "application/json"
    } else {
        "application/x-www-form-urlencoded"
    };
    let content_type = sent.content_type.as_deref().unwrap_or(fallback);
    request = request.header("content-type", content_type.trim());
    request.body(body).send().await.expect("an answer");
}

#[test]
fn whatever_is_sent_no_value_of_it_is_kept() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let broker = runtime.block_on(TestBroker::start_with(&[("BROKER_RATE_LIMIT", "off")]));
    let mut seen = 0;
    TestRunner::new(Config::with_cases(192))
        .run(&sent(), |sent| {
            runtime.block_on(send(&broker, &sent));
            let entries = broker.request_log.entries();
            let record: Vec<&Entry> = entries.iter().map(AsRef::as_ref).collect();
            let record = serde_json::to_string(&record).unwrap();
            let values = sent.parameters.iter().map(|(_, value)| value);
            let values = values
                .chain(sent.headers.iter().map(|(_, value)| value))
                .chain(&sent.content_type);
            for value in values.filter(|value| value.contains("Qz")) {
                let (_, mark) = value.rsplit_once("Qz").unwrap();
                prop_assert!(!record.contains(mark), "{value} of {sent:?} stands in {record}");
            }
            Ok(())
        })
        .unwrap();
    seen += broker.request_log.entries().len();
    assert!(seen > 20, "the requests were recorded");
}
