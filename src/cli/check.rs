//! `check`: what most often goes wrong, and how to put it right.

mod print;

use clap::Args;
use serde_json::json;

use super::running::{self, Running};
use super::{DONE, FAILED, UNREACHABLE, USAGE, complain, say};
use crate::config::{LoadOptions, Problems};
use crate::doctor::checks::{self, Context, Report};

/// Check settings, Plaid, addresses and the store, and say how to put right what is wrong.
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
        let running = match running::settings(LoadOptions::default()) {
            Ok(running) => running,
            Err(problems) => return self.unusable(&problems),
        };
        match self.checked(running) {
            Ok(report) if report.plaid_is_unreachable() => UNREACHABLE,
            Ok(report) if report.passed() => DONE,
            Ok(_) => FAILED,
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

    fn checked(&self, running: Running) -> anyhow::Result<Report> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let Running {
            config,
            description,
            given,
        } = running;
        let environment = config.plaid.environment.name();
        let beside = description.map(|description| checks::Running { description, given });
        let report = runtime.block_on(async {
            let context = Context::of_config(config, beside).await?;
            let mut progress = print::Progress::start();
            let report = checks::run(&context, |finding| progress.heard(finding)).await;
            progress.end();
            anyhow::Ok(report)
        })?;
        // A look at a store on a slow disk is not waited for.
        runtime.shutdown_background();
        if self.json {
            say(&json!({
                "passed": report.passed(),
                "version": env!("CARGO_PKG_VERSION"),
                "environment": environment,
                "findings": report.findings,
            })
            .to_string());
        } else {
            print::findings(environment, &report);
        }
        Ok(report)
    }
}
