//! Plaid's error body: <https://plaid.com/docs/errors/>.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Value, json};

use crate::spec::guesses::{ForeignEnvironment, Guesses, WrongTokenKind};
use crate::spec::ids::{ENVIRONMENT, Misfit, TokenKind};
use crate::spec::json::set;

/// An error as Plaid tells it. Programs decide on type and code; the message is for people and may change.
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

    pub(crate) fn invalid_body() -> Self {
        Self::new(
            "INVALID_REQUEST",
            "INVALID_BODY",
            "body could not be parsed as JSON",
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

    pub(crate) fn invalid_api_keys() -> Self {
        Self::new(
            "INVALID_INPUT",
            "INVALID_API_KEYS",
            "invalid client_id or secret provided",
        )
    }

    pub(crate) fn invalid_product(message: impl Into<String>) -> Self {
        Self::new("INVALID_INPUT", "INVALID_PRODUCT", message)
    }

    pub(crate) fn invalid_institution() -> Self {
        Self::new(
            "INVALID_INPUT",
            "INVALID_INSTITUTION",
            "invalid institution_id provided",
        )
    }

    pub(crate) fn invalid_link_token() -> Self {
        Self::new(
            "INVALID_INPUT",
            "INVALID_LINK_TOKEN",
            "invalid link_token provided",
        )
    }

    pub(crate) fn invalid_public_token(message: impl Into<String>) -> Self {
        Self::new("INVALID_INPUT", "INVALID_PUBLIC_TOKEN", message)
    }

    pub(crate) fn invalid_access_token(message: impl Into<String>) -> Self {
        Self::new("INVALID_INPUT", "INVALID_ACCESS_TOKEN", message)
    }

    pub(crate) fn item_not_found() -> Self {
        Self::new(
            "ITEM_ERROR",
            "ITEM_NOT_FOUND",
            "the Item that this access token opened has been removed",
        )
    }

    pub(crate) fn item_login_required() -> Self {
        Self {
            display_message: Some("Your login details have changed. Please log in to your bank again."),
            ..Self::new(
                "ITEM_ERROR",
                "ITEM_LOGIN_REQUIRED",
                "the login details of this item have changed (credentials, MFA, or required user action) and a \
                 user login is required to update this information. use Link's update mode to restore the item \
                 to a good state",
            )
        }
    }

    pub(crate) fn user_permission_revoked(error_type: &'static str) -> Self {
        Self {
            display_message: Some("You have ended this connection. Please connect your bank again."),
            ..Self::new(
                error_type,
                "USER_PERMISSION_REVOKED",
                "the person has revoked access to this Item; only a new run of Link can give it again",
            )
        }
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

    pub(crate) fn not_found() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            ..Self::new("INVALID_REQUEST", "NOT_FOUND", "not found")
        }
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
