//! `simulate`: the simulator of Plaid alone.

mod arguments;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use tokio::net::TcpListener;

use self::arguments::{key, products, redirect_uri, unknown_client};
use super::{DONE, FAILED, USAGE, complain, say};
use crate::config::{LogConfig, LogFormat};
use crate::simulator::guesses::GuessError;
use crate::simulator::{self, Guesses, LinkOptions, PublicTokenReuse, Simulator};
use crate::{lifecycle, telemetry};

/// Plaid's API is at the printed address. The built-in keys are public: client id 5a11ced0c0ffee0000000001, secret
/// 51a11a7ed5ec4e7000000000000001.
#[derive(Args, Debug)]
pub(super) struct Simulate {
    /// Where it listens; loopback only unless told otherwise, port 0 lets the system choose.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9400")]
    bind: SocketAddr,
    /// A further pair of client id and secret that it accepts; may be repeated.
    #[arg(long, value_name = "ID:SECRET", value_parser = key)]
    key: Vec<(String, String)>,
    /// Listen on an address that other machines reach: all of them can then read and change everything here.
    #[arg(long)]
    allow_non_loopback: bool,
    /// What a second exchange of one public token does; Plaid does not say.
    #[arg(long, value_enum, default_value_t)]
    public_token_reuse: PublicTokenReuse,
    /// Decides all made-up names, balances and movements; the same seed gives the same data.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Limit calls as Plaid's Sandbox does.
    #[arg(long)]
    rate_limits: bool,
    /// The Dashboard's list of redirect URIs; may be repeated. Without it all of a good form are allowed.
    #[arg(long, value_name = "URI", value_parser = redirect_uri)]
    redirect_uri: Vec<String>,
    /// The products that Plaid has enabled for a client id, comma-separated; may be repeated. Others have all.
    #[arg(long, value_name = "ID:PRODUCTS", value_parser = products)]
    products: Vec<(String, Vec<String>)>,
    /// What the simulator does where Plaid's pages are silent; may be repeated. --list-guesses tells them all.
    #[arg(long, value_name = "NAME=ANSWER", value_parser = guess)]
    guess: Vec<String>,
    /// List the guesses with their answers, the usual one first, and end.
    #[arg(long)]
    list_guesses: bool,
    /// Seconds from an exchange to the first transactions; all of them take three times as long, a report twice.
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    data_delay: u64,
    #[command(flatten)]
    link: LinkOptions,
}

fn guess(text: &str) -> Result<String, GuessError> {
    Guesses::default().set_by_text(text).map(|()| text.to_owned())
}

/// The guesses as people read them.
fn listed() -> String {
    let mut lines = Vec::new();
    for guess in Guesses::all() {
        lines.push(format!("{}: {}", guess.name, guess.question));
        for (at, choice) in guess.answers.iter().enumerate() {
            let usual = if at == 0 { " (usual)" } else { "" };
            lines.push(format!("  {}{usual}: {}", choice.name, choice.meaning));
        }
    }
    lines.join("\n")
}

/// Plaid's secrets are 30 hexadecimal digits.
fn looks_real((_, secret): &(String, String)) -> bool {
    secret.len() == 30 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()) && secret != simulator::SECRET
}

impl Simulate {
    pub(super) fn run(self) -> u8 {
        if self.list_guesses {
            say(&listed());
            return DONE;
        }
        if !self.bind.ip().is_loopback() && !self.allow_non_loopback {
            complain(
                "--bind: the simulator has public keys and no real protection; give it a loopback address, or say \
                 --allow-non-loopback",
            );
            return USAGE;
        }
        if let Some(id) = unknown_client(&self.products, &self.key) {
            complain(&format!(
                "--products: no client has the id {id}: add it with --key {id}:SECRET, or write {}",
                simulator::CLIENT_ID
            ));
            return USAGE;
        }
        if self.key.iter().any(looks_real) {
            complain(
                "--key: warning: this secret is shaped like one of Plaid's own. If it is one, stop and use another text: \
                 a command line is no place for it, and the simulator takes any",
            );
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
        let mut guesses = Guesses::default();
        for text in &self.guess {
            guesses.set_by_text(text)?;
        }
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
                link: self.link,
                guesses,
                data_delay: Duration::from_secs(self.data_delay),
                keys: self.key,
                public_token_reuse: self.public_token_reuse,
                redirect_uris: (!self.redirect_uri.is_empty()).then_some(self.redirect_uri),
                rate_limits: self.rate_limits,
                seed: self.seed,
                enabled_products: self.products,
                log_calls: true,
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
