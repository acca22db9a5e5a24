//! `scope` narrows the configured products. Names that are no Plaid products are ignored, and the granted scope is
//! told (RFC 6749 3.3); when only products were asked for that are not configured, nothing is left to grant.

use crate::config::ProductLists;
use crate::plaid;

/// No product is left: `invalid_scope`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NothingLeft;

/// The products that `scope` narrows a transaction to; `None`: all that are configured for the client.
///
/// `allowed` are the products that the client may ask for (`None`: all that are configured).
pub fn narrow(
    scope: Option<&str>,
    allowed: Option<&[String]>,
    lists: &ProductLists,
    is_product: impl Fn(&str) -> bool,
) -> Result<Option<Vec<String>>, NothingLeft> {
    let asked: Vec<String> = scope
        .unwrap_or_default()
        .split(' ')
        .filter(|name| is_product(name))
        .map(str::to_owned)
        .collect();
    let wanted = match (asked.is_empty(), allowed) {
        (true, None) => return Ok(None),
        (true, Some(allowed)) => allowed.to_vec(),
        (false, None) => asked,
        (false, Some(allowed)) => asked.into_iter().filter(|name| allowed.contains(name)).collect(),
    };
    let narrowed = plaid::narrow(lists, &wanted).ok_or(NothingLeft)?;
    Ok(Some(names(&narrowed)))
}

/// Every configured product, strongest list first: the granted scope of a transaction.
#[must_use]
pub fn names(lists: &ProductLists) -> Vec<String> {
    [
        &lists.products,
        &lists.required_if_supported,
        &lists.optional,
        &lists.additional_consented,
    ]
    .into_iter()
    .flatten()
    .cloned()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists() -> ProductLists {
        ProductLists {
            products: vec!["auth".to_owned(), "transactions".to_owned()],
            optional: vec!["identity".to_owned()],
            ..ProductLists::default()
        }
    }

    fn is_product(name: &str) -> bool {
        ["auth", "transactions", "identity", "assets"].contains(&name)
    }

    fn asked(scope: &str) -> Result<Option<Vec<String>>, NothingLeft> {
        narrow(Some(scope), None, &lists(), is_product)
    }

    #[test]
    fn known_products_narrow_and_unknown_words_are_ignored() {
        assert_eq!(narrow(None, None, &lists(), is_product), Ok(None));
        assert_eq!(asked("openid offline_access"), Ok(None));
        assert_eq!(
            asked("openid auth identity"),
            Ok(Some(vec!["auth".to_owned(), "identity".to_owned()]))
        );
        assert_eq!(asked("assets"), Err(NothingLeft));
        assert_eq!(asked("assets auth"), Ok(Some(vec!["auth".to_owned()])));
    }

    #[test]
    fn a_client_is_kept_to_its_own_products() {
        let own = vec!["auth".to_owned()];
        assert_eq!(
            narrow(None, Some(&own), &lists(), is_product),
            Ok(Some(own.clone()))
        );
        assert_eq!(
            narrow(Some("transactions"), Some(&own), &lists(), is_product),
            Err(NothingLeft)
        );
    }
}
