//! `plaid-simulator`: the simulator as a program of its own.

use std::process::ExitCode;

use clap::Parser;
use plaid_simulator::command::Simulate;
use tracing_subscriber::EnvFilter;

/// Plaid's API and Link, offline, to develop and test against.
#[derive(Parser)]
#[command(name = "plaid-simulator", version, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    simulate: Simulate,
}

fn main() -> ExitCode {
    ExitCode::from(Arguments::parse().simulate.run(start_log))
}

fn start_log(filter: &str) -> Result<(), String> {
    let filter = EnvFilter::builder()
        .parse(filter)
        .map_err(|error| error.to_string())?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}
