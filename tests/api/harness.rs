//! A broker of one's own for each test: port 0, a directory that vanishes, a clock that is moved by hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use plaid_token_broker::clock::{ManualClock, Timestamp};
use plaid_token_broker::config::{Config, LoadOptions};
use plaid_token_broker::lifecycle::{self, Outside, Stop};
use plaid_token_broker::plaid::Timeouts;
use plaid_token_broker::simulator::{self, Simulator};
use reqwest::{Client, RequestBuilder, Response, redirect};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// The callback that tests ask to return to; nothing listens there.
pub const CALLBACK: &str = "http://127.0.0.1:9/callback";
/// Patience with a Plaid that hangs.
pub const PLAID_TIMEOUT: Duration = Duration::from_millis(400);

pub struct TestBroker {
    pub url: String,
    pub ops_url: String,
    pub simulator_url: String,
    pub simulator: Simulator,
    pub clock: Arc<ManualClock>,
    pub stop: Stop,
    pub http: Client,
    pub running: JoinHandle<bool>,
    pub dir: Arc<TempDir>,
}

impl TestBroker {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With these settings beside the ones that every test needs.
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        Self::start_in(Arc::new(TempDir::new().unwrap()), settings).await
    }

    /// In a directory that another broker has used before.
    pub async fn start_in(dir: Arc<TempDir>, settings: &[(&str, &str)]) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_795_000_000_000)));
        let database = format!("sqlite://{}", dir.path().join("data/test.db").display());
        let mut env: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in [
            ("APP_PORT", "0"),
            ("BROKER_OPS_BIND", "127.0.0.1:0"),
            ("BROKER_SIMULATOR_BIND", "127.0.0.1:0"),
            ("DATABASE_URL", database.as_str()),
            ("PLAID_REDIRECT_URI", CALLBACK),
        ]
        .iter()
        .chain(settings)
        {
            env.insert((*name).to_owned(), (*value).to_owned());
        }
        let options = LoadOptions {
            stderr_is_terminal: false,
        };
        let config = Config::load(env, None, options).unwrap_or_else(|problems| panic!("{problems}"));
        let timeouts = Timeouts {
            connect: PLAID_TIMEOUT,
            total: PLAID_TIMEOUT,
            health: PLAID_TIMEOUT,
        };
        let outside = Outside {
            clock: clock.clone(),
            plaid_timeouts: timeouts,
        };
        let broker = lifecycle::build(config, outside)
            .await
            .expect("the broker starts");
        let addresses = broker.addresses();
        let simulator = broker
            .app()
            .simulator
            .clone()
            .expect("tests run on the simulator");
        let stop = Stop::default();
        let running = tokio::spawn(broker.run(stop.clone()));
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            url: format!("http://{}", addresses.broker),
            ops_url: format!("http://{}", addresses.ops),
            simulator_url: format!("http://{}", addresses.simulator.unwrap()),
            simulator,
            clock,
            stop,
            http,
            running,
            dir,
        }
    }

    /// Drains the broker and waits for its end; gives whether all work ended.
    pub async fn stop(self) -> bool {
        self.stop.drain.cancel();
        self.running.await.unwrap()
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url))
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.url))
    }

    /// A token request as form, without client authentication (allowed in the simulator).
    pub async fn token(&self, form: &[(&str, &str)]) -> Answer {
        Answer::of(
            self.post("/api/send_the_access_token_AUTH")
                .body(encode(form))
                .header("content-type", "application/x-www-form-urlencoded"),
        )
        .await
    }

    /// One of the simulator's Plaid calls, with its keys.
    pub async fn plaid(&self, path: &str, mut body: Value) -> Answer {
        body["client_id"] = json!(simulator::CLIENT_ID);
        body["secret"] = json!(simulator::SECRET);
        Answer::of(
            self.http
                .post(format!("{}{path}", self.simulator_url))
                .json(&body),
        )
        .await
    }

    /// What Link would give the browser.
    pub async fn public_token(&self) -> String {
        let body = json!({ "institution_id": "ins_109508", "initial_products": ["auth"] });
        self.plaid("/sandbox/public_token/create", body)
            .await
            .text("public_token")
    }

    /// A whole flow up to the code.
    pub async fn code(&self) -> String {
        let browser = Browser::open(self, "?state=s").await;
        let public_token = self.public_token().await;
        query_value(&browser.complete(&public_token).await.text("redirect_to"), "code").unwrap()
    }

    /// A whole flow up to the tokens.
    pub async fn tokens(&self) -> Answer {
        let code = self.code().await;
        let answer = self.token(&[("code", &code)]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer
    }
}

/// An answer, read whole.
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: String,
    pub json: Value,
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Self {
        Self::read(request.send().await.expect("an answer")).await
    }

    pub async fn read(response: Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.text().await.unwrap();
        let json = serde_json::from_str(&body).unwrap_or(Value::Null);
        Self {
            status,
            headers,
            body,
            json,
        }
    }

    /// A member that must be a string.
    #[track_caller]
    pub fn text(&self, name: &str) -> String {
        self.json[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name} in {}: {}", self.status, self.body))
            .to_owned()
    }

    /// The OAuth (or page call) error code.
    #[track_caller]
    pub fn error(&self) -> String {
        self.text("error")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A browser with its cookies, and the tab that shows the Link page.
pub struct Browser<'a> {
    broker: &'a TestBroker,
    pub cookies: BTreeMap<String, String>,
    pub handle: String,
    pub page: String,
}

impl<'a> Browser<'a> {
    /// Opens the authorization endpoint, which must show the Link page.
    pub async fn open(broker: &'a TestBroker, query: &str) -> Self {
        let answer = Answer::of(broker.get(&format!("/{query}"))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let mut browser = Self {
            broker,
            cookies: BTreeMap::new(),
            handle: String::new(),
            page: String::new(),
        };
        browser.handle = between(&answer.body, "data-handle=\"", "\"")
            .expect("a Link page")
            .to_owned();
        browser.keep_cookies(&answer);
        browser.page = answer.body;
        browser
    }

    pub fn keep_cookies(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            self.cookies
                .insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
        }
    }

    pub fn cookie_header(&self) -> String {
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    /// One of the page's own calls, as the page sends it.
    pub fn call(&self, path: &str) -> RequestBuilder {
        self.broker
            .post(path)
            .header("x-broker-handle", &self.handle)
            .header("cookie", self.cookie_header())
            .header("sec-fetch-site", "same-origin")
    }

    pub async fn create_link_token(&self) -> Answer {
        Answer::of(self.call("/api/create_link_token").json(&json!({}))).await
    }

    pub async fn complete(&self, public_token: &str) -> Answer {
        Answer::of(self.call("/api/set_access_token").json(&success(public_token))).await
    }

    pub async fn cancel(&self) -> Answer {
        Answer::of(self.call("/api/link_exit").json(&json!({ "cancel": true }))).await
    }
}

/// What Link hands over, as the page sends it on.
pub fn success(public_token: &str) -> Value {
    json!({
        "public_token": public_token,
        "metadata": { "institution": { "name": "First Platypus Bank", "institution_id": "ins_109508" } },
    })
}

pub fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.split_once(before)?
        .1
        .split_once(after)
        .map(|(found, _)| found)
}

pub fn query_value(url: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    url.query_pairs()
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}

pub fn encode(form: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish()
}
