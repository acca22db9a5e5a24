//! The state that every handler shares.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};

use crate::admin::Admins;
use crate::clock::SharedClock;
use crate::config::{ClientConfig, Clients, Config, Environment, Problems};
use crate::connections::Connections;
use crate::limits::Limits;
use crate::metrics::Metrics;
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
    /// The links and sessions of those who operate it.
    pub admins: Admins,
    /// Where the broker itself listens: the bound address.
    pub address: SocketAddr,
    /// What is measured of all of them.
    pub metrics: Metrics,
    /// `PUBLIC_URL`, or the bound address: the issuer, and what is shown or handed out. No trailing slash.
    pub public_url: String,
    /// The embedded simulator, whose Link is served from our own origin.
    pub simulator: Option<Simulator>,
}

/// The shared state; cloning it is cheap.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    parts: Parts,
    /// Swapped whole when the clients file is read again.
    clients: RwLock<Arc<Clients>>,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}

impl App {
    /// Shares the parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let clients = Clients::new(parts.config.oauth.clients.clone());
        Self(Arc::new(Shared {
            parts,
            clients: RwLock::new(Arc::new(clients)),
        }))
    }

    /// The clients of this moment. A request asks once and keeps the answer.
    #[must_use]
    pub fn clients(&self) -> Arc<Clients> {
        // Nothing can panic while the lock is held, so what is inside is whole even then.
        Arc::clone(&self.0.clients.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the clients file again and takes its clients from now on; gives how many clients there are, the first one
    /// included. Blocks while it reads.
    ///
    /// # Errors
    /// Every problem of the file. Then nothing has changed.
    pub fn reload_clients(&self) -> Result<usize, Problems> {
        let clients = self.config.reread_clients()?;
        let count = clients.as_slice().len();
        *self.0.clients.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(clients);
        Ok(count)
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
