//! What products mean for a link token: which lists are sent, and what single products need beside them.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::types::StatementsRange;
use crate::clock::Timestamp;
use crate::config::ProductLists;

/// The longest history that `statements` can be asked for, in days
/// (<https://plaid.com/docs/api/link/#linktokencreate>).
const MAX_HISTORY_DAYS: i64 = 730;

#[derive(Debug)]
pub struct LinkProducts {
    pub lists: ProductLists,
    /// With `statements` in any list.
    pub statements: Option<StatementsRange>,
}

impl LinkProducts {
    #[must_use]
    pub fn new(lists: ProductLists, now: Timestamp) -> Self {
        Self {
            statements: lists.contains("statements").then(|| statements_until(now)),
            lists,
        }
    }
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
/// Each product stays in its list, with two exceptions. Plaid wants a non-empty `products` list: when it would be empty,
/// the product moves there that leaves the most accounts and banks to choose from. And `auth` leaves it when another
/// product stays there or when it would hide the accounts of another product that was asked for
/// ([`AuthFilter`](crate::config::AuthFilter)).
#[must_use]
pub fn narrow(lists: &ProductLists, wanted: &[String]) -> Option<ProductLists> {
    let keep = |list: &[String]| {
        list.iter()
            .filter(|p| wanted.contains(p))
            .cloned()
            .collect::<Vec<_>>()
    };
    let narrowed = ProductLists {
        products: keep(&lists.products),
        required_if_supported: keep(&lists.required_if_supported),
        optional: keep(&lists.optional),
        additional_consented: keep(&lists.additional_consented),
    };
    let as_configured = lists
        .all()
        .all(|product| wanted.iter().any(|wanted| wanted == product));
    let narrowed = narrowed.without_hidden_accounts(as_configured);
    (!narrowed.products.is_empty()).then_some(narrowed)
}

/// Whether an account of this type and subtype can have data of the product
/// (<https://plaid.com/docs/api/accounts/#account-type--product-support-matrix>).
#[must_use]
pub fn fits(product: &str, kind: &str, subtype: &str) -> bool {
    match product {
        "investments" | "investments_auth" => kind == "investment",
        "liabilities" => matches!(
            (kind, subtype),
            ("credit", "credit card" | "paypal") | ("loan", "mortgage" | "student")
        ),
        _ => true,
    }
}

/// Whether Link offers an account of this type and subtype
/// (<https://plaid.com/docs/api/link/#link-token-create-request-account-filters>).
#[must_use]
pub fn is_offered(lists: &ProductLists, kind: &str, subtype: &str) -> bool {
    let moves_money = kind == "depository" && matches!(subtype, "checking" | "savings" | "cash management");
    moves_money || !lists.offers_only_auth_accounts()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

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

    #[test]
    fn a_narrowed_scope_never_hides_the_accounts_that_it_asks_for() {
        let lists = |products: &[&str], required: &[&str], optional: &[&str]| ProductLists {
            products: list(products),
            required_if_supported: list(required),
            optional: list(optional),
            ..ProductLists::default()
        };
        let default = lists(
            &["transactions"],
            &["auth", "identity", "investments", "liabilities"],
            &[],
        );
        let guide = lists(
            &["auth", "transactions", "identity", "investments", "liabilities"],
            &[],
            &[],
        );
        for (configured, scope, expected) in [
            (
                &default,
                "auth investments",
                lists(&["investments"], &["auth"], &[]),
            ),
            (
                &default,
                "auth identity investments",
                lists(&["identity"], &["auth", "investments"], &[]),
            ),
            (
                &default,
                "auth transactions",
                lists(&["transactions"], &["auth"], &[]),
            ),
            (&default, "auth", lists(&["auth"], &[], &[])),
            (
                &guide,
                "auth investments",
                lists(&["investments"], &["auth"], &[]),
            ),
            (
                &guide,
                "auth transactions",
                lists(&["transactions"], &["auth"], &[]),
            ),
            (
                &lists(&["auth", "transactions"], &[], &[]),
                "auth transactions",
                lists(&["auth", "transactions"], &[], &[]),
            ),
            (
                &lists(&["auth"], &["liabilities"], &[]),
                "auth liabilities",
                lists(&["liabilities"], &["auth"], &[]),
            ),
            (
                &lists(&["transactions"], &["auth"], &["investments"]),
                "auth investments",
                lists(&["investments"], &["auth"], &[]),
            ),
        ] {
            let wanted: Vec<String> = scope.split(' ').map(str::to_owned).collect();
            assert_eq!(narrow(configured, &wanted), Some(expected), "{scope}");
        }
    }

    /// Any four lists that have no product in common, and any wish.
    fn lists_and_wish() -> impl Strategy<Value = (ProductLists, Vec<String>)> {
        const NAMES: [&str; 9] = [
            "auth",
            "transactions",
            "identity",
            "investments",
            "investments_auth",
            "liabilities",
            "assets",
            "income",
            "cra_base_report",
        ];
        // Each product: its list, if any, its place there, and whether it is wanted.
        vec((0..5_usize, any::<u8>(), any::<bool>()), NAMES.len()).prop_map(|places| {
            let mut lists = ProductLists::default();
            let mut named: Vec<_> = NAMES.iter().zip(places).collect();
            named.sort_by_key(|(_, (_, place, _))| *place);
            let mut wish = Vec::new();
            for (name, (list, _, wanted)) in named {
                match list {
                    0 => lists.products.push((*name).to_owned()),
                    1 => lists.required_if_supported.push((*name).to_owned()),
                    2 => lists.optional.push((*name).to_owned()),
                    3 => lists.additional_consented.push((*name).to_owned()),
                    _ => {}
                }
                if wanted {
                    wish.push((*name).to_owned());
                }
            }
            (lists, wish)
        })
    }

    fn sorted<'p>(products: impl Iterator<Item = &'p str>) -> Vec<&'p str> {
        let mut sorted: Vec<&str> = products.collect();
        sorted.sort_unstable();
        sorted
    }

    proptest! {
        #[test]
        fn narrowing_keeps_what_was_asked_for_and_every_account_that_it_needs(
            (lists, wish) in lists_and_wish()
        ) {
            let asked = sorted(lists.all().filter(|product| wish.iter().any(|wanted| wanted == product)));
            let Some(narrowed) = narrow(&lists, &wish) else {
                prop_assert!(asked.is_empty());
                return Ok(());
            };
            // Sorted, so that a product in two lists would be seen.
            prop_assert_eq!(sorted(narrowed.all()), asked);
            prop_assert!(!narrowed.products.is_empty());
            prop_assert!(narrowed.all().all(|product| narrowed.delivers(product)), "{:?}", narrowed);
            if narrowed.offers_only_auth_accounts() && !lists.offers_only_auth_accounts() {
                prop_assert_eq!(narrowed.products.len(), 1);
            }
            let again: Vec<String> = narrowed.all().map(str::to_owned).collect();
            prop_assert_eq!(narrow(&lists, &again), Some(narrowed));
        }
    }
}
