//! The accept loop: bounded in connections and in the time a request's head may take, and drained on stop.
//!
//! A stop waits for requests and not for connections: idle ones are closed at once, and one on which half a head has
//! come soon after, or anybody could make each restart wait for [`HEAD_TIMEOUT`].

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::middleware::peer::Connected;

/// How long a request's head may take to arrive, and a connection may be idle between requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a head that has begun to arrive may still take once we are told to stop.
const LAST_HEAD_TIMEOUT: Duration = Duration::from_secs(2);
/// More connections wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 4096;
/// How long to wait when the system has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `router` until `stop` ends, then waits for the requests in flight.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let stopping = CancellationToken::new();
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
        let in_flight = TaskTracker::new();
        let connection = graceful.watch(connection(stream, address, router.clone(), in_flight.clone()));
        let stopping = stopping.clone();
        tokio::spawn(async move {
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    // Errors here are the client's: a broken connection, a head that never came.
                    tracing::debug!(%error, "a connection ended early");
                },
                () = without_request(stopping, in_flight) => {
                    tracing::debug!("a connection without a request was closed, because the broker stops");
                }
            }
            drop(place);
        });
    }
    drop(listener);
    stopping.cancel();
    graceful.shutdown().await;
}

/// Ends when we stop and no request has come of what arrives on this connection. What is in flight is answered, and
/// its connection is closed by hyper then.
async fn without_request(stopping: CancellationToken, in_flight: TaskTracker) {
    stopping.cancelled().await;
    if in_flight.is_empty() {
        tokio::time::sleep(LAST_HEAD_TIMEOUT).await;
    }
    if !in_flight.is_empty() {
        std::future::pending::<()>().await;
    }
}

fn connection(
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    in_flight: TaskTracker,
) -> impl GracefulConnection<Error = hyper::Error> + Send {
    // Answers are small and each is one write: waiting for more to send only costs time.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Connected(address));
        let answer = router.clone().oneshot(request);
        in_flight.track_future(answer)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
}
