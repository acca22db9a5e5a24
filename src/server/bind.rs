//! The addresses that a broker listens on.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;

use super::StartError;
use crate::clock::SharedClock;
use crate::config::{Environment, PlaidConfig};
use crate::simulator::{Options, Simulator};

/// Binds one address. `advice` says what to do when that fails.
pub(super) async fn address(
    address: SocketAddr,
    advice: &'static str,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Bind {
        address,
        source,
        advice,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// The embedded simulator with its own address, which environments of Plaid do without.
pub(super) async fn simulator(
    plaid: &PlaidConfig,
    clock: &SharedClock,
) -> Result<Option<(TcpListener, Simulator, SocketAddr)>, StartError> {
    if plaid.environment != Environment::Simulator {
        return Ok(None);
    }
    let advice = "stop what uses it, or set BROKER_SIMULATOR_BIND to another address";
    let (listener, bound) = address(plaid.simulator_bind, advice).await?;
    let options = Options {
        clock: Arc::clone(clock),
        ..Options::default()
    };
    Ok(Some((listener, Simulator::new(options), bound)))
}
