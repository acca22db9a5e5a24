//! This machine: who has the addresses to listen on, and which version runs?

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::context::Context;
use super::list::{Finding, PORT, VERSION};
use crate::config::is_same_place;
use crate::doctor::identity_challenge::{self, Reply};
use crate::doctor::probe::connectable;
use crate::doctor::reporter::{Reporter, names};
use crate::store::tokens::TokenKey;

const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) async fn check(
    context: &Context,
    reporter: &Reporter<'_>,
    tokens: Option<&TokenKey>,
    is_running: bool,
) {
    if let Some(app) = &context.app {
        reporter.report(PORT.ok(format!("The broker listens on {}.", app.address)));
        reporter.report(VERSION.ok(format!("{OWN_VERSION}.")));
        return;
    }
    if !is_running {
        reporter.report(addresses(context, &[], tokens, false).await);
        reporter.report(VERSION.skipped(format!(
            "This is {OWN_VERSION}; no broker is running with this store."
        )));
        return;
    }
    if let Some(running) = &context.running {
        let running = &running.description;
        let own = [Some(running.address), Some(running.operations), running.simulator];
        let own: Vec<SocketAddr> = own.into_iter().flatten().collect();
        reporter.report(addresses(context, &own, tokens, true).await);
        reporter.report(version(&running.version));
        return;
    }
    let address = SocketAddr::new(context.config.http.bind, context.config.http.port);
    if address.port() == 0 {
        reporter.report(PORT.skipped("APP_PORT is 0, so the system chose the port of the running broker."));
        reporter.report(not_found());
        return;
    }
    let Some(reply) = ask(address, tokens).await else {
        reporter.report(PORT.warning(
            format!("A process has this store open, but no broker with it answers on {address}."),
            "Run the check with the settings of the running broker (APP_PORT, BROKER_BIND), or restart the broker with these.",
        ));
        reporter.report(not_found());
        return;
    };
    // The other addresses are not tried: without a description, it is not known which of them the broker has.
    reporter.report(PORT.ok(format!("The broker with this store answers on {address}.")));
    reporter.report(version(&reply.version));
}

fn not_found() -> Finding {
    VERSION.skipped(format!(
        "This is {OWN_VERSION}; the running broker was not found."
    ))
}

fn version(running: &str) -> Finding {
    if running == OWN_VERSION {
        VERSION.ok(format!("{OWN_VERSION}."))
    } else {
        VERSION.warning(
            format!("The running broker is {running}, this command is {OWN_VERSION}."),
            "Restart the broker with the new version.",
        )
    }
}

/// Whether a broker with this store answers where these settings would have it listen.
pub(super) async fn answers(context: &Context, tokens: Option<&TokenKey>) -> bool {
    let http = &context.config.http;
    http.port != 0 && ask(SocketAddr::new(http.bind, http.port), tokens).await.is_some()
}

async fn ask(address: SocketAddr, tokens: Option<&TokenKey>) -> Option<Reply> {
    identity_challenge::ask_own(&format!("http://{}", connectable(address)), tokens).await
}

/// Each address that the start listens on has to be free, but for those that a broker of ours has: the one that was asked by
/// its control socket, or another instance with this store.
async fn addresses(
    context: &Context,
    own: &[SocketAddr],
    tokens: Option<&TokenKey>,
    is_running: bool,
) -> Finding {
    let mut instance = None;
    let mut free = Vec::new();
    let mut found = Vec::new();
    let mut in_use = Vec::new();
    let mut fixes = Vec::new();
    for (variable, address) in context.config.listens_on() {
        if own.iter().any(|own| is_same_place(*own, address)) {
            continue;
        }
        match TcpListener::bind(address).await {
            Ok(_) => free.push(format!("{address} ({variable})")),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                if is_running && variable == "APP_PORT" && ask(address, tokens).await.is_some() {
                    instance = Some(address);
                    continue;
                }
                let who = if variable == "APP_PORT" {
                    "Another program, and no broker with this store,"
                } else {
                    "Another program, most likely another broker,"
                };
                found.push(format!("{who} listens on {address} ({variable})."));
                in_use.push(variable);
            }
            Err(error) => {
                found.push(format!("It cannot listen on {address} ({variable}): {error}."));
                let variables = if variable == "APP_PORT" {
                    "BROKER_BIND and APP_PORT"
                } else {
                    variable
                };
                fixes.push(format!(
                    "Set {variables} to an address of this machine, with a port that this user may use (above 1023)."
                ));
            }
        }
    }
    if !in_use.is_empty() {
        let variables = names(in_use);
        fixes.insert(
            0,
            format!(
                "Stop what listens there, or set {variables} to another address: each broker needs its own."
            ),
        );
    }
    if !found.is_empty() {
        let found = format!("The broker could not start. {}", found.join(" "));
        return PORT.failed(found, fixes.join(" "));
    }
    if let Some(instance) = instance {
        return PORT.ok(format!("The broker with this store answers on {instance}."));
    }
    if let (true, Some(first)) = (is_running, own.first()) {
        return PORT.ok(format!("The broker with this store listens on {first}."));
    }
    PORT.ok(if free.is_empty() {
        "The system chooses the ports when the broker starts.".to_owned()
    } else {
        let free = names(free.iter().map(String::as_str));
        format!("These addresses are free: {free}.")
    })
}
