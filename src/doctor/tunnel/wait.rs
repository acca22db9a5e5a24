//! `--tunnel`: the address of a tunnel that may only just be starting.

use std::time::{Duration, Instant};

use thiserror::Error;

use super::Kind;
use super::agent::{AgentError, cloudflared, leading_to, ngrok};
use crate::config::TunnelSettings;

const PAUSE: Duration = Duration::from_millis(250);

/// Why there is no address. Each says what to do.
#[derive(Debug, Error)]
pub enum WaitError {
    #[error("--tunnel: set APP_PORT to the port that the tunnel leads to; with 0 it differs at each start")]
    NoPort,
    #[error("--tunnel {0}: {1} is off; remove it")]
    Off(&'static str, &'static str),
    #[error("--tunnel {kind}: no tunnel was found at {at} within {} s ({reason}). Start one: {command}", waited.as_secs())]
    None {
        kind: &'static str,
        at: String,
        reason: AgentError,
        waited: Duration,
        command: String,
    },
    #[error("--tunnel {kind}: what answers at {at} is not its agent; set {variable} to the agent's address")]
    Malformed {
        kind: &'static str,
        at: String,
        variable: &'static str,
    },
    #[error(
        "--tunnel ngrok: its agent leads to {to}, but the broker listens on port {port}. Start `ngrok http {port}`, or set APP_PORT"
    )]
    OtherPort { to: String, port: u16 },
    #[error(
        "--tunnel ngrok: its agent uses https to port {port}, where the broker serves http. Start `ngrok http {port}`"
    )]
    ByTls { port: u16 },
}

impl WaitError {
    /// Whether it is a matter of settings, and not of what runs.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::NoPort | Self::Off(..))
    }

    /// Whether the agent was not there.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::None { .. })
    }
}

/// The https origin of the tunnel to our port, waiting for at most `limit` until an agent has one.
///
/// # Errors
/// When none comes, or it leads elsewhere.
pub async fn wait(kind: Kind, settings: &TunnelSettings, limit: Duration) -> Result<String, WaitError> {
    let port = settings.port;
    if port == 0 {
        return Err(WaitError::NoPort);
    }
    let (api, variable) = match kind {
        Kind::Ngrok => (&settings.apis.ngrok, "BROKER_NGROK_API"),
        Kind::Cloudflared => (&settings.apis.cloudflared, "BROKER_CLOUDFLARED_METRICS"),
    };
    let api = api.as_ref().ok_or(WaitError::Off(kind.name(), variable))?;
    let at = api.origin().ascii_serialization();
    let deadline = Instant::now() + limit;
    loop {
        let reason = match look(kind, api, port).await? {
            Ok(url) => return Ok(url),
            Err(reason) => reason,
        };
        let kind_name = kind.name();
        if reason == AgentError::Malformed {
            return Err(WaitError::Malformed {
                kind: kind_name,
                at,
                variable,
            });
        }
        if Instant::now() >= deadline {
            return Err(WaitError::None {
                kind: kind_name,
                at,
                reason,
                waited: limit,
                command: kind.command(port),
            });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn look(kind: Kind, api: &url::Url, port: u16) -> Result<Result<String, AgentError>, WaitError> {
    if kind == Kind::Cloudflared {
        return Ok(cloudflared(api).await);
    }
    let tunnels = match ngrok(api).await {
        Ok(tunnels) => tunnels,
        Err(error) => return Ok(Err(error)),
    };
    match leading_to(&tunnels, port) {
        Some(tunnel) if tunnel.by_tls => Err(WaitError::ByTls { port }),
        Some(tunnel) => Ok(Ok(tunnel.url.clone())),
        None if tunnels.is_empty() => Ok(Err(AgentError::NoTunnel)),
        None => {
            let to: Vec<&str> = tunnels.iter().map(|tunnel| tunnel.to.as_str()).collect();
            let to = to.join(", ");
            Err(WaitError::OtherPort { to, port })
        }
    }
}
