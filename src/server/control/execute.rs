//! Does what is asked: the one place for every command.

use tokio::sync::mpsc;

use super::{Answer, Line, Progress, Request, operations};
use crate::app::App;
use crate::app::admin::{self, LINK_TTL};
use crate::clock::SharedClock;
use crate::doctor::Description;
use crate::store::Store;
use crate::telemetry::audit::{Actor, AuditEvent, NewAudit};

#[derive(Clone)]
pub struct Context {
    pub store: Store,
    pub clock: SharedClock,
    /// The running broker; absent when a command opened the store itself.
    pub app: Option<App>,
}

impl Context {
    #[must_use]
    pub fn of(app: &App) -> Self {
        Self {
            store: app.store.clone(),
            clock: app.clock.clone(),
            app: Some(app.clone()),
        }
    }
}

/// Receives progress. A listener that went away stops nothing.
#[derive(Clone)]
pub struct Sink(pub(super) mpsc::Sender<Line>);

impl Sink {
    /// A sink and its receiver.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Line>) {
        let (sender, receiver) = mpsc::channel(16);
        (Self(sender), receiver)
    }

    /// Reports progress; dropped when the listener is slow.
    pub fn progress(&self, progress: Progress) {
        let _ = self.0.try_send(Line::Progress(progress));
    }
}

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
