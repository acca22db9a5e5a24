//! `PUBLIC_URL`: does it lead here, by https, with nothing in between, and is it the address that people come by?

use std::net::IpAddr;

use url::{Host, Url};

use super::context::Context;
use super::list::{
    BROWSER_WARNING, Finding, PROXIES, PUBLIC_URL, PUBLIC_URL_ANSWERS, PUBLIC_URL_VISIT, WEBHOOK_URL,
};
use crate::config::is_loopback;
use crate::doctor::identity_challenge::{self, Reply, Responder};
use crate::doctor::probe::{self, Answer, BROWSER_AGENT, Trouble};
use crate::doctor::reporter::Reporter;
use crate::http::client_ip;
use crate::store::tokens::TokenKey;

/// `tokens`: the store's key, by which this broker is known; `is_running`: whether a broker with this store runs. Returns
/// whether `PUBLIC_URL` leads here.
pub(super) async fn check(
    context: &Context,
    reporter: &Reporter<'_>,
    tokens: Option<&TokenKey>,
    is_running: bool,
    tunnel: Option<&str>,
) -> bool {
    if let Some(visit) = &context.visit {
        reporter.report(visited(context, visit));
    }
    reporter.report(public_url(context, tunnel));
    reporter.report(webhook_url(context));
    let (reply, finding) = answers(context, tokens, is_running).await;
    reporter.report(finding);
    reporter.report(proxies(context, reply.as_ref()));
    reporter.report(browser_warning(context, reply.is_some()).await);
    reply.is_some()
}

fn is_local(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| is_loopback(&url))
}

fn visited(context: &Context, visit: &str) -> Finding {
    let origin = |text: &str| Url::parse(text).map(|url| url.origin());
    let public = &context.public_url;
    match (origin(visit), origin(public)) {
        (Ok(visited), Ok(public_origin)) if visited == public_origin => {
            PUBLIC_URL_VISIT.ok(format!("You opened {public}."))
        }
        _ if is_local(visit) => PUBLIC_URL_VISIT.ok(format!(
            "You opened {visit}, on this machine; others get {public}."
        )),
        _ => PUBLIC_URL_VISIT.warning(
            format!(
                "You opened {visit}, but PUBLIC_URL is {public}: the addresses on this page, the issuer, and the address to \
                 which banks send people back begin with that."
            ),
            format!("Set PUBLIC_URL={visit} and restart the broker, unless both addresses lead here on purpose."),
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
        return PUBLIC_URL.failed(format!("{public} is not a valid URL."), way);
    };
    let running = context.running.as_ref();
    let given = running.and_then(|running| running.configured_url.as_ref());
    if let Some(given) = given.filter(|given| *given != public) {
        return PUBLIC_URL.warning(
            format!("The running broker has PUBLIC_URL {public}, but these settings say {given}."),
            "Restart the broker to use the address of the settings; if `serve --tunnel` gave it the address of a tunnel, \
             remove PUBLIC_URL from the settings.",
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
            format!("PUBLIC_URL has the host {host}, which exists only in a local network."),
            way,
        );
    }
    if running.is_some() && given.is_none() {
        return PUBLIC_URL.ok(format!("The running broker has PUBLIC_URL {public}."));
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
        return WEBHOOK_URL.skipped("PLAID_WEBHOOK_URL is not set, so Plaid gets no webhook address.");
    };
    let Ok(url) = Url::parse(text) else {
        return WEBHOOK_URL.failed(
            "PLAID_WEBHOOK_URL is not a valid URL.",
            "Write a complete https address.",
        );
    };
    let host = url.host_str().unwrap_or_default();
    if is_loopback(&url) || private_host(&url).is_some() {
        return WEBHOOK_URL.warning(
            format!("Plaid cannot reach PLAID_WEBHOOK_URL: {host} is no address of the internet."),
            "Set it to a public https address, or remove it.",
        );
    }
    WEBHOOK_URL.ok(format!("It is https, on {host}."))
}

/// Asks whether this broker answers at `PUBLIC_URL`; returns its reply if it does.
async fn answers(context: &Context, tokens: Option<&TokenKey>, is_running: bool) -> (Option<Reply>, Finding) {
    let public = &context.public_url;
    let down =
        || PUBLIC_URL_ANSWERS.skipped("No broker is running with these settings. Start it and check again.");
    if !is_running && context.config.http.public_url.is_none() {
        return (None, down());
    }
    let finding = match identity_challenge::ask(public, tokens).await {
        Ok(Responder::This(reply)) => {
            let finding = PUBLIC_URL_ANSWERS.ok(format!("This broker answers at {public}."));
            return (Some(reply), finding);
        }
        Ok(Responder::Broker(reply)) if tokens.is_some() => PUBLIC_URL_ANSWERS.failed(
            format!("Another broker answers at {public}, with its own store (version {}).", reply.version),
            "Let PUBLIC_URL (or the tunnel or proxy behind it) lead to this broker; or, if the other one is meant, check with \
             its settings.",
        ),
        Ok(Responder::Broker(_)) => PUBLIC_URL_ANSWERS.skipped(format!(
            "A broker answers at {public}; without a store here it is not known whether it is this one."
        )),
        Err(Trouble::Refused) if !is_running => down(),
        Ok(Responder::NoBroker(answer)) if !is_running && matches!(answer.status, 502..=504) => down(),
        Ok(Responder::NoBroker(answer)) => other_answer(public, &answer),
        Err(trouble) => no_answer(public, &trouble),
    };
    (None, finding)
}

fn no_answer(public: &str, trouble: &Trouble) -> Finding {
    let fix = match trouble {
        Trouble::Refused => {
            "Start the tunnel or proxy behind PUBLIC_URL, or correct the port in it. From inside a container, its own \
             published address may not be reachable."
        }
        Trouble::Unresolved => {
            "Correct the name in PUBLIC_URL, or create its DNS record. A free tunnel's name changes with each start."
        }
        Trouble::Certificate(_) => {
            "Browsers and Kore.ai refuse it as well: give the proxy a valid certificate for this name."
        }
        Trouble::NoTls(_) => {
            "Put a proxy or tunnel that speaks TLS there; the broker itself serves http only."
        }
        Trouble::TimedOut(_) => "A firewall may drop the requests: open the port, or correct PUBLIC_URL.",
        Trouble::TooLong | Trouble::Other(_) => "Look at the log of the proxy or tunnel behind PUBLIC_URL.",
    };
    PUBLIC_URL_ANSWERS.failed(format!("{public} does not lead here: {trouble}."), fix)
}

/// What answered is no broker.
fn other_answer(public: &str, answer: &Answer) -> Finding {
    let status = answer.status;
    if let Some(code) = answer.header("ngrok-error-code") {
        return PUBLIC_URL_ANSWERS.failed(
            format!(
                "{public} is answered by ngrok itself with {code} (https://ngrok.com/docs/errors/{}).",
                code.to_ascii_lowercase()
            ),
            "Start the ngrok agent with this broker's port (docs/tunnels.md).",
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
            || "Let the proxy forward requests instead of redirecting them.".to_owned(),
            |to| format!("Set PUBLIC_URL={to}, if that leads here, or let the proxy forward requests."),
        );
        return PUBLIC_URL_ANSWERS.failed(found, fix);
    }
    if matches!(status, 502..=504) {
        return PUBLIC_URL_ANSWERS.failed(
            format!("{public} is answered by a proxy that does not reach the broker (status {status})."),
            "Let it forward requests to the address and port that the broker prints when it starts.",
        );
    }
    let kind = answer.header("content-type").unwrap_or("no content type");
    PUBLIC_URL_ANSWERS.failed(
        format!("{public} is answered by something that is not this broker (status {status}, {kind})."),
        "Correct PUBLIC_URL, or let the proxy forward every path, also /setup/instance, without a login of its own.",
    )
}

fn proxies(context: &Context, reply: Option<&Reply>) -> Finding {
    let name = "Name the proxy's network in BROKER_TRUSTED_PROXIES";
    let public_is_https = context.public_url.starts_with("https://");
    if let Some(reply) = reply
        && public_is_https
    {
        return if reply.https {
            PROXIES.ok("Requests through PUBLIC_URL count as https.")
        } else {
            PROXIES.failed(
                "Requests through PUBLIC_URL count as http: the proxy in front is not trusted, or does not send \
                 X-Forwarded-Proto. All users then share one rate limit and one address in the audit log.",
                format!(
                    "{name}{}, and let it send X-Forwarded-Proto and X-Forwarded-For.",
                    untrusted_proxy(context).map_or_else(String::new, |peer| format!(" (it connects from {peer})"))
                ),
            )
        };
    }
    if let Some(peer) = untrusted_proxy(context) {
        return PROXIES.warning(
            format!("{peer} sends X-Forwarded-Proto: https, but is not a trusted proxy."),
            format!("{name}, if it is your proxy; otherwise nothing is wrong."),
        );
    }
    if public_is_https {
        return PROXIES.skipped("This can be checked once PUBLIC_URL leads here.");
    }
    PROXIES.ok("No proxy is needed for an address of this machine.")
}

fn untrusted_proxy(context: &Context) -> Option<IpAddr> {
    context.app.as_ref().and_then(|_| client_ip::unknown_proxy())
}

/// ngrok's free plan shows browsers a page of its own first: <https://ngrok.com/docs/errors/err_ngrok_6024>.
async fn browser_warning(context: &Context, leads_here: bool) -> Finding {
    const CODE: &str = "ERR_NGROK_6024";
    if is_local(&context.public_url) && !leads_here {
        return BROWSER_WARNING.skipped("This can be checked once PUBLIC_URL leads here.");
    }
    // A page that is not there is shown without any trace in the store.
    let page = format!("{}{}/page", context.public_url, identity_challenge::PATH);
    let accept = ("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
    match probe::get(&page, BROWSER_AGENT, &[accept]).await {
        Err(_) => BROWSER_WARNING.skipped("This can be checked once PUBLIC_URL leads here."),
        Ok(answer)
            if answer.header("ngrok-error-code") == Some(CODE)
                || answer.text.contains(CODE) =>
        {
            BROWSER_WARNING.warning(
                "ngrok shows a warning page before the broker's, once per browser: people must choose \"Visit Site\".",
                "Nothing breaks, and Kore.ai's own calls do not get it. To avoid it, use a paid ngrok plan or cloudflared \
                 (docs/tunnels.md).",
            )
        }
        Ok(_) => BROWSER_WARNING.ok("No warning page of a tunnel provider is shown."),
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
