//! Link: when Plaid refuses a token with the configured settings, one setting at a time is tried until the cause is found.

use super::context::Context;
use super::link_token::{Acceptance, Created, Extra, describe, try_lists, try_product};
use super::list::{COUNTRIES, Finding, LINK_REDIRECT_URI, LINK_SETTINGS, PRODUCTS_ENABLED};
use crate::config::{LinkConfig, ProductLists};
use crate::doctor::reporter::{Reporter, names};
use crate::plaid::ApiError;

const DASHBOARD: &str = "https://dashboard.plaid.com/developers/api";

/// `configured`: the answer to the token as the settings have it.
pub(super) async fn check(context: &Context, reporter: &Reporter<'_>, configured: Created) {
    let link = &context.config.link;
    match Acceptance::of(configured) {
        Acceptance::Accepted => {
            reporter.report(products(&[], &[], link));
            reporter.report(countries(&[], "", link));
            reporter.report(LINK_SETTINGS.ok("Plaid made a link token with exactly these."));
            reporter.report(redirect_uri(context, &Acceptance::Accepted));
        }
        Acceptance::Refused(error) => search(context, reporter, &error).await,
        Acceptance::Unknown(error) => {
            for check in [PRODUCTS_ENABLED, COUNTRIES, LINK_SETTINGS, LINK_REDIRECT_URI] {
                reporter.report(check.skipped(format!("It could not be checked: {error}.")));
            }
        }
    }
}

/// Each listed product with its setting.
fn all(lists: &ProductLists) -> impl Iterator<Item = (&'static str, &str)> {
    let named = lists.named().into_iter();
    named.flat_map(|(name, list)| list.iter().map(move |product| (name.name, product.as_str())))
}

/// Plaid refused the whole with `refusal`: the parts are tried alone.
async fn search(context: &Context, reporter: &Reporter<'_>, refusal: &ApiError) {
    let link = &context.config.link;
    let (product, countries) = products_and_countries(context, reporter).await;
    let Some(product) = product else {
        reporter.report(LINK_SETTINGS.failed(
            format!(
                "Plaid refuses a link token with these settings ({}).",
                describe(refusal)
            ),
            "Fix the other failures first, then check again.",
        ));
        reporter.report(
            LINK_REDIRECT_URI.skipped("Plaid accepts no product alone, so the rest could not be tried."),
        );
        return;
    };
    let base = Extra {
        countries: &countries,
        ..Extra::default()
    };
    let with_uri = match link.redirect_uri.as_deref() {
        uri @ Some(_) => {
            let extra = Extra {
                redirect_uri: uri,
                ..base
            };
            try_product(context, &product, extra).await
        }
        None => Acceptance::Accepted,
    };
    reporter.report(redirect_uri(context, &with_uri));
    let nothing_else = with_uri.is_accepted()
        && countries.len() == link.country_codes.len()
        && try_lists(context, link.products.clone(), base)
            .await
            .is_accepted();
    let (language, customization, webhook) = (
        Some(link.language.as_str()),
        link.customization_name.as_deref(),
        link.webhook_url.as_deref(),
    );
    let parts = [
        ("PLAID_LANGUAGE", language.map(|_| Extra { language, ..base })),
        (
            "PLAID_LINK_CUSTOMIZATION_NAME",
            customization.map(|_| Extra {
                customization,
                ..base
            }),
        ),
        ("PLAID_WEBHOOK_URL", webhook.map(|_| Extra { webhook, ..base })),
    ];
    let (mut refused, mut reasons) = (Vec::new(), Vec::new());
    for (name, extra) in parts {
        if let Some(extra) = extra
            && let Acceptance::Refused(error) = try_product(context, &product, extra).await
        {
            refused.push(name);
            reasons.push(describe(&error));
        }
    }
    reporter.report(settings(refused, &reasons, refusal, nothing_else));
}

/// The first product that Plaid accepts alone, and the countries that it accepts.
async fn products_and_countries(context: &Context, reporter: &Reporter<'_>) -> (Option<String>, Vec<String>) {
    let link = &context.config.link;
    let first = link.products.products.first().map_or("", String::as_str);
    let mut accepted_countries: Vec<String> = Vec::new();
    let mut refused_countries: Vec<&str> = Vec::new();
    let mut reason = String::new();
    for country in &link.country_codes {
        let extra = Extra {
            countries: std::slice::from_ref(country),
            ..Extra::default()
        };
        match try_product(context, first, extra).await {
            Acceptance::Refused(error) if error.error_code == "INVALID_FIELD" => {
                reason = describe(&error);
                refused_countries.push(country);
            }
            _ => accepted_countries.push(country.clone()),
        }
    }
    reporter.report(countries(&refused_countries, &reason, link));
    if accepted_countries.is_empty() {
        reporter.report(
            PRODUCTS_ENABLED.skipped("Plaid accepts none of the countries, so no product could be tried."),
        );
        return (None, accepted_countries);
    }
    let extra = Extra {
        countries: &accepted_countries,
        ..Extra::default()
    };
    let mut accepted: Option<String> = None;
    let mut refused: Vec<(&str, &str, String)> = Vec::new();
    let mut unknown: Vec<&str> = Vec::new();
    for (setting, product) in all(&link.products) {
        match try_product(context, product, extra).await {
            Acceptance::Accepted => accepted = accepted.or_else(|| Some(product.to_owned())),
            Acceptance::Refused(error) => refused.push((setting, product, describe(&error))),
            Acceptance::Unknown(_) => unknown.push(product),
        }
    }
    reporter.report(products(&refused, &unknown, link));
    (accepted, accepted_countries)
}

fn countries(refused: &[&str], reason: &str, link: &LinkConfig) -> Finding {
    if refused.is_empty() {
        return COUNTRIES.ok(format!(
            "{}.",
            names(link.country_codes.iter().map(String::as_str))
        ));
    }
    COUNTRIES.failed(
        format!(
            "Plaid does not accept {} ({reason}).",
            names(refused.iter().copied())
        ),
        "Remove it from PLAID_COUNTRY_CODES, or ask Plaid to enable it for your account.",
    )
}

fn products(refused: &[(&str, &str, String)], unknown: &[&str], link: &LinkConfig) -> Finding {
    match refused.first() {
        None if unknown.is_empty() => PRODUCTS_ENABLED.ok(format!(
            "{}.",
            names(all(&link.products).map(|(_, product)| product))
        )),
        None => PRODUCTS_ENABLED.skipped(format!(
            "Plaid gave no answer for {}.",
            names(unknown.iter().copied())
        )),
        Some((_, _, reason)) => {
            let removals = refused
                .iter()
                .map(|(setting, product, _)| format!("{product} from {setting}"));
            let removals: Vec<String> = removals.collect();
            PRODUCTS_ENABLED.failed(
                format!(
                    "Plaid refuses {} ({reason}).",
                    names(refused.iter().map(|(_, product, _)| *product))
                ),
                format!(
                    "Ask for access at https://dashboard.plaid.com/settings/team/products, or remove {}.",
                    names(removals.iter().map(String::as_str))
                ),
            )
        }
    }
}

fn redirect_uri(context: &Context, acceptance: &Acceptance) -> Finding {
    let own = format!("{}/link/return", context.public_url);
    let Some(uri) = &context.config.link.redirect_uri else {
        return if context.is_production() {
            LINK_REDIRECT_URI.warning(
                "PLAID_LINK_REDIRECT_URI is not set: banks with a login of their own may fail on phones and in apps.",
                format!("Add {own} to the allowed redirect URIs at {DASHBOARD}, then set PLAID_LINK_REDIRECT_URI={own}."),
            )
        } else {
            LINK_REDIRECT_URI.skipped(
                "PLAID_LINK_REDIRECT_URI is not set; in production, banks with a login of their own need it.",
            )
        };
    };
    match acceptance {
        Acceptance::Accepted => LINK_REDIRECT_URI.ok(format!("Plaid knows {uri}.")),
        Acceptance::Refused(error) => LINK_REDIRECT_URI.failed(
            format!(
                "Plaid does not know PLAID_LINK_REDIRECT_URI {uri} ({}).",
                describe(error)
            ),
            format!(
                "Add exactly {uri} to the allowed redirect URIs at {DASHBOARD}, or leave the setting empty."
            ),
        ),
        Acceptance::Unknown(error) => LINK_REDIRECT_URI.skipped(format!("It could not be checked: {error}.")),
    }
}

/// `nothing_else`: whether products, countries and redirect URI were accepted, so that the refusal has no other cause.
fn settings(refused: Vec<&str>, reasons: &[String], refusal: &ApiError, nothing_else: bool) -> Finding {
    match (refused.is_empty(), nothing_else) {
        (true, false) => LINK_SETTINGS.ok("Plaid accepts language and customization; the other failures name the cause."),
        (true, true) => LINK_SETTINGS.failed(
            format!("Plaid accepts each setting alone, but not all of them together ({}).", describe(refusal)),
            "Compare the product lists with https://plaid.com/docs/link/initializing-products/: some products cannot be \
             combined.",
        ),
        (false, _) => {
            let named = names(refused);
            LINK_SETTINGS.failed(
                format!("Plaid refuses {named} ({}).", reasons.join("; ")),
                format!(
                    "Correct or remove {named}: a customization must exist in your Plaid dashboard and have PLAID_LANGUAGE."
                ),
            )
        }
    }
}
