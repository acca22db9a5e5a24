//! The parts of Plaid's requests and answers that we use. Unknown answer fields are ignored: Plaid adds some
//! without notice (<https://plaid.com/docs/api/versioning/>).

use serde::{Deserialize, Serialize};

use super::error::ApiError;
use crate::secret::{LinkToken, PlaidAccessToken};

/// `/link/token/create`. Absent keys are omitted: an empty string is not "absent" to Plaid.
#[derive(Debug, Serialize)]
pub struct LinkTokenRequest<'a> {
    /// Shown in Link; over 30 characters Link shows "This Application" instead.
    pub client_name: &'a str,
    /// ISO 639-1.
    pub language: &'a str,
    /// ISO 3166-1 alpha-2.
    pub country_codes: &'a [String],
    pub user: LinkTokenUser<'a>,
    /// What every offered institution must support.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub products: &'a [String],
    /// Used if institution and account support them.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub required_if_supported_products: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub optional_products: &'a [String],
    /// Consent now, billed on the first call.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub additional_consented_products: &'a [String],
    /// Where Plaid sends Item and Link webhooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<&'a str>,
    /// A customization of Link made in Plaid's dashboard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_customization_name: Option<&'a str>,
    /// The page that can reopen Link after a bank's OAuth; must be registered in Plaid's dashboard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<&'a str>,
    /// Needed with the product `statements`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statements: Option<StatementsRange>,
}

#[derive(Debug, Serialize)]
pub struct LinkTokenUser<'a> {
    /// Opaque; personal data in it is refused by Plaid.
    pub client_user_id: &'a str,
}

/// `statements` of `/link/token/create`: two dates, at most two years apart.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct StatementsRange {
    /// `YYYY-MM-DD`.
    pub start_date: String,
    /// `YYYY-MM-DD`.
    pub end_date: String,
}

/// Answer of `/link/token/create`.
#[derive(Debug, Deserialize)]
pub struct LinkTokenCreated {
    pub link_token: LinkToken,
    /// RFC 3339, UTC.
    pub expiration: String,
    /// For support; its absence must not cost anybody an answer.
    #[serde(default)]
    pub request_id: String,
}

/// Answer of `/item/public_token/exchange`.
#[derive(Clone, Debug, Deserialize)]
pub struct Exchanged {
    /// Opens the Item; does not expire.
    pub access_token: PlaidAccessToken,
    pub item_id: String,
    /// For support; its absence must not cost anybody an answer.
    #[serde(default)]
    pub request_id: String,
}

/// Answer of `/item/get`.
#[derive(Debug, Deserialize)]
pub struct ItemAnswer {
    pub item: Item,
    #[serde(default)]
    pub request_id: String,
}

impl ItemAnswer {
    /// The Item's error, under the request id by which Plaid's support finds it: it carries none of its own.
    #[must_use]
    pub fn into_error(self) -> Option<ApiError> {
        let mut error = self.item.error?;
        error.request_id.get_or_insert(self.request_id);
        Some(error)
    }
}

#[derive(Debug, Deserialize)]
pub struct Item {
    pub item_id: String,
    /// Set when the Item needs its owner (update mode), although the call itself succeeded.
    #[serde(default)]
    pub error: Option<ApiError>,
}

/// One account of an Item, as far as people are shown it.
#[derive(Debug, Deserialize)]
pub struct Account {
    pub name: String,
    /// Its last 2 to 4 characters.
    #[serde(default)]
    pub mask: Option<String>,
    /// `depository`, `credit`, `loan`, `investment` …
    #[serde(rename = "type")]
    pub kind: String,
    /// `checking`, `savings` …
    #[serde(default)]
    pub subtype: Option<String>,
}

/// Answer of `/accounts/get`.
#[derive(Debug, Deserialize)]
pub(super) struct AccountsAnswer {
    pub(super) accounts: Vec<Account>,
}

/// An answer of which only its success matters (`/item/remove`).
#[derive(Debug, Deserialize)]
pub(super) struct Acknowledged {
    #[serde(default)]
    pub(super) request_id: String,
}

/// Answer of `/institutions/get`, as far as it is counted.
#[derive(Debug, Deserialize)]
pub(super) struct InstitutionsAnswer {
    pub(super) total: u64,
}
