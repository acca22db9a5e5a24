//! A broker that runs in another process. Settings alone do not describe it: `serve --tunnel` and port 0 are decided at the
//! start.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// What a running broker reports of itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Description {
    pub version: String,
    /// `PUBLIC_URL`, or what holds without it. No trailing slash.
    pub public_url: String,
    pub address: SocketAddr,
    /// Where `/livez`, `/readyz` and `/metrics` are served.
    pub operations: SocketAddr,
    pub simulator: Option<SocketAddr>,
    /// Why the store cannot be written or read at this moment.
    pub store: Option<String>,
    /// The callbacks that administrators allowed beside those of the settings: client id and URI.
    pub callbacks: Vec<(String, String)>,
}

/// A broker that runs in another process with these settings.
#[derive(Clone, Debug)]
pub struct Running {
    pub description: Description,
    /// `PUBLIC_URL` of the settings; the running broker's is the one that counts.
    pub configured_url: Option<String>,
}
