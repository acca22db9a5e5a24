//! The callbacks of clients: those of the settings, those that were allowed here, and those that were refused lately.
//!
//! Kore.ai shows its callback only in the profile's form, when the broker has long been configured.

use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;

use crate::app::admin::Fields;
use crate::app::{AllowError, App};
use crate::config::{ClientConfig, RedirectUris};
use crate::http::Refusal;
use crate::http::pages::{Allowed, Refused};
use crate::oauth::redirect::RedirectTarget;
use crate::request_log::{Entry, RequestLog};
use crate::store::StoreError;
use crate::telemetry::audit::Origin;

const ROOT: &str = "../";

/// What is allowed for this client, and whether by the settings or here.
pub(super) async fn allowed(app: &App, client: &ClientConfig) -> Result<Vec<Allowed>, StoreError> {
    let added = app.allowed_redirect_uris().await?;
    let mut allowed: Vec<Allowed> = Vec::new();
    if matches!(
        client.redirect_uris,
        RedirectUris::AnyLoopback | RedirectUris::AnyLoopbackAnd(_)
    ) {
        allowed.push(Allowed {
            client: client.id.clone(),
            uri: "any address of this machine (http://localhost, http://127.0.0.1)".to_owned(),
            here: false,
        });
    }
    allowed.extend(client.redirect_uris.listed().iter().map(|uri| {
        Allowed {
            client: client.id.clone(),
            uri: uri.clone(),
            here: added
                .iter()
                .any(|one| one.client_id == client.id && one.uri == *uri),
        }
    }));
    Ok(allowed)
}

/// Whether this request's callback was refused, and still would be.
pub(super) fn is_refused(app: &App, entry: &Entry) -> bool {
    let (false, Some(client), Some(uri)) = (entry.rehearsal, &entry.client, &entry.redirect_uri) else {
        return false;
    };
    let clients = app.clients();
    let client = clients.find(client);
    client.is_some_and(|client| RedirectTarget::check(&client.redirect_uris, Some(uri), None).is_err())
}

/// What was refused lately and is not allowed by now.
pub(super) fn refused(app: &App, log: &RequestLog) -> Vec<Refused> {
    let entries = log.refused_callbacks();
    let still = entries.iter().filter(|entry| is_refused(app, entry));
    still
        .filter_map(|entry| {
            Some(Refused {
                client: entry.client.clone()?,
                uri: entry.redirect_uri.clone()?,
                words: entry.words.clone(),
            })
        })
        .collect()
}

pub(super) fn notice(done: &str) -> Option<&'static str> {
    match done {
        "allowed" => Some("The callback is allowed from now on, also after a restart. Authorize once more."),
        "known" => Some("The callback was allowed already."),
        "forgotten" => Some("The callback was removed. It is refused from now on."),
        _ => None,
    }
}

pub(super) async fn change(app: &App, fields: &Fields, origin: Origin) -> Response {
    let get = |name| fields.get(name).unwrap_or_default().trim();
    let (client, uri) = (get("client_id"), get("redirect_uri"));
    let done = match get("act") {
        "forget" => match app.forget_redirect_uri(client, uri, origin).await {
            Ok(_) => Ok("forgotten"),
            Err(error) => Err(AllowError::Store(error)),
        },
        "allow" => {
            let new = app.allow_redirect_uri(client, uri, origin).await;
            new.map(|new| if new { "allowed" } else { "known" })
        }
        _ => return app.error_page(ROOT, &neither()),
    };
    match done {
        Ok(done) => {
            let back = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("client", client)
                .append_pair("done", done)
                .finish();
            Redirect::to(&format!("{ROOT}setup?{back}#callbacks")).into_response()
        }
        Err(AllowError::Store(error)) => {
            tracing::error!(%error, "a callback could not be changed");
            app.error_page(ROOT, &Refusal::store_unavailable())
        }
        Err(error) => app.error_page(ROOT, &not_allowed(&error)),
    }
}

fn not_allowed(error: &AllowError) -> Refusal {
    Refusal {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        title: "Nothing was changed".to_owned(),
        message: format!("The callback was not allowed: {error}."),
        advice: vec!["Go back, and copy the callback exactly as the profile shows it.".to_owned()],
    }
}

fn neither() -> Refusal {
    Refusal {
        status: StatusCode::BAD_REQUEST,
        title: "Nothing was changed".to_owned(),
        message: "The form neither allows a callback nor removes one.".to_owned(),
        advice: vec!["Go back, reload that page, and try again.".to_owned()],
    }
}
