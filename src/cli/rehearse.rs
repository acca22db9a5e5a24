//! `rehearse`: plays the OAuth client against the running broker.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use url::Url;

use super::operate::{runtime, store_options};
use super::{USAGE, complain, print, running, say};
use crate::clock::SystemClock;
use crate::config::{Clients, Config, Environment, LoadOptions};
use crate::doctor::rehearsal::{Action, Identity, Rehearsal};
use crate::doctor::{Running, Verdict, connectable};
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
    /// Only this callback, exactly as Kore.ai shows it, whether it is configured or not.
    #[arg(long, value_name = "URL")]
    callback: Option<String>,
    /// The actions that your bot uses; by default all.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "ACTION")]
    actions: Vec<Action>,
}

impl Rehearse {
    pub(super) fn run(self) -> u8 {
        self.rehearse().unwrap_or_else(|code| code)
    }

    fn rehearse(self) -> Result<u8, u8> {
        let options = LoadOptions {
            without_clients: true,
            ..LoadOptions::default()
        };
        let loaded = running::settings(options);
        let (config, running) = loaded.map_err(|problems| usage(&problems.to_string()))?;
        let runtime = runtime()?;
        let rehearsal = runtime.block_on(self.rehearsal(&config, running.as_ref()));
        let rehearsal = rehearsal.map_err(|problem| usage(&format!("rehearse: {problem}")))?;
        let json = self.json;
        let report = runtime.block_on(rehearsal.run(|step| {
            if json {
                say(&step.line(None));
            } else {
                print::finding(step);
            }
        }));
        let verdict = report.verdict();
        if json {
            say(&json!({ "verdict": verdict }).to_string());
        } else if verdict == Verdict::Ok {
            say("\nAll good.");
        } else {
            say("\nSome steps failed. Follow the arrows (→), then rehearse again.");
        }
        Ok(print::exit_code(verdict))
    }

    async fn rehearsal(&self, config: &Config, running: Option<&Running>) -> Result<Rehearsal, String> {
        let (identity, inspection) = identity(config, running).await?;
        let callbacks = match running {
            Some(running) => running.description.callbacks.clone(),
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
            &public_url(config, running)?,
            &plaid_url(config, running)?,
            identity,
            Arc::new(SystemClock),
        )?;
        rehearsal.remark = remark(running);
        if let Some(callback) = &self.callback {
            rehearsal.callbacks = vec![callback.clone()];
        }
        if !self.actions.is_empty() {
            rehearsal.actions.clone_from(&self.actions);
        }
        Ok(rehearsal)
    }
}

fn usage(problem: &str) -> u8 {
    complain(problem);
    USAGE
}

/// What identifies the broker of these settings. Where that is not known, only a broker whose address was given is rehearsed
/// with: what listens on the usual port may be another one.
async fn identity(
    config: &Config,
    running: Option<&Running>,
) -> Result<(Identity, Option<Inspection>), String> {
    let OpenOptions {
        config: store,
        account,
        ..
    } = store_options(config);
    let why = match Store::inspect(store, account, Duration::ZERO).await {
        Ok(Some(inspection)) => {
            let identity = Identity::Store(inspection.tokens.clone());
            return Ok((identity, Some(inspection)));
        }
        Ok(None) => "there is no store in this directory to identify it".to_owned(),
        Err(error) => error.to_string(),
    };
    if config.http.public_base().is_none() && running.is_none() {
        return Err(format!(
            "it is not known which broker to rehearse with ({why}): run this in the broker's own directory and with its \
             settings, or set PUBLIC_URL to its address"
        ));
    }
    Ok((Identity::Unknown(why), None))
}

fn public_url(config: &Config, running: Option<&Running>) -> Result<String, String> {
    if let Some(running) = running {
        return Ok(running.description.public_url.clone());
    }
    match (config.http.public_base(), config.http.port) {
        (Some(url), _) => Ok(url),
        (None, 0) => Err("set PUBLIC_URL: with APP_PORT=0 the broker's port is not known".to_owned()),
        (None, port) => Ok(format!("http://localhost:{port}")),
    }
}

fn plaid_url(config: &Config, running: Option<&Running>) -> Result<Url, String> {
    let plaid = &config.plaid;
    let simulator = running
        .and_then(|running| running.description.simulator)
        .unwrap_or(plaid.simulator_bind);
    match (&plaid.base_url, plaid.environment) {
        (Some(url), _) => Ok(url.clone()),
        (None, Environment::Simulator) if simulator.port() == 0 => {
            Err("set BROKER_SIMULATOR_BIND: with port 0 the simulator's port is not known".to_owned())
        }
        (None, Environment::Simulator) => Url::parse(&format!("http://{}", connectable(simulator)))
            .map_err(|_| "BROKER_SIMULATOR_BIND is not a valid address".to_owned()),
        (None, environment) => Url::parse(environment.default_base_url())
            .map_err(|_| "internal error: Plaid's address is not a URL".to_owned()),
    }
}

fn remark(running: Option<&Running>) -> Option<String> {
    let Running {
        description,
        configured_url,
    } = running?;
    let configured = configured_url.as_ref()?;
    (*configured != description.public_url)
        .then(|| format!("the broker runs with this address; PUBLIC_URL of these settings is {configured}"))
}
