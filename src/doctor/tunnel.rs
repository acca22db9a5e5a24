//! Tunnels on this machine that lead to the broker: ngrok's agent and cloudflared list theirs on a local address.

mod agent;
mod wait;

pub use agent::{AgentError, Tunnel, cloudflared, ngrok};
pub use wait::{WaitError, wait};

use crate::config::TunnelApis;

/// A request with this header (any value) passes ngrok's warning page:
/// <https://ngrok.com/docs/errors/err_ngrok_6024>.
pub(super) const SKIP_WARNING: &str = "ngrok-skip-browser-warning";

/// The program that makes the tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// <https://ngrok.com/docs/agent/>
    Ngrok,
    /// A quick tunnel: <https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/do-more-with-tunnels/trycloudflare/>
    Cloudflared,
}

impl Kind {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ngrok => "ngrok",
            Self::Cloudflared => "cloudflared",
        }
    }

    /// The command that starts a tunnel to this port.
    #[must_use]
    pub fn command(self, port: u16) -> String {
        match self {
            Self::Ngrok => format!("ngrok http {port}"),
            Self::Cloudflared => format!("cloudflared tunnel --url http://localhost:{port}"),
        }
    }
}

/// The https address of ngrok's tunnel to this port, when its agent runs and has one. Ends within two seconds.
pub async fn ngrok_to(apis: &TunnelApis, port: u16) -> Option<String> {
    let api = apis.ngrok.as_ref()?;
    let tunnels = ngrok(api).await.ok()?;
    agent::leading_to(&tunnels, port).map(|tunnel| tunnel.url.clone())
}

pub(super) use agent::leading_to;
