//! `PUBLIC_URL`: does it lead here, by https, with nothing in between, and is it the address that people come by?

use std::net::IpAddr;

use url::{Host, Url};

use super::context::Context;
use super::finding::{
    BROWSER_WARNING, Finding, PROXIES, PUBLIC_URL, PUBLIC_URL_ANSWERS, PUBLIC_URL_VISIT, WEBHOOK_URL,
};
use super::tell::Tell;
use crate::config::is_loopback;
use crate::doctor::identity_challenge::{Challenge, Told};
use crate::doctor::probe::{self, Answer, BROWSER_AGENT, OWN_AGENT, Trouble};
use crate::doctor::tunnel::SKIP_WARNING;
use crate::http::client_ip;
use crate::store::tokens::TokenKey;

/// Needs the store's token key to know this broker; `is_running`: whether a broker with this store runs. Gives whether
/// `PUBLIC_URL` leads here.
pub(super) async fn check(
    context: &Context,
    tell: &Tell<'_>,
    tokens: Option<&TokenKey>,
    is_running: bool,
    tunnel: Option<&str>,
) -> bool {
    if let Some(visit) = &context.visit {
        tell.say(visited(context, visit));
    }
    tell.say(public_url(context, tunnel));
    tell.say(webhook_url(context));
    let (told, finding) = answers(context, tokens, is_running).await;
    tell.say(finding);
    tell.say(proxies(context, told.as_ref()));
    tell.say(browser_warning(context, told.is_some()).await);
    told.is_some()
}

fn is_here(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| is_loopback(&url))
}

fn visited(context: &Context, visit: &str) -> Finding {
    let origin = |text: &str| Url::parse(text).map(|url| url.origin());
    let public = &context.public_url;
    match (origin(visit), origin(public)) {
        (Ok(came), Ok(told)) if came == told => PUBLIC_URL_VISIT.ok(format!("You came by {public}.")),
        _ if is_here(visit) => PUBLIC_URL_VISIT.ok(format!(
            "You came by {visit}, on this machine; others are told {public}."
        )),
        _ => PUBLIC_URL_VISIT.warning(
            format!(
                "You came by {visit}, but what is handed out says {public}: the addresses on this page, the issuer, and where \
                 banks send people back to."
            ),
            format!("Set PUBLIC_URL={visit} and start the broker again, unless both addresses lead here on purpose."),
        ),
    }
}

fn public_url(context: &Context, tunnel: Option<&str>) -> Finding {
    let public = &context.public_url;
    let way = tunnel.filter(|tunnel| tunnel != public).map_or_else(
        || {
            "Put a tunnel (docs/tunnels.md) or a proxy with a certificate in front, and set PUBLIC_URL to its https address."
                .to_owned()
        },
        |tunnel| format!("A tunnel leads here already: set PUBLIC_URL={tunnel}, or start with `serve --tunnel ngrok`."),
    );
    let Ok(url) = Url::parse(public) else {
        return PUBLIC_URL.failed(format!("{public} is no address."), way);
    };
    let running = context.running.as_ref();
    let given = running.and_then(|running| running.given.as_ref());
    if let Some(given) = given.filter(|given| *given != public) {
        return PUBLIC_URL.warning(
            format!("The broker that runs has PUBLIC_URL {public}, but these settings say {given}."),
            "Start the broker again, if it is to have what the settings say; where `serve --tunnel` gave it the address of \
             a tunnel, remove PUBLIC_URL from the settings.",
        );
    }
    if is_loopback(&url) {
        let set = if context.config.http.public_url.is_some() {
            "is"
        } else {
            "is not set, so it is"
        };
        return PUBLIC_URL.warning(
            format!(
                "PUBLIC_URL {set} {public}: browsers on this machine reach it, Kore.ai and people elsewhere do not."
            ),
            way,
        );
    }
    if let Some(host) = private_host(&url) {
        return PUBLIC_URL.warning(
            format!("PUBLIC_URL has the host {host}, which exists in a local network alone."),
            way,
        );
    }
    if running.is_some() && given.is_none() {
        return PUBLIC_URL.ok(format!("The broker that runs has PUBLIC_URL {public}."));
    }
    PUBLIC_URL.ok(format!("PUBLIC_URL is {public}."))
}

/// The host, when names and addresses like it mean nothing outside of a local network.
fn private_host(url: &Url) -> Option<String> {
    let is_private = match url.host()? {
        Host::Domain(name) => {
            !name.contains('.')
                || [".local", ".internal", ".lan", ".home.arpa"]
                    .iter()
                    .any(|end| name.ends_with(end))
        }
        Host::Ipv4(ip) => ip.is_private() || ip.is_link_local(),
        Host::Ipv6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    };
    is_private.then(|| url.host_str().unwrap_or_default().to_owned())
}

fn webhook_url(context: &Context) -> Finding {
    let Some(text) = &context.config.link.webhook_url else {
        return WEBHOOK_URL.skipped("PLAID_WEBHOOK_URL is not set: Plaid is given no webhook address.");
    };
    let Ok(url) = Url::parse(text) else {
        return WEBHOOK_URL.failed("PLAID_WEBHOOK_URL is no address.", "Write a whole https address.");
    };
    let host = url.host_str().unwrap_or_default();
    if is_loopback(&url) || private_host(&url).is_some() {
        return WEBHOOK_URL.warning(
            format!("Plaid cannot reach PLAID_WEBHOOK_URL: {host} means another machine to it."),
            "Give it an https address of the internet, or remove it.",
        );
    }
    WEBHOOK_URL.ok(format!("It is https, on {host}."))
}

/// Asks `PUBLIC_URL` whether it is us; gives what was told when it is.
async fn answers(context: &Context, tokens: Option<&TokenKey>, is_running: bool) -> (Option<Told>, Finding) {
    let public = &context.public_url;
    let down = || {
        PUBLIC_URL_ANSWERS
            .skipped("No broker runs with these settings now, so none answers. Start it and check again.")
    };
    if !is_running && context.config.http.public_url.is_none() {
        return (None, down());
    }
    let challenge = Challenge::new();
    let asked = probe::get(&challenge.url(public), OWN_AGENT, &[(SKIP_WARNING, "1")]).await;
    let answer = match asked {
        Ok(answer) => answer,
        Err(Trouble::Refused) if !is_running => return (None, down()),
        Err(trouble) => return (None, no_answer(public, &trouble)),
    };
    if answer.status == 200
        && let Ok(told) = serde_json::from_slice::<Told>(&answer.body)
    {
        return match tokens {
            Some(tokens) if challenge.is_met(tokens, &told) => {
                let finding = PUBLIC_URL_ANSWERS.ok(format!("{public} is answered by this broker."));
                (Some(told), finding)
            }
            Some(_) => (
                None,
                PUBLIC_URL_ANSWERS.failed(
                    format!("{public} is answered by another broker, with a store of its own (version {}).", told.version),
                    "Let PUBLIC_URL (or the tunnel or proxy behind it) lead to this one; or, if the other one is meant, check \
                     with its settings.",
                ),
            ),
            None => (
                None,
                PUBLIC_URL_ANSWERS.skipped(format!(
                    "{public} is answered by a broker, and there is no store here by which to tell whether it is this one."
                )),
            ),
        };
    }
    if !is_running && matches!(answer.status, 502..=504) {
        return (None, down());
    }
    (None, other_answer(public, &answer))
}

fn no_answer(public: &str, trouble: &Trouble) -> Finding {
    let fix = match trouble {
        Trouble::Refused => {
            "Start the tunnel or proxy behind PUBLIC_URL, or correct the port in it. From inside a container, its own \
             published address may not be reachable."
        }
        Trouble::Unresolved => {
            "Correct the name in PUBLIC_URL, or make its DNS record. A free tunnel's name changes with each start."
        }
        Trouble::Certificate(_) => {
            "Browsers and Kore.ai refuse it as well: let the proxy have a good certificate for this name."
        }
        Trouble::NoTls(_) => {
            "Let a proxy or tunnel that speaks TLS listen there; the broker itself speaks http alone."
        }
        Trouble::TimedOut => "A firewall may drop what comes: open the port, or correct PUBLIC_URL.",
        Trouble::TooLong | Trouble::Other(_) => "Look at the log of the proxy or tunnel behind PUBLIC_URL.",
    };
    PUBLIC_URL_ANSWERS.failed(format!("{public} does not lead here: {trouble}."), fix)
}

/// Somebody answered who is no broker.
fn other_answer(public: &str, answer: &Answer) -> Finding {
    let status = answer.status;
    if let Some(code) = answer.header("ngrok-error-code") {
        return PUBLIC_URL_ANSWERS.failed(
            format!(
                "{public} is answered by ngrok itself with {code} (https://ngrok.com/docs/errors/{}).",
                code.to_ascii_lowercase()
            ),
            "Let the ngrok agent run and lead to this broker's port (docs/tunnels.md).",
        );
    }
    if (300..400).contains(&status) {
        let to = answer.header("location").and_then(|to| Url::parse(to).ok());
        let to = to.map(|to| to.origin().ascii_serialization());
        let found = format!(
            "{public} redirects{}.",
            to.as_ref().map_or_else(String::new, |to| format!(" to {to}"))
        );
        let fix = to.map_or_else(
            || "Let the proxy pass requests on instead of redirecting them.".to_owned(),
            |to| format!("Set PUBLIC_URL={to}, if that leads here, or let the proxy pass requests on."),
        );
        return PUBLIC_URL_ANSWERS.failed(found, fix);
    }
    if matches!(status, 502..=504) {
        return PUBLIC_URL_ANSWERS.failed(
            format!("{public} is answered by a proxy that does not reach the broker (status {status})."),
            "Let it pass requests to the address and port that the broker prints at its start.",
        );
    }
    let kind = answer.header("content-type").unwrap_or("nothing readable");
    PUBLIC_URL_ANSWERS.failed(
        format!("{public} is answered by something that is not this broker (status {status}, {kind})."),
        "Correct PUBLIC_URL, or let the proxy pass every path on, also /setup/instance, without a login of its own.",
    )
}

fn proxies(context: &Context, told: Option<&Told>) -> Finding {
    let name = "Name the proxy's network in BROKER_TRUSTED_PROXIES";
    let public_is_https = context.public_url.starts_with("https://");
    if let Some(told) = told
        && public_is_https
    {
        return if told.https {
            PROXIES.ok("What comes by PUBLIC_URL is seen as https.")
        } else {
            PROXIES.failed(
                "What comes by PUBLIC_URL is seen as http: the proxy in front is not trusted, or does not say \
                 X-Forwarded-Proto. All people then share one rate limit and one address in the audit log.",
                format!(
                    "{name}{}, and let it send X-Forwarded-Proto and X-Forwarded-For.",
                    forgotten(context).map_or_else(String::new, |peer| format!(" (it connects from {peer})"))
                ),
            )
        };
    }
    if let Some(peer) = forgotten(context) {
        return PROXIES.warning(
            format!("{peer} says that browsers use https, and is no trusted proxy."),
            format!("{name}, if it is your proxy; else nothing is wrong."),
        );
    }
    if public_is_https {
        return PROXIES.skipped("It is seen once PUBLIC_URL leads here.");
    }
    PROXIES.ok("None is needed for an address of this machine.")
}

fn forgotten(context: &Context) -> Option<IpAddr> {
    context.app.as_ref().and_then(|_| client_ip::unknown_proxy())
}

/// ngrok's free plan shows browsers a page of its own first: <https://ngrok.com/docs/errors/err_ngrok_6024>.
async fn browser_warning(context: &Context, leads_here: bool) -> Finding {
    const CODE: &str = "ERR_NGROK_6024";
    if is_here(&context.public_url) && !leads_here {
        return BROWSER_WARNING.skipped("It is seen once PUBLIC_URL leads here.");
    }
    // A page that is not there is shown without any trace in the store.
    let page = format!(
        "{}{}/page",
        context.public_url,
        crate::doctor::identity_challenge::PATH
    );
    let accept = ("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
    match probe::get(&page, BROWSER_AGENT, &[accept]).await {
        Err(_) => BROWSER_WARNING.skipped("It is seen once PUBLIC_URL leads here."),
        Ok(answer)
            if answer.header("ngrok-error-code") == Some(CODE)
                || answer.body.windows(CODE.len()).any(|part| part == CODE.as_bytes()) =>
        {
            BROWSER_WARNING.warning(
                "ngrok shows people a warning page before the broker's, once per browser: they must choose \"Visit Site\".",
                "Nothing breaks, and Kore.ai's own calls do not see it. It ends with a paid ngrok plan, or use cloudflared \
                 (docs/tunnels.md).",
            )
        }
        Ok(_) => BROWSER_WARNING.ok("No warning page of a tunnel provider is shown before it."),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn hosts_of_a_local_network_are_known() {
        for (text, private) in [
            ("https://broker/", true),
            ("https://broker.local/", true),
            ("https://10.1.2.3/", true),
            ("https://192.168.1.2:8443/", true),
            ("https://[fd00::1]/", true),
            ("https://broker.example.com/", false),
            ("https://93.184.216.34/", false),
            ("https://[2001:db8::1]/", false),
        ] {
            assert_eq!(
                private_host(&Url::parse(text).unwrap()).is_some(),
                private,
                "{text}"
            );
        }
    }
}
