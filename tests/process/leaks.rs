//! No secret in what the program prints, whatever happens and however much it is told to log.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::flow::{Broker, Plaid, Tab, code_of};
use crate::harness::{Output, Start, directory};
use crate::web::{Reply, encode, get, send};

/// Shaped like Plaid's keys, and no others than this test's.
const CLIENT_ID: &str = "0a0b0c0d0e0f010203040506";
const SECRET: &str = "7e57ab1e5ec2e7000000000000aa01";
const STATE: &str = "the-clients-state-4711";
const KEY: &str = "k:BQYHBQYHBQYHBQYHBQYHBQYHBQYHBQYHBQYHBQYHBQY=";
const ADMIN: &str = "an-admin-token-of-some-length";

/// What must never be printed, and a name for each that may be.
#[derive(Default)]
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn add(&mut self, name: &'static str, secret: &str) {
        assert!(secret.len() > 7, "{name} is too short to be looked for");
        self.0.push((name, secret.to_owned()));
    }

    /// What a page gave, and with it the code where there is one.
    fn add_tab(&mut self, tab: &Tab) {
        self.add("a handle", &tab.handle);
        for cookie in tab.cookies.split("; ") {
            self.add("a cookie", cookie.split_once('=').unwrap().1);
        }
    }

    fn add_tokens(&mut self, reply: &Reply) {
        self.add("an access token", &reply.text("access_token"));
        self.add("a refresh token", &reply.text("refresh_token"));
    }

    /// The first of them that was printed, with its line. The secret is cut out, as what is shown is output too.
    fn found_in(&self, output: &Output) -> Option<String> {
        let text = output.text();
        self.0.iter().find_map(|(name, secret)| {
            let line = text.lines().find(|line| line.contains(secret.as_str()))?;
            Some(format!("{name}: {}", line.replace(secret.as_str(), "[…]")))
        })
    }
}

fn basic(id: &str, secret: &str) -> String {
    STANDARD.encode(format!("{id}:{secret}"))
}

/// Everything that a client, a person and an attacker do, right and wrong; what was secret in it is kept.
fn whole_flows(broker: &Broker, plaid: &str, secrets: &mut Secrets) {
    let new_public_token = || {
        let body = json!({
            "client_id": CLIENT_ID, "secret": SECRET,
            "institution_id": "ins_109508", "initial_products": ["auth"],
        });
        crate::web::post_json(plaid, "/sandbox/public_token/create", &body)
            .unwrap()
            .text("public_token")
    };
    let form = |fields: &[(&str, &str)], headers: &[(&str, &str)]| {
        let content = ("Content-Type", "application/x-www-form-urlencoded");
        let headers: Vec<_> = headers.iter().copied().chain([content]).collect();
        send(&broker.url, "POST", "/oauth/token", &headers, &encode(fields))
            .unwrap()
            .reply()
            .unwrap()
    };
    let call = |tab: &Tab, path: &str, body: &Value| broker.call(tab, path, body).unwrap().reply().unwrap();
    let complete = |tab: &Tab, token: &str| broker.complete(tab, token).unwrap().reply().unwrap();

    // The way it should go, with every way to authenticate.
    let credentials = basic(CLIENT_ID, SECRET);
    secrets.add("Basic credentials", &credentials);
    let tab = broker.open(&format!("state={STATE}")).unwrap();
    secrets.add_tab(&tab);
    let link_token = call(&tab, "/api/create_link_token", &json!({})).text("link_token");
    secrets.add("a link token", &link_token);
    let public_token = new_public_token();
    secrets.add("a public token", &public_token);
    let code = code_of(&complete(&tab, &public_token));
    secrets.add("a code", &code);
    let header = format!("Basic {credentials}");
    let tokens = form(&[("code", &code)], &[("Authorization", &header)]);
    assert_eq!(tokens.status, 200, "the flow works");
    secrets.add_tokens(&tokens);
    let refresh = tokens.text("refresh_token");
    for (fields, headers) in [
        (vec![("client_id", CLIENT_ID), ("client_secret", SECRET)], vec![]),
        (
            vec![],
            vec![("PLAID-CLIENT-ID", CLIENT_ID), ("PLAID-SECRET", SECRET)],
        ),
    ] {
        let fields: Vec<_> = fields
            .into_iter()
            .chain([("refresh_token", refresh.as_str())])
            .collect();
        assert_eq!(form(&fields, &headers).status, 200);
    }
    let raw = new_public_token();
    secrets.add("a raw public token", &raw);
    let tokens = form(
        &[
            ("public_token", &raw),
            ("client_id", CLIENT_ID),
            ("client_secret", SECRET),
        ],
        &[],
    );
    assert_eq!(tokens.status, 200);
    secrets.add_tokens(&tokens);

    // The browser login flow.
    let tab = broker.open("").unwrap();
    secrets.add_tab(&tab);
    let public_token = new_public_token();
    secrets.add("a public token", &public_token);
    let landed = complete(&tab, &public_token);
    let session = landed.headers("set-cookie")[0]
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    secrets.add("a session", session.split_once('=').unwrap().1);
    let page = send(&broker.url, "GET", "/explorer", &[("Cookie", &session)], "")
        .unwrap()
        .reply()
        .unwrap();
    assert_eq!(page.status, 200);

    // Codes and tokens used twice, mistyped, in the wrong place.
    let mistyped = format!("{}x", &code[..code.len() - 1]);
    secrets.add("a mistyped code", &mistyped);
    for fields in [
        vec![("code", code.as_str())],
        vec![("code", &mistyped)],
        vec![("code", &refresh)],
        vec![("refresh_token", &code)],
        vec![("code", &code), ("public_token", &raw)],
        vec![("code", &code), ("code", &mistyped)],
        vec![
            ("code", &raw),
            ("client_id", CLIENT_ID),
            ("client_secret", "a-wrong-secret-4711"),
        ],
        vec![
            ("code", &public_token),
            ("client_id", CLIENT_ID),
            ("client_secret", SECRET),
        ],
    ] {
        let reply = form(&fields, &[]);
        assert!(reply.status >= 400, "{fields:?}");
    }
    secrets.add("a wrong secret", "a-wrong-secret-4711");
    let wrong = basic(CLIENT_ID, "a-wrong-secret-4711");
    secrets.add("wrong Basic credentials", &wrong);
    for value in [
        format!("Basic {wrong}"),
        format!("Bearer {refresh}"),
        format!("Basic {SECRET}"),
    ] {
        form(&[("code", &code)], &[("Authorization", &value)]);
    }
    let broken = format!("{{\"code\": \"{code}\", \"client_secret\": \"{SECRET}\", ");
    let json_type = [("Content-Type", "application/json")];
    for body in [
        broken.as_str(),
        "[1]",
        &json!({ "code": { "a": code } }).to_string(),
    ] {
        send(&broker.url, "POST", "/oauth/token", &json_type, body)
            .unwrap()
            .reply()
            .unwrap();
    }
    for path in [
        format!("/?code={code}&redirect_uri=https%3A%2F%2Fevil.example%2F{code}&state={STATE}"),
        format!("/oauth/authorize?client_id={SECRET}&state={STATE}"),
        format!("/oauth/authorize?response_type=token&state={STATE}"),
        format!("/{code}"),
        format!("/api/{refresh}?access_token={refresh}"),
    ] {
        get(&broker.url, &path);
    }
    // Another browser's tab.
    let stranger = Tab {
        cookies: broker.open("state=x").unwrap().cookies,
        ..tab.clone()
    };
    assert_eq!(call(&stranger, "/api/create_link_token", &json!({})).status, 403);
    call(
        &tab,
        "/api/link_exit",
        &json!({ "cancel": true, "error": { "error_message": raw } }),
    );

    plaids_bad_days(broker, plaid, secrets, &new_public_token);
}

fn plaids_bad_days(
    broker: &Broker,
    plaid: &str,
    secrets: &mut Secrets,
    new_public_token: &dyn Fn() -> String,
) {
    let page = b"<html>proxy</html>";
    for fault in [
        json!({ "kind": "error", "status": 500, "error_type": "API_ERROR", "error_code": "INTERNAL_SERVER_ERROR" }),
        json!({ "kind": "error", "status": 400, "error_type": "INVALID_INPUT", "error_code": "INVALID_API_KEYS" }),
        json!({ "kind": "error", "status": 429, "error_type": "RATE_LIMIT_EXCEEDED", "error_code": "RATE_LIMIT" }),
        json!({ "kind": "body", "status": 502, "content_type": "text/html", "bytes": page }),
        json!({ "kind": "reset" }),
        json!({ "kind": "drop_answer" }),
        json!({ "kind": "truncate", "keep": 30 }),
    ] {
        for path in [
            "/link/token/create",
            "/item/public_token/exchange",
            "/item/public_token/exchange",
        ] {
            let order = json!({ "path": path, "fault": fault });
            let laid = crate::web::post_json(plaid, "/_simulator/faults", &order).unwrap();
            assert_eq!(laid.status, 204, "{laid:?}");
        }
        let tab = broker.open(&format!("state={STATE}")).unwrap();
        secrets.add_tab(&tab);
        let linking = broker
            .call(&tab, "/api/create_link_token", &json!({}))
            .unwrap()
            .reply()
            .unwrap();
        assert!(linking.status >= 400, "{linking:?}");
        let public_token = new_public_token();
        secrets.add("a public token", &public_token);
        // Twice, as the second fault waits where the first one did not lead to a second try.
        for _ in 0..2 {
            let reply = broker.complete(&tab, &public_token).unwrap().reply().unwrap();
            assert!(!reply.body.contains("access-"), "{reply:?}");
        }
    }
    for wrong in [
        "public-sandbox-00000000-4711-4711-4711-000000000000",
        "public-tokens-are-not-like-this",
    ] {
        secrets.add("a wrong public token", wrong);
        let tab = broker.open("state=s").unwrap();
        let reply = broker.complete(&tab, wrong).unwrap().reply().unwrap();
        assert!(reply.status >= 400, "{reply:?}");
    }
}

fn base_secrets() -> Secrets {
    let mut secrets = Secrets::default();
    secrets.add("Plaid's secret", SECRET);
    secrets.add("the client's state", STATE);
    secrets.add("the sealing key", KEY.split_once(':').unwrap().1);
    secrets.add("the admin token", ADMIN);
    secrets
}

#[test]
fn nothing_secret_is_printed_even_when_everything_is_logged() {
    for format in ["json", "text"] {
        let home = directory();
        let key = format!("{CLIENT_ID}:{SECRET}");
        let simulate = Start::command(&home, &["simulate", "--bind", "127.0.0.1:0", "--key", &key]);
        let mut plaid = Plaid::of(simulate.set("RUST_LOG", "trace"));
        let mut broker = Broker::of(
            plaid
                .broker(&home)
                .set("PLAID_CLIENT_ID", CLIENT_ID)
                .set("PLAID_SECRET", SECRET)
                .set("BROKER_KEYS", KEY)
                .set("BROKER_ADMIN_TOKEN", ADMIN)
                .set("RUST_LOG", "trace")
                .set("BROKER_LOG", format),
        );
        let mut secrets = base_secrets();
        whole_flows(&broker, &plaid.url, &mut secrets);
        assert_eq!(broker.process.stop(), Some(0));
        assert_eq!(plaid.process.stop(), Some(0));

        for (whose, process) in [("broker", &broker.process), ("simulator", &plaid.process)] {
            assert_eq!(secrets.found_in(&process.stdout), None, "{whose}, {format}");
            assert_eq!(secrets.found_in(&process.stderr), None, "{whose}, {format}");
        }
        // The search finds what is there, and all was logged: dependencies' trace lines too.
        let told = Secrets(vec![("the client id", CLIENT_ID.to_owned())]);
        assert!(told.found_in(&broker.process.stderr).is_some());
        let log = broker.process.stderr.text();
        for word in ["TRACE", "hyper_util", "connection made", "call to Plaid failed"] {
            assert!(log.contains(word), "{format}: no {word}");
        }
    }
}
