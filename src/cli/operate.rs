//! Commands that operate a broker: by the running one, through its operations address.

use std::net::SocketAddr;
use std::sync::Arc;

use super::{FAILED, UNREACHABLE, USAGE, complain, reachable, settings};
use crate::clock::SystemClock;
use crate::config::{Config, LoadOptions};
use crate::control::{Answer, AskError, Keys, Progress, Remote, Request, account_text};
use crate::store::keyring::Keyring;

/// Asks the running broker. What goes wrong is told, and the exit code given.
pub(super) fn ask_running(request: &Request) -> Result<Answer, u8> {
    let config = operator_settings()?;
    let remote = remote(&config)?;
    let runtime = runtime()?;
    match runtime.block_on(remote.ask(request, |progress| show(&progress))) {
        Ok(answer) => Ok(answer),
        Err(error) => Err(told(&error)),
    }
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
fn remote(config: &Config) -> Result<Remote, u8> {
    let keys = match Keyring::existing(&config.store.keys) {
        Ok(Some(keyring)) => Keys::of(&keyring),
        Ok(None) => {
            complain(
                "there is no key file yet, so no broker has run with these settings: run this in the broker's own directory \
                 and with its settings, or start it",
            );
            return Err(UNREACHABLE);
        }
        Err(error) => {
            complain(&error.to_string());
            return Err(FAILED);
        }
    };
    Ok(Remote {
        address: operations_address(config)?,
        keys,
        account: account_text(config.plaid.environment.name(), &config.plaid.client_id),
        clock: Arc::new(SystemClock),
    })
}

fn operations_address(config: &Config) -> Result<SocketAddr, u8> {
    let address = reachable(config.http.ops_bind);
    if address.port() == 0 {
        complain(
            "BROKER_OPS_BIND has port 0: say which port the broker printed as `operations listening on`",
        );
        return Err(USAGE);
    }
    Ok(address)
}

/// A runtime for one conversation.
fn runtime() -> Result<tokio::runtime::Runtime, u8> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            complain(&format!("cannot start the runtime: {error}"));
            FAILED
        })
}

fn told(error: &AskError) -> u8 {
    complain(&error.to_string());
    if let AskError::Unreachable { .. } = error {
        complain(
            "Is the broker running, and with the same BROKER_OPS_BIND? In a container, run this inside of it.",
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
