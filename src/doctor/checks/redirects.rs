//! The clients' callbacks: are there any, and are they callbacks of clients?

use url::Url;

use super::context::Context;
use super::list::{Finding, REDIRECT_URIS};
use crate::config::{ClientConfig, ClientKind, Clients, RedirectUris, is_loopback};
use crate::doctor::reporter::{Reporter, names};
use crate::store::model::AllowedRedirectUri;

/// The callbacks that Kore.ai documents, one a region; others are in the profile's form.
const KORE: [&str; 4] = [
    "https://idp.kore.com/workflows/callback",
    "https://idp.kore.ai/workflows/callback/",
    "https://jp-bots-idp.kore.ai/workflows/callback",
    "https://de-bots-idp.kore.ai/workflows/callback",
];
/// What Plaid's Quickstart has as its redirect URI.
const QUICKSTART: [&str; 2] = ["http://localhost:3000/", "https://localhost:3000/"];

/// `allowed`: what the store has beside the settings, of which a running broker knows already.
pub(super) fn check(context: &Context, reporter: &Reporter<'_>, allowed: &[AllowedRedirectUri]) {
    let clients = Clients::clone(&context.clients).allowing(
        allowed
            .iter()
            .map(|allowed| (allowed.client_id.as_str(), allowed.uri.as_str())),
    );
    reporter.report(judge(context, &clients));
}

fn judge(context: &Context, clients: &Clients) -> Finding {
    let clients = clients.as_slice();
    let mut doubts: Vec<(String, String)> = Vec::new();
    let mut listed: Vec<&str> = Vec::new();
    let mut without: Vec<&str> = Vec::new();
    let mut any_loopback = false;
    for client in clients {
        match &client.redirect_uris {
            RedirectUris::AnyLoopback => any_loopback = true,
            RedirectUris::Listed(list) | RedirectUris::Native(list) | RedirectUris::AnyLoopbackAnd(list) => {
                if list.is_empty() {
                    without.push(&client.id);
                }
                for uri in list {
                    listed.push(uri);
                    doubts.extend(doubt(context, client, uri));
                }
            }
        }
    }
    if !without.is_empty() {
        return REDIRECT_URIS.failed(
            format!("No callback is listed for {}, so users cannot be sent back.", names(without)),
            "Copy the callback URL that your auth profile shows into PLAID_REDIRECT_URI (Kore.ai: for example \
             https://idp.kore.com/workflows/callback) or into the client's redirect_uris in OAUTH_CLIENTS_FILE, or allow it on the set-up page.",
        );
    }
    if !doubts.is_empty() {
        let (found, fixes): (Vec<String>, Vec<String>) = doubts.into_iter().unzip();
        return REDIRECT_URIS.warning(found.join(" "), once(&fixes).join(" "));
    }
    if any_loopback && listed.is_empty() {
        return REDIRECT_URIS.ok(
            "None is listed; in the simulator any http address on this machine is accepted. Set PLAID_REDIRECT_URI for others.",
        );
    }
    REDIRECT_URIS.ok(format!("Listed: {}.", names(listed)))
}

/// Each of the texts once: what another one says as well is left out.
fn once(texts: &[String]) -> Vec<&str> {
    let mut kept: Vec<&str> = Vec::new();
    for text in texts {
        if !kept.iter().any(|kept| kept.contains(text.as_str())) {
            kept.retain(|kept| !text.contains(kept));
            kept.push(text);
        }
    }
    kept
}

/// What is odd about one callback, and what to do.
fn doubt(context: &Context, client: &ClientConfig, uri: &str) -> Option<(String, String)> {
    let url = Url::parse(uri).ok()?;
    let setting = if context.clients.first().is_some_and(|first| first.id == client.id) {
        "PLAID_REDIRECT_URI".to_owned()
    } else {
        format!("redirect_uris of the client {}", client.id)
    };
    let profile = format!("Put the callback URL that your auth profile shows into {setting}.");
    let host = url.host_str().unwrap_or_default();
    let public = Url::parse(&context.public_url).ok();
    if public.is_some_and(|public| public.origin() == url.origin()) {
        return Some((
            format!("{uri} is an address of this broker, not a client's callback."),
            format!("{profile} The broker's own address belongs in PLAID_LINK_REDIRECT_URI only."),
        ));
    }
    if QUICKSTART.contains(&url.as_str()) {
        return Some((
            format!("{uri} is the redirect URI of Plaid's Quickstart, not a client's callback."),
            profile,
        ));
    }
    if host == "plaid.com" || host.ends_with(".plaid.com") {
        return Some((
            format!("{uri} is an address of Plaid, not a client's callback."),
            profile,
        ));
    }
    if let Some(documented) = KORE.into_iter().find(|kore| host_of(kore) == Some(host)) {
        if documented != uri && !is_listed(client, documented) {
            return Some((
                format!("{uri} is not the callback that Kore.ai documents for {host}, {documented}."),
                format!(
                    "Compare it with the form of your profile, character by character and with the slash at the end: {profile}"
                ),
            ));
        }
    } else if (host.ends_with(".kore.ai") || host.ends_with(".kore.com"))
        && !url.path().starts_with("/workflows/callback")
    {
        return Some((
            format!("{uri} does not end with /workflows/callback, as Kore.ai's callbacks do."),
            profile,
        ));
    }
    // An app on people's own machines has no other (RFC 8252 7.3).
    let is_native = matches!(client.kind, ClientKind::Public);
    if context.is_production() && is_loopback(&url) && !is_native {
        return Some((
            format!("{uri} leads to each user's own machine, in production."),
            format!("Remove it, unless the client is a program on people's own machines. {profile}"),
        ));
    }
    None
}

fn host_of(uri: &'static str) -> Option<&'static str> {
    uri.strip_prefix("https://")?.split('/').next()
}

fn is_listed(client: &ClientConfig, uri: &str) -> bool {
    client.redirect_uris.listed().iter().any(|listed| listed == uri)
}
