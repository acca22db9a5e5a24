//! The token endpoint: `POST /api/send_the_access_token_AUTH`, also `/oauth/token`.
//!
//! It is Kore.ai's token URL and refresh URL at once. What Kore.ai sends is not documented, so form and JSON, every way
//! of client authentication and a missing `grant_type` are understood; the answers are exactly the RFC's.

mod answer;
mod code;
mod raw;
mod refresh;
mod request;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::HeaderMap;

use super::client_auth::Authenticated;
use super::endpoint::{self, Attempt, Sent};
use super::error::TokenError;
use super::params::Params;
use super::told;
use crate::app::App;
use crate::http::client_ip::Peer;
use crate::request_log::Endpoint;
use request::Grant;

/// Answers a token request.
pub async fn token(
    State(app): State<App>,
    axum::Extension(peer): axum::Extension<Peer>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let sent = Sent::new(query.as_deref(), &headers, body);
    let mut attempt = Attempt::new(&app, Endpoint::Token, peer);
    // Until the request was read.
    let mut kind = "none";
    let answer = serve(&app, peer, &mut attempt, sent, &mut kind).await;
    let outcome = answer.as_ref().map_or_else(|error| error.code().1, |_| "ok");
    app.metrics.flow.token_request(kind, outcome);
    attempt.answered(&app, answer)
}

async fn serve(
    app: &App,
    peer: Peer,
    attempt: &mut Attempt,
    sent: Sent<'_>,
    kind: &mut &'static str,
) -> Result<(Response, &'static str), TokenError> {
    let request = endpoint::read(app, peer, sent, attempt).await?;
    told::grant_type(&request.params, &mut attempt.entry);
    let clients = app.clients();
    let grant = request::grant(&request.params);
    *kind = grant.as_ref().map_or("none", Grant::kind);
    let client = request.client(app, &clients, attempt)?;
    let grant = grant.map_err(|error| request.explained(error))?;
    let words = grant.outcome();
    let response = answer(app, attempt, &client, grant, &request.params).await?;
    // Whoever had the right token is not a stranger, even where no secret is asked for.
    attempt.entry.proven();
    if client.lenient {
        attempt
            .entry
            .remark("it came without the client secret, which production will refuse: fill it in");
        tracing::warn!(oauth.client_id = %client.client.id, "a token request came without the client secret; \
            production will refuse it: set the client secret in the OAuth profile");
    }
    Ok((response, words))
}

async fn answer(
    app: &App,
    attempt: &Attempt,
    client: &Authenticated<'_>,
    grant: Grant,
    params: &Params,
) -> Result<Response, TokenError> {
    let origin = attempt.origin();
    let kind = grant.kind();
    let granted = match grant {
        Grant::Code(code) => code::redeem(app, origin, client, &code, params).await?,
        Grant::PublicToken(token) => raw::exchange(app, origin, client, token).await?,
        Grant::Refresh(token) => refresh::refresh(app, origin, client, &token).await?,
    };
    tracing::info!(oauth.client_id = %client.client.id, oauth.grant = kind, grant = %granted.grant.id,
        client.auth = client.method.as_str(), "token answered");
    Ok(answer::of(app, client.client, &granted))
}
