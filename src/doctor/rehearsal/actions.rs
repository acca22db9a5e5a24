//! The calls of Kore.ai's Plaid actions: straight to Plaid, the access token in the payload and Plaid's keys in the headers.

use std::time::Duration;

use clap::ValueEnum;
use jiff::ToSpan as _;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::items::plaid_refused;
use super::{Answer, Failure, Rehearsal};
use crate::plaid;
use crate::secret::PlaidAccessToken;

/// Plaid prepares the data of a new Item for a while (`PRODUCT_NOT_READY`).
const TRIES: usize = 6;
const PAUSE: Duration = Duration::from_secs(2);

/// One of Kore.ai's actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Action {
    /// Real-time balance.
    Balance,
    /// Investment holdings.
    Holdings,
    /// Investment transactions.
    Transactions,
    /// Liabilities.
    Liabilities,
}

impl Action {
    /// All that are active in Kore.ai's integration.
    pub const ALL: [Self; 4] = [
        Self::Balance,
        Self::Holdings,
        Self::Transactions,
        Self::Liabilities,
    ];

    pub(super) fn name(self) -> &'static str {
        self.spec().0
    }

    /// The product that it needs; balances come with every other one.
    fn product(self) -> Option<&'static str> {
        self.spec().3
    }

    /// Kore.ai's name, Plaid's endpoint, what the answer must contain, and the product.
    fn spec(self) -> (&'static str, &'static str, &'static str, Option<&'static str>) {
        let investments = Some("investments");
        match self {
            Self::Balance => ("real-time balance", "/accounts/balance/get", "accounts", None),
            Self::Holdings => (
                "investment holdings",
                "/investments/holdings/get",
                "holdings",
                investments,
            ),
            Self::Transactions => (
                "investment transactions",
                "/investments/transactions/get",
                "investment_transactions",
                investments,
            ),
            Self::Liabilities => (
                "liabilities",
                "/liabilities/get",
                "liabilities",
                Some("liabilities"),
            ),
        }
    }
}

impl Rehearsal {
    /// Whether Link offers people what the actions need. The test bank's Items do not show it: no Link made them, so they
    /// have every account.
    pub(super) fn offered_accounts(&self) -> Result<((), String), Failure> {
        let is_hidden = |action: &Action| {
            let product = action.product().filter(|product| self.lists.contains(product));
            product.is_some_and(|product| !self.lists.delivers(product))
        };
        match self.lists.auth_filter() {
            Some(cost) if cost.ends_link || self.actions.iter().any(is_hidden) => {
                Err(Failure::new(cost.found, instead(&cost.instead)))
            }
            _ if self.lists.offers_only_auth_accounts() => Ok((
                (),
                "checking, savings and cash management accounts only, because auth is in PLAID_PRODUCTS"
                    .to_owned(),
            )),
            _ => Ok(((), "accounts of all types".to_owned())),
        }
    }

    /// Makes the call with this access token, until Plaid has prepared the data.
    pub(super) async fn act(
        &self,
        action: Action,
        access: &PlaidAccessToken,
    ) -> Result<((), String), Failure> {
        // Plaid would refuse it too, without saying what to do.
        if let Some(product) = action.product()
            && !self.lists.contains(product)
        {
            return Err(not_listed(
                action,
                product,
                format!("{product} is in none of the PLAID_… product lists"),
            ));
        }
        let (_, path, member, _) = action.spec();
        let body = self.payload(action, access);
        let mut answer = self.call_plaid(path, &body).await?;
        for _ in 1..TRIES {
            if answer.text_of("error_code") != Some("PRODUCT_NOT_READY") {
                break;
            }
            sleep(PAUSE).await;
            answer = self.call_plaid(path, &body).await?;
        }
        if answer.status == 200 && answer.json.get(member).is_some() {
            return self.judge(action, &answer);
        }
        Err(refused(action, &answer))
    }

    /// Whether a person, who shares only accounts that Link offers, would get the answer.
    fn judge(&self, action: Action, answer: &Answer) -> Result<((), String), Failure> {
        let text = |account: &Value, name: &str| account[name].as_str().unwrap_or_default().to_owned();
        let is_shared = |account: &Value| {
            let (kind, subtype) = (text(account, "type"), text(account, "subtype"));
            let fits = action
                .product()
                .is_none_or(|product| plaid::fits(product, &kind, &subtype));
            fits && plaid::is_offered(&self.lists, &kind, &subtype)
        };
        let accounts = answer.json.get("accounts").and_then(Value::as_array);
        if accounts.is_some_and(|accounts| accounts.iter().any(is_shared)) {
            return Ok(((), format!("Plaid answers {}", action.spec().1)));
        }
        let fix = match self.lists.auth_filter() {
            Some(cost) => instead(&cost.instead),
            None => "compare the accounts of the test bank with plaid.com/docs/sandbox/test-credentials"
                .to_owned(),
        };
        Err(Failure::new(
            format!(
                "Plaid answers {} for the test bank, but Link offers people no account that has this data",
                action.spec().1
            ),
            fix,
        ))
    }

    fn payload(&self, action: Action, access: &PlaidAccessToken) -> Value {
        let mut body = json!({ "access_token": access.expose() });
        if action == Action::Transactions
            && let Some(body) = body.as_object_mut()
        {
            let today = jiff::Timestamp::from_millisecond(self.clock.now().as_millis())
                .unwrap_or_default()
                .to_zoned(TimeZone::UTC)
                .date();
            let start = today.checked_sub(30.days()).unwrap_or(today);
            body.insert("start_date".to_owned(), start.to_string().into());
            body.insert("end_date".to_owned(), today.to_string().into());
        }
        body
    }
}

fn refused(action: Action, answer: &Answer) -> Failure {
    match (answer.text_of("error_code"), action.product()) {
        (
            Some(
                "PRODUCTS_NOT_SUPPORTED"
                | "PRODUCT_NOT_ENABLED"
                | "INVALID_PRODUCT"
                | "ADDITIONAL_CONSENT_REQUIRED"
                | "NO_INVESTMENT_ACCOUNTS"
                | "NO_LIABILITY_ACCOUNTS",
            ),
            Some(product),
        ) => not_listed(
            action,
            product,
            format!("Plaid answers with {}", answer.outline()),
        ),
        _ => plaid_refused(answer),
    }
}

fn instead(lines: &[String]) -> String {
    format!(
        "set {}, restart the broker, and let people connect again",
        lines.join(" and ")
    )
}

fn not_listed(action: Action, product: &str, found: String) -> Failure {
    Failure::new(
        found,
        format!(
            "add {product} to PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS, have it enabled in Plaid's dashboard, restart the broker, \
             and let people connect again; if your bot does not use {}, rehearse without it (--actions)",
            action.name()
        ),
    )
}
