//! Plaid's API: one way for every call, and a table of what the paths do.

#![expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "all handlers have the signature that the table of endpoints takes"
)]

mod accounts;
mod assets;
mod endpoints;
mod institutions;
mod investments;
mod item;
mod keys;
mod link_token;
mod link_token_rules;
mod listing;
mod payment_consents;
mod payment_rules;
mod payments;
mod prelude;
mod products_read;
mod reading;
mod sandbox;
mod sandbox_transactions;
mod sandbox_user;
mod signal;
mod statements;
mod transactions;
mod transactions_made;
mod transfer;
mod user;
mod verification;
mod webhooks;

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use self::listing::Listing;
use crate::calls::faults::{self, Fault};
use crate::calls::rate_limits;
use crate::calls::recorder::{Known, NO_PATH};
use crate::items::Item;
use crate::simulator::Simulator;
use crate::spec::fields::{self, Field};
use crate::spec::guesses::KeysChecked;
use crate::spec::{Guesses, PlaidError, ids, json, lock};
use plaid_token_broker_core::clock::Timestamp;

/// Longer bodies are refused; Plaid's longest (a custom user) is about 55 kB.
const LONGEST_BODY: usize = 1024 * 1024;

/// One path of Plaid's.
struct Endpoint {
    path: &'static str,
    fields: &'static [Field],
    run: fn(&Call<'_>, Map<String, Value>) -> Result<Answer, PlaidError>,
}

/// The fields that a handler takes.
const fn fields_of<R: fields::Request, A>(
    _handler: fn(&Call<'_>, R) -> Result<A, PlaidError>,
) -> &'static [Field] {
    R::FIELDS
}

/// The body as its handler reads it; the table of fields has checked it.
fn decode<R: fields::Request>(body: Map<String, Value>) -> Result<R, PlaidError> {
    serde_json::from_value(Value::Object(body)).map_err(|error| PlaidError::invalid_field(error.to_string()))
}

/// An answer that is a PDF.
struct Document {
    bytes: Vec<u8>,
    /// Whether the header `Plaid-Content-Hash` has the document's hash.
    hashed: bool,
}

enum Answer {
    Json(Value),
    Listing(Listing),
    Pdf(Document),
}

impl From<Value> for Answer {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

impl From<Listing> for Answer {
    fn from(listing: Listing) -> Self {
        Self::Listing(listing)
    }
}

impl From<Document> for Answer {
    fn from(document: Document) -> Self {
        Self::Pdf(document)
    }
}

/// A call whose keys and fields were found good.
struct Call<'a> {
    simulator: &'a Simulator,
    client_id: Arc<str>,
    /// The simulator's host and port as the caller addressed it.
    host: &'a str,
    now: Timestamp,
    guesses: Guesses,
}

/// Plaid's `error_code`, for the log.
#[derive(Clone)]
struct ErrorCode(std::borrow::Cow<'static, str>);

/// Answers any path, and says so in one line when that was asked for.
pub(crate) async fn answer(State(simulator): State<Simulator>, request: Request) -> Response {
    let now = simulator.now();
    let mut response = logged(simulator, request).await;
    // Plaid's clock is the simulator's, and not that of the machine.
    if let Ok(date) = HeaderValue::from_str(&ids::http_date(now)) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

fn endpoint(path: &str) -> Option<&'static Endpoint> {
    endpoints::ALL.iter().find(|endpoint| endpoint.path == path)
}

/// A path that is answered, and what it takes.
pub(crate) fn known(path: &str) -> Option<(&'static str, &'static [Field])> {
    endpoint(path).map(|endpoint| (endpoint.path, endpoint.fields))
}

async fn logged(simulator: Simulator, request: Request) -> Response {
    if !simulator.0.log_calls {
        return answered(simulator, request).await;
    }
    // Only paths of ours: what else is called may have anything in it.
    let path = known(request.uri().path()).map_or(NO_PATH, |(path, _)| path);
    let began = std::time::Instant::now();
    let response = answered(simulator, request).await;
    let took = began.elapsed();
    let status = response.status().as_u16();
    match response.extensions().get::<ErrorCode>() {
        _ if faults::is_no_answer(&response) => tracing::info!(path, ?took, "no answer, as ordered"),
        Some(ErrorCode(code)) => tracing::info!(path, status, code = &**code, ?took, "call"),
        None => tracing::info!(path, status, ?took, "call"),
    }
    response
}

fn record(simulator: &Simulator, parts: &http::request::Parts, body: &[u8]) {
    let known = Known {
        endpoint: known(parts.uri.path()),
        is_client_id: &|id| simulator.has_client(id),
        versions: keys::VERSIONS,
    };
    lock(&simulator.0.recorder).record(parts, body, &known, simulator.now());
}

/// Records the call, meets the fault that waits for it, does the work.
async fn answered(simulator: Simulator, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LONGEST_BODY).await.ok();
    record(&simulator, &parts, body.as_deref().unwrap_or_default());
    let waiting = lock(&simulator.0.faults).next(parts.uri.path());
    let work = || respond(&simulator, &parts, body.as_ref());
    match waiting {
        None => work(),
        Some(Fault::Delay(duration)) => {
            tokio::time::sleep(duration).await;
            work()
        }
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Reset) => faults::no_answer(),
        Some(Fault::DropAnswer) => {
            work();
            faults::no_answer()
        }
        Some(Fault::Truncate { keep }) => {
            let (head, body) = work().into_parts();
            let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
            faults::truncated(head, &bytes, keep)
        }
        Some(Fault::Body {
            status,
            content_type,
            bytes,
        }) => (status_of(status), [(header::CONTENT_TYPE, content_type)], bytes).into_response(),
        Some(Fault::Error {
            status,
            error_type,
            error_code,
            error_message,
            display_message,
        }) => {
            let error = PlaidError {
                status: status_of(status),
                error_type: error_type.into(),
                error_code: error_code.into(),
                message: error_message.unwrap_or_else(|| "the simulator was told to answer so".to_owned()),
                display_message: None,
                retry_after: None,
            };
            let mut body = error.body(Some(&ids::new_request_id()));
            if let Some(display) = display_message {
                json::set(&mut body, "display_message", display);
            }
            json::response(error.status, &body)
        }
    }
}

/// A fault's status was checked when it was ordered.
fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn respond(simulator: &Simulator, parts: &http::request::Parts, body: Option<&Bytes>) -> Response {
    let request_id = ids::new_request_id();
    let path = parts.uri.path();
    let result = run(simulator, &parts.method, path, &parts.headers, body);
    match result {
        Ok(Answer::Pdf(document)) => pdf_response(document, &request_id),
        Ok(Answer::Listing(listing)) => json::text_response(StatusCode::OK, listing.end(request_id)),
        Ok(Answer::Json(mut answer)) => {
            json::set(&mut answer, "request_id", request_id);
            json::response(StatusCode::OK, &answer)
        }
        Err(error) => {
            tracing::debug!(
                path = known(path).map_or(NO_PATH, |(path, _)| path),
                request_id,
                code = &*error.error_code,
                "the simulator refused a call"
            );
            let mut response = json::response(error.status, &error.body(Some(&request_id)));
            response.extensions_mut().insert(ErrorCode(error.error_code));
            if let Some(seconds) = error.retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            response
        }
    }
}

/// A PDF has no place for the request id: a header has it.
fn pdf_response(document: Document, request_id: &str) -> Response {
    let hash = document.hashed.then(|| {
        let digest = Sha256::digest(&document.bytes);
        digest.iter().fold(String::new(), |mut text, byte| {
            let _written = write!(text, "{byte:02x}");
            text
        })
    });
    let headers = [
        (header::CONTENT_TYPE, "application/pdf"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let mut response = (headers, document.bytes).into_response();
    if let Ok(request_id) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert("plaid-request-id", request_id);
    }
    if let Some(hash) = hash.and_then(|hash| HeaderValue::try_from(hash).ok()) {
        response.headers_mut().insert("plaid-content-hash", hash);
    }
    response
}

/// JSON, keys, fields, and then the endpoint's own rules.
fn run(
    simulator: &Simulator,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: Option<&Bytes>,
) -> Result<Answer, PlaidError> {
    if *method != Method::POST {
        return Err(PlaidError::not_found());
    }
    let endpoint = endpoint(path).ok_or_else(PlaidError::not_found)?;
    let guesses = simulator.switches().guesses;
    keys::check_headers(headers, &guesses)?;
    let mut body = parse(body)?;
    let keys = keys::take(headers, &mut body, &guesses);
    let now = simulator.now();
    let known = |keys| {
        let client_id = keys::authenticate(simulator, keys)?;
        check_rate(simulator, path, &client_id, &body, now)?;
        Ok(client_id)
    };
    let check = || fields::check(endpoint.fields, &body, &guesses);
    let client_id = match guesses.keys_checked {
        KeysChecked::BeforeFields => {
            let client_id = known(keys)?;
            check()?;
            client_id
        }
        KeysChecked::AfterFields => {
            check()?;
            known(keys)?
        }
    };
    fields::write_integers(endpoint.fields, &mut body);
    let call = Call {
        simulator,
        client_id,
        host: headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .unwrap_or("localhost"),
        now,
        guesses,
    };
    (endpoint.run)(&call, body)
}

fn check_rate(
    simulator: &Simulator,
    path: &str,
    client_id: &str,
    body: &Map<String, Value>,
    now: Timestamp,
) -> Result<(), PlaidError> {
    let switches = simulator.switches();
    if !switches.rate_limits {
        return Ok(());
    }
    let access_token = body.get("access_token").and_then(Value::as_str);
    let state = simulator.state();
    let item_id = access_token.and_then(|token| state.item_of(token)).map(Item::id);
    let caller = rate_limits::Caller {
        client_id,
        item_id,
        body,
    };
    lock(&simulator.0.rate_limits).count(path, &caller, &switches.guesses, now)
}

fn parse(body: Option<&Bytes>) -> Result<Map<String, Value>, PlaidError> {
    body.and_then(|body| serde_json::from_slice(body).ok())
        .ok_or_else(PlaidError::invalid_body)
}
