//! Audit entries of administrators' logins.

use crate::app::App;
use crate::http::client_ip::Peer;
use crate::http::request_id;
use crate::telemetry::audit::{Actor, AuditEvent, AuditOutcome, NewAudit, Origin};

/// An admin's act, in a commit of its own. When the store does not take it, it is batched: an admin who comes
/// to see why the store does not work must get in.
pub(crate) async fn done(app: &App, event: AuditEvent, peer: Peer, detail: Option<&'static str>) {
    let mut new = NewAudit::new(event, Actor::Admin).from(&origin(peer));
    new.detail = detail.map(Into::into);
    if let Err(error) = app.store.record(new.clone(), app.clock.now()).await {
        tracing::error!(%error, "audit entry of an admin not written; trying again");
        app.audit.note(new);
    }
}

/// A refused login: batched, so that strangers force no write.
pub(crate) fn refused(app: &App, peer: Peer, why: &'static str) {
    let new = NewAudit::new(AuditEvent::AdminLogin, Actor::Person).from(&origin(peer));
    app.audit.note(new.outcome(AuditOutcome::Refused, why));
}

fn origin(peer: Peer) -> Origin {
    Origin::request(peer.address, request_id::current())
}
