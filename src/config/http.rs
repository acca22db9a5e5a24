//! Addresses, proxies and limits.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use url::Url;

use super::address;
use super::choices::{Environment, ExplorerMode};
use super::settings::{self, APP_PORT, BROKER_TRUSTED_PROXIES, PORT};
use super::values::Values;
use crate::secret::AdminToken;

const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1/128"];

/// Addresses, proxies and limits.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// `BROKER_BIND`.
    pub bind: IpAddr,
    /// `APP_PORT`, else `PORT`; 0 lets the system choose.
    pub port: u16,
    /// `PUBLIC_URL`, when set; it has no path. See [`HttpConfig::public_base`] for its text.
    pub public_url: Option<Url>,
    /// `BROKER_TRUSTED_PROXIES`: whose `X-Forwarded-*` is trusted. Loopback is listed as its networks.
    pub trusted_proxies: Vec<IpNet>,
    /// `BROKER_RATE_LIMIT`: whether unauthenticated callers are limited.
    pub rate_limit: bool,
    /// `BROKER_CLIENT_RATE`: requests per second of an authenticated client; `None`: unlimited.
    pub client_rate: Option<u32>,
    /// `BROKER_OPS_BIND`.
    pub ops_bind: SocketAddr,
    /// `BROKER_EXPLORER`.
    pub explorer: ExplorerMode,
    /// `BROKER_REQUEST_RECORD`: whether the last requests of clients are remembered, without their values.
    pub request_record: bool,
    /// `BROKER_ADMIN_TOKEN`.
    pub admin_token: Option<AdminToken>,
    /// Where tunnel agents are asked for their tunnels.
    pub tunnels: TunnelApis,
}

impl HttpConfig {
    /// `PUBLIC_URL` as text without a trailing slash, so that a path can be put behind it.
    #[must_use]
    pub fn public_base(&self) -> Option<String> {
        self.public_url.as_ref().map(origin_text)
    }

    pub(super) fn read(values: &mut Values, environment: Option<Environment>) -> Self {
        let port = read_port(values);
        let public_url = values.optional(&settings::PUBLIC_URL);
        let is_local = public_url.as_ref().is_none_or(address::is_loopback);
        if environment == Some(Environment::Production) && is_local {
            values.warn(
                "PUBLIC_URL is not the address of this broker on the network, but this is production: the addresses that \
                 it hands out (the issuer, links, Link's return address) work on this machine alone, and cookies go \
                 without Secure. Set PUBLIC_URL to the https address that browsers use."
                    .to_owned(),
            );
        }
        Self {
            bind: values.get(&settings::BROKER_BIND),
            port,
            public_url,
            trusted_proxies: read_proxies(values),
            rate_limit: values.get(&settings::BROKER_RATE_LIMIT),
            client_rate: values.get(&settings::BROKER_CLIENT_RATE),
            ops_bind: values.get(&settings::BROKER_OPS_BIND),
            explorer: read_explorer(values, environment),
            request_record: values.get(&settings::BROKER_REQUEST_RECORD),
            admin_token: values.optional(&settings::BROKER_ADMIN_TOKEN),
            tunnels: TunnelApis::read(values),
        }
    }
}

/// Where tunnel agents answer; `None`: they are not asked.
#[derive(Clone, Debug)]
pub struct TunnelApis {
    /// `BROKER_NGROK_API`: the `web_addr` of ngrok's agent.
    pub ngrok: Option<Url>,
    /// `BROKER_CLOUDFLARED_METRICS`: what cloudflared has as `--metrics`.
    pub cloudflared: Option<Url>,
}

impl TunnelApis {
    pub(super) fn read(values: &mut Values) -> Self {
        Self {
            ngrok: values.get(&settings::BROKER_NGROK_API),
            cloudflared: values.get(&settings::BROKER_CLOUDFLARED_METRICS),
        }
    }
}

/// An origin as text without a trailing slash, so that a path can be put behind it.
pub(super) fn origin_text(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

pub(super) fn read_port(values: &mut Values) -> u16 {
    let (app_port, port) = (values.optional(&APP_PORT), values.optional(&PORT));
    if let (Some(app_port), Some(port)) = (app_port, port)
        && app_port != port
    {
        values.warn(format!(
            "APP_PORT is {app_port} and PORT is {port}; APP_PORT counts."
        ));
    }
    app_port.or(port).unwrap_or_else(|| APP_PORT.default())
}

fn read_proxies(values: &mut Values) -> Vec<IpNet> {
    if values.get(&BROKER_TRUSTED_PROXIES) == ["none"] {
        return Vec::new();
    }
    let networks = values.each(&BROKER_TRUSTED_PROXIES, |part| match part {
        "loopback" => Ok(LOOPBACK.iter().filter_map(|text| text.parse().ok()).collect()),
        "none" => Err("write none alone, or leave it out".to_owned()),
        _ => {
            let address = || part.parse::<IpAddr>().map(IpNet::from);
            let network = part.parse::<IpNet>().or_else(|_| address());
            network.map(|network| vec![network.trunc()]).map_err(|_| {
                "write loopback, none, or IP addresses and networks such as 10.0.0.0/8, with commas"
                    .to_owned()
            })
        }
    });
    let networks = networks.concat();
    if networks.iter().any(|network| network.prefix_len() == 0) {
        values.warn(
            "BROKER_TRUSTED_PROXIES trusts every address, so any caller can claim to come from any other.",
        );
    }
    networks
}

fn read_explorer(values: &mut Values, environment: Option<Environment>) -> ExplorerMode {
    let given = values.optional(&settings::BROKER_EXPLORER);
    let production = environment == Some(Environment::Production);
    if production && given == Some(ExplorerMode::On) {
        values.warn(
            "BROKER_EXPLORER=on lets everybody who reaches the broker connect banks on your Plaid bill; admin is the \
             default in production."
                .to_owned(),
        );
    }
    given.unwrap_or(if production {
        ExplorerMode::Admin
    } else {
        ExplorerMode::On
    })
}
