//! Ending connections: first a page that says what happens, then the act, audited in its commit.

use std::time::Duration;

use axum::extract::{Extension, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use tokio::time::timeout;

use super::client_name;
use crate::app::App;
use crate::app::admin::{Admin, AdminForm, Fields};
use crate::http::client_ip::Peer;
use crate::http::pages::RevokePage;
use crate::http::request_id;
use crate::http::{Refusal, form_policy, html};
use crate::plaid::connections;
use crate::store::model::{ConnectionFilter, ConnectionKey, ConnectionState, ConnectionSummary, EndTarget};
use crate::store::{Store, StoreError};
use crate::telemetry::audit::{Actor, Origin};

const ROOT: &str = "../../";
/// What must be typed before everything is ended.
const WORDS: &str = "revoke all";
/// How long the page waits: thousands take longer, and continue without it.
const PAGE_LIMIT: Duration = Duration::from_secs(5);
/// A client's connections are counted up to here for the page.
const COUNTED: usize = 1000;

/// `GET /setup/connections/revoke`: asks for confirmation.
pub(super) async fn ask(State(app): State<App>, admin: Admin, RawQuery(query): RawQuery) -> Response {
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    match target(&fields) {
        Some(target) => confirm(&app, &admin, target, None).await,
        None => nothing_named(&app),
    }
}

/// `POST /setup/connections/revoke`: does it.
pub(super) async fn revoke(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    AdminForm { admin, fields }: AdminForm,
) -> Response {
    let Some(target) = target(&fields) else {
        return nothing_named(&app);
    };
    if target == EndTarget::All && fields.get("typed").map(str::trim) != Some(WORDS) {
        let problem = "Nothing was ended: the typed words do not match.";
        return confirm(&app, &admin, target, Some(problem)).await;
    }
    let origin = Origin::request(peer.address, request_id::current()).with_actor(Actor::Admin);
    let store = app.store.by(origin);
    let session = admin.name().to_owned();
    // A task of its own: it continues when the browser does not wait for it.
    let mut ending = tokio::spawn(end(app.clone(), store, target, session));
    match timeout(PAGE_LIMIT, &mut ending).await {
        Ok(Ok(Some(ended))) => Redirect::to(&format!("../connections?ended={ended}")).into_response(),
        Ok(_) => app.error_page(ROOT, &Refusal::store_unavailable()),
        Err(_) => Redirect::to("../connections?ending=1").into_response(),
    }
}

/// Returns the number of connections that were ended, unless not all could be.
async fn end(app: App, store: Store, target: EndTarget, session: String) -> Option<u64> {
    let ended = connections::end(&store, &app.clock, &target, |_, _| {
        app.connections.removals_wanted();
    });
    match ended.await {
        Ok(ended) => {
            tracing::warn!(
                connections = ended.connections,
                grants = ended.grants,
                session,
                "connections were ended by an admin"
            );
            Some(ended.connections)
        }
        Err((ended, error)) => {
            tracing::error!(
                %error,
                connections = ended.connections,
                grants = ended.grants,
                session,
                "not all connections could be ended"
            );
            None
        }
    }
}

/// `None` also when there are two.
fn target(fields: &Fields) -> Option<EndTarget> {
    let named = |name| fields.get(name).filter(|value| !value.is_empty());
    match (named("connection"), named("client"), named("all")) {
        (Some(id), None, None) => Some(EndTarget::One(ConnectionKey::read(id))),
        (None, Some(id), None) => Some(EndTarget::Client(id.to_owned())),
        (None, None, Some(_)) => Some(EndTarget::All),
        _ => None,
    }
}

async fn confirm(app: &App, admin: &Admin, target: EndTarget, problem: Option<&'static str>) -> Response {
    let page = match page(app, admin, target, problem).await {
        Ok(Some(page)) => page,
        Ok(None) => return nothing_named(app),
        Err(error) => {
            tracing::error!(%error, "the connections could not be read");
            return app.error_page(ROOT, &Refusal::store_unavailable());
        }
    };
    let mut response = html(ROOT, &page, form_policy());
    if problem.is_some() {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    response
}

async fn page(
    app: &App,
    admin: &Admin,
    target: EndTarget,
    problem: Option<&'static str>,
) -> Result<Option<RevokePage>, StoreError> {
    let page = |question: String, concerns, target, button: &str| RevokePage {
        root: ROOT,
        environment: app.page_environment(),
        proof: admin.proof().to_owned(),
        question,
        concerns,
        target,
        must_type: None,
        problem,
        button: button.to_owned(),
    };
    Ok(match target {
        EndTarget::One(key) => app.store.connection_summary(key).await?.map(|summary| {
            let id = summary.id.to_string();
            let concerns = concerns(app, &summary);
            page(
                "Revoke this connection?".to_owned(),
                concerns,
                ("connection", id),
                "Revoke it",
            )
        }),
        EndTarget::Client(id) => {
            let name = client_name(app, &id);
            let filter = ConnectionFilter {
                client_id: Some(id.clone()),
                state: Some(ConnectionState::Live),
                limit: COUNTED,
                ..ConnectionFilter::default()
            };
            let count = match app.store.connections(filter).await?.len() {
                COUNTED => format!("{COUNTED} connections or more"),
                1 => "One connection".to_owned(),
                count => format!("{count} connections"),
            };
            let concerns = vec![
                format!("{count} in use."),
                "One that another client uses as well stays for that client.".to_owned(),
            ];
            let question = format!("Revoke all connections of {name}?");
            Some(page(question, concerns, ("client", id), "Revoke all of them"))
        }
        EndTarget::All => {
            let live = app.store.counts(app.clock.now()).await?.live();
            let concerns = vec![format!(
                "All {live} connections in use, of all clients, in {}.",
                app.config.plaid.environment.name()
            )];
            let all = page(
                "Revoke all connections?".to_owned(),
                concerns,
                ("all", "1".to_owned()),
                "Revoke everything",
            );
            Some(RevokePage {
                must_type: Some(WORDS),
                ..all
            })
        }
    })
}

fn concerns(app: &App, summary: &ConnectionSummary) -> Vec<String> {
    let bank = summary
        .institution_name
        .as_deref()
        .unwrap_or("A bank that Link did not name");
    let clients: Vec<String> = summary.clients().iter().map(|id| client_name(app, id)).collect();
    let mut concerns = vec![format!("Bank: {bank}"), format!("Item: {}", summary.item_id)];
    if clients.is_empty() {
        concerns.push("Made in the browser login flow, without a client.".to_owned());
    } else {
        concerns.push(format!("Client: {}", clients.join(", ")));
    }
    concerns
}

fn nothing_named(app: &App) -> Response {
    let refusal = Refusal {
        status: StatusCode::NOT_FOUND,
        title: "There is no such connection".to_owned(),
        message: "This broker has no connection with this id.".to_owned(),
        advice: vec!["Go back to the list and choose one there.".to_owned()],
    };
    app.error_page(ROOT, &refusal)
}
