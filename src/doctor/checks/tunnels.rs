//! Tunnels on this machine: is there one that leads here, and is it the one that `PUBLIC_URL` names?

use futures_util::future::OptionFuture;

use super::context::Context;
use super::list::{Finding, TUNNEL};
use crate::doctor::identity_challenge;
use crate::doctor::tunnel::{AgentError, Kind, Tunnel, cloudflared, leading_to, ngrok};
use crate::store::tokens::TokenKey;

/// What the agents answered.
pub(super) struct Found {
    ngrok: Option<Result<Vec<Tunnel>, AgentError>>,
    cloudflared: Option<String>,
    port: u16,
}

/// Asks the agents of this machine.
pub(super) async fn look(context: &Context) -> Found {
    let apis = &context.config.http.tunnels;
    let ngrok = OptionFuture::from(apis.ngrok.as_ref().map(ngrok));
    let cloudflared = OptionFuture::from(apis.cloudflared.as_ref().map(cloudflared));
    let (ngrok, cloudflared) = tokio::join!(ngrok, cloudflared);
    let cloudflared = cloudflared.and_then(Result::ok);
    Found {
        ngrok,
        cloudflared,
        port: context.port(),
    }
}

impl Found {
    /// ngrok's tunnel to the broker's port.
    fn local(&self) -> Option<&Tunnel> {
        leading_to(self.ngrok.as_ref()?.as_ref().ok()?, self.port)
    }

    /// An address of a tunnel that leads here for certain.
    pub(super) fn address(&self) -> Option<&str> {
        self.local()
            .filter(|tunnel| !tunnel.by_tls)
            .map(|tunnel| tunnel.url.as_str())
    }
}

/// `leads_here`: whether `PUBLIC_URL` was answered by this broker.
pub(super) async fn judge(
    context: &Context,
    found: &Found,
    tokens: Option<&TokenKey>,
    leads_here: bool,
) -> Finding {
    let public = context.public_url.as_str();
    let elsewhere = leads_here && context.is_public();
    if let Some(tunnel) = found.local() {
        if tunnel.by_tls {
            return TUNNEL.failed(
                format!(
                    "The tunnel {} uses https to port {}, where the broker serves http.",
                    tunnel.url, found.port
                ),
                format!("Start `{}`.", Kind::Ngrok.command(found.port)),
            );
        }
        return leading_here(Kind::Ngrok, &tunnel.url, public, elsewhere);
    }
    if let Some(Ok(tunnels)) = &found.ngrok
        && let Some(tunnel) = tunnels.iter().find(|tunnel| tunnel.url == public)
    {
        return TUNNEL.failed(
            format!(
                "PUBLIC_URL is the tunnel {public}, which leads to {} and not to port {}.",
                tunnel.to, found.port
            ),
            format!("Start `{}`, or set APP_PORT.", Kind::Ngrok.command(found.port)),
        );
    }
    if let Some(url) = &found.cloudflared {
        // It does not say where its tunnel leads, so it is tried.
        if url != public && identity_challenge::ask_own(url, tokens).await.is_none() {
            return TUNNEL.skipped(format!(
                "cloudflared has the tunnel {url}, which does not lead to this broker."
            ));
        }
        return leading_here(Kind::Cloudflared, url, public, elsewhere);
    }
    match &found.ngrok {
        Some(Err(AgentError::Malformed)) => TUNNEL.warning(
            "Something other than ngrok's agent answers at BROKER_NGROK_API.",
            "Set BROKER_NGROK_API to the web_addr of ngrok's agent, or to off.",
        ),
        Some(Ok(tunnels)) if !tunnels.is_empty() => {
            let to: Vec<&str> = tunnels.iter().map(|tunnel| tunnel.to.as_str()).collect();
            TUNNEL.skipped(format!(
                "ngrok's agent is running, but its tunnels lead to {} and not to port {}.",
                to.join(", "),
                found.port
            ))
        }
        Some(Ok(_)) => TUNNEL.skipped("ngrok's agent is running, without an https tunnel."),
        _ => TUNNEL
            .skipped("Neither ngrok's agent nor a quick tunnel of cloudflared is running on this machine."),
    }
}

fn leading_here(kind: Kind, url: &str, public: &str, elsewhere: bool) -> Finding {
    let found = format!("{} forwards {url} to this broker", kind.name());
    if url == public {
        return TUNNEL.ok(format!("{found}, and PUBLIC_URL is that address."));
    }
    if elsewhere {
        return TUNNEL.ok(format!("{found} as well; PUBLIC_URL, which works, is {public}."));
    }
    TUNNEL.warning(
        format!("{found}, but PUBLIC_URL is {public}."),
        format!(
            "Set PUBLIC_URL={url}, or start with `serve --tunnel {}`, which uses the tunnel's address each time.",
            kind.name()
        ),
    )
}
