//! The command line: what can be asked of the binary, and its exit codes.

mod admin_link;
mod backup;
mod check;
mod connections;
mod healthcheck;
mod keys;
mod operate;
mod plaidcloud;
mod print;
mod rehearse;
mod running;
mod serve;

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::config::{self, Config, LoadOptions, LogConfig, LogFormat, Problems, Sources};
use crate::telemetry;

/// Done.
pub const DONE: u8 = 0;
/// Failed.
pub const FAILED: u8 = 1;
/// Usage or configuration.
pub const USAGE: u8 = 2;
/// The broker, Plaid or the database could not be reached.
pub const UNREACHABLE: u8 = 3;

/// The variables that `--help` names; all of them are in `.env.example`.
const MOST_USED: [&str; 9] = [
    "PLAID_CLIENT_ID",
    "PLAID_SECRET",
    "PLAID_ENV",
    "PLAID_PRODUCTS",
    "PLAID_REDIRECT_URI",
    "APP_PORT",
    "BROKER_BIND",
    "PUBLIC_URL",
    "DATABASE_URL",
];

/// Plaid Link as a standard OAuth 2.0 provider, for Kore.ai and any other OAuth client.
///
/// Without arguments and without settings it serves against an embedded simulator of Plaid.
#[derive(Debug, Parser)]
#[command(name = "plaid-token-broker", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Check(check::Check),
    /// Run the simulator of Plaid alone, to develop and test against.
    Simulate(crate::simulator::command::Simulate),
    /// Ask a running broker on this machine whether it is alive, for container health checks.
    Healthcheck,
    /// Print a link that opens the running broker's set-up page once, within 15 minutes.
    AdminLink,
    Connections(connections::Connections),
    Backup(backup::Backup),
    Restore(backup::Restore),
    Keys(keys::Keys),
    Rehearse(rehearse::Rehearse),
    // After `help`, as it is about something else.
    #[command(display_order = 1000)]
    Plaidcloud(plaidcloud::Plaidcloud),
}

/// Runs what the arguments ask for. Returns the exit code.
#[must_use]
pub fn run() -> ExitCode {
    let mut command = Arguments::command().after_help(settings_help());
    let parsed = command.try_get_matches_from_mut(std::env::args_os());
    let arguments = match parsed.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => arguments,
        // clap exits with 0 for --help and 2 for wrong usage, and prints each where it belongs.
        Err(error) => error.exit(),
    };
    let outcome = match arguments
        .command
        .unwrap_or_else(|| Command::Serve(serve::Serve::default()))
    {
        Command::Serve(serve) => serve.run(),
        Command::Check(check) => check.run(),
        Command::Simulate(simulate) => simulate.run(start_log),
        Command::Healthcheck => healthcheck::run(),
        Command::AdminLink => admin_link::run(),
        Command::Connections(connections) => connections.run(),
        Command::Backup(backup) => backup.run(),
        Command::Restore(restore) => restore.run(),
        Command::Keys(keys) => keys.run(),
        Command::Rehearse(rehearse) => rehearse.run(),
        Command::Plaidcloud(plaidcloud) => plaidcloud.run(),
    };
    ExitCode::from(outcome)
}

fn settings_help() -> String {
    let mut help =
        "Settings come from the environment, then from .env in the working directory:\n".to_owned();
    for variable in config::known()
        .iter()
        .filter(|variable| MOST_USED.contains(&variable.name))
    {
        // Writing to a String cannot fail.
        let _ = writeln!(help, "  {:<19} {}", variable.name, variable.summary());
    }
    help.push_str("All of them are explained in .env.example and docs/settings.md.");
    help
}

fn settings(options: LoadOptions) -> Result<Config, Problems> {
    Sources::here()?.load(options)
}

/// Logging for commands that have no settings, with the same safe lines as the broker's.
fn start_log(filter: &str) -> Result<(), String> {
    let config = LogConfig {
        filter: filter.to_owned(),
        format: LogFormat::Text,
    };
    telemetry::start(&config).map_err(|error| error.to_string())
}

/// Prints a line on standard output. A reader that went away is no error.
fn say(line: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Prints a line on standard error, for what is reported before logging exists.
fn complain(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
