//! The simulator's own calls, under `/_simulator/` and so never on a path of Plaid's.
//!
//! They take JSON only: a web page that a person happens to visit cannot send that to another origin without
//! a permission that is never given.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;

use super::{Fault, RecordedRequest, Simulator};

/// `GET /requests` and `POST /faults`.
pub(super) fn routes(simulator: Simulator) -> Router<Simulator> {
    Router::new()
        .route("/requests", get(requests))
        .route("/faults", post(enqueue))
        .fallback(async || StatusCode::NOT_FOUND)
        .with_state(simulator)
}

async fn requests(State(simulator): State<Simulator>) -> Json<Vec<RecordedRequest>> {
    Json(simulator.requests())
}

/// A fault and the path that it waits at: `{"path": "/item/get", "fault": {"kind": "reset"}}`.
#[derive(Deserialize)]
struct Enqueue {
    path: String,
    fault: Fault,
}

async fn enqueue(State(simulator): State<Simulator>, Json(order): Json<Enqueue>) -> StatusCode {
    simulator.enqueue(&order.path, order.fault);
    StatusCode::NO_CONTENT
}
