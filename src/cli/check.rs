//! `check`: what most often goes wrong, and how to fix it.

use clap::Args;
use serde_json::json;

use super::operate::new_runtime;
use super::{FAILED, USAGE, complain, print, running, say};
use crate::config::{Config, LoadOptions, Problems};
use crate::doctor::checks::{self, Context};
use crate::doctor::{Running, Verdict};

/// Check settings, Plaid, addresses and the store, and say how to fix what is wrong.
///
/// No broker needs to run, and nothing is changed. Exit code 0: nothing failed; 1: something did; 2: the settings cannot be
/// used; 3: Plaid cannot be reached. docs/checks.md explains each check.
#[derive(Args, Debug)]
pub(super) struct Check {
    /// One JSON object on standard output, for programs.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(&self) -> u8 {
        let (config, running) = match running::settings(LoadOptions::default()) {
            Ok(loaded) => loaded,
            Err(problems) => return self.unusable(&problems),
        };
        match self.check(config, running) {
            Ok(verdict) => print::exit_code(verdict),
            Err(error) => {
                complain(&format!("plaid-token-broker: {error}"));
                FAILED
            }
        }
    }

    fn unusable(&self, problems: &Problems) -> u8 {
        if self.json {
            let list: Vec<_> = problems
                .0
                .iter()
                .map(|problem| json!({ "variable": problem.variable, "found": problem.found, "expected": problem.expected }))
                .collect();
            say(&json!({ "passed": false, "problems": list }).to_string());
        } else {
            complain(&problems.to_string());
        }
        USAGE
    }

    fn check(&self, config: Config, running: Option<Running>) -> anyhow::Result<Verdict> {
        let runtime = new_runtime()?;
        let (version, environment) = (env!("CARGO_PKG_VERSION"), config.plaid.environment.name());
        let report = runtime.block_on(async {
            let context = Context::of_config(config, running).await?;
            let mut progress = print::Progress::start();
            anyhow::Ok(checks::run(&context, |finding| progress.found(finding)).await)
        })?;
        // Do not wait for a store on a slow disk.
        runtime.shutdown_background();
        let verdict = report.verdict();
        if self.json {
            let passed = verdict == Verdict::Ok;
            let all = json!({ "passed": passed, "version": version, "environment": environment, "findings": report.findings });
            say(&all.to_string());
        } else {
            say(&format!("plaid-token-broker {version}, {environment}"));
            print::report(&report);
        }
        Ok(verdict)
    }
}
