//! Knows the requests of our own rehearsal, which stay out of the record of requests.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;
use crate::request_log::rehearsal;

/// Serves a request that proves to be the rehearsal's as one; all others as ever.
pub async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_proven = request.headers().get(rehearsal::HEADER).is_some_and(|sent| {
        let plaid = &app.config.plaid;
        let keys = rehearsal::Keys::of(&app.store.keyring(), plaid.environment.name(), &plaid.client_id);
        sent.to_str()
            .is_ok_and(|sent| keys.prove(sent, app.record.rehearsals(), app.clock.now()))
    });
    if is_proven {
        rehearsal::under_way(next.run(request)).await
    } else {
        next.run(request).await
    }
}
