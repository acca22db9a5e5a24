//! What operators do to connections, keys and the store itself.

use std::path::PathBuf;

use super::{Answer, Context, Progress, Request, Revealed, Sink};
use crate::config::Environment;
use crate::plaid::connections;
use crate::store::model::{
    AuditQuery, ConnectionFilter, ConnectionKey, ConnectionState, ConnectionSummary, EndTarget, KnownHealth,
};
use crate::store::{BackupError, Store, StoreError};
use crate::telemetry::audit::{Actor, AuditEvent, Flush, NewAudit, Origin};

/// Values that one step of key rotation looks at: the writer has others waiting.
const RESEALED_AT_ONCE: usize = 250;
/// The most rows of one answer, whatever limit was asked for.
const MOST_ROWS: usize = 10_000;

/// Runs a command to its end; errors say what to do.
pub(super) async fn execute(context: &Context, request: Request, sink: &Sink) -> Answer {
    let done = match request {
        Request::Connections { filter } => list(context, filter).await,
        Request::Connection { key, check } => connection(context, key, check).await,
        Request::EndConnections { target } => end(context, target, sink).await,
        Request::RevealToken { key } => reveal(context, key).await,
        Request::Audit { query } => audit(context, query).await,
        Request::RotateKeys { first_key } => rotate(context, &first_key, sink).await,
        Request::Backup { path } => backup(context, path).await,
        Request::AdminLink {} | Request::Describe {} => Err("this command is not done here".to_owned()),
    };
    done.unwrap_or_else(|message| Answer::Failed { message })
}

type Done = Result<Answer, String>;

impl Context {
    fn operated(&self) -> Store {
        self.store.by(Origin::actor(Actor::Operator))
    }

    /// Writes the pending audit notes before they are read.
    async fn settled(&self) -> Result<(), String> {
        match &self.app {
            Some(app) => app.audit.flush(Flush::All).await.map_err(message),
            None => Ok(()),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "map_err passes the error by value")]
fn message(error: StoreError) -> String {
    error.to_string()
}

fn unknown(key: &ConnectionKey) -> String {
    let name = match key {
        ConnectionKey::Id(id) => format!("the id {id}"),
        ConnectionKey::Item(item) => format!("the Item {item:?}"),
    };
    format!("there is no connection with {name}; `connections list` shows all")
}

async fn list(context: &Context, mut filter: ConnectionFilter) -> Done {
    context.settled().await?;
    filter.limit = filter.limit.min(MOST_ROWS);
    let connections = context.store.connections(filter).await.map_err(message)?;
    Ok(Answer::Connections { connections })
}

async fn summary(context: &Context, key: ConnectionKey) -> Result<ConnectionSummary, String> {
    let found = context
        .store
        .connection_summary(key.clone())
        .await
        .map_err(message)?;
    found.ok_or_else(|| unknown(&key))
}

async fn connection(context: &Context, key: ConnectionKey, check: bool) -> Done {
    context.settled().await?;
    let mut summary = summary(context, key).await?;
    if check {
        let Some(app) = &context.app else {
            return Err(
                "only a running broker asks Plaid, and none runs: leave --check out, or start it".to_owned(),
            );
        };
        if summary.state != ConnectionState::Live {
            return Err("the connection was ended, so Plaid is not asked about it".to_owned());
        }
        let connection = app.store.connection(summary.id).await.map_err(message)?;
        if let Some(connection) = connection {
            let health = app.connections.health(&connection).await;
            summary.health = Some(KnownHealth {
                word: health.word().to_owned(),
                at: context.clock.now(),
            });
        }
    }
    Ok(Answer::Connection {
        connection: Box::new(summary),
    })
}

/// What was ended stays ended when it is cut: the next run ends the rest.
async fn end(context: &Context, target: EndTarget, sink: &Sink) -> Done {
    let total = match target {
        EndTarget::One(_) => None,
        EndTarget::Client(_) | EndTarget::All => {
            Some(context.store.connection_count().await.map_err(message)?)
        }
    };
    // A line for each hundredth.
    let every = total.unwrap_or(0).div_ceil(100).max(1);
    let mut shown = 0;
    let store = context.operated();
    let ended = connections::end(&store, &context.clock, &target, |done, _| {
        if let Some(app) = &context.app {
            app.connections.removals_wanted();
        }
        if let Some(total) = total.filter(|_| done / every > shown) {
            shown = done / every;
            sink.progress(Progress {
                what: "connections examined".to_owned(),
                done,
                total: Some(total.max(done)),
            });
        }
    });
    let ended = ended.await.map_err(|(ended, error)| {
        format!(
            "{error}; {} connections and {} grants were ended before that and stay ended: run the same command again to end \
             the others",
            ended.connections, ended.grants
        )
    })?;
    match target {
        EndTarget::One(key) if ended.found == 0 => Err(unknown(&key)),
        EndTarget::Client(id) if ended.found == 0 => Err(format!(
            "no connection is or was of the client {id:?}; `connections list` shows the clients"
        )),
        _ => Ok(Answer::Ended { ended }),
    }
}

/// The audit row is on disk before the token is shown.
async fn reveal(context: &Context, key: ConnectionKey) -> Done {
    if context.store.account().environment == Environment::Production.name() {
        return Err(
            "in production access tokens are never shown: they open people's bank accounts".to_owned(),
        );
    }
    let summary = summary(context, key).await?;
    if summary.state != ConnectionState::Live {
        return Err("the connection was ended, and its token with it".to_owned());
    }
    let connection = context.store.connection(summary.id).await.map_err(message)?;
    let connection = connection.ok_or_else(|| unknown(&ConnectionKey::Id(summary.id)))?;
    let new = NewAudit::new(AuditEvent::TokenRevealed, Actor::Operator).connection(summary.id);
    context
        .store
        .record(new, context.clock.now())
        .await
        .map_err(message)?;
    Ok(Answer::Token {
        item_id: connection.item_id,
        access_token: Revealed::new(connection.access_token),
    })
}

async fn audit(context: &Context, mut query: AuditQuery) -> Done {
    context.settled().await?;
    query.limit = query.limit.min(MOST_ROWS);
    let rows = context.store.audit(query).await.map_err(message)?;
    Ok(Answer::Audit { rows })
}

/// What was done stays done when it is cut: the next run goes on where this one ended.
async fn rotate(context: &Context, first_key: &str, sink: &Sink) -> Done {
    let keyring = context.store.keyring();
    if keyring.first_id() != first_key {
        return Err(format!(
            "the broker runs with {:?} as its first key, but these settings begin with {first_key:?}: restart the broker, \
             so that it seals with the new key, and run this again",
            keyring.first_id()
        ));
    }
    let total = context.store.connection_count().await.map_err(message)? + 1;
    let (mut done, mut resealed, mut next) = (0, 0, None);
    loop {
        let step = context
            .store
            .reseal(next, RESEALED_AT_ONCE)
            .await
            .map_err(message)?;
        done += step.examined;
        resealed += step.resealed;
        sink.progress(Progress {
            what: "sealed values".to_owned(),
            done,
            total: Some(total.max(done)),
        });
        next = step.next;
        if next.is_none() {
            break;
        }
        // Requests that wait for the writer come first.
        tokio::task::yield_now().await;
    }
    let report = context.store.keys_report().await.map_err(message)?;
    let new = NewAudit::new(AuditEvent::KeysRotated, Actor::Operator).detail(format!("to {first_key}"));
    context
        .store
        .record(new, context.clock.now())
        .await
        .map_err(message)?;
    Ok(Answer::KeysRotated { resealed, report })
}

async fn backup(context: &Context, path: PathBuf) -> Done {
    context.settled().await?;
    let bytes = context
        .store
        .backup(path.clone())
        .await
        .map_err(|error: BackupError| error.to_string())?;
    let new = NewAudit::new(AuditEvent::BackupMade, Actor::Operator);
    context
        .store
        .record(new, context.clock.now())
        .await
        .map_err(message)?;
    Ok(Answer::BackedUp { path, bytes })
}
