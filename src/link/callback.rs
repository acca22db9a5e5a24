//! The redirect URI of an authorization that is under way, checked again at each step: an operator may have removed it,
//! or its client, since the page was shown.

use super::api_error::PageCallError;
use crate::app::App;
use crate::oauth::redirect::RedirectTarget;
use crate::store::model::{Flow, OAuthRequest};

/// Whether the browser may still be sent back; the browser login flow stays here.
pub(super) fn check(app: &App, flow: &Flow) -> Result<(), PageCallError> {
    match flow {
        Flow::OAuth(request) => {
            RedirectTarget::again(&app.clients(), request).ok_or(PageCallError::CallbackRemoved)?;
            Ok(())
        }
        Flow::Browser => Ok(()),
    }
}

/// Where the browser goes: what `build` makes of the redirect URI and the client's `iss`.
pub(super) fn redirect(
    app: &App,
    request: &OAuthRequest,
    build: impl FnOnce(&RedirectTarget, Option<&str>) -> String,
) -> Result<String, PageCallError> {
    let clients = app.clients();
    let target = RedirectTarget::again(&clients, request).ok_or(PageCallError::CallbackRemoved)?;
    Ok(build(&target, app.issuer_for(clients.find(&request.client_id))))
}
