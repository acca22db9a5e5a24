//! Commands that operate a broker: by the running one, through its control socket, or on its store when none runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::{FAILED, UNREACHABLE, USAGE, complain, settings};
use crate::clock::SystemClock;
use crate::config::{Config, DatabaseUrl, LoadOptions};
use crate::server::control::{Answer, AskError, Context, Line, Progress, Remote, Request, Sink, execute};
use crate::store::model::Account;
use crate::store::{Durability, OpenError, OpenOptions, Store};

/// Asks the running broker. Failures are printed, and the exit code is the error.
pub(super) fn ask_running(request: &Request) -> Result<Answer, u8> {
    let config = operator_settings()?;
    let runtime = runtime()?;
    let answer = runtime.block_on(remote(&config).ask(request, |progress| show(&progress)));
    done(answer.map_err(|error| failed(&error))?)
}

/// The settings of the broker, as a command beside it needs them.
pub(super) fn operator_settings() -> Result<Config, u8> {
    let options = LoadOptions {
        without_clients: true,
        ..LoadOptions::default()
    };
    settings(options).map_err(|problems| {
        complain(&problems.to_string());
        USAGE
    })
}

/// The broker that runs with these settings.
pub(super) fn remote(config: &Config) -> Remote {
    Remote {
        socket: config.control_socket.clone(),
        account: account(config),
    }
}

fn account(config: &Config) -> Account {
    Account {
        environment: config.plaid.environment.name().to_owned(),
        client_id: config.plaid.client_id.clone(),
    }
}

pub(super) fn new_runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

pub(super) fn runtime() -> Result<Runtime, u8> {
    new_runtime().map_err(|error| {
        complain(&format!("plaid-token-broker: cannot start the runtime: {error}"));
        FAILED
    })
}

fn failed(error: &AskError) -> u8 {
    complain(&error.to_string());
    if let AskError::Unreachable { .. } = error {
        complain(
            "Is the broker running? Run this on its machine (in a container: inside of it), in its directory, as its user \
             and with its settings (DATABASE_URL, BROKER_CONTROL_SOCKET).",
        );
        UNREACHABLE
    } else {
        FAILED
    }
}

fn show(progress: &Progress) {
    let Progress { what, done, total } = progress;
    match total {
        Some(total) => complain(&format!("{done} of {total} {what}")),
        None => complain(&format!("{done} {what}")),
    }
}

/// Has a command executed: by the running broker, or on the store itself when no broker has it. Failures are printed, and
/// the exit code is the error.
pub(super) fn ask(config: &Config, request: Request) -> Result<Answer, u8> {
    let runtime = runtime()?;
    let answer = runtime.block_on(async {
        if let Some(store) = open_store(config).await? {
            return Ok(alone(store, request).await);
        }
        let asked = remote(config).ask(&request, |progress| show(&progress)).await;
        asked.map_err(|error| failed(&error))
    })?;
    done(answer)
}

fn done(answer: Answer) -> Result<Answer, u8> {
    match answer {
        Answer::Failed { message } => {
            complain(&message);
            Err(FAILED)
        }
        answer => Ok(answer),
    }
}

/// The answer to another request: the broker is of another version.
pub(super) fn unexpected(_: Answer) -> u8 {
    complain("unexpected answer from the broker: use the command line of the broker's version");
    FAILED
}

pub(super) fn store_options(config: &Config) -> OpenOptions {
    OpenOptions {
        config: config.store.clone(),
        account: account(config),
        durability: Durability::Full,
    }
}

/// The store, when no broker has it open. None is created.
async fn open_store(config: &Config) -> Result<Option<Store>, u8> {
    let options = store_options(config);
    let database = &config.store.database;
    let is_there = match database {
        DatabaseUrl::Sqlite(path) => path.exists(),
        DatabaseUrl::Postgres(_) => {
            let look = Store::inspect(config.store.clone(), options.account.clone(), Duration::ZERO);
            look.await.map_err(|error| unopened(&error))?.is_some()
        }
    };
    if !is_there {
        complain(&format!(
            "there is no store {database}: run this in the broker's own directory and with its settings"
        ));
        return Err(FAILED);
    }
    match Store::open(options).await {
        Ok(store) => Ok(Some(store)),
        Err(OpenError::InUse { .. }) => Ok(None),
        Err(error) => Err(unopened(&error)),
    }
}

fn unopened(error: &OpenError) -> u8 {
    complain(&error.to_string());
    match error {
        OpenError::Unreachable { .. } => UNREACHABLE,
        _ => FAILED,
    }
}

async fn alone(store: Store, request: Request) -> Answer {
    let context = Context {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        app: None,
    };
    let (sink, mut lines) = Sink::new();
    let working = async move { execute(&context, request, &sink).await };
    let showing = async {
        while let Some(line) = lines.recv().await {
            if let Line::Progress(progress) = line {
                show(&progress);
            }
        }
    };
    let (answer, ()) = tokio::join!(working, showing);
    store.close().await;
    answer
}
