//! No secret in what the program prints, whatever happens and however much it is told to log.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::flow::{Broker, Plaid, Tab, code_of};
use crate::harness::{Output, Start, directory};
use crate::web::{Reply, Sent, encode, get, post_json, send};

/// Shaped like Plaid's keys, and no others than this test's.
const CLIENT_ID: &str = "0a0b0c0d0e0f010203040506";
const SECRET: &str = "7e57ab1e5ec2e7000000000000aa01";
const CLIENT: [(&str, &str); 2] = [("client_id", CLIENT_ID), ("client_secret", SECRET)];
const WRONG: &str = "a-wrong-secret-4711";
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

    /// The first of them that was printed, with its line. The secret is cut out, as what is shown is output too.
    fn found_in(&self, output: &Output) -> Option<String> {
        let text = output.text();
        self.0.iter().find_map(|(name, secret)| {
            let line = text.lines().find(|line| line.contains(secret.as_str()))?;
            Some(format!("{name}: {}", line.replace(secret.as_str(), "[…]")))
        })
    }
}

fn basic(secret: &str) -> String {
    STANDARD.encode(format!("{CLIENT_ID}:{secret}"))
}

/// A client, a person and an attacker at one broker, and what was secret in what they did.
struct Visitors<'a> {
    broker: &'a Broker,
    plaid: &'a str,
    secrets: Secrets,
}

impl Visitors<'_> {
    fn public_token(&mut self) -> String {
        let body = json!({
            "client_id": CLIENT_ID, "secret": SECRET,
            "institution_id": "ins_109508", "initial_products": ["auth"],
        });
        let reply = post_json(self.plaid, "/sandbox/public_token/create", &body).unwrap();
        let public_token = reply.text("public_token");
        self.secrets.add("a public token", &public_token);
        public_token
    }

    fn open(&mut self, query: &str) -> Tab {
        let tab = self.broker.open(query).unwrap();
        self.secrets.add("a handle", &tab.handle);
        self.secrets.add("a sealed request", &tab.request);
        for cookie in tab.cookies.split("; ") {
            self.secrets.add("a cookie", cookie.split_once('=').unwrap().1);
        }
        tab
    }

    fn call(&self, tab: &Tab, path: &str, body: &Value) -> Reply {
        self.broker.call(tab, path, body).unwrap().reply().unwrap()
    }

    fn complete(&self, tab: &Tab, public_token: &str) -> Reply {
        self.broker.complete(tab, public_token).unwrap().reply().unwrap()
    }

    fn post(&self, headers: &[(&str, &str)], body: &str) -> Reply {
        send(&self.broker.url, "POST", "/oauth/token", headers, body)
            .and_then(Sent::reply)
            .unwrap()
    }

    /// A token request; what it is given is kept.
    fn token(&mut self, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Reply {
        let content = ("Content-Type", "application/x-www-form-urlencoded");
        let headers: Vec<_> = headers.iter().copied().chain([content]).collect();
        let reply = self.post(&headers, &encode(fields));
        if reply.status == 200 {
            self.secrets.add("an access token", &reply.text("access_token"));
            self.secrets.add("a refresh token", &reply.text("refresh_token"));
        }
        reply
    }

    /// The way it should go, with every way to authenticate. Gives the used code and the refresh token.
    fn connect(&mut self) -> (String, String) {
        let tab = self.open(&format!("state={STATE}"));
        let link_token = self
            .call(&tab, "/api/create_link_token", &json!({ "request": tab.request }))
            .text("link_token");
        self.secrets.add("a link token", &link_token);
        let public_token = self.public_token();
        let code = code_of(&self.complete(&tab, &public_token));
        self.secrets.add("a code", &code);
        let credentials = basic(SECRET);
        self.secrets.add("Basic credentials", &credentials);
        let header = format!("Basic {credentials}");
        let tokens = self.token(&[("code", &code)], &[("Authorization", &header)]);
        let refresh = tokens.text("refresh_token");
        let in_body = [("refresh_token", refresh.as_str()), CLIENT[0], CLIENT[1]];
        assert_eq!(self.token(&in_body, &[]).status, 200);
        let in_headers = [("PLAID-CLIENT-ID", CLIENT_ID), ("PLAID-SECRET", SECRET)];
        let refreshed = self.token(&[("refresh_token", &refresh)], &in_headers);
        assert_eq!(refreshed.status, 200, "{refreshed:?}");
        (code, refresh)
    }

    fn log_in_by_browser(&mut self) {
        let tab = self.open("");
        let public_token = self.public_token();
        let landed = self.complete(&tab, &public_token);
        let cookies = landed.headers("set-cookie");
        let session = cookies[0].split(';').next().unwrap();
        self.secrets.add("a session", session.split_once('=').unwrap().1);
        let headers = [("Cookie", session)];
        let page = send(&self.broker.url, "GET", "/explorer", &headers, "").and_then(Sent::reply);
        assert_eq!(page.unwrap().status, 200);
        // The same page in another browser, and with things where they do not belong.
        let stranger = Tab {
            cookies: self.open("state=x").cookies,
            ..tab.clone()
        };
        assert_eq!(
            self.call(&stranger, "/api/create_link_token", &json!({})).status,
            403
        );
        let exit = json!({ "cancel": true, "error": { "error_message": public_token } });
        self.call(&tab, "/api/link_exit", &exit);
    }

    /// Tokens used twice, mistyped, in the wrong place, with the wrong secret.
    fn go_wrong(&mut self, code: &str, refresh: &str) {
        let raw = self.public_token();
        assert_eq!(
            self.token(&[("public_token", &raw), CLIENT[0], CLIENT[1]], &[])
                .status,
            200
        );
        let mistyped = format!("{}x", &code[..code.len() - 1]);
        self.secrets.add("a mistyped code", &mistyped);
        self.secrets.add("a wrong secret", WRONG);
        let wrong = basic(WRONG);
        self.secrets.add("wrong Basic credentials", &wrong);
        for fields in [
            vec![("code", code)],
            vec![("code", &mistyped)],
            vec![("code", refresh)],
            vec![("refresh_token", code)],
            vec![("code", code), ("public_token", &raw)],
            vec![("code", code), ("code", &mistyped)],
            vec![("code", &raw), CLIENT[0], ("client_secret", WRONG)],
            vec![("code", &raw)],
        ] {
            assert!(self.token(&fields, &[]).status >= 400);
        }
        for value in [
            format!("Basic {wrong}"),
            format!("Bearer {refresh}"),
            format!("Basic {SECRET}"),
        ] {
            let reply = self.token(&[("code", code)], &[("Authorization", &value)]);
            assert!(reply.status >= 400, "{reply:?}");
        }
        for body in [
            format!("{{\"code\": \"{code}\", \"client_secret\": \"{SECRET}\", "),
            json!({ "code": { "nested": code }, "client_secret": [SECRET] }).to_string(),
        ] {
            let reply = self.post(&[("Content-Type", "application/json")], &body);
            assert_eq!(reply.status, 400, "{reply:?}");
        }
        for path in [
            format!("/?code={code}&redirect_uri=https%3A%2F%2Fevil.example%2F{code}&state={STATE}"),
            format!("/oauth/authorize?client_id={SECRET}&state={STATE}"),
            format!("/oauth/authorize?response_type=token&state={STATE}"),
            format!("/{code}"),
            format!("/api/{refresh}?access_token={refresh}"),
        ] {
            assert!(get(&self.broker.url, &path).status >= 300);
        }
    }

    fn meet_plaids_bad_days(&mut self) {
        let error = |status: u16, kind: &str, code: &str| json!({ "kind": "error", "status": status, "error_type": kind, "error_code": code });
        for fault in [
            error(500, "API_ERROR", "INTERNAL_SERVER_ERROR"),
            error(400, "INVALID_INPUT", "INVALID_API_KEYS"),
            error(429, "RATE_LIMIT_EXCEEDED", "RATE_LIMIT"),
            json!({ "kind": "body", "status": 502, "content_type": "text/html", "bytes": b"<html>proxy</html>" }),
            json!({ "kind": "reset" }),
            json!({ "kind": "drop_answer" }),
            json!({ "kind": "truncate", "keep": 30 }),
        ] {
            let exchange = "/item/public_token/exchange";
            for path in ["/link/token/create", exchange, exchange] {
                let order = json!({ "path": path, "fault": fault });
                let laid = post_json(self.plaid, "/_simulator/faults", &order).unwrap();
                assert_eq!(laid.status, 204, "{laid:?}");
            }
            let tab = self.open(&format!("state={STATE}"));
            let linking = self.call(&tab, "/api/create_link_token", &json!({ "request": tab.request }));
            assert!(linking.status >= 400, "{linking:?}");
            let public_token = self.public_token();
            // Twice, as the second fault waits where the first one did not lead to a second try.
            for _ in 0..2 {
                let reply = self.complete(&tab, &public_token);
                assert!(!reply.body.contains("access-"), "{reply:?}");
            }
        }
        for wrong in [
            "public-sandbox-00000000-4711-4711-4711-000000000000",
            "public-tokens-are-not-like-this",
        ] {
            self.secrets.add("a wrong public token", wrong);
            let tab = self.open("state=s");
            let reply = self.complete(&tab, wrong);
            assert!(reply.status >= 400, "{reply:?}");
        }
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
        let mut visitors = Visitors {
            broker: &broker,
            plaid: &plaid.url,
            secrets: base_secrets(),
        };
        let (code, refresh) = visitors.connect();
        visitors.log_in_by_browser();
        visitors.go_wrong(&code, &refresh);
        visitors.meet_plaids_bad_days();
        let secrets = visitors.secrets;
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
