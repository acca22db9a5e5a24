//! This machine: who has the addresses to listen on, and which version runs?

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

use super::context::Context;
use super::finding::{Finding, PORT, VERSION};
use super::tell::{Tell, names};
use crate::config::is_same_place;
use crate::doctor::identity_challenge::{Challenge, Told};
use crate::doctor::probe::{self, OWN_AGENT};
use crate::store::tokens::TokenKey;

const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) async fn check(context: &Context, tell: &Tell<'_>, tokens: Option<&TokenKey>, is_running: bool) {
    if let Some(app) = &context.app {
        tell.say(PORT.ok(format!("The broker listens on {}.", app.address)));
        tell.say(VERSION.ok(format!("{OWN_VERSION}.")));
        return;
    }
    if !is_running {
        tell.say(addresses(context, &[], tokens, false).await);
        tell.say(VERSION.skipped(format!("This is {OWN_VERSION}; no broker runs with this store.")));
        return;
    }
    if let Some(running) = &context.running {
        let told = &running.description;
        let own = [Some(told.address), Some(told.operations), told.simulator];
        let own: Vec<SocketAddr> = own.into_iter().flatten().collect();
        tell.say(addresses(context, &own, tokens, true).await);
        tell.say(version(&told.version));
        return;
    }
    let address = SocketAddr::new(context.config.http.bind, context.config.http.port);
    if address.port() == 0 {
        tell.say(PORT.skipped("APP_PORT is 0: the broker that runs has a port of the system's choice."));
        tell.say(unfound());
        return;
    }
    let Some(told) = ask(address, tokens).await else {
        tell.say(PORT.warning(
            format!("A process has this store open, but no broker with it answers on {address}."),
            "Check with the settings of the broker that runs (APP_PORT, BROKER_BIND), or start it again with these.",
        ));
        tell.say(unfound());
        return;
    };
    // It is ours; whether the others are could only be asked where it did not answer.
    tell.say(PORT.ok(format!("The broker with this store answers on {address}.")));
    tell.say(version(&told.version));
}

fn unfound() -> Finding {
    VERSION.skipped(format!(
        "This is {OWN_VERSION}; the broker that runs was not found."
    ))
}

fn version(running: &str) -> Finding {
    if running == OWN_VERSION {
        VERSION.ok(format!("{OWN_VERSION}."))
    } else {
        VERSION.warning(
            format!("The broker that runs is {running}, this command is {OWN_VERSION}."),
            "Start the broker again with the new version.",
        )
    }
}

/// Whether a broker with this store answers where these settings would have it listen.
pub(super) async fn answers(context: &Context, tokens: Option<&TokenKey>) -> bool {
    let http = &context.config.http;
    http.port != 0 && ask(SocketAddr::new(http.bind, http.port), tokens).await.is_some()
}

/// "All addresses" is where one listens, not where one asks.
async fn ask(address: SocketAddr, tokens: Option<&TokenKey>) -> Option<Told> {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let challenge = Challenge::new();
    let base = format!("http://{}", SocketAddr::new(ip, address.port()));
    let answer = probe::get(&challenge.url(&base), OWN_AGENT, &[]).await.ok()?;
    let told: Told = serde_json::from_slice(&answer.body).ok()?;
    challenge.is_met(tokens?, &told).then_some(told)
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
    let mut taken = Vec::new();
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
                taken.push(variable);
            }
            Err(error) => {
                found.push(format!("It cannot listen on {address} ({variable}): {error}."));
                let variables = if variable == "APP_PORT" {
                    "BROKER_BIND and APP_PORT"
                } else {
                    variable
                };
                fixes.push(format!(
                    "Set {variables} to an address of this machine, with a port that this user may take (above 1023)."
                ));
            }
        }
    }
    if !taken.is_empty() {
        let variables = names(taken);
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
        "The system chooses them at the start.".to_owned()
    } else {
        let free = names(free.iter().map(String::as_str));
        format!("What the broker listens on is free: {free}.")
    })
}
