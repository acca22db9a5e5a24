//! An OAuth client: a web application whose "Connect your bank" leads to the broker.
//!
//! Start the broker (`cargo run --release`), then `cargo run --example oauth_client`, and open <http://127.0.0.1:5000/>.

#![expect(
    clippy::indexing_slicing,
    reason = "serde_json's indexing returns null for what is missing"
)]

use std::sync::{Arc, Mutex};

use anyhow::{Context as _, ensure};
use axum::Router;
use axum::extract::{Query, State};
use axum::response::{Html, Redirect};
use axum::routing::get;
use plaid_token_broker::simulator::{CLIENT_ID, SECRET};
use serde_json::Value;
use url::form_urlencoded::Serializer;

/// The application: where the broker is, where this program is, and the `state` of the authorization in progress.
struct Client {
    broker: String,
    own: String,
    state: Mutex<String>,
    http: reqwest::Client,
}

impl Client {
    /// The broker's token endpoint; RFC 6749 4.1.3 and 6.
    async fn token(&self, parameters: &[(&str, &str)]) -> anyhow::Result<Value> {
        let body = Serializer::new(String::new()).extend_pairs(parameters).finish();
        let url = format!("{}/oauth/token", self.broker);
        let request = self.http.post(url).basic_auth(CLIENT_ID, Some(SECRET));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let response = request.body(body).send().await?;
        let status = response.status();
        let answer: Value = response.json().await?;
        ensure!(
            status.is_success(),
            "the broker refused: {}",
            answer["error_description"]
        );
        Ok(answer)
    }

    /// From the code to the person's accounts: redeem, refresh, and show what was granted. The access token is Plaid's own
    /// and would now go into calls to Plaid, from this server and never from the browser.
    async fn connect(&self, callback: &[(String, String)]) -> anyhow::Result<String> {
        let sent = |name: &str| {
            callback
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| &**value)
        };
        let state = std::mem::take(
            &mut *self
                .state
                .lock()
                .map_err(|_| anyhow::anyhow!("a request panicked"))?,
        );
        ensure!(
            !state.is_empty() && sent("state") == Some(&*state),
            "this is not the answer to our request"
        );
        let code = sent("code").with_context(|| format!("no code: {:?}", sent("error")))?;
        let redirect_uri = format!("{}/callback", self.own);
        let redeem = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &redirect_uri),
        ];
        let tokens = self.token(&redeem).await?;
        let refresh_token = tokens["refresh_token"].as_str().context("no refresh token")?;
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)])
            .await?;
        Ok(format!(
            "Connected {} with scope {}.",
            tokens["item_id"], tokens["scope"]
        ))
    }
}

async fn start(State(client): State<Arc<Client>>) -> Redirect {
    let state = uuid::Uuid::new_v4().to_string();
    let redirect_uri = format!("{}/callback", client.own);
    let query = [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", &redirect_uri),
        ("state", &state),
    ];
    let query = Serializer::new(String::new()).extend_pairs(query).finish();
    if let Ok(mut expected) = client.state.lock() {
        *expected = state;
    }
    Redirect::to(&format!("{}/oauth/authorize?{query}", client.broker))
}

async fn callback(State(client): State<Arc<Client>>, Query(sent): Query<Vec<(String, String)>>) -> String {
    client
        .connect(&sent)
        .await
        .unwrap_or_else(|error| format!("Not connected: {error:#}"))
}

/// The application's pages. `broker` and `own` are base URLs without a slash at the end.
pub fn application(broker: &str, own: &str) -> Router {
    // reqwest is built here without a TLS provider of its own.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let client = Client {
        broker: broker.to_owned(),
        own: own.to_owned(),
        state: Mutex::default(),
        http: reqwest::Client::new(),
    };
    Router::new()
        .route(
            "/",
            get(async || Html(r#"<a href="start">Connect your bank</a>"#)),
        )
        .route("/start", get(start))
        .route("/callback", get(callback))
        .with_state(Arc::new(client))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:5000").await?;
    axum::serve(
        listener,
        application("http://localhost:8000", "http://127.0.0.1:5000"),
    )
    .await?;
    Ok(())
}
