//! What the token endpoint costs beside the least that its promise costs.
//!
//! `cargo bench --profile dist --bench token_endpoint` serves a broker and a floor in one process, both against an
//! upstream that answers at once, and calls them in turns over sockets. The floor is the smallest handler that keeps
//! the same promise: the same call upstream, and one row that is synced to disk before the response. What is printed is
//! the broker's rate as a part of the floor's, because the rates themselves are the machine's.
//!
//! `BENCH_ROUNDS`, `BENCH_REQUESTS` (per round) and `BENCH_ROWS` (connections stored before the first round) change
//! the amounts.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a program for the command line that ends when anything is wrong"
)]

mod floor;
mod http;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use plaid_token_broker::config::{Config, LoadOptions};
use plaid_token_broker::server::{self, Dependencies, Stop};
use tempfile::TempDir;
use uuid::Uuid;

use self::http::{Connection, Request, Response};

/// Requests that are under way at once.
const CONNECTIONS: usize = 32;
const CLIENT: &str = "client_id=5a11ced0c0ffee0000000001&client_secret=51a11a7ed5ec4e7000000000000001";

/// What a client asks the token endpoint for.
#[derive(Clone, Copy)]
enum Operation {
    /// A raw public token: a call upstream and a commit.
    Exchange,
    /// A code of our own: a commit.
    Redeem,
    /// A refresh token whose connection's health is not known: a call upstream.
    Refresh,
}

impl Operation {
    const ALL: [Self; 3] = [Self::Exchange, Self::Redeem, Self::Refresh];

    fn name(self) -> &'static str {
        match self {
            Self::Exchange => "raw exchange",
            Self::Redeem => "redemption",
            Self::Refresh => "refresh",
        }
    }

    /// The path of its floor.
    fn floor(self) -> &'static str {
        match self {
            Self::Exchange => "/upstream-and-append",
            Self::Redeem => "/append",
            Self::Refresh => "/upstream",
        }
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run());
}

async fn run() {
    let rounds = amount("BENCH_ROUNDS", 5);
    let requests = amount("BENCH_REQUESTS", 3000);
    let directory = TempDir::new().unwrap();
    let upstream = floor::upstream().await;
    let floor = floor::serve(upstream, &directory.path().join("floor.db")).await;
    let broker = broker(upstream, &directory).await;
    load(broker, exchanges(amount("BENCH_ROWS", 0))).await;

    let mut measured: Vec<(f64, f64)> = Vec::new();
    for round in 0..rounds {
        let codes = codes(broker, requests).await;
        let mut refresh_tokens = Vec::new();
        for operation in Operation::ALL {
            let asked = match operation {
                Operation::Exchange => exchanges(requests),
                Operation::Redeem => codes
                    .iter()
                    .map(|code| token_request(&format!("code={code}")))
                    .collect(),
                Operation::Refresh => std::mem::take(&mut refresh_tokens),
            };
            let floor_asked = vec![Request::post(operation.floor(), "{}"); asked.len()];
            // By turns the first, so that neither always finds the caches of the other.
            let (ours, least, responses) = if round % 2 == 0 {
                let (least, _) = load(floor, floor_asked).await;
                let (ours, responses) = load(broker, asked).await;
                (ours, least, responses)
            } else {
                let (ours, responses) = load(broker, asked).await;
                let (least, _) = load(floor, floor_asked).await;
                (ours, least, responses)
            };
            if matches!(operation, Operation::Exchange) {
                refresh_tokens = responses.iter().map(refresh).collect();
            }
            measured.push((ours, least));
        }
    }
    println!("{:14} {:>9} {:>9} {:>7}", "", "broker/s", "floor/s", "ratio");
    for (place, operation) in Operation::ALL.into_iter().enumerate() {
        let of_it = measured.iter().skip(place).step_by(Operation::ALL.len());
        let ratios: Vec<f64> = of_it.clone().map(|(ours, least)| ours / least).collect();
        println!(
            "{:14} {:9.0} {:9.0} {:7.3}   ({:.3} to {:.3})",
            operation.name(),
            median(of_it.clone().map(|(ours, _)| *ours)),
            median(of_it.map(|(_, least)| *least)),
            median(ratios.iter().copied()),
            ratios.iter().copied().fold(f64::INFINITY, f64::min),
            ratios.iter().copied().fold(0.0, f64::max),
        );
    }
}

fn amount(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A broker as operators run it, without its limits on callers.
async fn broker(upstream: SocketAddr, directory: &TempDir) -> SocketAddr {
    let (client_id, secret) = (&CLIENT[10..34], &CLIENT[49..]);
    let settings = [
        ("APP_PORT", "0".to_owned()),
        ("BROKER_OPS_BIND", "127.0.0.1:0".to_owned()),
        ("BROKER_RATE_LIMIT", "off".to_owned()),
        (
            "DATABASE_URL",
            format!("sqlite://{}", directory.path().join("broker.db").display()),
        ),
        ("PLAID_ENV", "sandbox".to_owned()),
        ("PLAID_BASE_URL", format!("http://{upstream}")),
        ("PLAID_CLIENT_ID", client_id.to_owned()),
        ("PLAID_SECRET", secret.to_owned()),
        ("PLAID_REDIRECT_URI", "http://127.0.0.1:9/callback".to_owned()),
    ];
    let settings: BTreeMap<String, String> = settings
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let config = Config::load(settings, None, LoadOptions::default()).unwrap();
    let broker = server::build(config, Dependencies::default()).await.unwrap();
    let address = broker.addresses().broker;
    tokio::spawn(broker.run(Stop::default()));
    address
}

fn token_request(parameters: &str) -> Request {
    Request::post("/oauth/token", &format!("{CLIENT}&{parameters}"))
        .header("content-type", "application/x-www-form-urlencoded")
}

fn exchanges(count: usize) -> Vec<Request> {
    let token = |_| token_request(&format!("public_token=public-sandbox-{}", Uuid::new_v4()));
    (0..count).map(token).collect()
}

fn refresh(response: &Response) -> Request {
    let tokens = response.json();
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    token_request(&format!("grant_type=refresh_token&refresh_token={refresh_token}"))
}

/// Codes of people who have connected their banks.
async fn codes(broker: SocketAddr, count: usize) -> Vec<String> {
    let pages = load(broker, vec![Request::get("/?state=s"); count]).await.1;
    let starts = pages.iter().map(|page| {
        let sealed = between(&page.body, "data-request=\"", '"');
        page_call(
            page,
            "/api/create_link_token",
            &format!(r#"{{"request":"{sealed}"}}"#),
        )
    });
    load(broker, starts.collect()).await;
    let completions = pages.iter().map(|page| {
        let body = format!(
            r#"{{"public_token":"public-sandbox-{}","metadata":{{}}}}"#,
            Uuid::new_v4()
        );
        page_call(page, "/api/set_access_token", &body)
    });
    let completed = load(broker, completions.collect()).await.1;
    let code = |response: &Response| between(&response.body, "code=", '&').to_owned();
    completed.iter().map(code).collect()
}

/// One of the page's own calls.
fn page_call(page: &Response, path: &str, body: &str) -> Request {
    Request::post(path, body)
        .header("content-type", "application/json")
        .header("x-broker-handle", between(&page.body, "data-handle=\"", '"'))
        .header("cookie", between(&page.head, "set-cookie: ", ';'))
        .header("sec-fetch-site", "same-origin")
}

fn between<'t>(text: &'t str, before: &str, after: char) -> &'t str {
    text.split_once(before).unwrap().1.split(after).next().unwrap()
}

/// Sends the requests over as many connections as are open at once. Returns how many a second were answered, and the
/// responses, which have to be good.
async fn load(address: SocketAddr, requests: Vec<Request>) -> (f64, Vec<Response>) {
    let mut shares: Vec<Vec<Request>> = vec![Vec::new(); CONNECTIONS];
    let count = u32::try_from(requests.len()).unwrap();
    for (place, request) in requests.into_iter().enumerate() {
        shares[place % CONNECTIONS].push(request);
    }
    let mut connected = Vec::new();
    for share in shares {
        connected.push((Connection::to(address).await, share));
    }
    let began = Instant::now();
    let tasks: Vec<_> = connected
        .into_iter()
        .map(|(mut connection, share)| {
            tokio::spawn(async move {
                let mut responses = Vec::new();
                for request in share {
                    let response = connection.send(&request).await;
                    assert_eq!(response.status(), 200, "{} {}", response.head, response.body);
                    responses.push(response);
                }
                responses
            })
        })
        .collect();
    let mut responses = Vec::new();
    for task in tasks {
        responses.extend(task.await.unwrap());
    }
    (f64::from(count) / began.elapsed().as_secs_f64(), responses)
}
