//! `simulate`: the simulator of Plaid alone.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use clap::Args;
use tokio::net::TcpListener;

use super::{DONE, FAILED, USAGE, complain, say};
use crate::config::{LogConfig, LogFormat};
use crate::simulator::{self, Simulator};
use crate::{lifecycle, telemetry};

/// Plaid's API is at the printed address. The built-in keys are public: client id 5a11ced0c0ffee0000000001, secret
/// 51a11a7ed5ec4e7000000000000001.
#[derive(Args, Debug)]
pub(super) struct Simulate {
    /// Where it listens; loopback only, port 0 lets the system choose.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9400")]
    bind: SocketAddr,
    /// A further pair of client id and secret that it accepts; may be repeated.
    #[arg(long, value_name = "ID:SECRET", value_parser = key)]
    key: Vec<(String, String)>,
}

fn key(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((id, secret)) if !id.is_empty() && !secret.is_empty() => Ok((id.to_owned(), secret.to_owned())),
        _ => Err("write it as ID:SECRET".to_owned()),
    }
}

impl Simulate {
    pub(super) fn run(self) -> u8 {
        if !self.bind.ip().is_loopback() {
            complain(
                "--bind: the simulator has public keys and no real protection; give it a loopback address",
            );
            return USAGE;
        }
        let filter = std::env::var("RUST_LOG").unwrap_or_else(|_| "info".to_owned());
        if let Err(error) = telemetry::start(&LogConfig {
            filter,
            format: LogFormat::Text,
        }) {
            complain(&format!("RUST_LOG: {error}"));
            return USAGE;
        }
        match self.serve() {
            Ok(()) => DONE,
            Err(error) => {
                complain(&format!("plaid-token-broker: {error:#}"));
                FAILED
            }
        }
    }

    fn serve(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let stop = lifecycle::signals().context("cannot listen to signals")?;
            let listener = match TcpListener::bind(self.bind).await {
                Ok(listener) => listener,
                Err(error) => bail!(
                    "cannot listen on {} ({error}): choose another with --bind",
                    self.bind
                ),
            };
            say(&format!(
                "simulator listening on http://{}",
                listener.local_addr()?
            ));
            let options = simulator::Options {
                keys: self.key,
                ..simulator::Options::default()
            };
            let serving = simulator::serve(
                listener,
                Simulator::new(options),
                stop.drain.clone().cancelled_owned(),
            );
            tokio::select! {
                () = serving => {}
                () = stop.now.cancelled() => {}
            }
            anyhow::Ok(())
        })
    }
}
