//! Does what is asked: the one place for every command.

use super::{Answer, Context, Request, Sink, operations};
use crate::app::admin::{self, LINK_TTL};
use crate::doctor::Description;
use crate::telemetry::audit::{Actor, AuditEvent, NewAudit};

pub async fn execute(context: &Context, request: Request, sink: &Sink) -> Answer {
    match request {
        Request::AdminLink {} => admin_link(context).await,
        Request::Describe {} => describe(context).await,
        request => operations::execute(context, request, sink).await,
    }
}

async fn admin_link(context: &Context) -> Answer {
    let Some(app) = &context.app else {
        return Answer::Failed {
            message: "a link opens a running broker, and none runs: start it, it prints one".to_owned(),
        };
    };
    let made = NewAudit::new(AuditEvent::AdminLinkMade, Actor::Operator);
    if let Err(error) = context.store.record(made.clone(), context.clock.now()).await {
        // An admin who comes to see why the store does not work must get in.
        tracing::error!(%error, "audit entry of an admin link not written; trying again");
        app.audit.note(made);
    }
    let link = admin::new_link(app);
    Answer::AdminLink {
        url: link.url(),
        local_url: link.local_url(),
        expires_at: app.clock.now().plus(LINK_TTL),
    }
}

async fn describe(context: &Context) -> Answer {
    let Some(app) = &context.app else {
        return Answer::Failed {
            message: "no broker runs with these settings".to_owned(),
        };
    };
    let store = app.store.check().await.err().map(|error| error.to_string());
    // Where the store does not answer, `store` says so.
    let allowed = app.allowed_redirect_uris().await.unwrap_or_default();
    let callbacks = allowed
        .into_iter()
        .map(|allowed| (allowed.client_id, allowed.uri));
    Answer::Description {
        description: Box::new(Description {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            public_url: app.public_url.clone(),
            address: app.address,
            operations: app.health_address,
            simulator: app.simulator_address,
            store,
            callbacks: callbacks.collect(),
        }),
    }
}
