//! Bind, serve, drain, stop.
//!
//! [`build`] binds and wires everything and [`Broker::run`] serves until it is stopped; both take what they need
//! from outside, so that tests bind port 0 and hold the stop signal themselves.

mod bind;
mod connection_limit;
pub mod control;
mod file_limit;
mod health;
pub mod openapi;
mod reload;
pub mod router;
mod serve;
mod signals;
mod simulator_state;
mod write_timeout;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use url::Url;

use connection_limit::ConnectionLimit;
pub use reload::Hangup;
pub use serve::serve;
pub use signals::{Stop, signals};
use simulator_state::SimulatorFile;

use crate::app::admin::Admins;
use crate::app::{App, AppState};
use crate::clock::{SharedClock, SystemClock};
use crate::config::{Config, PlaidConfig};
use crate::http::limits::Limits;
use crate::link::SESSION_TTL;
use crate::plaid::connections::{AbandonAfter, Connections, RemovalWorker};
use crate::plaid::{ClientError, PlaidClient, PlaidOptions, Timeouts};
use crate::request_log::RequestLog;
#[cfg(unix)]
use crate::server::control::{ListenError, Listener};
use crate::simulator::{self, Simulator};
use crate::store::model::Account;
use crate::store::{Durability, OpenError, OpenOptions, Store, StoreError};
use crate::telemetry::audit::{Audit, FileError, Flush};
use crate::telemetry::metrics::{Metrics, MetricsError};

/// How long requests in flight are waited for: longer than any request may take.
pub const DRAIN: Duration = Duration::from_secs(65);
/// Connections on the operations address: few ask there, and all may come from one host.
const HEALTH_CONNECTIONS: usize = 64;
/// How long the store may take to close: a disk that hangs must not hold up the end.
const CLOSE: Duration = Duration::from_secs(5);

#[derive(Debug, Error)]
pub enum StartError {
    #[error("cannot listen on {address} ({source}): {advice}")]
    Bind {
        address: SocketAddr,
        source: io::Error,
        advice: &'static str,
    },
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error(transparent)]
    Reading(#[from] StoreError),
    #[error(transparent)]
    AuditFile(#[from] FileError),
    #[error(transparent)]
    Plaid(#[from] ClientError),
    /// The address of the embedded simulator is no URL; cannot happen with a bound address.
    #[error("the simulator's address is no URL")]
    SimulatorUrl(#[from] url::ParseError),
    #[error(transparent)]
    Metrics(#[from] MetricsError),
}

/// What comes from outside and tests choose: time, and how patient we are with Plaid.
#[derive(Clone)]
pub struct Dependencies {
    pub clock: SharedClock,
    pub plaid_timeouts: Timeouts,
}

impl Default for Dependencies {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            plaid_timeouts: Timeouts::default(),
        }
    }
}

/// A broker that is bound and wired, and not serving yet.
pub struct Broker {
    app: App,
    request_log: RequestLog,
    listener: TcpListener,
    ops: TcpListener,
    simulator: Option<(TcpListener, Simulator)>,
    simulator_file: Option<SimulatorFile>,
    max_connections: usize,
    #[cfg(unix)]
    control: Result<Listener, ListenError>,
    addresses: Addresses,
}

#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub broker: SocketAddr,
    pub ops: SocketAddr,
    pub simulator: Option<SocketAddr>,
}

pub async fn build(config: Config, dependencies: Dependencies) -> Result<Broker, StartError> {
    let Dependencies {
        clock,
        plaid_timeouts,
    } = dependencies;
    let max_connections = file_limit::connections();
    let http = &config.http;
    let own = SocketAddr::new(http.bind, http.port);
    let (listener, broker) = bind::address(
        own,
        "stop what uses it, or set APP_PORT (and BROKER_BIND) to another address",
    )
    .await?;
    let (ops, health_address) = bind::address(
        http.ops_bind,
        "stop what uses it, or set BROKER_OPS_BIND to another address",
    )
    .await?;
    let mut addresses = Addresses {
        broker,
        ops: health_address,
        simulator: None,
    };

    let plaid = &config.plaid;
    let simulator = bind::simulator(plaid, &clock).await?;
    addresses.simulator = simulator.as_ref().map(|(_, _, bound)| *bound);
    let simulator = simulator.map(|(listener, simulator, _)| (listener, simulator));
    let metrics = Metrics::new(plaid.environment.name())?;
    let client = plaid_client(plaid, addresses.simulator, plaid_timeouts)?
        .measured_by(metrics.plaid.clone())
        .bounded_to(max_connections);
    let store = open_store(&config).await?;
    store.observed_by(Box::new(metrics.store.clone()));
    let simulator_file = match &simulator {
        Some((_, simulator)) => simulator_state::resume(&config, simulator, &store, clock.now()).await?,
        None => None,
    };
    let flow = metrics.flow.clone();
    let audit = Audit::new(
        store.clone(),
        Arc::clone(&clock),
        config.audit.file.clone(),
        config.audit.keep,
    );
    audit.open_file().await?;
    let allowed = store.redirect_uris().await?;
    let connections = Connections::new(
        store.clone(),
        client.clone(),
        Arc::clone(&clock),
        audit.clone(),
        flow.clone(),
    );
    let public_url = http
        .public_base()
        .unwrap_or_else(|| format!("http://localhost:{}", addresses.broker.port()));
    let limits = Limits::new(http.rate_limit, http.client_rate).measured_by(flow);
    let request_log = RequestLog::new(http.request_record);
    let state = AppState {
        limits,
        config,
        clock,
        store,
        plaid: client,
        audit,
        connections,
        admins: Admins::default(),
        address: addresses.broker,
        health_address: addresses.ops,
        metrics,
        public_url,
        simulator: simulator.as_ref().map(|(_, simulator)| simulator.clone()),
        simulator_address: addresses.simulator,
    };
    // Once the store is open, no other broker can have it, so a socket beside it is a stale one.
    #[cfg(unix)]
    let control = Listener::bind(&state.config.control_socket).await.inspect_err(|error| {
        tracing::error!(%error, "commands such as admin-link cannot reach this broker: set BROKER_CONTROL_SOCKET to a path \
            on a local file system, in a folder that this user alone can write to");
    });
    let app = App::new(state, allowed);
    Ok(Broker {
        app,
        request_log,
        listener,
        ops,
        simulator,
        simulator_file,
        max_connections,
        #[cfg(unix)]
        control,
        addresses,
    })
}

fn plaid_client(
    plaid: &PlaidConfig,
    simulator: Option<SocketAddr>,
    timeouts: Timeouts,
) -> Result<PlaidClient, StartError> {
    let base_url = match (&plaid.base_url, simulator, plaid.environment) {
        (Some(url), _, _) => url.clone(),
        (None, Some(simulator), _) => Url::parse(&format!("http://{simulator}"))?,
        (None, None, environment) => Url::parse(environment.default_base_url())?,
    };
    Ok(PlaidClient::new(&PlaidOptions {
        base_url,
        client_id: plaid.client_id.clone(),
        secret: plaid.secret.clone(),
        timeouts,
    })?)
}

async fn open_store(config: &Config) -> Result<Store, StartError> {
    let account = Account {
        environment: config.plaid.environment.name().to_owned(),
        client_id: config.plaid.client_id.clone(),
    };
    let options = OpenOptions {
        config: config.store.clone(),
        account,
        durability: Durability::Full,
    };
    Ok(Store::open(options).await?)
}

impl Broker {
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The shared state, for what is printed at the start and for tests.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    #[must_use]
    pub fn request_log(&self) -> &RequestLog {
        &self.request_log
    }

    /// Serves until `stop.drain` is cancelled; then requests in flight and work at Plaid have [`DRAIN`] to end, unless
    /// `stop.now` ends the waiting. Returns whether all ended.
    pub async fn run(self, stop: Stop) -> bool {
        let Self {
            app,
            request_log,
            listener,
            ops,
            simulator,
            simulator_file,
            max_connections,
            #[cfg(unix)]
            control,
            ..
        } = self;
        // The simulator and the operations routes outlive the draining: requests in flight still need them.
        let background = CancellationToken::new();
        let _background_ends = background.clone().drop_guard();
        if let Some((listener, simulator)) = simulator {
            let stop = background.clone().cancelled_owned();
            tokio::spawn(simulator::serve(listener, simulator, stop));
        }
        let keeping = simulator_file.map(|file| tokio::spawn(file.keep(background.clone())));
        tokio::spawn(serve(
            ops,
            health::router(app.clone(), stop.drain.clone()),
            ConnectionLimit::for_one_peer(HEALTH_CONNECTIONS),
            background.clone().cancelled_owned(),
        ));
        #[cfg(unix)]
        let commands = CancellationToken::new();
        #[cfg(unix)]
        let control = tokio::spawn(serve_commands(control, app.clone(), commands.clone()));
        let abandon_after = AbandonAfter {
            unredeemed: app.config.oauth.unredeemed_ttl,
            session: SESSION_TTL,
        };
        let rate = app.config.plaid.removal_rate;
        let worker = RemovalWorker::new(app.connections.clone(), abandon_after, rate);
        tokio::spawn(worker.run(stop.drain.clone()));
        tokio::spawn(app.store.clone().index_access_tokens(stop.drain.clone()));
        if app.store.is_shared() {
            tokio::spawn(app.clone().follow_allowed(stop.drain.clone()));
        }
        // What is noted while draining is written at the end.
        tokio::spawn(app.audit.clone().run(stop.drain.clone()));

        let serving = serve(
            listener,
            router::build(app.clone(), request_log.clone()),
            ConnectionLimit::new(max_connections, app.config.http.trusted_proxies.clone()),
            stop.drain.clone().cancelled_owned(),
        );
        let all = async {
            serving.await;
            app.connections.finished().await;
        };
        let bounded = async {
            stop.drain.cancelled().await;
            // Who watches the request log would not end by itself.
            request_log.close();
            tracing::info!(
                drain_s = DRAIN.as_secs(),
                "stopping: finishing requests in flight"
            );
            tokio::time::sleep(DRAIN).await;
        };
        let ended = tokio::select! {
            () = all => true,
            () = bounded => false,
            () = stop.now.cancelled() => false,
        };
        if !ended {
            tracing::error!(
                under_way = app.connections.under_way(),
                "stopped before all work had finished"
            );
        }
        // The socket goes before the store is free for the next broker.
        #[cfg(unix)]
        {
            commands.cancel();
            let _ = control.await;
        }
        // After a second signal nothing is waited for. What was acknowledged is on disk already.
        if !stop.now.is_cancelled() && timeout(CLOSE, close(&app)).await.is_err() {
            tracing::error!("store not closed in time");
        }
        // Last, as whatever was under way may have changed the simulator.
        background.cancel();
        if let Some(keeping) = keeping.filter(|_| !stop.now.is_cancelled())
            && timeout(CLOSE, keeping).await.is_err()
        {
            tracing::warn!("simulator state not saved in time");
        }
        tracing::info!("stopped");
        ended
    }
}

/// Serves commands until `stop`. A broker that is still draining may have the socket; then it is made later.
#[cfg(unix)]
async fn serve_commands(control: Result<Listener, ListenError>, app: App, stop: CancellationToken) {
    let control = match control {
        Ok(control) => Some(control),
        Err(ListenError::InUse(path)) => Listener::bind_later(&path, &stop).await,
        Err(_) => None,
    };
    if let Some(control) = control {
        control.serve(app, stop).await;
    }
}

async fn close(app: &App) {
    app.connections.settle_all().await;
    if let Err(error) = app.audit.flush(Flush::All).await {
        tracing::error!(%error, "last audit entries not written");
    }
    app.store.close().await;
}
