//! The accept loop: bounded in connections and in the time a request's head may take, and drained on stop.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use crate::middleware::peer::Connected;

/// How long a request's head may take to arrive, and a connection may be idle between requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// More connections wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 4096;
/// How long to wait when the system has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `router` until `stop` ends, then waits for the requests in flight.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    tokio::pin!(stop);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, place)
        };
        let (stream, address, place) = tokio::select! {
            () = &mut stop => break,
            accepted = accepted => match accepted {
                (Ok((stream, address)), Ok(place)) => (stream, address, place),
                (Err(error), _) => {
                    // A client that went away, or no file descriptors: neither is a reason to stop.
                    tracing::debug!(%error, "a connection was not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
                (_, Err(_)) => break,
            },
        };
        let connection = graceful.watch(connection(stream, address, router.clone()));
        tokio::spawn(async move {
            // Errors here are the client's: a broken connection, a head that never came.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

type RouterService = hyper_util::service::TowerToHyperService<
    tower::util::BoxCloneSyncService<Request<Incoming>, axum::response::Response, Infallible>,
>;

fn connection(
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
) -> http1::Connection<TokioIo<TcpStream>, RouterService> {
    // Answers are small and each is one write: waiting for more to send only costs time.
    let _ = stream.set_nodelay(true);
    let service = router.map_request(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Connected(address));
        request
    });
    let service =
        hyper_util::service::TowerToHyperService::new(tower::util::BoxCloneSyncService::new(service));
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
}
