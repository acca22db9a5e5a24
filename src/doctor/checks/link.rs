//! Link: one token as the settings have it, and when Plaid refuses that, one thing at a time until the cause has a name.

mod asking;

use super::context::Context;
use super::finding::{COUNTRIES, Finding, LINK_REDIRECT_URI, LINK_SETTINGS, PRODUCTS_ENABLED};
use super::plaid::code;
use super::tell::{Tell, names};
use crate::config::{LinkConfig, ProductLists};
use crate::plaid::ApiError;
pub(super) use asking::{Asking, Made};
use asking::{Extra, Outcome};

const DASHBOARD: &str = "https://dashboard.plaid.com/developers/api";

/// `whole`: what came of the token as the settings have it.
pub(super) async fn check(context: &Context, tell: &Tell<'_>, whole: Made) {
    let link = &context.config.link;
    match Outcome::of(whole) {
        Outcome::Taken => {
            tell.say(PRODUCTS_ENABLED.ok(format!(
                "{}.",
                names(all(&link.products).map(|(_, product)| product))
            )));
            tell.say(countries_ok(link));
            tell.say(LINK_SETTINGS.ok("Plaid made a link token with exactly these."));
            tell.say(redirect_uri_ok(context));
        }
        Outcome::Refused(error) => search(context, tell, &error).await,
        Outcome::Unknown(error) => {
            for check in [PRODUCTS_ENABLED, COUNTRIES, LINK_SETTINGS, LINK_REDIRECT_URI] {
                tell.say(check.skipped(format!("It is not known today: {error}.")));
            }
        }
    }
}

/// Each listed product with the setting it stands in.
fn all(lists: &ProductLists) -> impl Iterator<Item = (&'static str, &str)> {
    [
        ("PLAID_PRODUCTS", &lists.products),
        (
            "PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS",
            &lists.required_if_supported,
        ),
        ("PLAID_OPTIONAL_PRODUCTS", &lists.optional),
        ("PLAID_ADDITIONAL_CONSENTED_PRODUCTS", &lists.additional_consented),
    ]
    .into_iter()
    .flat_map(|(name, list)| list.iter().map(move |product| (name, product.as_str())))
}

fn countries_ok(link: &LinkConfig) -> Finding {
    COUNTRIES.ok(format!(
        "{}.",
        names(link.country_codes.iter().map(String::as_str))
    ))
}

fn redirect_uri_ok(context: &Context) -> Finding {
    let own = format!("{}/link/return", context.public_url);
    match &context.config.link.redirect_uri {
        Some(uri) => LINK_REDIRECT_URI.ok(format!("Plaid knows {uri}.")),
        None if context.is_production() => LINK_REDIRECT_URI.warning(
            "PLAID_LINK_REDIRECT_URI is not set: banks with a login of their own may fail on phones and in apps.",
            format!("Add {own} to the allowed redirect URIs at {DASHBOARD}, then set PLAID_LINK_REDIRECT_URI={own}."),
        ),
        None => LINK_REDIRECT_URI
            .skipped("PLAID_LINK_REDIRECT_URI is not set; production wants it for banks with a login of their own."),
    }
}

/// The whole was refused with `refusal`: the parts are tried alone.
async fn search(context: &Context, tell: &Tell<'_>, refusal: &ApiError) {
    let asking = Asking::new(context);
    let link = &context.config.link;
    let (taken, countries) = products_and_countries(&asking, tell).await;
    let Some(product) = taken else {
        let why = "No product was taken alone, so the rest could not be tried.";
        tell.say(LINK_SETTINGS.failed(
            format!(
                "Plaid refuses a link token with these settings ({}).",
                code(refusal)
            ),
            "Put the other failures right first, then check again.",
        ));
        tell.say(LINK_REDIRECT_URI.skipped(why));
        return;
    };
    let alone = || ProductLists {
        products: vec![product.clone()],
        ..ProductLists::default()
    };
    let base = Extra {
        countries: &countries,
        ..Extra::default()
    };
    let redirect = match &link.redirect_uri {
        None => true,
        Some(uri) => {
            let with = Extra {
                redirect_uri: Some(uri),
                ..base
            };
            let outcome = asking.outcome(alone(), with).await;
            let taken = outcome.is_taken();
            tell.say(redirect_uri(uri, outcome));
            taken
        }
    };
    if link.redirect_uri.is_none() {
        tell.say(redirect_uri_ok(context));
    }
    let all_products_taken = countries.len() == link.country_codes.len()
        && asking.outcome(link.products.clone(), base).await.is_taken();
    let mut wrong: Vec<(String, String)> = Vec::new();
    let customization = link.customization_name.as_deref();
    let parts = [
        (
            "PLAID_LANGUAGE",
            Extra {
                language: Some(&link.language),
                ..base
            },
            true,
        ),
        (
            "PLAID_LINK_CUSTOMIZATION_NAME",
            Extra {
                customization,
                ..base
            },
            customization.is_some(),
        ),
        (
            "PLAID_WEBHOOK_URL",
            Extra {
                webhook: link.webhook_url.as_deref(),
                ..base
            },
            link.webhook_url.is_some(),
        ),
    ];
    for (name, extra, _) in parts.into_iter().filter(|(.., is_set)| *is_set) {
        if let Outcome::Refused(error) = asking.outcome(alone(), extra).await {
            wrong.push((name.to_owned(), code(&error)));
        }
    }
    tell.say(settings(wrong, refusal, redirect && all_products_taken));
}

/// The first product that is taken alone, and the countries that are.
async fn products_and_countries(asking: &Asking<'_>, tell: &Tell<'_>) -> (Option<String>, Vec<String>) {
    let link = asking.link;
    let one = |product: &str| ProductLists {
        products: vec![product.to_owned()],
        ..ProductLists::default()
    };
    let first = link.products.products.first().cloned().unwrap_or_default();
    let mut good: Vec<String> = Vec::new();
    let mut bad: Vec<String> = Vec::new();
    let mut said = String::new();
    for country in &link.country_codes {
        let countries = std::slice::from_ref(country);
        let extra = Extra {
            countries,
            ..Extra::default()
        };
        match asking.outcome(one(&first), extra).await {
            Outcome::Refused(error) if error.error_code == "INVALID_FIELD" => {
                said = code(&error);
                bad.push(country.clone());
            }
            _ => good.push(country.clone()),
        }
    }
    if bad.is_empty() {
        tell.say(countries_ok(link));
    } else {
        tell.say(COUNTRIES.failed(
            format!(
                "Plaid does not take {} ({said}).",
                names(bad.iter().map(String::as_str))
            ),
            "Remove it from PLAID_COUNTRY_CODES, or ask Plaid to enable it for your account.",
        ));
    }
    if good.is_empty() {
        tell.say(PRODUCTS_ENABLED.skipped("It takes a country that Plaid takes to find out."));
        return (None, good);
    }
    let extra = Extra {
        countries: &good,
        ..Extra::default()
    };
    let mut taken: Option<String> = None;
    let mut refused: Vec<(&str, &str, String)> = Vec::new();
    let mut unknown: Vec<&str> = Vec::new();
    for (setting, product) in all(&link.products) {
        match asking.outcome(one(product), extra).await {
            Outcome::Taken => taken = taken.or_else(|| Some(product.to_owned())),
            Outcome::Refused(error) => refused.push((setting, product, code(&error))),
            Outcome::Unknown(_) => unknown.push(product),
        }
    }
    tell.say(products(&refused, &unknown, link));
    (taken, good)
}

fn products(refused: &[(&str, &str, String)], unknown: &[&str], link: &LinkConfig) -> Finding {
    let Some((_, _, said)) = refused.first() else {
        if unknown.is_empty() {
            return PRODUCTS_ENABLED.ok(format!(
                "{}.",
                names(all(&link.products).map(|(_, product)| product))
            ));
        }
        return PRODUCTS_ENABLED.skipped(format!(
            "Plaid gave no answer for {}.",
            names(unknown.iter().copied())
        ));
    };
    let removals: Vec<String> = refused
        .iter()
        .map(|(setting, product, _)| format!("{product} from {setting}"))
        .collect();
    PRODUCTS_ENABLED.failed(
        format!(
            "Plaid refuses {} ({said}).",
            names(refused.iter().map(|(_, product, _)| *product))
        ),
        format!(
            "Ask for access at https://dashboard.plaid.com/settings/team/products, or remove {}.",
            names(removals.iter().map(String::as_str))
        ),
    )
}

fn redirect_uri(uri: &str, outcome: Outcome) -> Finding {
    match outcome {
        Outcome::Taken => LINK_REDIRECT_URI.ok(format!("Plaid knows {uri}.")),
        Outcome::Refused(error) => LINK_REDIRECT_URI.failed(
            format!(
                "Plaid does not know PLAID_LINK_REDIRECT_URI {uri} ({}).",
                code(&error)
            ),
            format!(
                "Add exactly {uri} to the allowed redirect URIs at {DASHBOARD}, or leave the setting empty."
            ),
        ),
        Outcome::Unknown(error) => LINK_REDIRECT_URI.skipped(format!("It is not known today: {error}.")),
    }
}

/// `nothing_else`: whether products and redirect URI were taken, so that the refusal has no other cause.
fn settings(wrong: Vec<(String, String)>, refusal: &ApiError, nothing_else: bool) -> Finding {
    if wrong.is_empty() && !nothing_else {
        return LINK_SETTINGS.ok("Language and customization are taken; the other failures say what is not.");
    }
    if wrong.is_empty() {
        return LINK_SETTINGS.failed(
            format!("Plaid takes each setting alone, but not all of them together ({}).", code(refusal)),
            "Compare the product lists with https://plaid.com/docs/link/initializing-products/: some products do not go \
             together.",
        );
    }
    let (names_, said): (Vec<String>, Vec<String>) = wrong.into_iter().unzip();
    let named = names(names_.iter().map(String::as_str));
    LINK_SETTINGS.failed(
        format!("Plaid refuses {named} ({}).", said.join("; ")),
        format!("Correct or remove {named}: a customization must exist in your Plaid dashboard and have PLAID_LANGUAGE."),
    )
}
