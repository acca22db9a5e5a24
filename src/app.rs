//! The state that every handler shares.

pub mod admin;

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use axum::response::Response;
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use url::Url;

use self::admin::Admins;
use crate::clock::SharedClock;
use crate::config::{self, ClientConfig, Clients, Config, Environment, Problems, RedirectUris};
use crate::http::limits::Limits;
use crate::http::pages::PageEnvironment;
use crate::http::{self, Refusal};
use crate::plaid::PlaidClient;
use crate::plaid::connections::Connections;
use crate::simulator::Simulator;
use crate::store::model::{AllowedRedirectUri, Connection};
use crate::store::{Store, StoreError};
use crate::telemetry::audit::{Audit, Origin};
use crate::telemetry::metrics::Metrics;

pub struct AppState {
    pub config: Config,
    pub clock: SharedClock,
    pub store: Store,
    pub plaid: PlaidClient,
    /// Notes what happens and changes nothing; what changes something the store writes itself.
    pub audit: Audit,
    pub limits: Limits,
    pub connections: Connections,
    pub admins: Admins,
    /// Where the broker itself listens: the bound address.
    pub address: SocketAddr,
    /// Where `/livez`, `/readyz` and `/metrics` are served: the bound address.
    pub health_address: SocketAddr,
    pub metrics: Metrics,
    /// `PUBLIC_URL`, or the bound address: the issuer, and what is shown or handed out. No trailing slash.
    pub public_url: String,
    /// The embedded simulator, whose Link is served from our own origin.
    pub simulator: Option<Simulator>,
    pub simulator_address: Option<SocketAddr>,
}

/// How late another instance knows of a callback that was allowed.
const FOLLOW_EVERY: Duration = Duration::from_secs(5);

pub type Routes = http::Routes<App>;

#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    state: AppState,
    clients: RwLock<Registered>,
    /// Held from reading the allowed callbacks until they are taken, so that none takes an older list.
    taking: tokio::sync::Mutex<()>,
}

/// The clients, swapped whole when the clients file is read again or a callback is allowed.
struct Registered {
    /// As the settings and the clients file have them.
    configured: Clients,
    allowed: Vec<AllowedRedirectUri>,
    /// Both together: what requests see.
    clients: Arc<Clients>,
}

impl Registered {
    fn new(configured: Clients, allowed: Vec<AllowedRedirectUri>) -> Self {
        let uris = allowed
            .iter()
            .map(|allowed| (allowed.client_id.as_str(), allowed.uri.as_str()));
        let clients = Arc::new(configured.clone().allowing(uris));
        Self {
            configured,
            allowed,
            clients,
        }
    }
}

#[derive(Debug, Error)]
pub enum AllowError {
    #[error("there is no client with the id {0:?}")]
    UnknownClient(String),
    /// It cannot be a callback; the text says what to write instead.
    #[error("this cannot be a callback URL: {0}")]
    Uri(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Deref for App {
    type Target = AppState;

    fn deref(&self) -> &AppState {
        &self.0.state
    }
}

impl App {
    /// Shares the state. `allowed` are the callbacks that the store has.
    #[must_use]
    pub fn new(state: AppState, allowed: Vec<AllowedRedirectUri>) -> Self {
        let configured = Clients::new(state.config.oauth.clients.clone());
        Self(Arc::new(Shared {
            state,
            clients: RwLock::new(Registered::new(configured, allowed)),
            taking: tokio::sync::Mutex::new(()),
        }))
    }

    fn registered(&self) -> RwLockWriteGuard<'_, Registered> {
        // Nothing can panic while the lock is held, so what is inside is whole even then.
        self.0.clients.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clients of this moment. A request asks once and keeps the answer.
    #[must_use]
    pub fn clients(&self) -> Arc<Clients> {
        Arc::clone(
            &self
                .0
                .clients
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clients,
        )
    }

    /// Reads the clients file again and uses its clients from now on. Returns the number of clients, the first one
    /// included. Blocks while it reads.
    ///
    /// # Errors
    /// Every problem of the file. Then nothing has changed.
    pub fn reload_clients(&self) -> Result<usize, Problems> {
        let clients = self.config.reread_clients()?;
        let count = clients.as_slice().len();
        let mut registered = self.registered();
        let allowed = std::mem::take(&mut registered.allowed);
        *registered = Registered::new(clients, allowed);
        Ok(count)
    }

    /// Allows a callback for a client: stored, audited, and good from now on, also after a reload or a restart. Returns
    /// whether it is new. It is checked like the client's configured ones.
    pub async fn allow_redirect_uri(
        &self,
        client_id: &str,
        uri: &str,
        origin: Origin,
    ) -> Result<bool, AllowError> {
        let clients = self.clients();
        let Some(client) = clients.find(client_id) else {
            return Err(AllowError::UnknownClient(client_id.to_owned()));
        };
        let url = config::redirect_uri_of(&client.kind, uri).map_err(AllowError::Uri)?;
        if self.is_own(&url) {
            let why = "it is an address of this broker itself, and not of the client".to_owned();
            return Err(AllowError::Uri(why));
        }
        let (client_id, uri) = (client_id.to_owned(), uri.to_owned());
        let store = self.store.by(origin);
        let new = store.allow_redirect_uri(client_id, uri, self.clock.now()).await?;
        self.take_allowed().await?;
        Ok(new)
    }

    /// Whether it is an address of this broker: its public URL, or where it listens.
    fn is_own(&self, url: &Url) -> bool {
        let origin = url.origin().ascii_serialization();
        // Where people come by another address, an app on their own machines may have this port there.
        let is_local = Url::parse(&self.public_url).is_ok_and(|public| config::is_loopback(&public));
        let listens = url.port_or_known_default() == Some(self.address.port());
        origin == self.public_url || (is_local && config::is_loopback(url) && listens)
    }

    /// Whether there is no client that anybody could return to: none has a callback, of the settings or allowed.
    #[must_use]
    pub fn has_no_callback(&self) -> bool {
        let none = RedirectUris::Listed(Vec::new());
        self.clients()
            .as_slice()
            .iter()
            .all(|client| client.redirect_uris == none)
    }

    /// Removes an allowed callback; those of the settings and of the clients file stay. Returns whether it existed.
    pub async fn forget_redirect_uri(
        &self,
        client_id: &str,
        uri: &str,
        origin: Origin,
    ) -> Result<bool, StoreError> {
        let (client_id, uri) = (client_id.to_owned(), uri.to_owned());
        let store = self.store.by(origin);
        let gone = store
            .forget_redirect_uri(client_id, uri, self.clock.now())
            .await?;
        self.take_allowed().await?;
        Ok(gone)
    }

    pub async fn allowed_redirect_uris(&self) -> Result<Vec<AllowedRedirectUri>, StoreError> {
        self.store.redirect_uris().await
    }

    /// What the store has decides, so of two changes at once none is lost here.
    async fn take_allowed(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.0.taking.lock().await;
        let allowed = self.store.redirect_uris().await?;
        let mut registered = self.registered();
        *registered = Registered::new(registered.configured.clone(), allowed);
        Ok(())
    }

    /// Takes over what was allowed or removed at other instances that share the store, until `stop`.
    pub async fn follow_allowed(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(FOLLOW_EVERY) => {}
            }
            // The store reports its own failures; this is tried again.
            if let Err(error) = self.take_allowed().await {
                tracing::debug!(%error, "allowed callbacks not read");
            }
        }
    }

    #[must_use]
    pub fn page_environment(&self) -> PageEnvironment {
        match self.config.plaid.environment {
            Environment::Simulator => PageEnvironment::Simulator,
            Environment::Sandbox => PageEnvironment::Sandbox,
            Environment::Production => PageEnvironment::Production,
        }
    }

    /// An error page. `root` is the way from the requested path to the root of the site.
    #[must_use]
    pub fn error_page(&self, root: &'static str, refusal: &Refusal) -> Response {
        http::error_page(self.page_environment(), root, refusal)
    }

    /// Whether the embedded simulator does not know this connection: it started without the state in which it made it.
    #[must_use]
    pub fn simulator_forgot(&self, connection: &Connection) -> bool {
        self.simulator.as_ref().is_some_and(|simulator| {
            simulator
                .item_by_access_token(connection.access_token.expose())
                .is_none()
        })
    }

    /// `iss` of an authorization response to this client (RFC 9207), unless it is switched off.
    #[must_use]
    pub fn issuer_for(&self, client: Option<&ClientConfig>) -> Option<&str> {
        client
            .is_none_or(|client| client.send_iss)
            .then_some(self.public_url.as_str())
    }
}
