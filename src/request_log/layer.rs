//! Observes requests: puts an empty slot for facts into each of them, and writes its entry when it has ended, also when
//! its caller hung up.

use std::net::IpAddr;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{Extensions, HeaderMap, Method, StatusCode, Uri};

use super::{RequestLog, explain};
use crate::app::App;
use crate::clock::Timestamp;
use crate::http::client_ip::Peer;
use crate::http::request_id;
use crate::oauth::facts::Facts;

pub async fn layer(
    State((app, log)): State<(App, RequestLog)>,
    mut request: Request,
    next: Next,
) -> Response {
    let facts = Facts::default();
    request.extensions_mut().insert(facts.clone());
    let extensions = request.extensions();
    let mut observed = log.is_on().then(|| Observed {
        facts,
        is_route: extensions.get::<MatchedPath>().is_some(),
        address: extensions.get::<Peer>().map(|peer| peer.address),
        method: request.method().clone(),
        uri: request.uri().clone(),
        headers: request.headers().clone(),
        at: app.clock.now(),
        request_id: request_id::current(),
        answer: None,
        app,
        log,
    });
    let response = next.run(request).await;
    if let Some(observed) = &mut observed {
        observed.answer = Some(Answer {
            status: response.status(),
            extensions: response.extensions().clone(),
        });
    }
    response
}

/// Its entry is written when it is dropped: hyper drops the handler of a caller that went away.
pub(super) struct Observed {
    pub(super) app: App,
    log: RequestLog,
    pub(super) facts: Facts,
    pub(super) is_route: bool,
    pub(super) address: Option<IpAddr>,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) at: Timestamp,
    pub(super) request_id: String,
    pub(super) answer: Option<Answer>,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Hold the error that was answered with.
    pub(super) extensions: Extensions,
}

impl Drop for Observed {
    fn drop(&mut self) {
        if let Some(entry) = explain::entry(self) {
            self.log.write(entry);
        }
    }
}
