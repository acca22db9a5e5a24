//! A broker of one's own for each test: port 0, a directory that vanishes, a clock that is moved by hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use plaid_token_broker::app::App;
use plaid_token_broker::clock::{ManualClock, Timestamp};
use plaid_token_broker::config::{Config, LoadOptions, LogConfig, LogFormat};
use plaid_token_broker::plaid::Timeouts;
use plaid_token_broker::request_log::RequestLog;
use plaid_token_broker::server::{self, Dependencies, Stop};
use plaid_token_broker::simulator::{self, RunningSimulator, Simulator};
use plaid_token_broker::telemetry;
use reqwest::{Client, RequestBuilder, Response, redirect};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use crate::openapi::document;

/// The callback that tests ask to return to; nothing listens there.
pub const CALLBACK: &str = "http://127.0.0.1:9/callback";
/// Patience with a Plaid that hangs: long enough for a busy machine.
pub const PLAID_TIMEOUT: Duration = Duration::from_secs(1);

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
    /// The shared state, for what no request can reach.
    pub app: App,
    pub request_log: RequestLog,
    /// The Plaid outside of the broker, when there is one.
    _plaid: Option<RunningSimulator>,
}

/// Logs as the program does, where tests/run asks for it: what is logged is searched for secrets.
pub fn logged() {
    if let Ok(filter) = std::env::var("RUST_LOG") {
        let format = LogFormat::Text;
        telemetry::start(&LogConfig { filter, format }).unwrap();
    }
}

/// How a test's broker differs from the plain one.
#[derive(Default)]
pub struct Setup<'a> {
    /// Settings beside the ones that every test needs.
    pub settings: &'a [(&'a str, &'a str)],
    /// A directory that another broker has used before.
    pub dir: Option<Arc<TempDir>>,
    /// A Plaid dependencies of the broker, as the real environments have it: `PLAID_ENV` is `sandbox` unless set.
    pub plaid: Option<simulator::Options>,
    /// What settings cannot say.
    pub change: Option<fn(&mut Config)>,
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
        Self::start_as(Setup {
            settings,
            dir: Some(dir),
            ..Setup::default()
        })
        .await
    }

    pub async fn start_as(setup: Setup<'_>) -> Self {
        logged();
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_795_000_000_000)));
        let dir = setup.dir.unwrap_or_else(|| Arc::new(TempDir::new().unwrap()));
        let plaid = match setup.plaid {
            Some(options) => {
                let clock = clock.clone();
                let options = simulator::Options { clock, ..options };
                Some(Simulator::start(options).await.unwrap())
            }
            None => None,
        };
        let database = format!("sqlite://{}", dir.path().join("data/test.db").display());
        let mut env: BTreeMap<String, String> = BTreeMap::new();
        let mut set = |name: &str, value: &str| env.insert(name.to_owned(), value.to_owned());
        set("APP_PORT", "0");
        set("BROKER_OPS_BIND", "127.0.0.1:0");
        set("BROKER_SIMULATOR_BIND", "127.0.0.1:0");
        set("DATABASE_URL", &database);
        set("PLAID_REDIRECT_URI", CALLBACK);
        if let Some(plaid) = &plaid {
            set("PLAID_ENV", "sandbox");
            set("PLAID_BASE_URL", &plaid.url());
            set("PLAID_CLIENT_ID", simulator::CLIENT_ID);
            set("PLAID_SECRET", simulator::SECRET);
        }
        for (name, value) in setup.settings {
            set(name, value);
        }
        let mut config =
            Config::load(env, None, LoadOptions::default()).unwrap_or_else(|problems| panic!("{problems}"));
        if let Some(change) = setup.change {
            change(&mut config);
        }
        let plaid_timeouts = Timeouts {
            connect: PLAID_TIMEOUT,
            total: PLAID_TIMEOUT,
            health: PLAID_TIMEOUT,
        };
        let dependencies = Dependencies {
            clock: clock.clone(),
            plaid_timeouts,
        };
        let broker = server::build(config, dependencies)
            .await
            .expect("the broker starts");
        let addresses = broker.addresses();
        let app = broker.app().clone();
        let request_log = broker.request_log().clone();
        let (simulator, simulator_url) = match &plaid {
            Some(plaid) => (plaid.simulator().clone(), plaid.url()),
            None => (
                app.simulator.clone().expect("tests run on the simulator"),
                format!("http://{}", addresses.simulator.unwrap()),
            ),
        };
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
            simulator_url,
            simulator,
            clock,
            stop,
            http,
            running,
            dir,
            app,
            request_log,
            _plaid: plaid,
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
    pub fn token_request(&self, form: &[(&str, &str)]) -> RequestBuilder {
        self.post("/api/send_the_access_token_AUTH")
            .body(encode(form))
            .header("content-type", "application/x-www-form-urlencoded")
    }

    pub async fn token(&self, form: &[(&str, &str)]) -> Answer {
        Answer::of(self.token_request(form)).await
    }

    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)])
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
        self.code_of("?state=s").await
    }

    /// A whole flow of this authorization request up to the code.
    pub async fn code_of(&self, query: &str) -> String {
        let browser = Browser::open(self, query).await;
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
    /// What holds for every error of the token endpoint (RFC 6749 5.2), and which one this is.
    #[track_caller]
    pub fn oauth_error(&self) -> (u16, &str) {
        assert_eq!(self.header("cache-control"), Some("no-store"), "{}", self.body);
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{}",
            self.body
        );
        for name in ["error", "error_description"] {
            let text = self.json[name].as_str().expect(name);
            let allowed = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
            assert!(!text.is_empty() && text.chars().all(allowed), "{}", self.body);
        }
        (self.status, self.json["error"].as_str().unwrap())
    }

    /// Sends a request. Whatever a test is about, the answer has to be as the `OpenAPI` document says.
    pub async fn of(request: RequestBuilder) -> Self {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let answer = Self::read(client.execute(request).await.expect("an answer")).await;
        document::check(method.as_str(), &path, &answer);
        answer
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
    /// The sealed request, which the page sends until its transaction is stored.
    pub request: String,
    pub page: String,
    /// Whether Link was opened, without which there is nothing to complete.
    started: OnceCell<()>,
}

impl<'a> Browser<'a> {
    /// Opens the authorization endpoint, which must show the Link page.
    pub async fn open(broker: &'a TestBroker, query: &str) -> Self {
        Self::show(broker, Answer::of(broker.get(&format!("/{query}"))).await)
    }

    /// Shows an answer of the authorization endpoint, which must be the Link page.
    pub fn show(broker: &'a TestBroker, answer: Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let mut browser = Self {
            broker,
            cookies: BTreeMap::new(),
            handle: String::new(),
            request: between(&answer.body, "data-request=\"", "\"")
                .expect("a Link page")
                .to_owned(),
            page: String::new(),
            started: OnceCell::new(),
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

    pub fn create_link_token_request(&self) -> RequestBuilder {
        let body = json!({ "request": self.request });
        self.call("/api/create_link_token").json(&body)
    }

    pub async fn create_link_token(&self) -> Answer {
        Answer::of(self.create_link_token_request()).await
    }

    /// Opens Link, unless that was tried before.
    pub async fn start(&self) {
        let opened = async { drop(self.create_link_token().await) };
        self.started.get_or_init(|| opened).await;
    }

    /// Link succeeds; it is opened before, if it was not yet.
    pub async fn complete(&self, public_token: &str) -> Answer {
        self.start().await;
        Answer::of(self.call("/api/set_access_token").json(&success(public_token))).await
    }

    pub async fn cancel(&self) -> Answer {
        let body = json!({ "cancel": true, "request": self.request });
        Answer::of(self.call("/api/link_exit").json(&body)).await
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
