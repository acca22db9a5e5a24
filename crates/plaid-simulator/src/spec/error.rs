//! Plaid's error body: <https://plaid.com/docs/errors/>.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Value, json};

use crate::spec::Guesses;
use crate::spec::guesses::{ForeignEnvironment, WrongTokenKind};
use crate::spec::ids::{ENVIRONMENT, Misfit, TokenKind};
use crate::spec::json::set;

/// An error in Plaid's form. Programs decide on type and code; the message is for people and may change.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error_type} / {error_code}: {message}")]
pub(crate) struct PlaidError {
    pub(crate) status: StatusCode,
    pub(crate) error_type: Cow<'static, str>,
    pub(crate) error_code: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) display_message: Option<&'static str>,
    /// For the header of that name, in seconds.
    pub(crate) retry_after: Option<u64>,
}

impl PlaidError {
    /// An error with status 400, as nearly all of Plaid's are: also bad keys.
    pub(crate) fn new(
        error_type: &'static str,
        error_code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error_type: error_type.into(),
            error_code: error_code.into(),
            message: message.into(),
            display_message: None,
            retry_after: None,
        }
    }

    /// The same error with a message for the person in Link.
    pub(crate) fn shown(self, display_message: &'static str) -> Self {
        Self {
            display_message: Some(display_message),
            ..self
        }
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn invalid_field(message: impl Into<String>) -> Self {
        Self::new("INVALID_REQUEST", "INVALID_FIELD", message)
    }

    /// An object of settings that is wrong inside.
    pub(crate) fn invalid_configuration(why: &str) -> Self {
        Self::new(
            "INVALID_REQUEST",
            "INVALID_CONFIGURATION",
            format!("please ensure that the request body is formatted correctly: {why}"),
        )
    }

    pub(crate) fn missing_fields(names: &[String]) -> Self {
        let names = names.join(", ");
        Self::new(
            "INVALID_REQUEST",
            "MISSING_FIELDS",
            format!("the following required fields are missing: {names}"),
        )
    }

    pub(crate) fn unknown_fields(names: &[String]) -> Self {
        let names = names.join(", ");
        Self::new(
            "INVALID_REQUEST",
            "UNKNOWN_FIELDS",
            format!("the following fields are not recognized by this endpoint: {names}"),
        )
    }

    pub(crate) fn invalid_product(message: impl Into<String>) -> Self {
        Self::new("INVALID_INPUT", "INVALID_PRODUCT", message)
    }

    pub(crate) fn invalid_public_token(message: impl Into<String>) -> Self {
        Self::new("INVALID_INPUT", "INVALID_PUBLIC_TOKEN", message)
    }

    pub(crate) fn invalid_access_token(message: impl Into<String>) -> Self {
        Self::new("INVALID_INPUT", "INVALID_ACCESS_TOKEN", message)
    }

    pub(crate) fn user_permission_revoked(error_type: &'static str) -> Self {
        Self::new(
            error_type,
            "USER_PERMISSION_REVOKED",
            "the person has revoked access to this Item; only a new run of Link can give it again",
        )
        .shown("You have ended this connection. Please connect your bank again.")
    }

    pub(crate) fn products_not_supported(product: &str) -> Self {
        Self::new(
            "ITEM_ERROR",
            "PRODUCTS_NOT_SUPPORTED",
            format!("{product} is not supported by this institution"),
        )
    }

    pub(crate) fn product_not_enabled(product: &str) -> Self {
        Self::new(
            "ITEM_ERROR",
            "PRODUCT_NOT_ENABLED",
            format!("{product} is not enabled for this access token; start the Item with it in Link"),
        )
    }

    pub(crate) fn additional_consent_required(product: &str) -> Self {
        Self::new(
            "INVALID_INPUT",
            "ADDITIONAL_CONSENT_REQUIRED",
            format!(
                "the person has not consented to {product}; ask for it in Link's update mode with \
                 additional_consented_products"
            ),
        )
    }

    /// The data is not there yet: the caller asks again in a few seconds, or waits for the webhook.
    pub(crate) fn product_not_ready(error_type: &'static str) -> Self {
        Self::new(
            error_type,
            "PRODUCT_NOT_READY",
            "the requested product is not yet ready. please try again in a few seconds or wait for the webhook",
        )
    }

    /// No account on the Item fits: `NO_AUTH_ACCOUNTS` and its like.
    pub(crate) fn no_accounts(code: &'static str, wanted: &str) -> Self {
        Self::new(
            "ITEM_ERROR",
            code,
            format!("there are no {wanted} accounts on this Item"),
        )
    }

    /// What a token of the wrong shape, kind or environment gets.
    pub(crate) fn misfit(wanted: TokenKind, misfit: &Misfit, guesses: &Guesses) -> Self {
        let word = wanted.word();
        let message = match misfit {
            Misfit::Kind { got } if guesses.wrong_token_kind == WrongTokenKind::Told => {
                format!("provided token is the wrong type. expected \"{word}\", got \"{got}\"")
            }
            Misfit::Shape | Misfit::Kind { .. } => format!(
                "provided {word} token is in an invalid format. expected format: {word}-<environment>-<identifier>"
            ),
            Misfit::Environment { got } => format!(
                "provided {word} token is for the wrong Plaid environment. expected \"{ENVIRONMENT}\", got \
                 \"{got}\""
            ),
        };
        match wanted {
            TokenKind::Link => Self::invalid_link_token(),
            TokenKind::Public => Self::invalid_public_token(message),
            TokenKind::Access => match (misfit, guesses.foreign_environment) {
                (Misfit::Environment { .. }, ForeignEnvironment::InvalidField) => {
                    Self::invalid_field(message)
                }
                _ => Self::invalid_access_token(message),
            },
        }
    }

    /// The body of an answer; without a request it is one that Items and webhooks have in them.
    pub(crate) fn body(&self, request_id: Option<&str>) -> Value {
        let mut body = json!({
            "display_message": self.display_message,
            "documentation_url": self.documentation_url(),
            "error_code": self.error_code,
            "error_message": self.message,
            "error_type": self.error_type,
            "suggested_action": null,
        });
        if let Some(request_id) = request_id {
            set(&mut body, "request_id", request_id);
        }
        body
    }

    fn documentation_url(&self) -> String {
        let page = self
            .error_type
            .trim_end_matches("_ERROR")
            .to_lowercase()
            .replace('_', "-");
        format!(
            "https://plaid.com/docs/errors/{page}/#{}",
            self.error_code.to_lowercase()
        )
    }
}

/// `INVALID_FIELD` with this message, if the condition holds.
pub(crate) fn refuse_if(condition: bool, message: &str) -> Result<(), PlaidError> {
    if condition {
        Err(PlaidError::invalid_field(message))
    } else {
        Ok(())
    }
}

/// The errors that are always the same: type, code, message, the status if it is not 400, and what the person in Link is
/// shown.
macro_rules! errors {
    ($(
        $(#[$meta:meta])*
        $name:ident: $kind:literal $code:literal $message:literal
            $(, status $status:ident)? $(, shown $shown:literal)?;
    )+) => {
        impl PlaidError {$(
            $(#[$meta])*
            pub(crate) fn $name() -> Self {
                Self::new($kind, $code, $message)$(.with_status(StatusCode::$status))?$(.shown($shown))?
            }
        )+}
    };
}

errors! {
    invalid_body: "INVALID_REQUEST" "INVALID_BODY" "body could not be parsed as JSON";
    not_found: "INVALID_REQUEST" "NOT_FOUND" "not found", status NOT_FOUND;
    invalid_account_number: "INVALID_REQUEST" "INVALID_ACCOUNT_NUMBER" "The provided account number was invalid.",
        shown "The account or the routing number is not right. Please check both.";
    invalid_api_keys: "INVALID_INPUT" "INVALID_API_KEYS" "invalid client_id or secret provided";
    invalid_institution: "INVALID_INPUT" "INVALID_INSTITUTION" "invalid institution_id provided";
    invalid_link_token: "INVALID_INPUT" "INVALID_LINK_TOKEN" "invalid link_token provided";
    invalid_account_id: "INVALID_INPUT" "INVALID_ACCOUNT_ID" "one or more of the account ids are not of this Item";
    student_loan: "INVALID_INPUT" "INVALID_ACCOUNT_ID" "student loans take no transactions";
    invalid_webhook_key: "INVALID_INPUT" "INVALID_WEBHOOK_VERIFICATION_KEY_ID"
        "invalid key_id provided. note that key_ids are specific to Plaid environments, and verification requests must be \
         made to the same environment that the webhook was sent from";
    /// The answer to the last wrong code of a micro-deposit, and to all after it
    /// (<https://plaid.com/docs/errors/invalid-input/#too_many_verification_attempts>).
    too_many_verification_attempts: "INVALID_INPUT" "TOO_MANY_VERIFICATION_ATTEMPTS"
        "the code was wrong too often; the Item is locked for good";
    incorrect_deposit_verification: "INVALID_INPUT" "INCORRECT_DEPOSIT_VERIFICATION"
        "the code is not that of the deposit";
    item_not_found: "ITEM_ERROR" "ITEM_NOT_FOUND" "the Item that this access token opened has been removed";
    item_login_required: "ITEM_ERROR" "ITEM_LOGIN_REQUIRED"
        "the login details of this item have changed (credentials, MFA, or required user action) and a user login is \
         required to update this information. use Link's update mode to restore the item to a good state",
        shown "Your login details have changed. Please log in to your bank again.";
    item_locked: "ITEM_ERROR" "ITEM_LOCKED"
        "the account is locked. prompt the user to visit the institution's website and unlock their account",
        shown "There were too many wrong logins, so the bank has locked this one.";
    invalid_credentials: "ITEM_ERROR" "INVALID_CREDENTIALS" "the provided credentials were not correct",
        shown "The username or the password is not right. The test login is user_good with pass_good.";
    invalid_mfa: "ITEM_ERROR" "INVALID_MFA" "the provided MFA response was not correct",
        shown "That is not right. Please try again.";
    recaptcha_bad: "RECAPTCHA_ERROR" "RECAPTCHA_BAD" "the reCAPTCHA response was not correct",
        shown "You did not pass the check that you are a person.";
    institution_down: "INSTITUTION_ERROR" "INSTITUTION_DOWN" "this institution is down",
        shown "This bank cannot be reached at the moment. Please try again later.";
    institution_unsupported: "INSTITUTION_ERROR" "INSTITUTION_NO_LONGER_SUPPORTED"
        "this institution is no longer supported", shown "This bank is not supported. Please choose another.";
    incorrect_link_token: "OAUTH_ERROR" "INCORRECT_LINK_TOKEN"
        "Link was opened again with another link_token than before the bank's login";
    oauth_state_not_found: "OAUTH_ERROR" "OAUTH_STATE_ID_NOT_FOUND" "the oauth_state_id belongs to no login at a bank",
        status NOT_FOUND;
    oauth_state_processed: "OAUTH_ERROR" "OAUTH_STATE_ID_ALREADY_PROCESSED"
        "the oauth_state_id has already been processed: was the page loaded again?", status ALREADY_REPORTED;
    transactions_changed: "TRANSACTIONS_ERROR" "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"
        "underlying transaction data changed since last page was fetched. please restart pagination from last update";
    transfer_unsupported_account: "TRANSFER_ERROR" "TRANSFER_UNSUPPORTED_ACCOUNT_TYPE"
        "transfers need a checking, savings or cash management account";
    webhook_of_other_product: "SANDBOX_ERROR" "SANDBOX_PRODUCT_NOT_ENABLED"
        "this webhook belongs to a product that is not on this Item: create the Item with it";
    assets_not_enabled: "ASSET_REPORT_ERROR" "PRODUCT_NOT_ENABLED"
        "the 'assets' product is not enabled for the following access tokens";
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn the_body_has_plaids_keys() {
        let body = PlaidError::item_login_required().body(Some("abc"));
        let keys: Vec<_> = body
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str())
            .collect();
        assert_eq!(
            keys,
            [
                "display_message",
                "documentation_url",
                "error_code",
                "error_message",
                "error_type",
                "request_id",
                "suggested_action"
            ]
        );
        assert_eq!(
            body["documentation_url"],
            "https://plaid.com/docs/errors/item/#item_login_required"
        );
    }
}
