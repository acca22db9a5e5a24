//! Plaid's API: one way for every call, and a table of what the paths do.

mod accounts;
mod institutions;
mod item;
mod keys;
mod link_token;
mod link_token_fields;
mod products;
mod sandbox;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Method, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::PlaidError;
use super::fault::{self, Fault};
use super::fields::{self, Field};
use super::{Simulator, ids, lock};
use crate::clock::Timestamp;

/// Longer bodies are refused; Plaid's longest (a custom user) is about 55 kB.
const LONGEST_BODY: usize = 1024 * 1024;

/// One path of Plaid's.
struct Endpoint {
    path: &'static str,
    fields: &'static [Field],
    run: fn(Call<'_>) -> Result<Value, PlaidError>,
}

/// Every path that is answered. A new one is one more line here.
const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: "/link/token/create",
        fields: link_token_fields::CREATE,
        run: link_token::create,
    },
    Endpoint {
        path: "/link/token/get",
        fields: link_token_fields::GET,
        run: link_token::get,
    },
    Endpoint {
        path: "/item/public_token/exchange",
        fields: item::EXCHANGE,
        run: item::exchange,
    },
    Endpoint {
        path: "/item/get",
        fields: item::GET,
        run: item::get,
    },
    Endpoint {
        path: "/item/remove",
        fields: item::REMOVE,
        run: item::remove,
    },
    Endpoint {
        path: "/item/access_token/invalidate",
        fields: item::INVALIDATE,
        run: item::invalidate,
    },
    Endpoint {
        path: "/accounts/get",
        fields: accounts::GET,
        run: accounts::get,
    },
    Endpoint {
        path: "/accounts/balance/get",
        fields: accounts::BALANCE_GET,
        run: accounts::get,
    },
    Endpoint {
        path: "/institutions/get_by_id",
        fields: institutions::GET_BY_ID,
        run: institutions::get_by_id,
    },
    Endpoint {
        path: "/sandbox/public_token/create",
        fields: sandbox::PUBLIC_TOKEN_CREATE,
        run: sandbox::public_token_create,
    },
    Endpoint {
        path: "/sandbox/item/reset_login",
        fields: sandbox::RESET_LOGIN,
        run: sandbox::reset_login,
    },
];

/// A call whose keys and fields were found good.
struct Call<'a> {
    simulator: &'a Simulator,
    client_id: String,
    /// The simulator's host and port as the caller addressed it.
    host: &'a str,
    now: Timestamp,
    body: Map<String, Value>,
}

impl Call<'_> {
    /// The body as the endpoint's own type; the table of fields has already judged it.
    fn take<T: DeserializeOwned>(&mut self) -> Result<T, PlaidError> {
        serde_json::from_value(Value::Object(std::mem::take(&mut self.body)))
            .map_err(|error| PlaidError::invalid_field(error.to_string()))
    }
}

/// Answers any path: records the call, meets the fault that waits for it, does the work.
pub(super) async fn answer(State(simulator): State<Simulator>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LONGEST_BODY).await.ok();
    lock(&simulator.0.recorder).record(&parts, body.as_deref().unwrap_or_default(), simulator.now());
    let waiting = lock(&simulator.0.faults).next(parts.uri.path());
    let work = || respond(&simulator, &parts, body.as_ref());
    match waiting {
        None => work(),
        Some(Fault::Delay(duration)) => {
            tokio::time::sleep(duration).await;
            work()
        }
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Reset) => fault::no_answer(),
        Some(Fault::DropAnswer) => {
            work();
            fault::no_answer()
        }
        Some(Fault::Truncate { keep }) => {
            let (head, body) = work().into_parts();
            let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
            fault::truncated(head, &bytes, keep)
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
        }) => {
            let error = PlaidError {
                status: status_of(status),
                error_type: error_type.into(),
                error_code: error_code.into(),
                message: "the simulator was told to answer so".to_owned(),
                display_message: None,
            };
            json_response(error.status, &error.body(&ids::new_request_id()))
        }
    }
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn respond(simulator: &Simulator, parts: &http::request::Parts, body: Option<&Bytes>) -> Response {
    let request_id = ids::new_request_id();
    let path = parts.uri.path();
    let result = run(simulator, &parts.method, path, &parts.headers, body);
    match result {
        Ok(mut answer) => {
            if let Some(answer) = answer.as_object_mut() {
                answer.insert("request_id".to_owned(), request_id.into());
            }
            json_response(StatusCode::OK, &answer)
        }
        Err(error) => {
            tracing::debug!(
                path,
                request_id,
                code = &*error.error_code,
                "the simulator refused a call"
            );
            json_response(error.status, &error.body(&request_id))
        }
    }
}

pub(super) fn json_response(status: StatusCode, body: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, Body::from(body.to_string())).into_response()
}

/// JSON, keys, missing fields, unknown fields, values, and then the endpoint's own rules.
fn run(
    simulator: &Simulator,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: Option<&Bytes>,
) -> Result<Value, PlaidError> {
    let endpoint = ENDPOINTS
        .iter()
        .find(|endpoint| endpoint.path == path && method == Method::POST)
        .ok_or_else(PlaidError::not_found)?;
    keys::check_headers(headers)?;
    let mut body = parse(body)?;
    let client_id = keys::authenticate(simulator, headers, &mut body)?;
    fields::check(endpoint.fields, &body)?;
    (endpoint.run)(Call {
        simulator,
        client_id,
        host: headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .unwrap_or("localhost"),
        now: simulator.now(),
        body,
    })
}

fn parse(body: Option<&Bytes>) -> Result<Map<String, Value>, PlaidError> {
    body.and_then(|body| serde_json::from_slice(body).ok())
        .ok_or_else(PlaidError::invalid_body)
}
