//! What products mean for a link token: which lists are sent, and what single products need beside them.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::types::StatementsRange;
use crate::clock::Timestamp;
use crate::config::ProductLists;

/// The longest history that `statements` can be asked for, in days
/// (<https://plaid.com/docs/api/link/#linktokencreate>).
const MAX_HISTORY_DAYS: i64 = 730;

/// The product part of a `/link/token/create` request.
#[derive(Debug)]
pub struct LinkProducts {
    /// The four lists.
    pub lists: ProductLists,
    /// With `statements` in any list.
    pub statements: Option<StatementsRange>,
}

impl LinkProducts {
    /// The product part for these lists, today.
    #[must_use]
    pub fn new(lists: ProductLists, now: Timestamp) -> Self {
        let all = all(&lists);
        Self {
            statements: all.contains("statements").then(|| statements_until(now)),
            lists,
        }
    }
}

fn all(lists: &ProductLists) -> BTreeSet<&str> {
    [
        &lists.products,
        &lists.required_if_supported,
        &lists.optional,
        &lists.additional_consented,
    ]
    .into_iter()
    .flatten()
    .map(String::as_str)
    .collect()
}

fn statements_until(now: Timestamp) -> StatementsRange {
    let today = jiff::Timestamp::from_millisecond(now.as_millis())
        .unwrap_or_default()
        .to_zoned(TimeZone::UTC)
        .date();
    let start = today
        .checked_sub(jiff::Span::new().days(MAX_HISTORY_DAYS))
        .unwrap_or(Date::MIN);
    StatementsRange {
        start_date: start.to_string(),
        end_date: today.to_string(),
    }
}

/// Narrows the configured lists to the products that were asked for. `None` when no product is left that
/// Link could start with.
///
/// Plaid wants a non-empty `products` list: when only products of the weaker lists were asked for, they are
/// what the session is about and move there.
#[must_use]
pub fn narrow(lists: &ProductLists, wanted: &[String]) -> Option<ProductLists> {
    let keep = |list: &[String]| {
        list.iter()
            .filter(|p| wanted.contains(p))
            .cloned()
            .collect::<Vec<_>>()
    };
    let mut narrowed = ProductLists {
        products: keep(&lists.products),
        required_if_supported: keep(&lists.required_if_supported),
        optional: keep(&lists.optional),
        additional_consented: keep(&lists.additional_consented),
    };
    if narrowed.products.is_empty() {
        let stronger = [
            &mut narrowed.required_if_supported,
            &mut narrowed.optional,
            &mut narrowed.additional_consented,
        ];
        let first = stronger.into_iter().find(|list| !list.is_empty())?;
        narrowed.products = std::mem::take(first);
    }
    Some(narrowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|&n| n.to_owned()).collect()
    }

    #[test]
    fn statements_get_their_two_years() {
        let lists = ProductLists {
            products: list(&["statements"]),
            ..ProductLists::default()
        };
        let products = LinkProducts::new(lists, Timestamp::from_millis(1_795_000_000_000));
        assert_eq!(
            products.statements,
            Some(StatementsRange {
                start_date: "2024-11-18".to_owned(),
                end_date: "2026-11-18".to_owned()
            })
        );
    }

    #[test]
    fn narrowing_keeps_the_lists_apart_and_never_leaves_products_empty() {
        let lists = ProductLists {
            products: list(&["auth", "transactions"]),
            optional: list(&["identity"]),
            ..ProductLists::default()
        };
        let auth = narrow(&lists, &list(&["auth", "identity"])).unwrap_or_default();
        assert_eq!(
            (auth.products, auth.optional),
            (list(&["auth"]), list(&["identity"]))
        );
        let identity = narrow(&lists, &list(&["identity"])).unwrap_or_default();
        assert_eq!(
            (identity.products, identity.optional),
            (list(&["identity"]), vec![])
        );
        assert_eq!(narrow(&lists, &list(&["assets"])), None);
    }
}
