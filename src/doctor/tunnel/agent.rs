//! What the agents answer. They are other programs: any of it may be missing or different.

use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;
use url::{Host, Url};

use crate::doctor::probe::{self, OWN_AGENT, Trouble};

/// They are on this machine or beside it.
const LIMIT: Duration = Duration::from_secs(2);

/// Why an agent gave no usable answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AgentError {
    #[error("nothing answers")]
    Absent,
    #[error("what answers is not the agent")]
    Malformed,
    #[error("the agent has none")]
    NoTunnel,
}

/// A tunnel that browsers reach by https.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// Its https origin, without a slash at the end.
    pub url: String,
    /// Where it leads, as the agent writes it.
    pub to: String,
    /// The port that it leads to; `None`: no web address (a file, a socket).
    pub port: Option<u16>,
    pub is_local: bool,
    /// Whether the agent speaks TLS to that port.
    pub by_tls: bool,
}

/// `GET /api/tunnels` of ngrok's agent: <https://ngrok.com/docs/agent/api/>.
#[derive(Deserialize)]
struct Tunnels {
    tunnels: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    public_url: String,
    #[serde(default)]
    config: Configured,
}

#[derive(Default, Deserialize)]
struct Configured {
    #[serde(default)]
    addr: String,
}

/// `GET /quicktunnel` of cloudflared's metrics address.
#[derive(Deserialize)]
struct Quick {
    hostname: String,
}

/// The https tunnels of ngrok's agent, wherever they lead.
///
/// # Errors
/// When no agent answers at `api`, its base address.
pub async fn ngrok(api: &Url) -> Result<Vec<Tunnel>, AgentError> {
    let answer: Tunnels = ask(api, "api/tunnels").await?;
    let tunnels = answer.tunnels.into_iter();
    Ok(tunnels.filter_map(|listed| tunnel(&listed)).collect())
}

/// The https origin of cloudflared's quick tunnel; it does not say where that leads. A named tunnel is not listed.
///
/// # Errors
/// When no cloudflared answers at `metrics`, its base address.
pub async fn cloudflared(metrics: &Url) -> Result<String, AgentError> {
    let answer: Quick = ask(metrics, "quicktunnel").await?;
    https_origin(&format!("https://{}", answer.hostname)).ok_or(AgentError::NoTunnel)
}

async fn ask<T: serde::de::DeserializeOwned>(base: &Url, path: &str) -> Result<T, AgentError> {
    let url = base.join(path).map_err(|_| AgentError::Absent)?;
    let asked = probe::get(url.as_str(), OWN_AGENT, &[("accept", "application/json")]);
    match tokio::time::timeout(LIMIT, asked).await {
        Ok(Ok(answer)) if answer.status == 200 => {
            serde_json::from_value(answer.json).map_err(|_| AgentError::Malformed)
        }
        Ok(Ok(_) | Err(Trouble::TooLong)) => Err(AgentError::Malformed),
        Ok(Err(_)) | Err(_) => Err(AgentError::Absent),
    }
}

fn tunnel(listed: &Listed) -> Option<Tunnel> {
    let to = &listed.config.addr;
    let target = target(to);
    let is_local = target.as_ref().is_some_and(|url| match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified(),
        None => false,
    });
    Some(Tunnel {
        url: https_origin(&listed.public_url)?,
        to: to.chars().filter(|c| !c.is_control()).take(100).collect(),
        port: target.as_ref().and_then(Url::port_or_known_default),
        is_local,
        by_tls: target.is_some_and(|url| url.scheme() == "https"),
    })
}

/// `http://localhost:8000`, `localhost:8000` or `8000`.
fn target(addr: &str) -> Option<Url> {
    let addr = addr.trim();
    if addr.is_empty() {
        return None;
    }
    let text = if addr.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("http://localhost:{addr}")
    } else if addr.contains("://") {
        addr.to_owned()
    } else {
        format!("http://{addr}")
    };
    Url::parse(&text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
}

fn https_origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    (url.scheme() == "https" && url.host().is_some()).then(|| url.origin().ascii_serialization())
}

/// The tunnel to this port: on this machine, or else on a machine beside it, as in a network of containers.
pub(in crate::doctor) fn leading_to(tunnels: &[Tunnel], port: u16) -> Option<&Tunnel> {
    let mut fitting: Vec<&Tunnel> = tunnels
        .iter()
        .filter(|tunnel| tunnel.port == Some(port))
        .collect();
    fitting.sort_by_key(|tunnel| !tunnel.is_local);
    fitting.first().copied()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn of(public_url: &str, addr: &str) -> Option<Tunnel> {
        tunnel(&Listed {
            public_url: public_url.to_owned(),
            config: Configured {
                addr: addr.to_owned(),
            },
        })
    }

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (addr, port, here) in [
            ("http://localhost:8000", Some(8000), true),
            ("localhost:8000", Some(8000), true),
            ("8000", Some(8000), true),
            ("127.0.0.1:8000", Some(8000), true),
            ("http://[::1]:8000", Some(8000), true),
            ("http://localhost", Some(80), true),
            ("https://localhost", Some(443), true),
            ("http://broker:8000", Some(8000), false),
            ("10.0.0.5:8000", Some(8000), false),
            ("file:///var/www", None, false),
            ("", None, false),
            ("99999", None, false),
            ("not an address", None, false),
        ] {
            let tunnel = of("https://a.ngrok-free.app", addr).unwrap();
            assert_eq!((tunnel.port, tunnel.is_local), (port, here), "{addr}");
        }
        assert!(
            of("https://a.ngrok-free.app", "https://localhost:8000")
                .unwrap()
                .by_tls
        );
    }

    #[test]
    fn only_https_tunnels_count_and_the_one_on_this_machine_is_preferred() {
        assert_eq!(of("http://a.ngrok-free.app", "8000"), None);
        assert_eq!(of("tcp://0.tcp.ngrok.io:12345", "localhost:8000"), None);
        assert_eq!(of("", "8000"), None);
        let all: Vec<Tunnel> = [
            ("https://other.ngrok-free.app", "3000"),
            ("https://beside.ngrok-free.app", "http://broker:8000"),
            ("https://here.ngrok-free.app/", "8000"),
        ]
        .into_iter()
        .filter_map(|(public_url, addr)| of(public_url, addr))
        .collect();
        let url = |port| leading_to(&all, port).map(|tunnel| tunnel.url.as_str());
        assert_eq!(url(8000), Some("https://here.ngrok-free.app"));
        assert_eq!(url(3000), Some("https://other.ngrok-free.app"));
        assert_eq!(url(80), None);
    }
}
