//! The state that every handler shares.

use std::ops::Deref;
use std::sync::Arc;

use crate::clock::SharedClock;
use crate::config::{ClientConfig, Config, Environment};
use crate::connections::Connections;
use crate::limits::Limits;
use crate::pages::PageEnvironment;
use crate::plaid::PlaidClient;
use crate::simulator::Simulator;
use crate::store::Store;

/// What [`App`] is made of.
pub struct Parts {
    /// All settings.
    pub config: Config,
    /// Where "now" comes from.
    pub clock: SharedClock,
    /// Where connections are kept.
    pub store: Store,
    /// Plaid, or what stands in for it.
    pub plaid: PlaidClient,
    /// How much everybody may ask for.
    pub limits: Limits,
    /// What makes and ends connections.
    pub connections: Connections,
    /// `PUBLIC_URL`, or the bound address: the issuer, and what is shown or handed out. No trailing slash.
    pub public_url: String,
    /// The embedded simulator, whose Link is served from our own origin.
    pub simulator: Option<Simulator>,
}

/// The shared state; cloning it is cheap.
#[derive(Clone)]
pub struct App(Arc<Parts>);

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Shares the parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The client with this id, if it is still configured.
    #[must_use]
    pub fn client(&self, id: &str) -> Option<&ClientConfig> {
        self.config.oauth.clients.iter().find(|client| client.id == id)
    }

    /// Which world the pages belong to.
    #[must_use]
    pub fn page_environment(&self) -> PageEnvironment {
        match self.config.plaid.environment {
            Environment::Simulator => PageEnvironment::Simulator,
            Environment::Sandbox => PageEnvironment::Sandbox,
            Environment::Production => PageEnvironment::Production,
        }
    }

    /// `iss` of an authorization response to this client (RFC 9207), unless it is switched off.
    #[must_use]
    pub fn issuer_for(&self, client: Option<&ClientConfig>) -> Option<&str> {
        client
            .is_none_or(|client| client.send_iss)
            .then_some(self.public_url.as_str())
    }
}
