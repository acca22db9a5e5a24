//! What the error pages of the Link page say.

use axum::response::Response;
use http::StatusCode;
use http::header::RETRY_AFTER;

use crate::app::App;
use crate::http::Refusal;
use crate::http::limits::TooMany;
use crate::oauth::authorize::PageError;
use crate::oauth::redirect::RedirectError;

pub(super) fn internal() -> Refusal {
    Refusal {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        title: "Something went wrong on our side".to_owned(),
        message: "This page could not be prepared. The cause is in the service's log.".to_owned(),
        advice: vec!["Reload this page.".to_owned()],
    }
}

/// Another page asked for this one as a picture, a script or the like.
pub(super) fn no_document() -> Refusal {
    Refusal {
        status: StatusCode::BAD_REQUEST,
        title: "This is a page of its own".to_owned(),
        message: "Another page asked for it as an image, a script or something else that it is not."
            .to_owned(),
        advice: vec!["Open this address in a tab of its own.".to_owned()],
    }
}

pub(super) fn too_many(app: &App, root: &'static str, too_many: TooMany) -> Response {
    let refusal = Refusal {
        status: StatusCode::TOO_MANY_REQUESTS,
        title: "Too many requests".to_owned(),
        message: "From your network this page was opened too often in a short time.".to_owned(),
        advice: vec!["Wait a minute and try again.".to_owned()],
    };
    let mut response = app.error_page(root, &refusal);
    response.headers_mut().insert(RETRY_AFTER, too_many.header());
    response
}

/// A refused authorization request: the person stays here, since nothing proves that the redirect URI is the client's.
pub(super) fn of_authorization(app: &App, root: &'static str, error: &PageError) -> Response {
    let go_back = "Go back to the application that sent you here and start again.".to_owned();
    let (title, message, advice) = match error {
        PageError::Params(error) => (
            "This link is not complete",
            format!("The application sent a request that cannot be read: {error}."),
            vec![go_back],
        ),
        PageError::UnknownClient => (
            "This application is not known here",
            "The client_id in the link is not registered with this service.".to_owned(),
            vec![
                go_back,
                "If you set it up: compare the client id in your OAuth profile with OAUTH_CLIENT_ID (by default \
                 the same as PLAID_CLIENT_ID) and with the ids in the clients file, if there is one."
                    .to_owned(),
            ],
        ),
        PageError::Redirect(RedirectError::Missing { any_registered }) => (
            "The link does not say where to return to",
            "The request has no redirect_uri.".to_owned(),
            vec![
                go_back,
                if *any_registered {
                    "If you set it up: there is no single registered callback URL, so the request must name one."
                } else {
                    "If you set it up: put the callback URL of your OAuth profile into PLAID_REDIRECT_URI."
                }
                .to_owned(),
            ],
        ),
        PageError::Redirect(RedirectError::NotListed { sent, nearest }) => not_listed(sent, nearest.as_deref()),
    };
    tracing::warn!(cause = title, "authorization request refused on a page");
    app.error_page(
        root,
        &Refusal {
            status: StatusCode::BAD_REQUEST,
            title: title.to_owned(),
            message,
            advice,
        },
    )
}

fn not_listed(sent: &str, nearest: Option<&str>) -> (&'static str, String, Vec<String>) {
    let shown: String = sent.chars().take(300).collect();
    let mut advice = Vec::new();
    if let Some(nearest) = nearest {
        advice.push(format!("The nearest registered callback URL is {nearest}"));
        if nearest.trim_end_matches('/') == sent.trim_end_matches('/') {
            advice.push("They differ only in the slash at the end, which counts.".to_owned());
        }
    }
    advice.push(
        "If you set it up: when it is the callback URL that your OAuth profile shows, press Allow on the set-up page \
         (/setup), or copy it from the profile into PLAID_REDIRECT_URI, and restart. (For a client of the clients file: \
         into its redirect_uris.)"
            .to_owned(),
    );
    (
        "The return address is not registered",
        format!(
            "The application asked to return to {shown}, which is not on this service's list, so you were not sent there."
        ),
        advice,
    )
}
