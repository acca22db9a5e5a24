//! An admin's browser: cookies, forms, and the ways in.

use std::collections::BTreeMap;

use plaid_token_broker::app::admin;
use reqwest::RequestBuilder;

use crate::harness::{Answer, TestBroker, encode};

const PAGE: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// A browser with its cookies.
#[derive(Clone)]
pub struct Visitor<'a> {
    broker: &'a TestBroker,
    pub cookies: BTreeMap<String, String>,
}

impl<'a> Visitor<'a> {
    pub fn new(broker: &'a TestBroker) -> Self {
        Self {
            broker,
            cookies: BTreeMap::new(),
        }
    }

    pub fn cookie_header(&self) -> String {
        let pairs: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        pairs.join("; ")
    }

    pub async fn ask(&mut self, request: RequestBuilder) -> Answer {
        let request = request.header("cookie", self.cookie_header());
        let answer = Answer::of(request).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let text = cookie.to_str().unwrap();
            let (name, rest) = text.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if text.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let request = self.broker.get(path).header("accept", PAGE);
        self.ask(request).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        let request = form_of(self.broker, path, form).header("sec-fetch-site", "same-origin");
        self.ask(request).await
    }

    /// Opens a link and presses its button.
    pub async fn log_in(&mut self) -> Answer {
        let link = fresh_link(self.broker);
        self.get(&link).await;
        self.post("/setup/login", &[]).await
    }

    pub fn session(&self) -> Option<&String> {
        self.cookies.get("ptb_admin")
    }

    /// Whether the session opens what is for admins.
    pub async fn is_admin(&mut self) -> bool {
        let page = self.get("/setup/login").await;
        page.header("location") == Some("../setup")
    }
}

pub fn form_of(broker: &TestBroker, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
    broker
        .post(path)
        .header("accept", PAGE)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(encode(form))
}

/// The path of a fresh link.
pub fn fresh_link(broker: &TestBroker) -> String {
    let url = admin::new_link(&broker.app).url();
    let path = url.split_once("/setup/").expect("a link").1;
    format!("/setup/{path}")
}

impl Visitor<'_> {
    /// Opens a link and sends this as the place to go to.
    pub async fn log_in_with(&mut self, next: &str) -> Answer {
        let link = fresh_link(self.broker);
        self.get(&link).await;
        self.post("/setup/login", &[("next", next)]).await
    }
}

/// What this visitor's pages carry.
pub fn proof_of(broker: &TestBroker, visitor: &Visitor<'_>) -> String {
    let headers =
        http::HeaderMap::from_iter([(http::header::COOKIE, visitor.cookie_header().parse().unwrap())]);
    let admin = admin::Admin::of(&broker.app, &headers, false).expect("a session");
    admin.proof().to_owned()
}
