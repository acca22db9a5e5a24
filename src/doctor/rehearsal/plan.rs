//! The order of the steps. What could leave something behind comes last, and everything that was made is ended, however
//! the steps ended.

use std::time::Duration;

use reqwest::Client;
use tokio::time::timeout;

use super::browser::{AtCallback, Tab};
use super::shape::{Authentication, Encoding, SHAPES, Shape};
use super::token::Tokens;
use super::wire::client;
use super::{Failure, LONGEST, Rehearsal, Step, Teller, Verdict};
use crate::config::Environment;
use crate::secret::PlaidPublicToken;

/// How long cleaning up may take.
const LAST: Duration = Duration::from_secs(60);

const CLEAN_UP: &str = "clean up";

/// What was made and has to be ended.
#[derive(Default)]
struct Made {
    /// Not taken by the broker as far as we know.
    public_tokens: Vec<PlaidPublicToken>,
    /// Not redeemed.
    codes: Vec<AtCallback>,
    tokens: Vec<Tokens>,
}

struct Https {
    broker: Client,
    plaid: Client,
}

pub(super) async fn run(rehearsal: &Rehearsal, tell: &mut (dyn FnMut(Step) + Send)) -> Verdict {
    let mut teller = Teller {
        tell,
        verdict: Verdict::Ok,
    };
    let clients = client(&rehearsal.public_url)
        .and_then(|broker| client(&rehearsal.plaid_url).map(|plaid| Https { broker, plaid }));
    let https = match clients {
        Ok(https) => https,
        Err(failure) => {
            teller.failed("begin", failure);
            return teller.verdict;
        }
    };
    let mut made = Made::default();
    let steps = steps(rehearsal, &https, &mut teller, &mut made);
    if timeout(LONGEST, steps).await.is_err() {
        let failure = Failure::new(
            format!("not done within {} s", LONGEST.as_secs()),
            "see which step took long, and what lies between here and there",
        );
        teller.failed("end in time", failure);
    }
    clean_up(rehearsal, &https, &mut teller, made).await;
    teller.verdict
}

async fn steps(rehearsal: &Rehearsal, https: &Https, teller: &mut Teller<'_>, made: &mut Made) {
    let http = &https.broker;
    let reached = rehearsal.reach(http).await;
    if teller.told("reach the broker by PUBLIC_URL", reached).is_none() {
        return;
    }
    let mut tab = None;
    if rehearsal.callbacks.is_empty() {
        let failure = Failure::new(
            "no callback is configured, and none was allowed on the set-up page",
            "copy the callback URL that Kore.ai's form shows, and allow it on the set-up page (or put it into PLAID_REDIRECT_URI, \
             and restart the broker)",
        );
        teller.failed("open the authorization URL", failure);
    }
    let mut good = Vec::new();
    for callback in &rehearsal.callbacks {
        let opened = rehearsal.authorize(http, callback).await;
        let name = format!("open the authorization URL for {callback}");
        if let Some(opened) = teller.told(&name, opened) {
            good.push(callback.as_str());
            tab = Some(opened);
        }
    }
    let mut shapes = Vec::new();
    for shape in SHAPES {
        let believed = rehearsal.believed(http, shape).await;
        if teller
            .told(&format!("token request ({})", shape.name()), believed)
            .is_some()
        {
            shapes.push(shape);
        }
    }
    let refused = rehearsal.wrong_secret(http).await;
    teller.told("refuse a wrong secret", refused);
    let Some(tab) = tab else {
        let why = "no authorization URL opened, so there is no page to go on from";
        teller.skipped("start Plaid Link, connect a bank, token, refresh, actions", why);
        return;
    };
    let link_token = rehearsal.link_token(http, &tab).await;
    if teller.told("start Plaid Link", link_token).is_none() {
        return;
    }
    teller.told("accounts that Plaid Link offers", rehearsal.offered_accounts());
    let ready = Ready { tab, good, shapes };
    connect(rehearsal, https, teller, made, ready).await;
}

/// What the first steps proved.
struct Ready<'r> {
    tab: Tab,
    good: Vec<&'r str>,
    shapes: Vec<Shape>,
}

/// From the bank to the token, once for each shape.
async fn connect(
    rehearsal: &Rehearsal,
    https: &Https,
    teller: &mut Teller<'_>,
    made: &mut Made,
    ready: Ready<'_>,
) {
    let why = if rehearsal.environment == Environment::Production {
        Some("in production only a person can connect a bank: open the authorization URL and do it once")
    } else if ready.shapes.is_empty() {
        Some("no token request would be believed, so nothing is made")
    } else if rehearsal.initial_products().is_empty() {
        Some("none of the configured products can be tried without a person")
    } else {
        None
    };
    if let Some(why) = why {
        teller.skipped("connect a bank, token, refresh, actions", why);
        return;
    }
    let Ready { tab, good, shapes } = ready;
    let mut tab = Some(tab);
    for (n, shape) in shapes.iter().enumerate() {
        // The callbacks in turn; the tab that is open already is for the first.
        let opened = match (tab.take(), good.get(n % good.len().max(1))) {
            (Some(tab), _) => Some(tab),
            (None, Some(callback)) => {
                let opened = rehearsal.authorize(&https.broker, callback).await;
                teller.told("open the authorization URL again", opened)
            }
            (None, None) => None,
        };
        let Some(opened) = opened else { return };
        let Some(at) = at_callback(rehearsal, https, teller, made, opened, *shape).await else {
            return;
        };
        redeem(rehearsal, &https.broker, teller, made, at, *shape).await;
    }
    raw(rehearsal, https, teller, made).await;
    actions(rehearsal, &https.plaid, teller, made).await;
}

async fn at_callback(
    rehearsal: &Rehearsal,
    https: &Https,
    teller: &mut Teller<'_>,
    made: &mut Made,
    tab: Tab,
    shape: Shape,
) -> Option<AtCallback> {
    let name = format!("connect a bank ({})", shape.name());
    let created = rehearsal.public_token(&https.plaid).await;
    let public_token = match created {
        Ok((public_token, _)) => public_token,
        Err(failure) => {
            teller.failed(&name, failure);
            return None;
        }
    };
    made.public_tokens.push(public_token.clone());
    let completed = rehearsal.complete(&https.broker, tab, &public_token).await;
    let at = teller.told(&name, completed)?;
    made.public_tokens.pop();
    Some(at)
}

async fn redeem(
    rehearsal: &Rehearsal,
    http: &Client,
    teller: &mut Teller<'_>,
    made: &mut Made,
    at: AtCallback,
    shape: Shape,
) {
    let redeemed = rehearsal.redeem(http, shape, &at).await;
    let Some(tokens) = teller.told(&format!("code for a token ({})", shape.name()), redeemed) else {
        made.codes.push(at);
        return;
    };
    let refreshed = rehearsal.refresh(http, shape, &tokens).await;
    made.tokens.push(tokens);
    teller.told(&format!("refresh ({})", shape.name()), refreshed);
}

async fn raw(rehearsal: &Rehearsal, https: &Https, teller: &mut Teller<'_>, made: &mut Made) {
    const NAME: &str = "Plaid's public token for a token, as Kore.ai's guide has it";
    if !rehearsal.raw_public_tokens {
        teller.skipped(NAME, "the client may not bring one");
        return;
    }
    let public_token = match rehearsal.public_token(&https.plaid).await {
        Ok((public_token, _)) => public_token,
        Err(failure) => return teller.failed(NAME, failure),
    };
    made.public_tokens.push(public_token.clone());
    let exchanged = rehearsal.raw(&https.broker, &public_token).await;
    if let Some(tokens) = teller.told(NAME, exchanged) {
        made.public_tokens.pop();
        made.tokens.push(tokens);
    }
}

async fn actions(rehearsal: &Rehearsal, http: &Client, teller: &mut Teller<'_>, made: &Made) {
    for action in &rehearsal.actions {
        let name = format!("Kore.ai's action: {}", action.name());
        let Some(tokens) = made.tokens.first() else {
            teller.skipped(&name, "there is no access token");
            continue;
        };
        let acted = rehearsal.act(http, *action, &tokens.access).await;
        teller.told(&name, acted);
    }
}

/// Ends everything that was made.
async fn clean_up(rehearsal: &Rehearsal, https: &Https, teller: &mut Teller<'_>, made: Made) {
    let count = made.public_tokens.len() + made.codes.len() + made.tokens.len();
    if count == 0 {
        return;
    }
    let ended = timeout(LAST, end(rehearsal, https, made)).await;
    let ended = ended.unwrap_or_else(|_| {
        Err(Failure::new(
            format!("not done within {} s", LAST.as_secs()),
            "look at the broker's removal queue: ptb_removal_queue_length of /metrics has to go down to 0",
        ))
    });
    let found = format!("revoked; Plaid has none of the {count} test Items any more");
    teller.told(CLEAN_UP, ended.map(|()| ((), found)));
}

/// One after the other; what fails does not keep the rest from being tried.
async fn end(rehearsal: &Rehearsal, https: &Https, mut made: Made) -> Result<(), Failure> {
    let mut worst = Ok(());
    let mut note = |ended: Result<(), Failure>| {
        if worst.is_ok() {
            worst = ended;
        }
    };
    for public_token in &made.public_tokens {
        note(rehearsal.discard(&https.plaid, public_token).await);
    }
    for at in &made.codes {
        // A code that one shape did not bring may still be brought by another.
        match late(rehearsal, &https.broker, at).await {
            Some(tokens) => made.tokens.push(tokens),
            None => note(Err(Failure::new(
                "a test Item stays in the broker, as its code could not be redeemed",
                "nothing: the broker removes it by itself after BROKER_UNREDEEMED_TTL (an hour, unless set)",
            ))),
        }
    }
    for tokens in &made.tokens {
        let revoked = rehearsal.revoke(&https.broker, tokens).await;
        let gone = match &revoked {
            Ok(()) => rehearsal.is_removed(&https.plaid, &tokens.access).await,
            Err(_) => Ok(false),
        };
        if !matches!(gone, Ok(true)) {
            // The broker's way did not end it; Plaid's own does. That it was needed is told all the same.
            let removed = rehearsal.remove(&https.plaid, &tokens.access).await;
            note(revoked.and(removed).and(Err(Failure::new(
                "the broker took the revocation and did not remove the Item in time; it was removed without the broker",
                "see the broker's log for \"could not be removed at Plaid\"",
            ))));
        }
    }
    worst
}

async fn late(rehearsal: &Rehearsal, http: &Client, at: &AtCallback) -> Option<Tokens> {
    let without_secret = Shape::new(Encoding::Form, Authentication::None);
    for shape in SHAPES.into_iter().chain([without_secret]) {
        if let Ok((tokens, _)) = rehearsal.redeem(http, shape, at).await {
            return Some(tokens);
        }
    }
    None
}
