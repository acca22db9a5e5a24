//! Items for the rehearsal, and their end: made without a person in simulator and sandbox, and removed whatever happened.

use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::wire::{Answer, send};
use super::{Failure, Rehearsal};
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
    pub(super) async fn plaid(&self, http: &Client, path: &str, body: &Value) -> Result<Answer, Failure> {
        let request = http
            .post(format!("{}{path}", self.plaid_url))
            .header("PLAID-CLIENT-ID", &self.plaid_client_id)
            .header("PLAID-SECRET", self.plaid_secret.expose())
            .json(body);
        let fix = "see that this machine reaches Plaid (a firewall, a proxy, PLAID_BASE_URL; in simulator mode \
                   BROKER_SIMULATOR_BIND), and status.plaid.com";
        send(request, &self.plaid_url, fix).await
    }

    /// The products that the test Item begins with.
    pub(super) fn initial_products(&self) -> Vec<&str> {
        let usable = |product: &&str| INITIAL.contains(product);
        self.lists.all().filter(usable).collect()
    }

    /// What Link would give the browser.
    pub(super) async fn public_token(&self, http: &Client) -> Result<(PlaidPublicToken, String), Failure> {
        let body = json!({ "institution_id": INSTITUTION.0, "initial_products": self.initial_products() });
        let answer = self.plaid(http, "/sandbox/public_token/create", &body).await?;
        match answer.text_of("public_token").filter(|_| answer.status == 200) {
            Some(token) => Ok((
                PlaidPublicToken::new(token),
                format!("{} is connected", INSTITUTION.1),
            )),
            None => Err(plaid_refused(&answer)),
        }
    }

    /// Ends an Item whose public token the broker did not take.
    pub(super) async fn discard(
        &self,
        http: &Client,
        public_token: &PlaidPublicToken,
    ) -> Result<(), Failure> {
        let body = json!({ "public_token": public_token.expose() });
        let answer = self.plaid(http, "/item/public_token/exchange", &body).await?;
        match answer.text_of("access_token") {
            Some(token) => self.remove(http, &PlaidAccessToken::new(token)).await,
            // It was exchanged after all, or it is no token any more: then there is nothing here to remove.
            None if answer.status == 400 => Ok(()),
            None => Err(plaid_refused(&answer)),
        }
    }

    /// Removes an Item at Plaid without the broker.
    pub(super) async fn remove(&self, http: &Client, access: &PlaidAccessToken) -> Result<(), Failure> {
        let body = json!({ "access_token": access.expose() });
        let answer = self.plaid(http, "/item/remove", &body).await?;
        if answer.status == 200 || is_gone(&answer) {
            return Ok(());
        }
        Err(plaid_refused(&answer))
    }

    /// Waits until Plaid does not know the Item any more. Gives whether that came in time.
    pub(super) async fn is_removed(&self, http: &Client, access: &PlaidAccessToken) -> Result<bool, Failure> {
        let body = json!({ "access_token": access.expose() });
        let until = Instant::now() + REMOVED_WITHIN;
        loop {
            if is_gone(&self.plaid(http, "/item/get", &body).await?) {
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

/// Plaid's refusal, with what helps.
pub(super) fn plaid_refused(answer: &Answer) -> Failure {
    let fix = match answer.text_of("error_code") {
        Some("INVALID_API_KEYS") => {
            "take PLAID_CLIENT_ID and PLAID_SECRET from dashboard.plaid.com/developers/keys, the secret of the environment \
             that PLAID_ENV names, and enter them in Kore.ai's form too"
        }
        Some("INVALID_PRODUCT" | "PRODUCT_NOT_ENABLED" | "PRODUCTS_NOT_SUPPORTED") => {
            "take the product that Plaid names out of PLAID_PRODUCTS and the other lists, or have it enabled in Plaid's dashboard"
        }
        Some("PRODUCT_NOT_READY") => {
            "Plaid still prepares the data of the new connection: rehearse again in a minute"
        }
        Some(_) if answer.status == 429 => {
            "Plaid limits the number of calls: wait a minute and rehearse again"
        }
        Some(_) if answer.status < 500 => "plaid.com/docs/errors explains the code",
        _ => {
            "Plaid does not work at the moment, or PLAID_BASE_URL leads elsewhere: try again, and see status.plaid.com"
        }
    };
    Failure::new(format!("Plaid answers with {}", answer.outline()), fix)
}
