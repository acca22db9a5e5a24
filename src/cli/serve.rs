//! `serve`: the broker.

mod tunnel;

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use tokio::runtime::Runtime;

use super::{DONE, FAILED, USAGE, complain, say, settings};
use crate::app::App;
use crate::app::admin;
use crate::config::{Config, Environment, LoadOptions};
use crate::doctor::tunnel::Kind;
use crate::server::{self, Addresses, Broker, Dependencies, Hangup};
use crate::telemetry;
use crate::telemetry::audit::{Actor, AuditEvent, NewAudit};

/// Run the broker (what happens without a command).
#[derive(Args, Debug, Default)]
pub(super) struct Serve {
    /// Use the https address of this program's tunnel to the broker's port as `PUBLIC_URL` (docs/tunnels.md).
    #[arg(long, value_enum, value_name = "PROGRAM")]
    tunnel: Option<Kind>,
    /// How long to wait for the tunnel, if it is still starting.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, requires = "tunnel")]
    tunnel_wait: u64,
}

impl Serve {
    pub(super) fn run(&self) -> u8 {
        let failed = |error: anyhow::Error| {
            // The messages include their causes.
            complain(&format!("plaid-token-broker: {error}"));
            FAILED
        };
        let (runtime, hangup) = match prepare() {
            Ok(prepared) => prepared,
            Err(error) => return failed(error),
        };
        let config = match self.tunnel {
            None => settings(LoadOptions::default()).map_err(|problems| {
                complain(&problems.to_string());
                USAGE
            }),
            Some(kind) => tunnel::settings(kind, Duration::from_secs(self.tunnel_wait)),
        };
        let config = match config {
            Ok(config) => config,
            Err(code) => return code,
        };
        if let Err(error) = telemetry::start(&config.log) {
            complain(&format!("RUST_LOG: {error}"));
            return USAGE;
        }
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        let ended = runtime.block_on(serve(config, hangup));
        // Do not wait for what the drain did not end in time.
        runtime.shutdown_background();
        telemetry::stop();
        match ended {
            Ok(true) => DONE,
            Ok(false) => FAILED,
            Err(error) => failed(error),
        }
    }
}

/// Listens to SIGHUP before anything else: one that is sent during the start would end the process.
fn prepare() -> anyhow::Result<(Runtime, Hangup)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| anyhow!("cannot start the runtime: {error}"))?;
    let hangup = {
        let _inside = runtime.enter();
        Hangup::listen().map_err(|error| anyhow!("cannot listen to signals: {error}"))?
    };
    Ok((runtime, hangup))
}

async fn serve(config: Config, hangup: Hangup) -> anyhow::Result<bool> {
    let stop = server::signals().map_err(|error| anyhow!("cannot listen to signals: {error}"))?;
    let mut hangup = Some(hangup);
    if config.oauth.clients_file.is_none() {
        hangup
            .take()
            .map(|hangup| tokio::spawn(hangup.stops(stop.clone())));
    }
    let broker = tokio::select! {
        broker = server::build(config, Dependencies::default()) => broker?,
        // Nothing is served yet, and what opening the store began is whole or undone.
        () = stop.drain.cancelled() => return Ok(true),
    };
    hangup.map(|hangup| tokio::spawn(hangup.reloads(broker.app().clone())));
    announce(&broker);
    tunnel::offer(broker.app().clone());
    Ok(broker.run(stop).await)
}

/// Prints where it listens, for programs, and what to open, for people. The sockets accept from here on.
fn announce(broker: &Broker) {
    let Addresses {
        broker: own,
        ops,
        simulator,
    } = broker.addresses();
    say(&format!("listening on http://{own}"));
    if let Some(simulator) = simulator {
        say(&format!("simulator listening on http://{simulator}"));
    }
    say(&format!("operations listening on http://{ops}"));
    let app = broker.app();
    tracing::info!(environment = app.config.plaid.environment.name(), public_url = %app.public_url, "started");
    if app.has_no_callback() {
        tracing::warn!(
            "no OAuth client can be served yet: put the callback URL that your auth profile shows (for Kore.ai for example \
             https://idp.kore.com/workflows/callback) into PLAID_REDIRECT_URI, or allow it on the set-up page"
        );
    }
    if app.config.plaid.environment == Environment::Simulator {
        say("");
        say(&format!(
            "Open {}/ and connect a bank: user_good, pass_good.",
            app.public_url
        ));
        say(
            "This is Plaid's embedded simulator: no real bank, no real data. Set PLAID_CLIENT_ID and PLAID_SECRET for Plaid.",
        );
    }
    print_admin_link(app);
}

/// How to open the set-up page. The link is printed on a terminal only: other output, such as a container's, is stored, and
/// more people read it than may operate the broker.
fn print_admin_link(app: &App) {
    say("");
    if !std::io::stdout().is_terminal() {
        say(
            "To open the set-up page, run `plaid-token-broker admin-link` on this machine, in this directory: it prints a single-use link.",
        );
        return;
    }
    let made = NewAudit::new(AuditEvent::AdminLinkMade, Actor::Broker);
    app.audit.note(made.detail("printed at the start"));
    let link = admin::new_link(app);
    say(
        "Set up and operate it here. The link works once, within 15 minutes; `plaid-token-broker admin-link` makes another.",
    );
    say(&format!("  {}", link.url()));
    if let Some(local) = link.local_url() {
        say(&format!("  on this machine also: {local}"));
    }
}
