//! What the checks look at: a broker that runs in this process, or settings alone.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use url::Url;

use crate::app::App;
use crate::clock::{SharedClock, SystemClock};
use crate::config::{ClientKind, Clients, Config, Environment, PlaidConfig, is_loopback};
use crate::doctor::running::Running;
use crate::plaid::{ClientError, PlaidClient, PlaidOptions, Timeouts};
use crate::secret::{AdminToken, StoredSecret};
use crate::simulator::{self, RunningSimulator, Simulator};
use crate::store::model::Account;

/// How long Plaid may take: a person waits.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    total: Duration::from_secs(10),
    health: Duration::from_secs(5),
};

/// Settings that nothing can be checked with.
#[derive(Debug, Error)]
pub enum ContextError {
    #[error(transparent)]
    Plaid(#[from] ClientError),
    #[error("the built-in simulator cannot be started for the checks ({0})")]
    Simulator(#[from] std::io::Error),
    /// Cannot happen with a bound address.
    #[error("the simulator's address is not a URL")]
    SimulatorUrl(#[from] url::ParseError),
}

/// What the checks look at.
pub struct Context {
    pub(super) config: Config,
    pub(super) clients: Arc<Clients>,
    pub(super) clock: SharedClock,
    pub(super) plaid: PlaidClient,
    /// `PUBLIC_URL`, or what holds without it. No trailing slash.
    pub(super) public_url: String,
    /// The broker of this process; `None`: only the settings are known.
    pub(super) app: Option<App>,
    /// The broker that runs elsewhere, when it could be asked.
    pub(super) running: Option<Running>,
    /// The origin that the admin's browser asked for, on the set-up page.
    pub(super) visit: Option<String>,
    /// Plaid's other environment, to be asked whether keys belong there; `None` where Plaid is a stand-in.
    pub(super) other: Option<(Environment, Url)>,
    /// Serves until the checks are done.
    _simulator: Option<RunningSimulator>,
}

/// The environment that keys are mistaken for.
fn other_environment(plaid: &PlaidConfig) -> Option<(Environment, Url)> {
    let other = match (plaid.environment, &plaid.base_url) {
        (Environment::Sandbox, None) => Environment::Production,
        (Environment::Production, None) => Environment::Sandbox,
        _ => return None,
    };
    Some((other, Url::parse(other.default_base_url()).ok()?))
}

fn client(plaid: &PlaidConfig, base_url: Url) -> Result<PlaidClient, ClientError> {
    PlaidClient::new(&PlaidOptions {
        base_url,
        client_id: plaid.client_id.clone(),
        secret: plaid.secret.clone(),
        timeouts: TIMEOUTS,
    })
}

impl Context {
    /// The broker that runs in this process.
    #[must_use]
    pub fn of_app(app: &App) -> Self {
        Self {
            config: app.config.clone(),
            clients: app.clients(),
            clock: Arc::clone(&app.clock),
            plaid: app.plaid.clone(),
            public_url: app.public_url.clone(),
            app: Some(app.clone()),
            running: None,
            visit: None,
            other: other_environment(&app.config.plaid),
            _simulator: None,
        }
    }

    /// Settings, and the broker that runs elsewhere with them, if there is one. With the built-in simulator, that broker's
    /// is asked; where none runs, one is started for the checks on a port of the system's choice.
    ///
    /// # Errors
    /// When Plaid's client or the simulator cannot be made.
    pub async fn of_config(config: Config, running: Option<Running>) -> Result<Self, ContextError> {
        let plaid = &config.plaid;
        let clock: SharedClock = Arc::new(SystemClock);
        let is_simulated = plaid.environment == Environment::Simulator && plaid.base_url.is_none();
        let theirs = running
            .as_ref()
            .and_then(|running| running.description.simulator)
            .filter(|_| is_simulated);
        let simulator = if is_simulated && theirs.is_none() {
            Some(Simulator::start(simulator::Options::default()).await?)
        } else {
            None
        };
        let base_url = match (&plaid.base_url, theirs, &simulator) {
            (Some(url), _, _) => url.clone(),
            (None, Some(address), _) => Url::parse(&format!("http://{address}"))?,
            (None, None, Some(simulator)) => Url::parse(&simulator.url())?,
            (None, None, None) => Url::parse(plaid.environment.default_base_url())?,
        };
        let client = client(plaid, base_url)?;
        let http = &config.http;
        let public_url = match &running {
            Some(running) => running.description.public_url.clone(),
            None => http
                .public_base()
                .unwrap_or_else(|| format!("http://localhost:{}", http.port)),
        };
        Ok(Self {
            clients: Arc::new(Clients::new(config.oauth.clients.clone())),
            clock,
            plaid: client,
            public_url,
            app: None,
            running,
            visit: None,
            other: other_environment(&config.plaid),
            _simulator: simulator,
            config,
        })
    }

    /// With the origin (`https://host:port`) by which the admin's browser came, so that it can be compared with
    /// `PUBLIC_URL`.
    #[must_use]
    pub fn reached_at(mut self, origin: &str) -> Self {
        self.visit = Some(origin.trim_end_matches('/').to_owned());
        self
    }

    /// With another address for Plaid's other environment, which is asked whether keys that are refused belong there.
    #[must_use]
    pub fn with_other_environment(mut self, environment: Environment, url: Url) -> Self {
        self.other = Some((environment, url));
        self
    }

    /// Plaid's other environment with the same keys.
    pub(super) fn other_plaid(&self) -> Option<(Environment, PlaidClient)> {
        let (environment, base_url) = self.other.clone()?;
        Some((environment, client(&self.config.plaid, base_url).ok()?))
    }

    pub(super) fn environment(&self) -> Environment {
        self.config.plaid.environment
    }

    /// Where the broker listens, or would; 0: on a port of the system's choice.
    pub(super) fn port(&self) -> u16 {
        let own = self.app.as_ref().map(|app| app.address);
        let running = || self.running.as_ref().map(|running| running.description.address);
        own.or_else(running)
            .map_or(self.config.http.port, |address| address.port())
    }

    /// Whether `PUBLIC_URL` is more than an address of this machine.
    pub(super) fn is_public(&self) -> bool {
        !Url::parse(&self.public_url).is_ok_and(|url| is_loopback(&url))
    }

    pub(super) fn account(&self) -> Account {
        let plaid = &self.config.plaid;
        Account {
            environment: plaid.environment.name().to_owned(),
            client_id: plaid.client_id.clone(),
        }
    }

    pub(super) fn is_production(&self) -> bool {
        self.environment() == Environment::Production
    }

    /// The secrets that no finding may hold, whatever the other side's words are.
    pub(super) fn secrets(&self) -> Vec<&str> {
        let mut secrets = vec![self.config.plaid.secret.expose()];
        secrets.extend(self.config.http.admin_token.as_ref().map(AdminToken::expose));
        for client in self.clients.as_slice() {
            if let ClientKind::Confidential(StoredSecret::Plain(secret)) = &client.kind {
                secrets.push(secret.expose());
            }
        }
        secrets
    }
}
