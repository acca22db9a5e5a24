//! What the settings alone show: who has access, and which accounts Link offers.

use super::context::Context;
use super::list::{ADMIN_TOKEN, CLIENT_AUTH, Finding, KEY_FILE, OFFERED_ACCOUNTS, SETTINGS};
use crate::config::{ClientAuthPolicy, ClientConfig, ClientKind, Environment, KeySource};
use crate::doctor::reporter::{Reporter, names};
use crate::secret::StoredSecret;
use crate::simulator;

/// Shorter secrets can be guessed.
const SECRET_CHARS: usize = 16;

pub(super) fn check(context: &Context, reporter: &Reporter<'_>) {
    reporter.report(client_auth(context));
    reporter.report(admin_token(context));
    reporter.report(key_file(context));
    reporter.report(settings(context));
    reporter.report(offered_accounts(context));
}

fn offered_accounts(context: &Context) -> Finding {
    let lists = &context.config.link.products;
    match lists.auth_filter() {
        Some(cost) => OFFERED_ACCOUNTS.warning(
            cost.found,
            format!("Use these lines instead:\n{}", cost.instead.join("\n")),
        ),
        None if lists.offers_only_auth_accounts() => OFFERED_ACCOUNTS
            .ok("Checking, savings and cash management accounts only, because auth is in PLAID_PRODUCTS."),
        None => OFFERED_ACCOUNTS.ok("Accounts of all types."),
    }
}

fn client_auth(context: &Context) -> Finding {
    let clients = context.clients.as_slice();
    let plain = |client: &ClientConfig, holds: &dyn Fn(&str) -> bool| match &client.kind {
        ClientKind::Confidential(StoredSecret::Plain(secret)) => holds(secret.expose()),
        _ => false,
    };
    let with = |holds: &dyn Fn(&str) -> bool| -> Vec<&str> {
        let found = clients.iter().filter(|client| plain(client, holds));
        found.map(|client| client.id.as_str()).collect()
    };
    let own = "Set OAUTH_CLIENT_SECRET to a secret of its own (`plaid-token-broker keys hash-client-secret` prints one) and enter it in \
               the profile.";
    let known = with(&|secret| secret == simulator::SECRET);
    let short = with(&|secret| secret.chars().count() < SECRET_CHARS);
    let shared = with(&|secret| context.config.plaid.secret.matches(secret));
    let environment = context.environment();
    if environment != Environment::Simulator && !known.is_empty() {
        let found = format!(
            "The secret of {} is the simulator's, which is public.",
            names(known)
        );
        return if context.is_production() {
            CLIENT_AUTH.failed(found, own)
        } else {
            CLIENT_AUTH.warning(found, own)
        };
    }
    if !short.is_empty() {
        let found = format!("The secret of {} can be guessed: it is too short.", names(short));
        return CLIENT_AUTH.warning(
            found,
            format!("Make it at least {SECRET_CHARS} characters long. {own}"),
        );
    }
    if context.is_production() {
        if !shared.is_empty() {
            return CLIENT_AUTH.warning(
                format!(
                    "The secret of {} is Plaid's own: anyone who sees the client's settings can call Plaid as you.",
                    names(shared)
                ),
                own,
            );
        }
        return CLIENT_AUTH.ok("Every client that has a secret must send it.");
    }
    match context.config.oauth.client_auth {
        ClientAuthPolicy::Required => CLIENT_AUTH.ok("Every client that has a secret must send it."),
        ClientAuthPolicy::Auto => CLIENT_AUTH.ok(format!(
            "In {} the first client may leave out its secret; production refuses that (OAUTH_CLIENT_AUTH).",
            environment.name()
        )),
    }
}

fn admin_token(context: &Context) -> Finding {
    if context.config.http.admin_token.is_some() {
        return ADMIN_TOKEN.ok("BROKER_ADMIN_TOKEN is set.");
    }
    let found = "BROKER_ADMIN_TOKEN is not set, so only single-use links open it (run `plaid-token-broker admin-link`).";
    if context.is_production() {
        ADMIN_TOKEN.warning(
            found,
            "Set BROKER_ADMIN_TOKEN (or BROKER_ADMIN_TOKEN_FILE) to 16 random characters or more.",
        )
    } else {
        ADMIN_TOKEN.ok(found)
    }
}

fn key_file(context: &Context) -> Finding {
    match &context.config.store.keys {
        KeySource::Given(_) => KEY_FILE.ok("BROKER_KEYS has the keys; no file beside the store opens it."),
        KeySource::File(path) => {
            let found = format!(
                "The key file {} is beside the database: a copy of the folder contains both.",
                path.display()
            );
            if context.is_production() {
                KEY_FILE.warning(
                    found,
                    "Keep the key elsewhere: put its line into BROKER_KEYS (or into a file that BROKER_KEYS_FILE names), back up \
                     the key file, and remove it.",
                )
            } else {
                KEY_FILE.ok(format!("{found} That is acceptable outside of production."))
            }
        }
    }
}

/// What the start warns of in the log, except what has a check of its own: callbacks, secrets and hidden accounts.
fn settings(context: &Context) -> Finding {
    let odd: Vec<&str> = context
        .config
        .warnings
        .iter()
        .map(String::as_str)
        .filter(|warning| {
            ![
                "PLAID_REDIRECT_URI is",
                "OAUTH_CLIENT_SECRET has",
                "auth is in PLAID_PRODUCTS",
            ]
            .iter()
            .any(|start| warning.starts_with(start))
        })
        .collect();
    if odd.is_empty() {
        SETTINGS.ok("All settings are valid.")
    } else {
        SETTINGS.warning(
            odd.join(" "),
            "Correct or remove these settings (docs/settings.md explains each).",
        )
    }
}
