//! Observes requests: puts an empty slot for facts into each of them, and writes its entry when it has ended, also when
//! its caller hung up.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::observed::{Answer, Observed};
use super::{RequestLog, explain};
use crate::app::App;
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

/// hyper drops the handler of a caller that went away, and this with it.
impl Drop for Observed {
    fn drop(&mut self) {
        if let Some(entry) = explain::entry(self) {
            self.log.write(entry);
        }
    }
}
