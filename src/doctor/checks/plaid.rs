//! Plaid: does it answer, does it accept the keys, do the clocks agree? What needs valid keys comes after that.

use std::time::Duration;

use super::context::Context;
use super::institutions;
use super::link;
use super::link_token::{self, Created, describe};
use super::list::{
    CLOCK, COUNTRIES, Finding, INSTITUTIONS, LINK_REDIRECT_URI, LINK_SETTINGS, PLAID_KEYS, PLAID_REACHABLE,
    PRODUCTS_ENABLED, Status,
};
use crate::clock::Timestamp;
use crate::config::Environment;
use crate::doctor::reporter::Reporter;
use crate::plaid::{ApiError, PlaidError};

const KEYS_PAGE: &str = "https://dashboard.plaid.com/developers/keys";
/// Beyond it, webhooks are close to being refused; Plaid's own tolerance is five minutes
/// (<https://plaid.com/docs/api/webhooks/webhook-verification/>).
const SKEW_WARNING: Duration = Duration::from_secs(30);
const SKEW_FAILURE: Duration = Duration::from_secs(5 * 60);

/// One link token as the settings have it shows most of it.
pub(super) async fn check(context: &Context, reporter: &Reporter<'_>) {
    let asked_at = context.clock.now();
    let started = std::time::Instant::now();
    let (answer, date) = link_token::as_configured(context).await;
    let took = started.elapsed();
    reporter.report(clock(date, asked_at.plus(took / 2)));
    let reachable = reachable(context, &answer, took);
    let unreachable = reachable.status == Status::Failed;
    reporter.report(Finding {
        unreachable,
        ..reachable
    });
    if unreachable {
        reporter.report(PLAID_KEYS.skipped("Plaid did not answer, so the keys were not checked."));
        return skip_the_rest(reporter, "Plaid did not answer.");
    }
    let keys = keys(context, &answer).await;
    let usable = keys.status == Status::Ok;
    reporter.report(keys);
    if !usable {
        return skip_the_rest(reporter, "This needs valid keys.");
    }
    tokio::join!(
        link::check(context, reporter, answer),
        institutions::check(context, reporter)
    );
}

fn skip_the_rest(reporter: &Reporter<'_>, why: &str) {
    for check in [
        PRODUCTS_ENABLED,
        INSTITUTIONS,
        COUNTRIES,
        LINK_SETTINGS,
        LINK_REDIRECT_URI,
    ] {
        reporter.report(check.skipped(why));
    }
}

/// A refusal is an answer as well.
fn reachable(context: &Context, answer: &Created, took: Duration) -> Finding {
    let base = context.plaid.base_url();
    let milliseconds = took.as_millis();
    let network = "Check that this machine can reach it (firewall, DNS, HTTPS_PROXY), and PLAID_BASE_URL if you set it.";
    let passing = "Look at https://status.plaid.com and try again; nothing is wrong on your side.";
    match answer {
        Err(PlaidError::Api(error)) if error.status >= 500 => PLAID_REACHABLE.failed(
            format!("{base} answered with an internal error: {}.", describe(error)),
            passing,
        ),
        Ok(_) | Err(PlaidError::Api(_)) => {
            PLAID_REACHABLE.ok(format!("{base} answered within {milliseconds} ms."))
        }
        Err(error @ PlaidError::Unreachable(_)) => {
            PLAID_REACHABLE.failed(format!("{error} ({base})."), network)
        }
        Err(error @ (PlaidError::TimedOut(_) | PlaidError::Broken)) => {
            PLAID_REACHABLE.failed(format!("{error} ({base})."), format!("{network} {passing}"))
        }
        Err(PlaidError::Malformed { status }) => PLAID_REACHABLE.failed(
            format!("What answers at {base} is not Plaid: status {status} without Plaid's JSON."),
            "Set PLAID_BASE_URL to Plaid, or remove it; a proxy in between may answer instead of Plaid.",
        ),
    }
}

async fn keys(context: &Context, answer: &Created) -> Finding {
    let environment = context.environment().name();
    let error = match answer {
        Ok(_) => return PLAID_KEYS.ok(format!("They are valid for {environment}.")),
        Err(PlaidError::Api(error)) => error,
        Err(error) => return PLAID_KEYS.skipped(format!("{error}, so the keys were not checked.")),
    };
    match error.error_code.as_str() {
        "INVALID_API_KEYS" => wrong_keys(context, error).await,
        "UNAUTHORIZED_ENVIRONMENT" => PLAID_KEYS.failed(
            format!("Your Plaid account is not enabled for {environment} ({}).", describe(error)),
            "Ask for access at https://dashboard.plaid.com, or set PLAID_ENV=sandbox with the sandbox secret.",
        ),
        _ if error.error_type == "RATE_LIMIT_EXCEEDED" => {
            PLAID_KEYS.skipped("Plaid limits the number of calls; check again in a minute.")
        }
        _ if is_about_keys(error) => PLAID_KEYS.failed(
            format!("Plaid does not accept the keys ({}).", describe(error)),
            format!("Copy both again from {KEYS_PAGE}, without spaces or quotes."),
        ),
        // Plaid looks at the keys before it looks at anything else.
        _ => PLAID_KEYS.ok(format!("They are valid for {environment}.")),
    }
}

fn is_about_keys(error: &ApiError) -> bool {
    let message = error.error_message.to_ascii_lowercase();
    error.error_type == "INVALID_REQUEST" && (message.contains("client_id") || message.contains("secret"))
}

/// The secret of the other environment is the usual cause, so that one is asked.
async fn wrong_keys(context: &Context, error: &ApiError) -> Finding {
    let environment = context.environment().name();
    if let Some((other, plaid)) = context.other_plaid()
        && plaid
            .institutions_total(&context.config.link.country_codes, &[])
            .await
            .is_ok()
    {
        let other = other.name();
        return PLAID_KEYS.failed(
            format!("PLAID_SECRET is the secret of {other}, but PLAID_ENV is {environment}."),
            format!("Take the secret of {environment} from {KEYS_PAGE}, or set PLAID_ENV={other}."),
        );
    }
    let other = match context.environment() {
        Environment::Production => "sandbox",
        Environment::Sandbox | Environment::Simulator => "production",
    };
    PLAID_KEYS.failed(
        format!(
            "Plaid refuses PLAID_CLIENT_ID with PLAID_SECRET in {environment} ({}).",
            describe(error)
        ),
        format!(
            "Copy both again from {KEYS_PAGE}: each environment has a secret of its own. If this is the {other} secret, take \
             the one of {environment}, or set PLAID_ENV={other}."
        ),
    )
}

fn clock(date: Option<Timestamp>, now: Timestamp) -> Finding {
    let Some(date) = date else {
        return CLOCK.skipped("Plaid's response has no date.");
    };
    // The header knows whole seconds only.
    let date = date.plus(Duration::from_millis(500));
    let (skew, direction) = if now > date {
        (now.since(date), "ahead of")
    } else {
        (date.since(now), "behind")
    };
    let seconds = skew.as_secs();
    let found = format!("This machine's clock is {seconds} s {direction} Plaid's.");
    let fix = "Switch on time synchronisation (for example `timedatectl set-ntp true`): tokens and webhooks are valid for \
               minutes.";
    if skew > SKEW_FAILURE {
        CLOCK.failed(found, fix)
    } else if skew > SKEW_WARNING {
        CLOCK.warning(found, fix)
    } else {
        CLOCK.ok("They differ by less than half a minute.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_may_differ_a_little() {
        let date = Some(Timestamp::from_millis(1_795_000_000_000));
        let at = |millis: i64| clock(date, Timestamp::from_millis(1_795_000_000_000 + millis)).status;
        for (millis, status) in [
            (0, Status::Ok),
            (30_000, Status::Ok),
            (-29_000, Status::Ok),
            (31_000, Status::Warning),
            (-31_000, Status::Warning),
            (301_000, Status::Failed),
            (-301_000, Status::Failed),
        ] {
            assert_eq!(at(millis), status, "{millis}");
        }
        assert_eq!(clock(None, Timestamp::from_millis(0)).status, Status::Skipped);
    }
}
