//! A run of Link, call by call.

use serde_json::{Value, json};

use crate::support::{Answer, Plaid, link_token_request, text};

/// One run of Link.
pub(crate) struct Link<'a> {
    plaid: &'a Plaid,
    /// `link_token` or `hosted`, and its value.
    who: (&'static str, String),
    pub(crate) session_id: String,
    /// The names of the events so far, as the page heard of them.
    pub(crate) events: Vec<String>,
}

impl<'a> Link<'a> {
    pub(crate) fn new(plaid: &'a Plaid, link_token: &str) -> Self {
        Self {
            plaid,
            who: ("link_token", link_token.to_owned()),
            session_id: String::new(),
            events: Vec::new(),
        }
    }

    pub(crate) fn hosted(plaid: &'a Plaid, url: &str) -> Self {
        let id = url.rsplit('/').next().unwrap().to_owned();
        Self {
            who: ("hosted", id),
            ..Self::new(plaid, "")
        }
    }

    /// Opened, with the first pane shown.
    pub(crate) async fn open(plaid: &'a Plaid, link_token: &str) -> Self {
        let mut link = Self::new(plaid, link_token);
        link.start().await;
        link
    }

    /// Opened, with the login of the bank shown (or its own page offered).
    pub(crate) async fn at(plaid: &'a Plaid, link_token: &str, institution_id: &str) -> Self {
        let mut link = Self::open(plaid, link_token).await;
        link.choose(institution_id).await;
        link
    }

    pub(crate) async fn start(&mut self) {
        let started = self.step("start", json!({})).await.ok();
        self.session_id = text(&started, "link_session_id");
    }

    pub(crate) async fn choose(&mut self, institution_id: &str) -> Value {
        self.step("continue", json!({})).await.ok();
        let body = json!({"institution_id": institution_id});
        self.step("select", body).await.ok()["pane"].clone()
    }

    pub(crate) async fn step(&mut self, step: &str, mut body: Value) -> Answer {
        body[self.who.0] = self.who.1.clone().into();
        body["link_session_id"] = self.session_id.clone().into();
        let path = format!("/_simulator/link/session/{step}");
        let answer = self.plaid.post(&path, &body).await;
        for event in answer.body["events"].as_array().into_iter().flatten() {
            self.events.push(text(event, "name"));
        }
        answer
    }

    /// The pane that a step leads to.
    pub(crate) async fn pane(&mut self, step: &str, body: Value) -> Value {
        self.step(step, body).await.ok()["pane"].clone()
    }

    pub(crate) async fn login(&mut self, password: &str) -> Value {
        self.pane("login", json!({"username": "user_good", "password": password}))
            .await
    }

    pub(crate) async fn answer(&mut self, answers: &[&str]) -> Value {
        self.pane("mfa", json!({"answers": answers})).await
    }

    /// The error pane that a password leads to, and from there back to the login.
    pub(crate) async fn refused_login(&mut self, password: &str) -> String {
        let pane = self.login(password).await;
        assert_eq!(pane["view"], "ERROR", "{pane}");
        let code = text(&pane["error"], "error_code");
        assert_eq!(self.pane("again", json!({})).await["view"], "CREDENTIAL");
        code
    }

    /// Takes all accounts of the pane and finishes.
    pub(crate) async fn take_all(&mut self, pane: &Value) -> Value {
        let body = json!({"account_ids": account_ids(pane)});
        assert_eq!(self.pane("accounts", body).await["view"], "CONNECTED");
        self.step("finish", json!({})).await.ok()
    }

    pub(crate) async fn exit(&mut self) -> Value {
        self.step("exit", json!({})).await.ok()
    }

    /// The sessions that `/link/token/get` tells of.
    pub(crate) async fn sessions(&self, link_token: &str) -> Value {
        let body = json!({"link_token": link_token});
        let got = self.plaid.call("/link/token/get", body).await;
        got.ok()["link_sessions"].clone()
    }
}

pub(crate) fn account_ids(pane: &Value) -> Vec<String> {
    pane["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|account| text(account, "id"))
        .collect()
}

/// A link token of update mode.
pub(crate) async fn update_token(plaid: &Plaid, access_token: &str, changes: Value) -> String {
    let mut request = link_token_request(&changes);
    request["access_token"] = access_token.into();
    request.as_object_mut().unwrap().remove("products");
    text(
        &plaid.call("/link/token/create", request).await.ok(),
        "link_token",
    )
}
