//! The order of the steps. What could leave something behind comes last, and everything that was made is removed, however
//! the steps ended.

use std::time::Duration;

use tokio::time::timeout;

use super::browser::{AtCallback, Tab};
use super::shape::{Authentication, Encoding, SHAPES, Shape};
use super::token::Tokens;
use super::{Failure, LIMIT, Rehearsal};
use crate::config::Environment;
use crate::doctor::reporter::Reporter;
use crate::secret::PlaidPublicToken;

const CLEAN_UP_LIMIT: Duration = Duration::from_secs(60);

/// What was made and has to be removed.
#[derive(Default)]
struct Made {
    /// Not exchanged by the broker as far as we know.
    public_tokens: Vec<PlaidPublicToken>,
    /// Not redeemed.
    codes: Vec<AtCallback>,
    tokens: Vec<Tokens>,
}

struct Run<'r> {
    rehearsal: &'r Rehearsal,
    reporter: &'r Reporter<'r>,
    made: Made,
}

pub(super) async fn run(rehearsal: &Rehearsal, reporter: &Reporter<'_>) {
    let mut run = Run {
        rehearsal,
        reporter,
        made: Made::default(),
    };
    if timeout(LIMIT, run.steps()).await.is_err() {
        let failure = Failure::new(
            format!("not done within {} s", LIMIT.as_secs()),
            "see which step took long, and what is between this machine and the broker",
        );
        reporter.step::<()>("time", "end in time", Err(failure));
    }
    run.clean_up().await;
}

impl Run<'_> {
    async fn steps(&mut self) {
        let Self {
            rehearsal, reporter, ..
        } = *self;
        let reached = rehearsal.reach().await;
        if reporter
            .step("reach", "reach the broker by PUBLIC_URL", reached)
            .is_none()
        {
            return;
        }
        if rehearsal.callbacks.is_empty() {
            let failure = Failure::new(
                "no callback is configured, and none was allowed on the set-up page",
                "copy the callback URL that Kore.ai's form shows, and allow it on the set-up page (or put it into \
                 PLAID_REDIRECT_URI, and restart the broker)",
            );
            reporter.step::<()>("authorize", "open the authorization URL", Err(failure));
        }
        let mut tab = None;
        let mut callbacks = Vec::new();
        for callback in &rehearsal.callbacks {
            let opened = rehearsal.authorize(callback).await;
            let title = format!("open the authorization URL for {callback}");
            if let Some(opened) = reporter.step("authorize", title, opened) {
                callbacks.push(callback.as_str());
                tab = Some(opened);
            }
        }
        let mut shapes = Vec::new();
        for shape in SHAPES {
            let authenticated = rehearsal.authenticated(shape).await;
            let title = format!("token request ({})", shape.name());
            shapes.extend(
                reporter
                    .step("token_request", title, authenticated)
                    .map(|()| shape),
            );
        }
        reporter.step(
            "wrong_secret",
            "refuse a wrong secret",
            rehearsal.wrong_secret().await,
        );
        let Some(tab) = tab else {
            let title = "start Plaid Link, connect a bank, token, refresh, actions";
            reporter.skipped(
                "link",
                title,
                "no authorization URL opened, so there is no page to continue from",
            );
            return;
        };
        let link_token = rehearsal.link_token(&tab).await;
        if reporter.step("link", "start Plaid Link", link_token).is_none() {
            return;
        }
        let accounts = rehearsal.offered_accounts();
        reporter.step("offered_accounts", "accounts that Plaid Link offers", accounts);
        let obstacle = if rehearsal.environment == Environment::Production {
            Some("in production only a person can connect a bank: open the authorization URL and do it once")
        } else if shapes.is_empty() {
            Some("no token request is authenticated, so nothing is made")
        } else if rehearsal.initial_products().is_empty() {
            Some("none of the configured products can be tried without a person")
        } else {
            None
        };
        match obstacle {
            Some(why) => reporter.skipped("connect", "connect a bank, token, refresh, actions", why),
            None => self.connect(tab, &callbacks, &shapes).await,
        }
    }

    /// From the bank to the token, once for each shape.
    async fn connect(&mut self, tab: Tab, callbacks: &[&str], shapes: &[Shape]) {
        let Self {
            rehearsal, reporter, ..
        } = *self;
        let mut first = Some(tab);
        // The callbacks in turn; the tab that is open already is for the first shape.
        for (shape, callback) in shapes.iter().zip(callbacks.iter().cycle()) {
            let tab = if let Some(tab) = first.take() {
                tab
            } else {
                let opened = rehearsal.authorize(callback).await;
                let again = reporter.step("authorize", "open the authorization URL again", opened);
                let Some(tab) = again else { return };
                tab
            };
            let title = format!("connect a bank ({})", shape.name());
            let completed = self.with_public_token(async |token| rehearsal.complete(tab, &token).await);
            let Some(at) = reporter.step("connect", title, completed.await) else {
                return;
            };
            self.redeem(at, *shape).await;
        }
        self.raw().await;
        for action in &rehearsal.actions {
            let title = format!("Kore.ai's action: {}", action.name());
            match self.made.tokens.first() {
                Some(tokens) => {
                    let acted = rehearsal.act(*action, &tokens.access).await;
                    reporter.step("action", title, acted);
                }
                None => reporter.skipped("action", title, "there is no access token"),
            }
        }
    }

    /// What `uses` makes of a new public token, which is removed at the end unless that succeeds.
    async fn with_public_token<T>(
        &mut self,
        uses: impl AsyncFnOnce(PlaidPublicToken) -> Result<(T, String), Failure>,
    ) -> Result<(T, String), Failure> {
        let (public_token, _) = self.rehearsal.public_token().await?;
        self.made.public_tokens.push(public_token.clone());
        let outcome = uses(public_token).await?;
        self.made.public_tokens.pop();
        Ok(outcome)
    }

    async fn redeem(&mut self, at: AtCallback, shape: Shape) {
        let Self {
            rehearsal, reporter, ..
        } = *self;
        let redeemed = rehearsal.redeem(shape, &at).await;
        let Some(tokens) = reporter.step("redeem", format!("code for a token ({})", shape.name()), redeemed)
        else {
            self.made.codes.push(at);
            return;
        };
        let refreshed = rehearsal.refresh(shape, &tokens).await;
        self.made.tokens.push(tokens);
        reporter.step("refresh", format!("refresh ({})", shape.name()), refreshed);
    }

    async fn raw(&mut self) {
        const TITLE: &str = "Plaid's public token for a token, as Kore.ai's guide has it";
        let Self {
            rehearsal, reporter, ..
        } = *self;
        if !rehearsal.raw_public_tokens {
            return reporter.skipped("raw_public_token", TITLE, "the client may not use one");
        }
        let exchanged = self
            .with_public_token(async |token| rehearsal.raw(&token).await)
            .await;
        let tokens = reporter.step("raw_public_token", TITLE, exchanged);
        self.made.tokens.extend(tokens);
    }

    async fn clean_up(self) {
        let Self {
            rehearsal,
            reporter,
            made,
        } = self;
        let count = made.public_tokens.len() + made.codes.len() + made.tokens.len();
        if count == 0 {
            return;
        }
        let removed = timeout(CLEAN_UP_LIMIT, remove(rehearsal, made)).await;
        let removed = removed.unwrap_or_else(|_| {
            Err(Failure::new(
                format!("not done within {} s", CLEAN_UP_LIMIT.as_secs()),
                "look at the broker's removal queue: ptb_removal_queue_length of /metrics has to go down to 0",
            ))
        });
        let found = format!("revoked; Plaid has none of the {count} test Items any more");
        reporter.step("clean_up", "clean up", removed.map(|()| ((), found)));
    }
}

/// One after the other; what fails does not keep the rest from being tried.
async fn remove(rehearsal: &Rehearsal, mut made: Made) -> Result<(), Failure> {
    let mut first = Ok(());
    let mut note = |ended: Result<(), Failure>| {
        if first.is_ok() {
            first = ended;
        }
    };
    for public_token in &made.public_tokens {
        note(rehearsal.discard(public_token).await);
    }
    for at in &made.codes {
        match redeem_late(rehearsal, at).await {
            Some(tokens) => made.tokens.push(tokens),
            None => note(Err(Failure::new(
                "a test Item stays in the broker, as its code could not be redeemed",
                "nothing: the broker removes it by itself after BROKER_UNREDEEMED_TTL (an hour, unless set)",
            ))),
        }
    }
    for tokens in &made.tokens {
        let revoked = rehearsal.revoke(tokens).await;
        let removed = match &revoked {
            Ok(()) => rehearsal.is_removed(&tokens.access).await,
            Err(_) => Ok(false),
        };
        if !matches!(removed, Ok(true)) {
            // The broker did not remove it, so it is removed at Plaid. That this was needed is a failure all the same.
            let removed = rehearsal.remove(&tokens.access).await;
            note(revoked.and(removed).and(Err(Failure::new(
                "the broker accepted the revocation and did not remove the Item in time; it was removed without the broker",
                "see the broker's log for \"could not be removed at Plaid\"",
            ))));
        }
    }
    first
}

/// A code that was not redeemed in one shape may still be in another.
async fn redeem_late(rehearsal: &Rehearsal, at: &AtCallback) -> Option<Tokens> {
    let without_secret = Shape::new(Encoding::Form, Authentication::None);
    for shape in SHAPES.into_iter().chain([without_secret]) {
        if let Ok((tokens, _)) = rehearsal.redeem(shape, at).await {
            return Some(tokens);
        }
    }
    None
}
