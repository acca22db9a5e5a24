//! `GET /setup` and `GET /setup/profile.md`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;

use super::{callbacks, profile};
use crate::app::admin::{Admin, AdminForm};
use crate::app::{App, Routes};
use crate::config::{ClientConfig, ClientKind, Clients};
use crate::http::client_ip::Peer;
use crate::http::pages::{ClientChoice, EntryRow, SetupPage};
use crate::http::request_id;
use crate::http::{Refusal, form_policy, html};
use crate::oauth::params::one;
use crate::request_log::{Endpoint, Entry, Outcome, RequestLog};
use crate::telemetry::audit::{Actor, Origin};

const ROOT: &str = "./";

/// The page and its forms, for admins. They are documented in `docs/http.md`, and not in the `OpenAPI` document.
pub(super) fn routes() -> Routes {
    Routes::default()
        .get("/setup", page)
        .get("/setup/profile.md", markdown)
        .post("/setup/callbacks", change_callback)
}

/// The set-up page.
async fn page(
    State(app): State<App>,
    Extension(log): Extension<RequestLog>,
    admin: Admin,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let clients = app.clients();
    let Some(client) = chosen(&clients, &query) else {
        return app.error_page(ROOT, &no_client());
    };
    let allowed = match callbacks::allowed(&app, client).await {
        Ok(allowed) => allowed,
        Err(error) => {
            tracing::error!(%error, "the allowed callbacks could not be read");
            return app.error_page(ROOT, &Refusal::store_unavailable());
        }
    };
    let page = SetupPage {
        root: ROOT,
        environment: app.page_environment(),
        proof: admin.proof().to_owned(),
        notice: one(&query, "done").as_deref().and_then(callbacks::notice),
        clients: clients.as_slice().iter().map(choice).collect(),
        client_id: client.id.clone(),
        public: matches!(client.kind, ClientKind::Public),
        secret: profile::secret(&app, client),
        scope: profile::scope(&app, client),
        rows: profile::rows(&app, client),
        fields: profile::fields(&app),
        test: profile::test(&app),
        addresses: profile::addresses(&app),
        refused: callbacks::refused(&app, &log),
        allowed,
        record: log.is_on(),
        entries: log.entries().iter().rev().map(row).collect(),
        going_live: profile::going_live(&app),
    };
    html(ROOT, &page, form_policy())
}

/// The profile as Markdown.
async fn markdown(State(app): State<App>, _: Admin, RawQuery(query): RawQuery) -> Response {
    let clients = app.clients();
    match chosen(&clients, &query.unwrap_or_default()) {
        Some(client) => {
            let text = profile::markdown(&app, client);
            ([(CONTENT_TYPE, "text/markdown; charset=utf-8")], text).into_response()
        }
        None => app.error_page("../", &no_client()),
    }
}

/// The client that the query names, or the first one.
fn chosen<'a>(clients: &'a Clients, query: &str) -> Option<&'a ClientConfig> {
    match one(query, "client") {
        Some(id) => clients.find(&id),
        None => clients.first(),
    }
}

fn no_client() -> Refusal {
    Refusal {
        status: StatusCode::NOT_FOUND,
        title: "There is no such client".to_owned(),
        message: "The clients file may have changed.".to_owned(),
        advice: vec!["Open the set-up page without a client in its address.".to_owned()],
    }
}

fn choice(client: &ClientConfig) -> ClientChoice {
    ClientChoice {
        id: client.id.clone(),
        name: client.name.clone().unwrap_or_else(|| client.id.clone()),
        public: matches!(client.kind, ClientKind::Public),
    }
}

fn row(entry: &Arc<Entry>) -> EntryRow {
    let at = jiff::Timestamp::from_millisecond(entry.at.as_millis());
    EntryRow {
        id: entry.id,
        at: at.map(|at| at.to_string()).unwrap_or_default(),
        endpoint: name(entry),
        client: match &entry.client {
            // Apart from the client's own, whose failures are no rehearsal's.
            _ if entry.rehearsal => "rehearsal".to_owned(),
            Some(client) => client.clone(),
            None => "unknown".to_owned(),
        },
        outcome: match entry.outcome {
            Outcome::Good => "good",
            Outcome::Refused => "refused",
            Outcome::GivenUp => "given_up",
        },
        status: [
            entry.status.map(|status| status.to_string()),
            entry.error.map(str::to_owned),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" "),
        words: entry.words.clone(),
        fix: entry.fix.unwrap_or_default().to_owned(),
        remarks: entry.remarks.clone(),
        sent: sent(entry),
        request_id: entry.request_id.clone(),
        count: entry.count.0,
    }
}

fn name(entry: &Entry) -> &'static str {
    match entry.endpoint {
        Endpoint::Authorization => "Authorization URL",
        Endpoint::LinkToken => "Start of Link",
        Endpoint::Completion => "End of Link",
        Endpoint::Cancel => "Cancelled",
        Endpoint::Token if entry.grant_type == Some("refresh_token") => "Refresh Token URL",
        Endpoint::Token => "Token Request URL",
        Endpoint::Revocation => "Revocation",
        Endpoint::Introspection => "Introspection",
    }
}

/// Without values.
fn sent(entry: &Entry) -> String {
    let mut parts: Vec<String> = Vec::new();
    if !entry.parameters.is_empty() {
        parts.push(format!("parameters {}", entry.parameters.join(", ")));
    }
    if entry.others > 0 {
        parts.push(format!("{} other parameters", entry.others));
    }
    parts.extend(entry.content_type.map(|kind| format!("body {kind}")));
    parts.extend(
        entry
            .authentication
            .map(|method| format!("authentication {method}")),
    );
    parts.extend(entry.grant_type.map(|grant| format!("grant_type {grant}")));
    parts.join("; ")
}

/// An entry as the page's script shows it: its data, and the page's texts for it.
pub(super) fn json(app: &App, entry: &Arc<Entry>) -> String {
    let mut value = serde_json::to_value(&**entry).unwrap_or_default();
    let row = row(entry);
    if let Some(members) = value.as_object_mut() {
        members.insert("name".to_owned(), row.endpoint.into());
        members.insert("client".to_owned(), row.client.into());
        members.insert("sent".to_owned(), row.sent.into());
        members.insert("allowable".to_owned(), callbacks::is_refused(app, entry).into());
    }
    value.to_string()
}

/// Allows a callback, or removes one.
async fn change_callback(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    form: AdminForm,
) -> Response {
    let origin = Origin::request(peer.address, request_id::current()).with_actor(Actor::Admin);
    tracing::info!(admin = form.admin.name(), "an admin changes the callbacks");
    callbacks::change(&app, &form.fields, origin).await
}
