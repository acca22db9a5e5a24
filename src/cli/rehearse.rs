//! `rehearse`: plays the OAuth client against the running broker.

use std::sync::Arc;

use clap::Args;
use serde_json::json;
use url::Url;

use super::operate::operator_settings;
use super::{DONE, FAILED, UNREACHABLE, USAGE, complain, say};
use crate::clock::SystemClock;
use crate::config::{Config, Environment};
use crate::rehearse::{Action, Outcome, Rehearsal, Step, Verdict};

/// Play Kore.ai against the running broker, through `PUBLIC_URL`, and say what does not work.
///
/// Run it with the settings of the broker. In simulator and sandbox a test bank is connected without a person, and
/// removed again; in production nothing is connected. Exit codes: 0 all good, 1 a step failed, 2 the settings are not
/// enough, 3 the broker or Plaid could not be reached.
#[derive(Args, Debug)]
pub(super) struct Rehearse {
    /// One JSON object a line: a step each, and the verdict at the end.
    #[arg(long)]
    json: bool,
    /// This callback alone, exactly as Kore.ai shows it, whether it is configured or not.
    #[arg(long, value_name = "URL")]
    callback: Option<String>,
    /// The actions that your bot uses; all unless named.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "ACTION")]
    actions: Vec<Action>,
}

impl Rehearse {
    pub(super) fn run(self) -> u8 {
        let config = match operator_settings() {
            Ok(config) => config,
            Err(code) => return code,
        };
        let rehearsal = match self.rehearsal(&config) {
            Ok(rehearsal) => rehearsal,
            Err(problem) => {
                complain(&format!("rehearse: {problem}"));
                return USAGE;
            }
        };
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                complain(&format!("plaid-token-broker: cannot start the runtime: {error}"));
                return FAILED;
            }
        };
        let json = self.json;
        let verdict = runtime.block_on(rehearsal.run(&mut |step| tell(&step, json)));
        if json {
            say(&json!({ "verdict": verdict }).to_string());
        } else if verdict == Verdict::Ok {
            say("\nAll good.");
        } else {
            say("\nNot yet. The arrows (→) say what to do; then rehearse again.");
        }
        match verdict {
            Verdict::Ok => DONE,
            Verdict::Failed => FAILED,
            Verdict::Unreachable => UNREACHABLE,
        }
    }

    fn rehearsal(&self, config: &Config) -> Result<Rehearsal, String> {
        let http = &config.http;
        let public_url = match (http.public_base(), http.port) {
            (Some(url), _) => url,
            (None, 0) => {
                return Err(
                    "set PUBLIC_URL: with APP_PORT=0 nobody knows where the broker listens".to_owned(),
                );
            }
            (None, port) => format!("http://localhost:{port}"),
        };
        let plaid = &config.plaid;
        let base_url = match (&plaid.base_url, plaid.environment) {
            (Some(url), _) => url.clone(),
            (None, Environment::Simulator) if plaid.simulator_bind.port() == 0 => {
                return Err(
                    "set BROKER_SIMULATOR_BIND: with port 0 nobody knows where the broker's simulator listens".to_owned(),
                );
            }
            (None, Environment::Simulator) => Url::parse(&format!("http://{}", plaid.simulator_bind))
                .map_err(|_| "BROKER_SIMULATOR_BIND is no address that can be asked".to_owned())?,
            (None, environment) => Url::parse(environment.default_base_url())
                .map_err(|_| "Plaid's address is no URL: this is a mistake of this program".to_owned())?,
        };
        let mut rehearsal = Rehearsal::new(config, &public_url, &base_url, Arc::new(SystemClock))?;
        if let Some(callback) = &self.callback {
            rehearsal = rehearsal.with_callback(callback.clone());
        }
        if !self.actions.is_empty() {
            rehearsal = rehearsal.with_actions(self.actions.clone());
        }
        Ok(rehearsal)
    }
}

fn tell(step: &Step, json: bool) {
    if json {
        // A struct of strings is always JSON.
        say(&serde_json::to_string(step).unwrap_or_default());
        return;
    }
    let mark = match step.outcome {
        Outcome::Ok => "✓",
        Outcome::Failed => "✗",
        Outcome::Skipped => "–",
    };
    say(&format!("{mark} {}: {}", step.name, step.found));
    if let Some(fix) = &step.fix {
        say(&format!("  → {fix}"));
    }
}
