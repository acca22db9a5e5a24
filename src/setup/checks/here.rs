//! This machine: who has the port, and which version runs?

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

use super::context::Context;
use super::finding::{Finding, PORT, VERSION};
use super::tell::Tell;
use crate::setup::instance::{Challenge, Told};
use crate::setup::reach::{self, OWN_AGENT};
use crate::store::tokens::TokenKey;

const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) async fn check(context: &Context, tell: &Tell<'_>, tokens: Option<&TokenKey>, is_running: bool) {
    if let Some(app) = &context.app {
        tell.say(PORT.ok(format!("The broker listens on {}.", app.address)));
        tell.say(VERSION.ok(format!("{OWN_VERSION}.")));
        return;
    }
    let http = &context.config.http;
    let address = SocketAddr::new(http.bind, http.port);
    if !is_running {
        tell.say(free(address).await);
        tell.say(VERSION.ok(format!("{OWN_VERSION}; no broker runs with this store.")));
        return;
    }
    if address.port() == 0 {
        tell.say(PORT.skipped("APP_PORT is 0: the broker that runs has a port of the system's choice."));
        tell.say(VERSION.skipped(format!(
            "This is {OWN_VERSION}; the broker that runs was not found."
        )));
        return;
    }
    let told = ask(address, tokens).await;
    let Some(told) = told else {
        tell.say(PORT.warning(
            format!("A process has this store open, but no broker with it answers on {address}."),
            "Check with the settings of the broker that runs (APP_PORT, BROKER_BIND), or start it again with these.",
        ));
        tell.say(VERSION.skipped(format!(
            "This is {OWN_VERSION}; the broker that runs was not found."
        )));
        return;
    };
    tell.say(PORT.ok(format!("The broker with this store answers on {address}.")));
    tell.say(if told.version == OWN_VERSION {
        VERSION.ok(format!("{OWN_VERSION}."))
    } else {
        VERSION.warning(
            format!(
                "The broker that runs is {}, this command is {OWN_VERSION}.",
                told.version
            ),
            "Start the broker again with the new version.",
        )
    });
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
    let answer = reach::get(&challenge.url(&base), OWN_AGENT, &[]).await.ok()?;
    let told: Told = serde_json::from_slice(&answer.body).ok()?;
    challenge.is_met(tokens?, &told).then_some(told)
}

async fn free(address: SocketAddr) -> Finding {
    if address.port() == 0 {
        return PORT.ok("The system chooses one at the start.");
    }
    match TcpListener::bind(address).await {
        Ok(_) => PORT.ok(format!("{address} is free.")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => PORT.failed(
            format!("Another program listens on {address}, and no broker with this store."),
            "Stop that program, or set APP_PORT to another port.",
        ),
        Err(error) => PORT.failed(
            format!("The broker could not listen on {address}: {error}."),
            "Set BROKER_BIND to an address of this machine, and APP_PORT to a port that this user may take (above 1023).",
        ),
    }
}
