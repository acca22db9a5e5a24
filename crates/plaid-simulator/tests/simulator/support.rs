//! A running simulator with a clock that stands, and a client with keys.

use std::sync::Arc;
use std::time::Duration;

use plaid_simulator::{CLIENT_ID, Options, RunningSimulator, SECRET, Simulator};
use plaid_token_broker_core::clock::{ManualClock, Timestamp};
use serde_json::{Value, json};

/// A second client of the simulator's.
pub(crate) const OTHER: (&str, &str) = ("5a11ced0c0ffee0000000002", "another-secret");

pub(crate) struct Plaid {
    pub(crate) running: RunningSimulator,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) http: reqwest::Client,
}

/// An answer: status and body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// The body of a success.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        assert!(
            self.body["request_id"].as_str().is_some_and(|id| !id.is_empty()),
            "{}",
            self.body
        );
        self.body
    }

    /// Asserts an error of Plaid's with all its keys.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, error_type: &str, error_code: &str) {
        let body = &self.body;
        assert_eq!(
            (&body["error_type"], &body["error_code"]),
            (&json!(error_type), &json!(error_code)),
            "{body}"
        );
        assert_eq!(self.status, status, "{body}");
        for key in [
            "display_message",
            "documentation_url",
            "error_message",
            "request_id",
            "suggested_action",
        ] {
            assert!(body.get(key).is_some(), "{key} is missing: {body}");
        }
    }
}

impl Plaid {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        // Where tests/run asks for it: what is logged is searched for secrets.
        if let Ok(filter) = std::env::var("RUST_LOG") {
            // Refused where another test of this process has started it.
            let _ = tracing_subscriber::fmt()
                .with_env_filter(filter)
                .with_ansi(false)
                .with_writer(std::io::stderr)
                .try_init();
        }
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_750_000_000_000)));
        let keys = vec![(OTHER.0.to_owned(), OTHER.1.to_owned())];
        let running = Simulator::start(Options {
            clock: clock.clone(),
            keys,
            ..options
        })
        .await
        .unwrap();
        Self {
            running,
            clock,
            http: client(),
        }
    }

    pub(crate) fn simulator(&self) -> &Simulator {
        self.running.simulator()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.url())
    }

    /// A call with the built-in keys in the body.
    pub(crate) async fn call(&self, path: &str, body: Value) -> Answer {
        self.call_as((CLIENT_ID, SECRET), path, body).await
    }

    pub(crate) async fn call_as(&self, keys: (&str, &str), path: &str, mut body: Value) -> Answer {
        body["client_id"] = keys.0.into();
        body["secret"] = keys.1.into();
        self.post(path, &body).await
    }

    /// A call with exactly this body.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let response = self.http.post(self.url(path)).json(body).send().await.unwrap();
        Answer {
            status: response.status().as_u16(),
            body: response.json().await.unwrap(),
        }
    }

    /// A public token that was not exchanged.
    pub(crate) async fn public_token(&self) -> String {
        let body = json!({"institution_id": "ins_109508", "initial_products": ["transactions"]});
        text(
            &self.call("/sandbox/public_token/create", body).await.ok(),
            "public_token",
        )
    }

    pub(crate) async fn exchange(&self, public_token: &str) -> Answer {
        self.call(
            "/item/public_token/exchange",
            json!({"public_token": public_token}),
        )
        .await
    }

    /// An access token of a fresh Item.
    pub(crate) async fn access_token(&self) -> String {
        let public_token = self.public_token().await;
        text(&self.exchange(&public_token).await.ok(), "access_token")
    }

    /// An access token of a fresh Item of this test user, with its data pulled.
    pub(crate) async fn item_of(&self, username: &str, password: &str, products: &[&str]) -> String {
        let body = json!({
            "institution_id": "ins_109508",
            "initial_products": products,
            "options": {
                "override_username": username,
                "override_password": password,
                "statements": {"start_date": "2025-01-01", "end_date": "2025-06-01"},
            },
        });
        let created = self.call("/sandbox/public_token/create", body).await.ok();
        let public_token = text(&created, "public_token");
        let token = text(&self.exchange(&public_token).await.ok(), "access_token");
        self.clock.advance(Duration::from_secs(3));
        token
    }

    /// `item_of` for the standard user.
    pub(crate) async fn item_with(&self, products: &[&str]) -> String {
        self.item_of("user_good", "pass_good", products).await
    }

    /// A call with nothing but an access token.
    pub(crate) async fn of_item(&self, path: &str, access_token: &str) -> Answer {
        self.call(path, json!({"access_token": access_token})).await
    }

    pub(crate) async fn link_token(&self, changes: Value) -> String {
        text(
            &self
                .call("/link/token/create", link_token_request(&changes))
                .await
                .ok(),
            "link_token",
        )
    }
}

pub(crate) fn client() -> reqwest::Client {
    // reqwest is built without a provider of its own; only the first of these calls installs one.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap()
}

pub(crate) fn text(value: &Value, field: &str) -> String {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no text {field} in {value}"))
        .to_owned()
}

/// A good body of `/link/token/create` with some fields replaced.
pub(crate) fn link_token_request(changes: &Value) -> Value {
    let mut body = json!({
        "client_name": "Test bank bot",
        "language": "en",
        "country_codes": ["US"],
        "user": {"client_user_id": "8a1b0f52"},
        "products": ["auth", "transactions"],
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}
