//! The checks: one implementation for the set-up page and for the command `check`.
//!
//! Each looks at one thing, within a time of its own, and says what it found and what to do. None makes an Item or
//! changes anything, at Plaid or here. The list, and what each one means, is in `docs/checks.md`.

mod access;
mod address;
mod audit_file;
mod context;
mod file_system;
mod finding;
mod here;
mod institutions;
mod link;
mod plaid;
mod redirects;
mod storage;
mod tell;
mod tunnels;

use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc;

use crate::config::DatabaseUrl;
use crate::store::Store;
pub use context::{Context, ContextError, Running};
pub use finding::{ALL, Check, Finding, Status};
use tell::Tell;

/// How long all checks together may take.
pub const LIMIT: Duration = Duration::from_secs(60);

/// All findings, in the order of [`ALL`].
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// One for each check that was made, in the order of [`ALL`].
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether no check failed; warnings do not count.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self
            .findings
            .iter()
            .any(|finding| finding.status == Status::Failed)
    }

    /// Whether Plaid could not be reached, so that nothing is known that only Plaid can tell.
    #[must_use]
    pub fn plaid_is_unreachable(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.id == finding::PLAID_REACHABLE.id && finding.status == Status::Failed)
    }
}

/// Makes all checks, side by side where that is safe. `on_finding` hears of each as soon as it is there, so in any
/// order; the report has them in the order of [`ALL`]. Ends within [`LIMIT`].
pub async fn run(context: &Context, on_finding: impl FnMut(&Finding)) -> Report {
    run_within(context, LIMIT, on_finding).await
}

/// [`run`] within a time of one's own. What has not ended then is told to be skipped.
pub async fn run_within(context: &Context, limit: Duration, mut on_finding: impl FnMut(&Finding)) -> Report {
    let (sender, mut told) = mpsc::unbounded_channel();
    let tell = Tell::new(sender, context);
    let making = async move {
        access::check(context, &tell);
        let all = async { tokio::join!(plaid::check(context, &tell), around(context, &tell),) };
        let _in_time = tokio::time::timeout(limit, all).await;
        // `tell` ends here, and with it the hearing.
    };
    let hear = &mut on_finding;
    let hearing = async move {
        let mut findings: Vec<Finding> = Vec::new();
        while let Some(finding) = told.recv().await {
            hear(&finding);
            findings.push(finding);
        }
        findings
    };
    let ((), mut findings) = tokio::join!(making, hearing);
    for check in ALL {
        let is_asked = *check != finding::PUBLIC_URL_VISIT || context.visit.is_some();
        if is_asked && !findings.iter().any(|finding| finding.id == check.id) {
            let finding = check.skipped(format!("It did not come to that within {} s.", limit.as_secs()));
            on_finding(&finding);
            findings.push(finding);
        }
    }
    findings.sort_by_key(|finding| ALL.iter().position(|check| check.id == finding.id));
    Report { findings }
}

/// What needs the store's token key: by it this broker is known from others.
async fn around(context: &Context, tell: &Tell<'_>) {
    let is_running =
        context.app.is_some() || context.running.is_some() || Store::is_in_use(&context.config.store);
    tell.say(audit_file::check(context));
    let (inspection, found) = tokio::join!(storage::check(context, tell, is_running), tunnels::look(context));
    let allowed = inspection
        .as_ref()
        .map_or(&[][..], |inspection| &inspection.allowed);
    redirects::check(context, tell, allowed);
    let tokens = match &context.app {
        Some(app) => Some(app.store.tokens()),
        None => inspection.as_ref().map(|inspection| &inspection.tokens),
    };
    // Nothing else tells whether a broker runs with a store that lets everybody in.
    let is_running = is_running
        || matches!(context.config.store.database, DatabaseUrl::Postgres(_))
            && here::answers(context, tokens).await;
    let address = async {
        let leads_here = address::check(context, tell, tokens, is_running, found.address()).await;
        tell.say(tunnels::judge(context, &found, tokens, leads_here).await);
    };
    tokio::join!(address, here::check(context, tell, tokens, is_running));
}
