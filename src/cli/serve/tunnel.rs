//! `--tunnel`: the address of a tunnel as `PUBLIC_URL`, and the line that offers it.

use std::time::Duration;

use crate::app::App;
use crate::cli::{FAILED, UNREACHABLE, USAGE, complain, operate, say};
use crate::config::{self, Config, LoadOptions, Sources, TunnelSettings};
use crate::doctor::tunnel::{self, Kind};

/// The settings with the tunnel's address as `PUBLIC_URL`, so that all that depends on it is validated with it. Failures
/// are printed; the error is the exit code.
pub(super) fn settings(kind: Kind, limit: Duration) -> Result<Config, u8> {
    let unusable = |problems: config::Problems| {
        complain(&problems.to_string());
        USAGE
    };
    let mut sources = Sources::here()
        .map_err(config::Problems::from)
        .map_err(unusable)?;
    let tunnel = sources.load_for_tunnel().map_err(unusable)?;
    let url = wait(kind, &tunnel, limit)?;
    if let Some(given) = tunnel.public_url.filter(|given| *given != url) {
        complain(&format!(
            "--tunnel: PUBLIC_URL is {url} for this run, and not {given}"
        ));
    }
    sources.set("PUBLIC_URL", &url);
    sources.load(LoadOptions::default()).map_err(unusable)
}

fn wait(kind: Kind, asked: &TunnelSettings, limit: Duration) -> Result<String, u8> {
    let runtime = operate::runtime()?;
    let waiting = format!(
        "--tunnel {}: looking for its tunnel to port {}, for at most {} s",
        kind.name(),
        asked.port,
        limit.as_secs()
    );
    if asked.port != 0 {
        complain(&waiting);
    }
    runtime
        .block_on(tunnel::wait(kind, asked, limit))
        .map_err(|error| {
            complain(&error.to_string());
            if error.is_usage() {
                USAGE
            } else if error.is_unreachable() {
                UNREACHABLE
            } else {
                FAILED
            }
        })
}

/// Prints a hint when a tunnel leads here and `PUBLIC_URL` is not its address. The start does not wait for it.
pub(super) fn offer(app: App) {
    tokio::spawn(async move {
        let port = app.address.port();
        let Some(url) = tunnel::ngrok_to(&app.config.http.tunnels, port).await else {
            return;
        };
        if url == app.public_url {
            return;
        }
        let public = &app.public_url;
        say(&format!(
            "ngrok forwards {url} to this port, but PUBLIC_URL is {public}: `serve --tunnel ngrok` uses the tunnel's address."
        ));
    });
}
