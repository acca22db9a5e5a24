//! The server: like any other, but that it can close a connection without an answer.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::HeaderValue;
use http::header::HOST;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::background::delivery;
use crate::calls::faults::NoAnswer;
use crate::simulator::{Options, Simulator};
use crate::{api, controls, link};
use axum::Router;

/// How long calls in flight may take once the simulator is asked to stop.
const DRAIN: Duration = Duration::from_secs(1);
/// How long a connection may take to send its request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// A pause after `accept` failed, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `simulator` on `listener` until `shutdown` is ready, then lets calls in flight end within a second.
pub async fn serve(listener: TcpListener, simulator: Simulator, shutdown: impl Future<Output = ()>) {
    let router = simulator.router();
    let stopping = CancellationToken::new();
    let mut connections = JoinSet::new();
    // Ends with this function, or with the task that runs it: dropping a set ends its tasks.
    let mut delivery = JoinSet::new();
    delivery.spawn(delivery::run(simulator.clone()));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, router.clone(), stopping.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "the simulator could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    stopping.cancel();
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    let _timed_out = tokio::time::timeout(DRAIN, drained).await;
}

async fn connection(stream: TcpStream, router: axum::Router, stopping: CancellationToken) {
    let reset = Arc::new(AtomicBool::new(false));
    let wants_reset = Arc::clone(&reset);
    let address = stream.local_addr().ok();
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        // HTTP/1.0 need not say which host is meant, and answers have addresses of ours in them.
        let host = address.and_then(|address| HeaderValue::try_from(address.to_string()).ok());
        if let (Some(host), false) = (host, request.headers().contains_key(HOST)) {
            request.headers_mut().insert(HOST, host);
        }
        let router = router.clone();
        let reset = Arc::clone(&wants_reset);
        async move {
            let response = router
                .oneshot(request)
                .await
                .unwrap_or_else(|never: Infallible| match never {});
            if response.extensions().get::<NoAnswer>().is_some() {
                reset.store(true, Ordering::Relaxed);
                return Err(io::Error::other("this call gets no answer"));
            }
            Ok(response)
        }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stopping.cancelled() => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    if reset.load(Ordering::Relaxed) {
        // Without it the peer sees an end of file (FIN) instead of a reset (RST): also no answer.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the simulator ended early");
    }
}

/// A simulator that serves on a port of its own, until it is dropped.
pub struct RunningSimulator {
    simulator: Simulator,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Simulator {
    /// Plaid's API paths, and under `/_simulator/` Link and the controls. Serve it with [`serve`], which alone
    /// can close a connection without an answer.
    pub fn router(&self) -> Router {
        Router::new()
            .nest(
                "/_simulator/link",
                link::routes(self.clone(), link::FrameAncestors::Loopback),
            )
            .nest("/_simulator/hosted", link::hosted_routes(self.clone()))
            .nest("/_simulator", controls::routes(self.clone()))
            .fallback(api::answer)
            .with_state(self.clone())
    }

    /// Link's script, page and calls, to be nested at any path of another origin; only pages of that origin
    /// may frame it.
    pub fn link_routes(&self) -> Router {
        link::routes(self.clone(), link::FrameAncestors::SameOrigin)
    }

    /// Binds `127.0.0.1:0` and serves until the handle is dropped.
    pub async fn start(options: Options) -> std::io::Result<RunningSimulator> {
        RunningSimulator::start(Self::new(options)).await
    }
}

impl RunningSimulator {
    pub(crate) async fn start(simulator: Simulator) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(serve(listener, simulator.clone(), std::future::pending()));
        Ok(Self {
            simulator,
            address,
            task,
        })
    }

    /// Where it listens: `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The simulator itself.
    #[must_use]
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }
}

impl Drop for RunningSimulator {
    fn drop(&mut self) {
        // The task owns the listener and all connections.
        self.task.abort();
    }
}
