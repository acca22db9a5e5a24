//! Items for the rehearsal: made without a person in simulator and sandbox, and removed whatever happened.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{Answer, Failure, Rehearsal, send};
use crate::secret::{PlaidAccessToken, PlaidPublicToken};

/// Plaid's test bank that has all products (<https://plaid.com/docs/sandbox/institutions/>).
pub(super) const INSTITUTION: (&str, &str) = ("ins_109508", "First Platypus Bank");
/// Products that a Sandbox Item can begin with, without anything further.
const INITIAL: [&str; 6] = [
    "auth",
    "transactions",
    "identity",
    "investments",
    "liabilities",
    "assets",
];
/// The broker's queue removes at once, unless Plaid does not answer.
const REMOVED_WITHIN: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(200);

impl Rehearsal {
    /// A call to Plaid with the keys in its headers, as Kore.ai's actions send it.
    pub(super) async fn call_plaid(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        let request = self
            .plaid
            .post(format!("{}{path}", self.plaid_url))
            .header("PLAID-CLIENT-ID", &self.plaid_client_id)
            .header("PLAID-SECRET", self.plaid_secret.expose())
            .json(body);
        let fix = "check that this machine can reach Plaid (firewall, proxy, PLAID_BASE_URL; in simulator mode \
                   BROKER_SIMULATOR_BIND), and see status.plaid.com";
        send(request, &self.plaid_url, fix).await
    }

    /// The products that the test Item begins with.
    pub(super) fn initial_products(&self) -> Vec<&str> {
        let usable = |product: &&str| INITIAL.contains(product);
        self.lists.all().filter(usable).collect()
    }

    /// What Link would give the browser.
    pub(super) async fn public_token(&self) -> Result<(PlaidPublicToken, String), Failure> {
        let body = json!({ "institution_id": INSTITUTION.0, "initial_products": self.initial_products() });
        let answer = self.call_plaid("/sandbox/public_token/create", &body).await?;
        match answer.text_of("public_token").filter(|_| answer.status == 200) {
            Some(token) => Ok((
                PlaidPublicToken::new(token),
                format!("{} is connected", INSTITUTION.1),
            )),
            None => Err(plaid_refused(&answer)),
        }
    }

    /// Removes an Item whose public token the broker did not accept.
    pub(super) async fn discard(&self, public_token: &PlaidPublicToken) -> Result<(), Failure> {
        let body = json!({ "public_token": public_token.expose() });
        let answer = self.call_plaid("/item/public_token/exchange", &body).await?;
        match answer.text_of("access_token") {
            Some(token) => self.remove(&PlaidAccessToken::new(token)).await,
            // It was exchanged after all, or has expired: there is nothing to remove.
            None if answer.status == 400 => Ok(()),
            None => Err(plaid_refused(&answer)),
        }
    }

    /// Removes an Item at Plaid without the broker.
    pub(super) async fn remove(&self, access: &PlaidAccessToken) -> Result<(), Failure> {
        let body = json!({ "access_token": access.expose() });
        let answer = self.call_plaid("/item/remove", &body).await?;
        if answer.status == 200 || is_gone(&answer) {
            return Ok(());
        }
        Err(plaid_refused(&answer))
    }

    /// Waits until Plaid does not know the Item any more. Returns whether that was in time.
    pub(super) async fn is_removed(&self, access: &PlaidAccessToken) -> Result<bool, Failure> {
        let body = json!({ "access_token": access.expose() });
        let until = Instant::now() + REMOVED_WITHIN;
        loop {
            if is_gone(&self.call_plaid("/item/get", &body).await?) {
                return Ok(true);
            }
            if Instant::now() >= until {
                return Ok(false);
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

/// Plaid does not know the Item, or its token, any more.
fn is_gone(answer: &Answer) -> bool {
    let code = answer.text_of("error_code");
    code.is_some_and(|code| matches!(code, "ITEM_NOT_FOUND" | "INVALID_ACCESS_TOKEN"))
}

/// Plaid's refusal, and what to do.
pub(super) fn plaid_refused(answer: &Answer) -> Failure {
    let fix = match answer.text_of("error_code") {
        Some("INVALID_API_KEYS") => {
            "take PLAID_CLIENT_ID and PLAID_SECRET from dashboard.plaid.com/developers/keys, the secret of the environment \
             that PLAID_ENV names, and enter them in Kore.ai's form too"
        }
        Some("INVALID_PRODUCT" | "PRODUCT_NOT_ENABLED" | "PRODUCTS_NOT_SUPPORTED") => {
            "remove the product that Plaid names from PLAID_PRODUCTS and the other lists, or have it enabled in Plaid's dashboard"
        }
        Some("PRODUCT_NOT_READY") => {
            "Plaid is still preparing the data of the new connection: rehearse again in a minute"
        }
        Some(_) if answer.status == 429 => {
            "Plaid limits the number of calls: wait a minute and rehearse again"
        }
        Some(_) if answer.status < 500 => "plaid.com/docs/errors explains the code",
        _ => "Plaid does not work, or PLAID_BASE_URL is wrong: try again, and see status.plaid.com",
    };
    Failure::new(format!("Plaid answers with {}", answer.outline()), fix)
}
