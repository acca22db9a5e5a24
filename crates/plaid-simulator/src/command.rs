//! The command line of the simulator: `plaid-simulator`, and `plaid-token-broker simulate`.

mod arguments;

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use tokio::net::TcpListener;

use self::arguments::{key, products, redirect_uri, unknown_client};
use crate::server::serve;
use crate::simulator::{CLIENT_ID, Options, SECRET, Simulator};
use crate::spec::Guesses;
use crate::spec::guesses::GuessError;
use crate::spec::switches::{LinkOptions, PublicTokenReuse};

/// Exit code: done.
pub const DONE: u8 = 0;
/// Exit code: failed, for example because the address is in use.
pub const FAILED: u8 = 1;
/// Exit code: the arguments or `RUST_LOG` cannot be used.
pub const USAGE: u8 = 2;

/// Plaid's API is at the printed address. The built-in keys are public: client id 5a11ced0c0ffee0000000001, secret
/// 51a11a7ed5ec4e7000000000000001.
#[derive(Args, Debug)]
pub struct Simulate {
    /// The address to listen on: loopback, unless --allow-non-loopback is given. With port 0 the system chooses.
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
    /// What the simulator does where Plaid's pages are silent; may be repeated. --list-guesses prints them all.
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
    secret.len() == 30 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()) && secret != SECRET
}

impl Simulate {
    /// Runs the simulator until SIGTERM or ctrl-c and returns the exit code. `start_log` starts logging to standard error
    /// with the given `tracing` filter.
    pub fn run(self, start_log: impl FnOnce(&str) -> Result<(), String>) -> u8 {
        if self.list_guesses {
            say(&listed());
            return DONE;
        }
        if let Some(refusal) = self.refusal() {
            complain(&refusal);
            return USAGE;
        }
        if self.key.iter().any(looks_real) {
            complain(
                "--key: warning: this secret is shaped like one of Plaid's own. If it is one, stop and use another text: \
                 a command line is no place for it, and the simulator takes any",
            );
        }
        let filter = std::env::var("RUST_LOG").unwrap_or_else(|_| "info".to_owned());
        if let Err(error) = start_log(&filter) {
            complain(&format!("RUST_LOG: {error}"));
            return USAGE;
        }
        match self.serve() {
            Ok(()) => DONE,
            Err(error) => {
                complain(&format!("simulator: {error:#}"));
                FAILED
            }
        }
    }

    /// Why it does not start with these arguments.
    fn refusal(&self) -> Option<String> {
        if !self.bind.ip().is_loopback() && !self.allow_non_loopback {
            return Some(
                "--bind: the simulator has public keys and no real protection; give it a loopback address, or say \
                 --allow-non-loopback"
                    .to_owned(),
            );
        }
        unknown_client(&self.products, &self.key).map(|id| {
            format!(
                "--products: no client has the id {id}: add it with --key {id}:SECRET, or write {CLIENT_ID}"
            )
        })
    }

    fn serve(self) -> anyhow::Result<()> {
        let mut guesses = Guesses::default();
        for text in &self.guess {
            guesses.set_by_text(text)?;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let stopped = stop_signal()?;
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
            let options = Options {
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
                ..Options::default()
            };
            serve(listener, Simulator::new(options), stopped).await;
            anyhow::Ok(())
        })
    }
}

/// Ready at the first SIGTERM or ctrl-c. Calls in flight then have a second, so a second signal needs no meaning.
#[cfg(unix)]
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ready at ctrl-c.
#[cfg(not(unix))]
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// A line on standard output. It is no error of ours when its reader is gone.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
