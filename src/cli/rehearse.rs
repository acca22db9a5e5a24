//! `rehearse`: plays the OAuth client against the running broker.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use url::Url;

use super::operate::{runtime, store_options};
use super::running::{self, Running};
use super::{DONE, FAILED, UNREACHABLE, USAGE, complain, reachable, say};
use crate::clock::SystemClock;
use crate::config::{Clients, Environment, LoadOptions};
use crate::doctor::rehearsal::{Action, Identity, Outcome, Rehearsal, Step, Verdict};
use crate::store::{Inspection, OpenOptions, Store};

/// Play Kore.ai against the running broker, through `PUBLIC_URL`, and say what does not work.
///
/// Run it with the settings of the broker. In simulator and sandbox a test bank is connected without a person, and
/// removed again; in production nothing is connected. Exit codes: 0 all good, 1 a step failed, 2 the settings are not
/// enough, 3 the broker or Plaid could not be reached.
#[derive(Args, Debug)]
pub(super) struct Rehearse {
    /// Print JSON lines: one object per step, then the verdict.
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
        let options = LoadOptions {
            without_clients: true,
            ..LoadOptions::default()
        };
        let running = match running::settings(options) {
            Ok(running) => running,
            Err(problems) => {
                complain(&problems.to_string());
                return USAGE;
            }
        };
        let runtime = match runtime() {
            Ok(runtime) => runtime,
            Err(code) => return code,
        };
        let rehearsal = match runtime.block_on(self.rehearsal(&running)) {
            Ok(rehearsal) => rehearsal,
            Err(problem) => {
                complain(&format!("rehearse: {problem}"));
                return USAGE;
            }
        };
        let json = self.json;
        let verdict = runtime.block_on(rehearsal.run(&mut |step| tell(&step, json)));
        if json {
            say(&json!({ "verdict": verdict }).to_string());
        } else if verdict == Verdict::Ok {
            say("\nAll good.");
        } else {
            say("\nSome steps failed. Follow the arrows (→), then rehearse again.");
        }
        match verdict {
            Verdict::Ok => DONE,
            Verdict::Failed => FAILED,
            Verdict::Unreachable => UNREACHABLE,
        }
    }

    async fn rehearsal(&self, running: &Running) -> Result<Rehearsal, String> {
        let config = &running.config;
        let (identity, inspection) = identity(running).await?;
        let callbacks = match &running.description {
            Some(description) => description.callbacks.clone(),
            None => inspection.map_or_else(Vec::new, |inspection| {
                let allowed = inspection.allowed.into_iter();
                allowed.map(|allowed| (allowed.client_id, allowed.uri)).collect()
            }),
        };
        let allowed = callbacks
            .iter()
            .map(|(client, uri)| (client.as_str(), uri.as_str()));
        let clients = Clients::new(config.oauth.clients.clone()).allowing(allowed);
        let mut rehearsal = Rehearsal::new(
            config,
            clients.first(),
            &public_url(running)?,
            &plaid_url(running)?,
            identity,
            Arc::new(SystemClock),
        )?
        .with_remark(remark(running));
        if let Some(callback) = &self.callback {
            rehearsal = rehearsal.with_callback(callback.clone());
        }
        if !self.actions.is_empty() {
            rehearsal = rehearsal.with_actions(self.actions.clone());
        }
        Ok(rehearsal)
    }
}

/// By what the broker of these settings is known. Where that cannot be had, only a broker that was named by its address is
/// rehearsed with: whoever listens on the usual port may be another one.
async fn identity(running: &Running) -> Result<(Identity, Option<Inspection>), String> {
    let OpenOptions { config, account, .. } = store_options(&running.config);
    let why = match Store::inspect(config, account, Duration::ZERO).await {
        Ok(Some(inspection)) => {
            let identity = Identity::Store(inspection.tokens.clone());
            return Ok((identity, Some(inspection)));
        }
        Ok(None) => "there is no store in this directory to identify it".to_owned(),
        Err(error) => error.to_string(),
    };
    if running.given.is_none() && running.description.is_none() {
        return Err(format!(
            "the broker to rehearse with is unknown ({why}): run this in the broker's own directory and with its settings, or set \
             PUBLIC_URL to its address"
        ));
    }
    Ok((Identity::Unknown(why), None))
}

fn public_url(running: &Running) -> Result<String, String> {
    let http = &running.config.http;
    match (&running.description, http.public_base(), http.port) {
        (Some(description), ..) => Ok(description.public_url.clone()),
        (None, Some(url), _) => Ok(url),
        (None, None, 0) => {
            Err("set PUBLIC_URL: with APP_PORT=0 nobody knows where the broker listens".to_owned())
        }
        (None, None, port) => Ok(format!("http://localhost:{port}")),
    }
}

/// Where Plaid's API is.
fn plaid_url(running: &Running) -> Result<Url, String> {
    let plaid = &running.config.plaid;
    let simulator = running
        .description
        .as_ref()
        .and_then(|description| description.simulator)
        .unwrap_or(plaid.simulator_bind);
    match (&plaid.base_url, plaid.environment) {
        (Some(url), _) => Ok(url.clone()),
        (None, Environment::Simulator) if simulator.port() == 0 => Err(
            "set BROKER_SIMULATOR_BIND: with port 0 nobody knows where the broker's simulator listens"
                .to_owned(),
        ),
        (None, Environment::Simulator) => Url::parse(&format!("http://{}", reachable(simulator)))
            .map_err(|_| "BROKER_SIMULATOR_BIND is no address that can be asked".to_owned()),
        (None, environment) => Url::parse(environment.default_base_url())
            .map_err(|_| "internal error: Plaid's address is not a URL".to_owned()),
    }
}

fn remark(running: &Running) -> Option<String> {
    let given = running.given.as_ref()?;
    let description = running.description.as_ref()?;
    (*given != description.public_url)
        .then(|| format!("the broker runs with this address; PUBLIC_URL of these settings is {given}"))
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
