//! Nobody writes lines into the log but the program: not by an address, a header, a body, or Plaid's own words.

use serde_json::{Value, json};

use crate::flow::{Broker, Plaid, code_of};
use crate::harness::{Start, directory};
use crate::web::{Sent, encode, send};

/// What a line of the log could be forged with, and what would recolour or erase one on a terminal.
const ATTACKS: [&str; 7] = [
    "x\n2026-11-22T00:00:00.000000Z  INFO forged: a line of mine",
    "x\r\n{\"level\":\"INFO\",\"message\":\"forged\"}",
    "x\",\"forged\":\"yes\",\"y\":\"",
    "\u{1b}[2J\u{1b}[31mforged\u{1b}[0m",
    "x\u{85}forged\u{2028}forged\u{2029}",
    "x\u{8}\u{8}\u{7f}\u{9b}31mforged",
    "x\0forged\u{202e}",
];

fn post(broker: &Broker, path: &str, content: &str, body: &str) {
    let headers = [("Content-Type", content), ("Accept", "text/html")];
    let sent = send(&broker.url, "POST", path, &headers, body).and_then(Sent::reply);
    assert!(sent.unwrap().status >= 400, "{path} {body}");
}

/// Every parameter that is read anywhere, and one that is not, with this in it.
fn attack_by_parameters(broker: &Broker, text: &str) {
    let form = "application/x-www-form-urlencoded";
    let names = [
        "client_id",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
        text,
    ];
    for name in names {
        for path in ["/", "/oauth/authorize"] {
            let target = format!("{path}?{}", encode(&[(name, text), ("response_mode", text)]));
            send(&broker.url, "GET", &target, &[], "")
                .and_then(Sent::reply)
                .unwrap();
        }
    }
    for name in [
        "code",
        "grant_type",
        "refresh_token",
        "public_token",
        "client_id",
        "client_secret",
        "token",
        "redirect_uri",
        text,
    ] {
        let pairs = [(name, text), ("code_verifier", text)];
        let object: serde_json::Map<String, Value> = pairs
            .iter()
            .map(|(name, text)| ((*name).to_owned(), json!(text)))
            .collect();
        for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
            post(broker, path, form, &encode(&pairs));
            post(
                broker,
                path,
                "application/json",
                &Value::Object(object.clone()).to_string(),
            );
        }
    }
    let public = format!("public-sandbox-{text}");
    post(
        broker,
        "/oauth/token",
        form,
        &encode(&[("public_token", &public)]),
    );
}

/// Headers take no control characters but bytes above them.
fn attack_by_headers(broker: &Broker, text: &str) {
    let latin: String = text.chars().filter(|c| !c.is_control()).collect();
    for name in [
        "X-Request-Id",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "User-Agent",
        "Referer",
        "Cookie",
        "Authorization",
        "PLAID-CLIENT-ID",
        "X-Broker-Handle",
        "Sec-Fetch-Dest",
        "Traceparent",
    ] {
        let headers = [(name, latin.as_str())];
        for (method, path) in [
            ("GET", "/?state=s"),
            ("POST", "/oauth/token"),
            ("POST", "/api/info"),
        ] {
            send(&broker.url, method, path, &headers, "")
                .and_then(Sent::reply)
                .unwrap();
        }
    }
    let path: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    send(&broker.url, "GET", &format!("/{path}"), &[], "")
        .and_then(Sent::reply)
        .unwrap();
}

/// The page's calls, and Plaid's answers, which are outside words as well.
fn attack_by_the_page_and_plaid(broker: &Broker, plaid: &Plaid, text: &str) {
    let tab = broker.open("state=s").unwrap();
    let exit = json!({
        "error": { "error_code": text, "error_type": text, "error_message": text },
        "metadata": { "status": text, "link_session_id": text, "request_id": text, "institution": { "name": text } },
        "request": tab.request,
    });
    let left = broker
        .call(&tab, "/api/link_exit", &exit)
        .and_then(Sent::reply)
        .unwrap();
    assert_eq!(left.status, 200, "{left:?}");
    let body =
        json!({ "error_type": "API_ERROR", "error_code": text, "error_message": text, "request_id": text });
    let fault = json!({
        "kind": "body", "status": 400, "content_type": "application/json", "bytes": body.to_string().as_bytes(),
    });
    plaid.fault("/link/token/create", &fault);
    broker
        .call(&tab, "/api/create_link_token", &json!({ "request": tab.request }))
        .and_then(Sent::reply)
        .unwrap();

    let body = json!({
        "public_token": plaid.public_token(),
        "metadata": { "institution": { "name": text, "institution_id": text }, "link_session_id": text },
    });
    let landed = broker
        .call(&tab, "/api/set_access_token", &body)
        .and_then(Sent::reply)
        .unwrap();
    plaid.fault("/item/get", &fault);
    let tokens = broker.token(&[("code", &code_of(&landed))]).unwrap();
    broker
        .token(&[("refresh_token", &tokens.text("refresh_token"))])
        .unwrap();
}

/// `2026-11-22T04:08:14.123456Z  INFO …`
fn begins_as_ours(line: &str) -> bool {
    let (time, rest) = line.split_once(' ').unwrap_or_default();
    let level = rest.trim_start().split(' ').next().unwrap_or_default();
    time.len() == 27
        && time.starts_with("20")
        && time.ends_with('Z')
        && ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"].contains(&level)
}

#[test]
fn nobody_forges_a_line_of_the_log() {
    for format in ["text", "json"] {
        for filter in ["info", "trace"] {
            let home = directory();
            let plaid = Plaid::start(&home);
            let start: Start = plaid.broker(&home);
            let start = start.set("RUST_LOG", filter).set("BROKER_LOG", format);
            let mut broker = Broker::of(start.set("BROKER_RATE_LIMIT", "off"));
            for text in ATTACKS {
                attack_by_parameters(&broker, text);
                attack_by_headers(&broker, text);
                attack_by_the_page_and_plaid(&broker, &plaid, text);
            }
            assert_eq!(broker.process.stop(), Some(0));
            let log = broker.process.stderr.text();
            assert!(log.lines().count() > 100, "{log}");
            for line in log.split('\n').filter(|line| !line.is_empty()) {
                let what = format!("{format}, {filter}: {line:?}");
                if format == "json" {
                    let object: Value = serde_json::from_str(line).expect(&what);
                    assert!(
                        object["timestamp"].is_string() && object["level"].is_string(),
                        "{what}"
                    );
                    assert!(
                        object.get("forged").is_none() && object["message"] != "forged",
                        "{what}"
                    );
                    let keys = object.as_object().unwrap().keys();
                    assert!(keys.clone().all(|key| !key.contains("forged")), "{what}");
                } else {
                    assert!(begins_as_ours(line), "{what}");
                }
                // Of the terminal's control characters, C1's included, none is there.
                let bad = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202e}');
                assert!(!line.contains(bad), "{what}");
            }
        }
    }
}
