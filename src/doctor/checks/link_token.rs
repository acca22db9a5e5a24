//! Link tokens, which make no Items and expire by themselves: as the settings have them, or with one setting alone.

use super::context::Context;
use crate::clock::Timestamp;
use crate::config::ProductLists;
use crate::plaid::{ApiError, LinkProducts, LinkTokenCreated, LinkTokenRequest, LinkTokenUser, PlaidError};

const USER: &str = "plaid-token-broker-check";

pub(super) type Created = Result<LinkTokenCreated, PlaidError>;

pub(super) enum Acceptance {
    Accepted,
    /// Because of what was asked for.
    Refused(Box<ApiError>),
    Unknown(String),
}

impl Acceptance {
    pub(super) fn of(created: Created) -> Self {
        match created {
            Ok(_) => Self::Accepted,
            Err(PlaidError::Api(error))
                if error.status < 500 && error.error_type != "RATE_LIMIT_EXCEEDED" =>
            {
                Self::Refused(error)
            }
            Err(error) => Self::Unknown(error.to_string()),
        }
    }

    pub(super) fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted)
    }
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

/// As the Link page asks for it.
pub(super) async fn as_configured(context: &Context) -> (Created, Option<Timestamp>) {
    let link = &context.config.link;
    let extra = Extra {
        countries: &link.country_codes,
        language: Some(&link.language),
        customization: link.customization_name.as_deref(),
        redirect_uri: link.redirect_uri.as_deref(),
        webhook: link.webhook_url.as_deref(),
    };
    create(context, link.products.clone(), extra).await
}

/// Whether Plaid accepts one product alone with these settings.
pub(super) async fn try_product(context: &Context, product: &str, extra: Extra<'_>) -> Acceptance {
    let lists = ProductLists {
        products: vec![product.to_owned()],
        ..ProductLists::default()
    };
    try_lists(context, lists, extra).await
}

pub(super) async fn try_lists(context: &Context, lists: ProductLists, extra: Extra<'_>) -> Acceptance {
    Acceptance::of(create(context, lists, extra).await.0)
}

async fn create(context: &Context, lists: ProductLists, extra: Extra<'_>) -> (Created, Option<Timestamp>) {
    let products = LinkProducts::new(lists, context.clock.now());
    let request = LinkTokenRequest {
        client_name: &context.config.link.client_name,
        language: extra.language.unwrap_or("en"),
        country_codes: extra.countries,
        user: LinkTokenUser { client_user_id: USER },
        products: &products.lists.products,
        required_if_supported_products: &products.lists.required_if_supported,
        optional_products: &products.lists.optional,
        additional_consented_products: &products.lists.additional_consented,
        webhook: extra.webhook,
        link_customization_name: extra.customization,
        redirect_uri: extra.redirect_uri,
        statements: products.statements,
    };
    context.plaid.link_token_probe(&request).await
}

/// Code and message of Plaid, and the request id by which Plaid's support finds it.
pub(super) fn describe(error: &ApiError) -> String {
    let id = error.request_id.as_deref().unwrap_or("none");
    let message = error.error_message.trim_end_matches('.');
    format!("{}: {message}, request id {id}", error.error_code)
}
