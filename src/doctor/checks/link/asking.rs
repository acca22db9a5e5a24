//! Asking for link tokens as the settings have it, or with one thing alone.

use crate::clock::Timestamp;
use crate::config::{LinkConfig, ProductLists};
use crate::doctor::checks::context::Context;
use crate::plaid::{ApiError, LinkProducts, LinkTokenCreated, LinkTokenRequest, LinkTokenUser, PlaidError};

/// Who asks, for Plaid: nobody.
const NOBODY: &str = "plaid-token-broker-check";

pub(in crate::doctor::checks) type Made = Result<LinkTokenCreated, PlaidError>;

/// A refusal that is about what was asked, or a day on which nothing can be told.
pub(super) enum Outcome {
    Taken,
    Refused(Box<ApiError>),
    Unknown(String),
}

impl Outcome {
    pub(super) fn of(made: Made) -> Self {
        match made {
            Ok(_) => Self::Taken,
            Err(PlaidError::Api(error))
                if error.status < 500 && error.error_type != "RATE_LIMIT_EXCEEDED" =>
            {
                Self::Refused(error)
            }
            Err(error) => Self::Unknown(error.to_string()),
        }
    }

    pub(super) fn is_taken(&self) -> bool {
        matches!(self, Self::Taken)
    }
}

/// Asks for link tokens, which make no Items and end by themselves.
pub(in crate::doctor::checks) struct Asking<'c> {
    context: &'c Context,
    pub(super) link: &'c LinkConfig,
}

/// What is asked for, beside the product lists.
#[derive(Clone, Copy, Default)]
pub(super) struct Extra<'c> {
    pub(super) countries: &'c [String],
    pub(super) language: Option<&'c str>,
    pub(super) customization: Option<&'c str>,
    pub(super) redirect_uri: Option<&'c str>,
    pub(super) webhook: Option<&'c str>,
}

impl<'c> Asking<'c> {
    pub(in crate::doctor::checks) fn new(context: &'c Context) -> Self {
        Self {
            context,
            link: &context.config.link,
        }
    }

    /// What the page asks for when a person clicks.
    pub(in crate::doctor::checks) async fn as_configured(&self) -> (Made, Option<Timestamp>) {
        let link = self.link;
        let extra = Extra {
            countries: &link.country_codes,
            language: Some(&link.language),
            customization: link.customization_name.as_deref(),
            redirect_uri: link.redirect_uri.as_deref(),
            webhook: link.webhook_url.as_deref(),
        };
        self.ask(link.products.clone(), extra).await
    }

    async fn ask(&self, lists: ProductLists, extra: Extra<'_>) -> (Made, Option<Timestamp>) {
        let products = LinkProducts::new(lists, self.context.clock.now());
        let request = LinkTokenRequest {
            client_name: &self.link.client_name,
            language: extra.language.unwrap_or("en"),
            country_codes: extra.countries,
            user: LinkTokenUser {
                client_user_id: NOBODY,
            },
            products: &products.lists.products,
            required_if_supported_products: &products.lists.required_if_supported,
            optional_products: &products.lists.optional,
            additional_consented_products: &products.lists.additional_consented,
            webhook: extra.webhook,
            link_customization_name: extra.customization,
            redirect_uri: extra.redirect_uri,
            statements: products.statements,
        };
        self.context.plaid.link_token_probe(&request).await
    }

    pub(super) async fn outcome(&self, lists: ProductLists, extra: Extra<'_>) -> Outcome {
        Outcome::of(self.ask(lists, extra).await.0)
    }
}
