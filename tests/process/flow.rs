//! A broker, Plaid's stand-in beside it, and the flow between them.

use std::io;
use std::path::Path;
use std::time::Instant;

use plaid_token_broker::simulator;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{PATIENCE, Process, Start};
use crate::web::{Reply, Sent, encode, get, post_json, send};

/// Where tests ask to return to; nothing listens there.
pub const CALLBACK: &str = "http://127.0.0.1:9/callback";

/// `simulate`, in a process of its own: what Plaid knows outlives the broker.
pub struct Plaid {
    pub process: Process,
    pub url: String,
}

impl Plaid {
    pub fn start(directory: &TempDir) -> Self {
        Self::of(Start::command(directory, &["simulate", "--bind", "127.0.0.1:0"]))
    }

    pub fn of(start: Start) -> Self {
        Self::from(start.spawn())
    }

    /// One that is starting.
    pub fn from(process: Process) -> Self {
        let url = process.stdout.line("simulator listening on ");
        Self { process, url }
    }

    /// A broker of this directory that takes this for Plaid's Sandbox.
    pub fn broker(&self, directory: impl AsRef<Path>) -> Start {
        Start::broker(directory)
            .set("PLAID_CLIENT_ID", simulator::CLIENT_ID)
            .set("PLAID_SECRET", simulator::SECRET)
            .set("PLAID_BASE_URL", &self.url)
            .set("PLAID_REDIRECT_URI", CALLBACK)
    }

    pub fn public_token(&self) -> String {
        public_token(&self.url)
    }

    /// Lays a fault in wait for the next call of the path.
    pub fn fault(&self, path: &str, fault: &Value) {
        let order = json!({ "path": path, "fault": fault });
        let reply = post_json(&self.url, "/_simulator/faults", &order).unwrap();
        assert_eq!(reply.status, 204, "{reply:?}");
    }

    /// How often the path was called.
    pub fn count(&self, path: &str) -> usize {
        let requests = get(&self.url, "/_simulator/requests").json();
        let requests = requests.as_array().expect("a list");
        requests.iter().filter(|request| request["path"] == path).count()
    }

    /// Waits until the path was called so often.
    #[track_caller]
    pub fn called(&self, path: &str, times: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.count(path) < times {
            assert!(Instant::now() < deadline, "{path} was not called {times} times");
        }
    }
}

/// What Link would give the browser.
pub fn public_token(plaid: &str) -> String {
    let body = json!({
        "client_id": simulator::CLIENT_ID, "secret": simulator::SECRET,
        "institution_id": "ins_109508", "initial_products": ["auth"],
    });
    post_json(plaid, "/sandbox/public_token/create", &body)
        .unwrap()
        .text("public_token")
}

/// A broker that serves.
pub struct Broker {
    pub process: Process,
    pub url: String,
    pub ops: String,
}

impl Broker {
    pub fn of(start: Start) -> Self {
        Self::from(start.spawn())
    }

    /// One that is starting.
    pub fn from(process: Process) -> Self {
        let url = process.stdout.line("listening on ");
        let ops = process.stdout.line("operations listening on ");
        Self { process, url, ops }
    }

    /// Opens the authorization endpoint, which must show the Link page.
    pub fn open(&self, query: &str) -> io::Result<Tab> {
        self.open_at(&format!("/?{query}"))
    }

    /// The same, by path and query.
    pub fn open_at(&self, path: &str) -> io::Result<Tab> {
        let reply = send(&self.url, "GET", path, &[], "")?.reply()?;
        assert_eq!(reply.status, 200, "{reply:?}");
        let handle = between(&reply.body, "data-handle=\"", "\"").expect("a Link page");
        let request = between(&reply.body, "data-request=\"", "\"").expect("a Link page");
        let cookies: Vec<String> = reply
            .headers("set-cookie")
            .iter()
            .filter_map(|cookie| cookie.split(';').next().map(str::to_owned))
            .collect();
        Ok(Tab {
            handle: handle.to_owned(),
            request: request.to_owned(),
            cookies: cookies.join("; "),
        })
    }

    /// Opens Link, as a click on the page's button does.
    pub fn start_link(&self, tab: &Tab) -> io::Result<Reply> {
        let body = json!({ "request": tab.request });
        self.call(tab, "/api/create_link_token", &body)?.reply()
    }

    /// A token request as form, without client authentication (allowed outside production).
    pub fn token(&self, form: &[(&str, &str)]) -> io::Result<Reply> {
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        send(
            &self.url,
            "POST",
            "/api/send_the_access_token_AUTH",
            &headers,
            &encode(form),
        )?
        .reply()
    }

    /// One of the page's own calls; the answer is not waited for.
    pub fn call(&self, tab: &Tab, path: &str, body: &Value) -> io::Result<Sent> {
        let headers = [
            ("Content-Type", "application/json"),
            ("X-Broker-Handle", &tab.handle),
            ("Cookie", &tab.cookies),
            ("Sec-Fetch-Site", "same-origin"),
        ];
        send(&self.url, "POST", path, &headers, &body.to_string())
    }

    /// Link is opened, which a repeat does in vain, and succeeds; the answer to that is not waited for.
    pub fn complete(&self, tab: &Tab, public_token: &str) -> io::Result<Sent> {
        self.start_link(tab)?;
        self.succeed(tab, public_token)
    }

    /// Link, which was opened, succeeds; the answer is not waited for.
    pub fn succeed(&self, tab: &Tab, public_token: &str) -> io::Result<Sent> {
        let institution = json!({ "name": "First Platypus Bank", "institution_id": "ins_109508" });
        let body = json!({ "public_token": public_token, "metadata": { "institution": institution } });
        self.call(tab, "/api/set_access_token", &body)
    }

    /// A whole flow up to the tokens.
    #[track_caller]
    pub fn tokens(&self, plaid: &str) -> Reply {
        let tab = self.open("state=s").unwrap();
        let landed = self
            .complete(&tab, &public_token(plaid))
            .unwrap()
            .reply()
            .unwrap();
        let reply = self.token(&[("code", &code_of(&landed))]).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        reply
    }

    /// The refresh token gives this access token.
    #[track_caller]
    pub fn must_refresh(&self, refresh_token: &str, access_token: &str) {
        let reply = self.token(&[("refresh_token", refresh_token)]).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.text("access_token"), access_token);
    }
}

/// A tab that shows the Link page, in a browser of its own.
#[derive(Clone, Debug)]
pub struct Tab {
    pub handle: String,
    /// The sealed request, which the page sends until its transaction is stored.
    pub request: String,
    pub cookies: String,
}

/// The code in a completion's answer.
#[track_caller]
pub fn code_of(landed: &Reply) -> String {
    let redirect_to = url::Url::parse(&landed.text("redirect_to")).unwrap();
    let code = redirect_to.query_pairs().find(|(name, _)| name == "code");
    code.expect("a code").1.into_owned()
}

pub fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}
