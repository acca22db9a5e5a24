//! The checks: one implementation for the set-up page and for the command `check`.
//!
//! Each looks at one thing, within a time of its own, and reports what it found and what to do. None makes an Item or
//! changes anything, at Plaid or here. The list, and what each one means, is in `docs/checks.md`.

mod access;
mod address;
mod audit_file;
mod context;
mod file_system;
mod institutions;
mod link;
mod link_token;
mod list;
mod local;
mod plaid;
mod redirects;
mod storage;
mod tunnels;

use std::time::Duration;

use super::finding::{Finding, Report};
use super::reporter::{self, Reporter};
use crate::config::DatabaseUrl;
use crate::store::Store;
pub use context::{Context, ContextError};
pub use list::ALL;

/// How long all checks together may take.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Where a finding belongs in [`ALL`].
#[must_use]
pub fn place(finding: &Finding) -> Option<usize> {
    ALL.iter().position(|check| check.id == finding.id)
}

/// Makes all checks, side by side where that is safe. `on_finding` gets each as soon as it is there, so in any order; the
/// report has them in the order of [`ALL`]. Ends within [`LIMIT`].
pub async fn run(context: &Context, on_finding: impl FnMut(&Finding)) -> Report {
    run_within(context, LIMIT, on_finding).await
}

/// [`run`] with another limit. What has not ended then is reported as skipped.
pub async fn run_within(context: &Context, limit: Duration, mut on_finding: impl FnMut(&Finding)) -> Report {
    let all = async |reporter: Reporter<'_>| {
        access::check(context, &reporter);
        let all = async { tokio::join!(plaid::check(context, &reporter), around(context, &reporter)) };
        let _in_time = tokio::time::timeout(limit, all).await;
    };
    let mut report = reporter::run(context.secrets(), all, &mut on_finding).await;
    let findings = &mut report.findings;
    for check in ALL {
        let is_asked = *check != list::PUBLIC_URL_VISIT || context.visit.is_some();
        if is_asked && !findings.iter().any(|finding| finding.id == check.id) {
            let finding = check.skipped(format!("It was not reached within {} s.", limit.as_secs()));
            on_finding(&finding);
            findings.push(finding);
        }
    }
    findings.sort_by_key(place);
    report
}

/// What needs the store's token key, by which this broker is recognized.
async fn around(context: &Context, reporter: &Reporter<'_>) {
    let is_running =
        context.app.is_some() || context.running.is_some() || Store::is_in_use(&context.config.store);
    reporter.report(audit_file::check(context));
    let (inspection, found) = tokio::join!(
        storage::check(context, reporter, is_running),
        tunnels::look(context)
    );
    let allowed = inspection
        .as_ref()
        .map_or(&[][..], |inspection| &inspection.allowed);
    redirects::check(context, reporter, allowed);
    let tokens = match &context.app {
        Some(app) => Some(app.store.tokens()),
        None => inspection.as_ref().map(|inspection| &inspection.tokens),
    };
    // Nothing else shows whether a broker runs with a store that any number of processes may open.
    let is_running = is_running
        || matches!(context.config.store.database, DatabaseUrl::Postgres(_))
            && local::answers(context, tokens).await;
    let address = async {
        let leads_here = address::check(context, reporter, tokens, is_running, found.address()).await;
        reporter.report(tunnels::judge(context, &found, tokens, leads_here).await);
    };
    tokio::join!(address, local::check(context, reporter, tokens, is_running));
}
