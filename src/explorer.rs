//! Where the browser login flow ends: the connection that this browser made, with its accounts.

use axum::extract::{Extension, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};

use crate::app::App;
use crate::http::client_ip::Peer;
use crate::http::pages::{ResultAccount, ResultPage};
use crate::http::{Refusal, html, plain_policy};
use crate::link::{Session, SessionError, about, explorer_is_open};
use crate::plaid::Account;

const ROOT: &str = "./";

/// `GET /explorer`: institution, and the accounts' names and masks.
pub async fn page(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    session: Result<Session, SessionError>,
) -> Response {
    if !explorer_is_open(&app, &headers, peer) {
        return about(&app, ROOT);
    }
    let connection = match session {
        Ok(Session(connection)) => connection,
        Err(SessionError::None) => return app.error_page(ROOT, &no_session()),
        Err(SessionError::Store(error)) => {
            tracing::error!(%error, "session lookup failed");
            return app.error_page(ROOT, &unavailable("Its storage does not answer."));
        }
    };
    match app.plaid.accounts_get(&connection.access_token).await {
        Ok(accounts) => {
            let page = ResultPage {
                root: ROOT,
                institution: connection.institution_name,
                accounts: accounts.into_iter().map(shown).collect(),
                environment: app.page_environment(),
            };
            html(ROOT, &page, plain_policy())
        }
        Err(_) if app.simulator_forgot(&connection) => app.error_page(ROOT, &forgotten()),
        Err(error) => {
            let code = error
                .api()
                .map(|api| format!(" ({})", api.error_code))
                .unwrap_or_default();
            app.error_page(
                ROOT,
                &unavailable(&format!("Plaid did not give the accounts{code}.")),
            )
        }
    }
}

fn shown(account: Account) -> ResultAccount {
    let kind = account.subtype.unwrap_or(account.kind);
    ResultAccount {
        name: account.name,
        mask: account.mask,
        kind,
    }
}

fn no_session() -> Refusal {
    Refusal {
        status: StatusCode::UNAUTHORIZED,
        title: "No bank is connected in this browser".to_owned(),
        message: "This page shows the bank that you connected here; there is none, or it was some time ago."
            .to_owned(),
        advice: vec!["Open the start page and connect a bank.".to_owned()],
    }
}

fn forgotten() -> Refusal {
    Refusal {
        status: StatusCode::GONE,
        title: "The simulator forgot this connection".to_owned(),
        message: "The embedded simulator started without the state in which the connection was made."
            .to_owned(),
        advice: vec!["Open the start page and connect a bank again.".to_owned()],
    }
}

fn unavailable(message: &str) -> Refusal {
    Refusal {
        status: StatusCode::SERVICE_UNAVAILABLE,
        title: "The accounts cannot be shown at the moment".to_owned(),
        message: message.to_owned(),
        advice: vec!["Your connection is kept. Reload this page in a minute.".to_owned()],
    }
}
