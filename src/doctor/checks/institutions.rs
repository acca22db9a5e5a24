//! How many institutions the product lists leave: Link offers those alone that support every one of `PLAID_PRODUCTS`
//! (<https://plaid.com/docs/link/initializing-products/>).

use std::time::Duration;

use super::context::Context;
use super::list::{Finding, INSTITUTIONS};
use crate::doctor::reporter::{Reporter, names};
use crate::plaid::PlaidError;

/// Products that are counted one by one.
const MAX_COUNTED: usize = 6;
const LIMIT: Duration = Duration::from_secs(45);

pub(super) async fn check(context: &Context, reporter: &Reporter<'_>) {
    reporter
        .within(LIMIT, INSTITUTIONS, async {
            count(context).await.unwrap_or_else(|error| match error.api() {
                Some(api) if api.error_type == "RATE_LIMIT_EXCEEDED" => INSTITUTIONS
                    .skipped("Plaid limits how often institutions are counted; check again in a minute."),
                _ => INSTITUTIONS.skipped(format!("They could not be counted: {error}.")),
            })
        })
        .await;
}

async fn count(context: &Context) -> Result<Finding, PlaidError> {
    let link = &context.config.link;
    let products = &link.products.products;
    let everywhere = total(context, &[]).await?;
    let left = total(context, products).await?;
    let countries = names(link.country_codes.iter().map(String::as_str));
    let found = format!(
        "Of {everywhere} institutions in {countries}, {left} support all of PLAID_PRODUCTS ({}).",
        names(products.iter().map(String::as_str))
    );
    // Half of them or more is what a choice of products costs everywhere.
    if left > 0 && left.saturating_mul(2) >= everywhere {
        return Ok(INSTITUTIONS.ok(found));
    }
    let mut each: Vec<(&String, u64)> = Vec::new();
    if products.len() > 1 {
        for product in products.iter().take(MAX_COUNTED) {
            each.push((product, total(context, std::slice::from_ref(product)).await?));
        }
    }
    let (found, fix) = advice(context, found, &each);
    Ok(if left == 0 {
        INSTITUTIONS.failed(found, fix)
    } else {
        INSTITUTIONS.warning(found, fix)
    })
}

/// Keeps the product that most institutions support, and names the list for the others.
fn advice(context: &Context, found: String, each: &[(&String, u64)]) -> (String, String) {
    // The first of those that are equal: the order of the list is the order of need. `auth` would hide accounts there.
    let candidates = each.iter().rev().filter(|(product, _)| *product != "auth");
    let best = candidates.max_by_key(|(_, count)| *count);
    let Some((kept, count)) = best else {
        let fix =
            "Choose another product, or other PLAID_COUNTRY_CODES: few institutions there support this one.";
        return (found, fix.to_owned());
    };
    let counted: Vec<String> = each
        .iter()
        .map(|(product, count)| format!("{product} {count}"))
        .collect();
    let found = format!("{found} One by one: {}.", counted.join(", "));
    let lists = context.config.link.products.with_only(kept);
    let fix = format!(
        "Keep in PLAID_PRODUCTS what you cannot do without and move the rest. {kept} alone leaves {count}:\n\
         PLAID_PRODUCTS={}\nPLAID_REQUIRED_IF_SUPPORTED_PRODUCTS={}\n\
         The second list is fetched (and billed) where the bank has it; in PLAID_OPTIONAL_PRODUCTS a product never stops a \
         connection.",
        lists.products.join(","),
        lists.required_if_supported.join(",")
    );
    (found, fix)
}

async fn total(context: &Context, products: &[String]) -> Result<u64, PlaidError> {
    let countries = &context.config.link.country_codes;
    context.plaid.institutions_total_lately(countries, products).await
}
