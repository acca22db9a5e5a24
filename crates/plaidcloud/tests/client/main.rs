//! The client against servers on loopback: calls, retries, downloads, tokens.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]
#![expect(unreachable_pub, reason = "one test binary, whose modules share")]

mod calls;
mod server;
mod tokens;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use plaidcloud::conf::Connection;
use plaidcloud::{Client, Clock, Options, Secret};

/// 2026-11-30, roughly.
const NOW: i64 = 1_796_000_000;

/// A clock that a test moves.
#[derive(Clone)]
struct Hands(Arc<AtomicI64>);

impl Hands {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(NOW)))
    }

    fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let hands = self.clone();
        Arc::new(move || hands.0.load(Ordering::SeqCst))
    }
}

fn options(cache: Option<PathBuf>, clock: Clock) -> Options {
    Options {
        cache,
        clock,
        call_id_prefix: "test".to_owned(),
        timeout: Duration::from_secs(20),
    }
}

/// A client with a token of its own.
fn client(server: &server::Server) -> Client {
    let address = server.url("/json-rpc/");
    let token = Secret::new("the-s3cr3t-token");
    let connection = Connection::direct(&address, token, String::new(), String::new()).unwrap();
    Client::new(connection, options(None, Hands::new().clock())).unwrap()
}
