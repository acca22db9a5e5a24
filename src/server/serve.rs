//! The accept loop: bounded in connections, in the time a request's head may take and a response may go unread, and
//! drained on stop.
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
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::connection_limit::ConnectionLimit;
use super::write_timeout::WriteTimeout;
use crate::http::client_ip::Connected;

/// How long a request's head may take to arrive, and a connection may be idle between requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a head that has begun to arrive may still take once shutdown has begun.
const LAST_HEAD_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a client may read nothing of its response.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait when the system has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `router` until `stop` ends, then waits for the requests in flight.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limit: Arc<ConnectionLimit>,
    stop: impl Future<Output = ()>,
) {
    serve_with(listener, router, limit, WRITE_TIMEOUT, stop).await;
}

async fn serve_with(
    listener: TcpListener,
    router: Router,
    limit: Arc<ConnectionLimit>,
    write_timeout: Duration,
    stop: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    let stopping = CancellationToken::new();
    tokio::pin!(stop);
    loop {
        let accepted = async {
            let free = limit.free().await;
            (listener.accept().await, free)
        };
        let (stream, address, free) = tokio::select! {
            () = &mut stop => break,
            accepted = accepted => match accepted {
                (Ok((stream, address)), Some(free)) => (stream, address, free),
                (Err(error), _) => {
                    limit.not_accepted(&error);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
                (_, None) => break,
            },
        };
        let Some(slot) = limit.admit(address.ip(), free) else {
            continue;
        };
        let stream = WriteTimeout::new(nodelay(stream), write_timeout);
        let in_flight = TaskTracker::new();
        let connection = graceful.watch(connection(stream, address, router.clone(), in_flight.clone()));
        let stopping = stopping.clone();
        tokio::spawn(async move {
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    // Errors here are the client's: a broken connection, a head that never came.
                    tracing::debug!(%error, "connection ended early");
                },
                () = without_request(stopping, in_flight) => {
                    tracing::debug!("connection without a request closed on shutdown");
                }
            }
            drop(slot);
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

/// Answers are small and each is one write: waiting for more to send only costs time.
fn nodelay(stream: TcpStream) -> TcpStream {
    let _ = stream.set_nodelay(true);
    stream
}

fn connection(
    stream: WriteTimeout<TcpStream>,
    address: SocketAddr,
    router: Router,
    in_flight: TaskTracker,
) -> impl GracefulConnection<Error = hyper::Error> + Send {
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use std::time::Instant;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpSocket;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(30);
    /// More than the buffers of a connection hold.
    const LARGE: usize = 32 * 1024 * 1024;

    /// A server with these limit, and where it listens.
    async fn start(limit: &Arc<ConnectionLimit>, write_timeout: Duration) -> SocketAddr {
        let router = Router::new()
            .route("/", get(async || "ok"))
            .route("/large", get(async || vec![0_u8; LARGE]));
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let limit = Arc::clone(limit);
        let serving = serve_with(listener, router, limit, write_timeout, std::future::pending());
        tokio::spawn(serving);
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    async fn emptied(limit: &ConnectionLimit) {
        let deadline = Instant::now() + DEADLINE;
        while !limit.is_empty() {
            assert!(Instant::now() < deadline, "{limit:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn clients_that_never_read_lose_their_connections() {
        let limit = ConnectionLimit::new(8, Vec::new());
        let server = start(&limit, Duration::from_millis(100)).await;
        let mut clients = Vec::new();
        for _ in 0..4 {
            let mut client = TcpStream::connect(server).await.unwrap();
            client
                .write_all(b"GET /large HTTP/1.1\r\nHost: test\r\n\r\n")
                .await
                .unwrap();
            // It is being answered.
            client.read_exact(&mut [0; 12]).await.unwrap();
            clients.push(client);
        }
        emptied(&limit).await;
        drop(clients);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn one_peer_does_not_keep_out_another() {
        let limit = ConnectionLimit::new(8, Vec::new());
        let server = start(&limit, WRITE_TIMEOUT).await;
        let mut halfway = Vec::new();
        for _ in 0..20 {
            let mut client = TcpStream::connect(server).await.unwrap();
            let _ = client.write_all(b"GET / HTTP/1.1\r\nHost: te").await;
            halfway.push(client);
        }
        // Those beyond half of the limit are closed.
        for client in halfway.iter_mut().skip(4) {
            let read = tokio::time::timeout(DEADLINE, client.read(&mut [0; 1]))
                .await
                .unwrap();
            assert!(!matches!(read, Ok(1)));
        }
        let other = TcpSocket::new_v4().unwrap();
        other.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let mut other = other.connect(server).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
        other.write_all(request).await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(DEADLINE, other.read_to_string(&mut answer))
            .await
            .unwrap()
            .unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        drop(halfway);
        emptied(&limit).await;
    }
}
