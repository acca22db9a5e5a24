//! Addresses, proxies and limits.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use url::Url;

use super::address;
use super::plaid::Environment;
use super::settings::Settings;
use super::tunnel::TunnelApis;
use super::values::{list, switch};
use crate::secret::AdminToken;

/// Shorter tokens can be guessed.
const ADMIN_TOKEN_CHARS: usize = 16;
/// The bounds of `BROKER_CLIENT_RATE`.
const CLIENT_RATE: std::ops::RangeInclusive<u32> = 1..=1_000_000;
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1/128"];

/// `BROKER_EXPLORER`: who may use the browser login flow and its data pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExplorerMode {
    /// Everybody who reaches the broker.
    On,
    /// The admin session.
    Admin,
    /// Nobody.
    Off,
}

/// Addresses, proxies and limits.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// `BROKER_BIND`.
    pub bind: IpAddr,
    /// `APP_PORT`, else `PORT`; 0 lets the system choose.
    pub port: u16,
    /// `PUBLIC_URL`, when set; it has no path. See [`HttpConfig::public_base`] for its text.
    pub public_url: Option<Url>,
    /// `BROKER_TRUSTED_PROXIES`: whose `X-Forwarded-*` is believed. Loopback is spelt out as its networks.
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
        self.public_url
            .as_ref()
            .map(|url| url.as_str().trim_end_matches('/').to_owned())
    }

    pub(super) fn read(settings: &mut Settings, environment: Option<Environment>) -> Self {
        let bind = settings.parsed("BROKER_BIND", |text| {
            text.parse()
                .map_err(|_| "write an IP address, for example 127.0.0.1, or 0.0.0.0 for all".to_owned())
        });
        let ops_bind = settings.parsed("BROKER_OPS_BIND", |text| {
            text.parse()
                .map_err(|_| "write an IP address and a port, for example 127.0.0.1:9810".to_owned())
        });
        let rate_limit = settings.parsed("BROKER_RATE_LIMIT", switch);
        let client_rate = settings.parsed("BROKER_CLIENT_RATE", client_rate);
        let request_record = settings.parsed("BROKER_REQUEST_RECORD", switch);
        if settings
            .text("BROKER_ADMIN_TOKEN")
            .is_some_and(|token| token.chars().count() < ADMIN_TOKEN_CHARS)
        {
            settings.problem(
                "BROKER_ADMIN_TOKEN",
                "make it at least 16 characters long, or leave it empty",
            );
        }
        let port = read_port(settings);
        let public_url = settings.parsed("PUBLIC_URL", public_url);
        let is_local = public_url.as_ref().is_none_or(address::is_loopback);
        if environment == Some(Environment::Production) && is_local {
            settings.warn(
                "PUBLIC_URL is not the address of this broker on the network, but this is production: the addresses that \
                 it hands out (the issuer, links, Link's return address) work on this machine alone, and cookies go \
                 without Secure. Set PUBLIC_URL to the https address that browsers use."
                    .to_owned(),
            );
        }
        Self {
            bind: bind.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            port,
            public_url,
            trusted_proxies: read_proxies(settings),
            rate_limit: rate_limit.unwrap_or(true),
            client_rate: client_rate.flatten(),
            ops_bind: ops_bind.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 9810).into()),
            explorer: read_explorer(settings, environment),
            request_record: request_record.unwrap_or(true),
            admin_token: settings.text("BROKER_ADMIN_TOKEN").map(AdminToken::new),
            tunnels: TunnelApis::read(settings),
        }
    }
}

fn client_rate(text: &str) -> Result<Option<u32>, String> {
    if switch(text) == Ok(false) {
        return Ok(None);
    }
    let rate = text.parse().ok().filter(|rate| CLIENT_RATE.contains(rate));
    let expected = || {
        let most = CLIENT_RATE.end();
        format!("write the requests per second as a whole number from 1 to {most}, or off")
    };
    rate.map(Some).ok_or_else(expected)
}

fn read_port(settings: &mut Settings) -> u16 {
    let number = |text: &str| {
        text.parse::<u16>()
            .map_err(|_| "write a number from 0 to 65535".to_owned())
    };
    let app_port = settings.parsed("APP_PORT", number);
    let port = settings.parsed("PORT", number);
    if let (Some(app_port), Some(port)) = (app_port, port)
        && app_port != port
    {
        settings.warn(format!(
            "APP_PORT is {app_port} and PORT is {port}; APP_PORT counts."
        ));
    }
    app_port.or(port).unwrap_or(8000)
}

fn public_url(text: &str) -> Result<Url, String> {
    let url = address::secure_url(text)?;
    if url.path() != "/" || url.query().is_some() {
        return Err(
            "write the address without a path or query, for example https://bank.example.com".to_owned(),
        );
    }
    Ok(url)
}

fn read_proxies(settings: &mut Settings) -> Vec<IpNet> {
    let given = settings
        .text("BROKER_TRUSTED_PROXIES")
        .unwrap_or("loopback")
        .to_ascii_lowercase();
    let parts: Vec<&str> = list(&given).collect();
    if parts == ["none"] {
        return Vec::new();
    }
    let mut networks = Vec::new();
    for part in parts {
        if part == "loopback" {
            networks.extend(LOOPBACK.iter().filter_map(|text| text.parse::<IpNet>().ok()));
        } else if part == "none" {
            settings.problem("BROKER_TRUSTED_PROXIES", "write none alone, or leave it out");
        } else if let Ok(network) = part
            .parse::<IpNet>()
            .or_else(|_| part.parse::<IpAddr>().map(IpNet::from))
        {
            networks.push(network.trunc());
        } else {
            settings.problem_with(
                "BROKER_TRUSTED_PROXIES",
                part,
                "write loopback, none, or IP addresses and networks such as 10.0.0.0/8, with commas",
            );
        }
    }
    if networks.iter().any(|network| network.prefix_len() == 0) {
        settings.warn(
            "BROKER_TRUSTED_PROXIES trusts every address, so anybody can claim to come from any other."
                .to_owned(),
        );
    }
    networks
}

fn read_explorer(settings: &mut Settings, environment: Option<Environment>) -> ExplorerMode {
    let given = settings.parsed("BROKER_EXPLORER", |text| {
        if text.eq_ignore_ascii_case("admin") {
            return Ok(ExplorerMode::Admin);
        }
        match switch(text) {
            Ok(true) => Ok(ExplorerMode::On),
            Ok(false) => Ok(ExplorerMode::Off),
            Err(_) => Err("choose on, admin or off".to_owned()),
        }
    });
    let production = environment == Some(Environment::Production);
    if production && given == Some(ExplorerMode::On) {
        settings.warn(
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
