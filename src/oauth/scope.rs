//! `scope` narrows the configured products.
//!
//! Clients write the parameter in many ways, so reading it deviates from RFC 6749 3.3: names are separated by any mix of
//! whitespace, commas and semicolons, and their letter case is ignored. A scope in which nothing is understood is refused,
//! because it must not grant more than one that is.

use thiserror::Error;

use crate::config::ProductLists;
use crate::plaid;

/// All names of Plaid's products together are shorter. In bytes.
const MAX_SCOPE: usize = 1024;

/// Scopes of `OpenID` Connect Core (5.4, 11) that clients send by convention. They name no product and are ignored.
const CONVENTIONAL: [&str; 5] = ["openid", "email", "phone", "address", "offline_access"];

/// Why a scope is refused with `invalid_scope`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ScopeError {
    /// Longer than [`MAX_SCOPE`].
    #[error("scope is longer than {MAX_SCOPE} bytes")]
    TooLong,
    /// A character outside of RFC 6749's `scope-token` that is no separator either.
    #[error("scope has a character that RFC 6749 3.3 does not allow: send product names separated by spaces")]
    Character,
    /// No name is left that could be granted.
    #[error(
        "scope names no Plaid product that is configured for this client: send such names, or no scope for all of them"
    )]
    NothingLeft,
}

/// The products that `scope` narrows a transaction to; `None`: all that are configured.
///
/// `allowed` are the products that the client may ask for (`None`: all that are configured).
pub fn narrow(
    scope: Option<&str>,
    allowed: Option<&[String]>,
    lists: &ProductLists,
) -> Result<Option<Vec<String>>, ScopeError> {
    let (granted, ignored) = read(scope.unwrap_or_default(), allowed, lists)?;
    let wanted = match allowed {
        _ if !granted.is_empty() => granted,
        _ if !ignored.is_empty() => return Err(ScopeError::NothingLeft),
        None => return Ok(None),
        Some(allowed) => allowed.to_vec(),
    };
    let narrowed = plaid::narrow(lists, &wanted).ok_or(ScopeError::NothingLeft)?;
    let granted = names(&narrowed);
    // In the order of the settings, whichever list each product is sent in.
    let in_order = names(lists).into_iter().filter(|name| granted.contains(name));
    Ok(Some(in_order.collect()))
}

/// The names in a scope that are neither conventional nor can be granted, in lower case.
#[must_use]
pub fn ignored(scope: &str, allowed: Option<&[String]>, lists: &ProductLists) -> Vec<String> {
    read(scope, allowed, lists).unwrap_or_default().1
}

/// The names in a scope that are not conventional, in lower case: those that can be granted, and the others.
fn read(
    scope: &str,
    allowed: Option<&[String]>,
    lists: &ProductLists,
) -> Result<(Vec<String>, Vec<String>), ScopeError> {
    if scope.len() > MAX_SCOPE {
        return Err(ScopeError::TooLong);
    }
    let mut words: Vec<String> = scope
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'))
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let is_token = |word: &String| {
        word.bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\'))
    };
    if !words.iter().all(is_token) {
        return Err(ScopeError::Character);
    }
    let configured = names(lists);
    // `profile` is a product of Plaid's too.
    let is_product = |word: &String| configured.contains(word);
    let is_openid = words.iter().any(|word| word == "openid");
    words.retain(|word| {
        let conventional = CONVENTIONAL.contains(&word.as_str());
        !conventional && (word != "profile" || (is_product(word) && !is_openid))
    });
    Ok(words
        .into_iter()
        .partition(|word| is_product(word) && allowed.is_none_or(|allowed| allowed.contains(word))))
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
    use proptest::prelude::*;

    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn lists() -> ProductLists {
        ProductLists {
            products: owned(&["auth", "transactions"]),
            optional: owned(&["identity"]),
            ..ProductLists::default()
        }
    }

    fn asked(scope: &str) -> Result<Option<Vec<String>>, ScopeError> {
        narrow(Some(scope), None, &lists())
    }

    #[test]
    fn separators_and_letter_case_do_not_matter() {
        for scope in [
            "auth transactions",
            "auth,transactions",
            "auth;transactions",
            "AUTH, Transactions",
            " transactions\t;\r\n,auth ",
            "auth\u{a0}transactions",
            "auth auth transactions",
        ] {
            assert_eq!(
                asked(scope),
                Ok(Some(owned(&["auth", "transactions"]))),
                "{scope:?}"
            );
        }
    }

    #[test]
    fn conventional_names_alone_ask_for_the_default() {
        assert_eq!(narrow(None, None, &lists()), Ok(None));
        for scope in [
            "",
            " ",
            ",;",
            "openid",
            "openid profile email",
            "OpenID Profile offline_access",
            "profile",
            "email,phone,address",
        ] {
            assert_eq!(asked(scope), Ok(None), "{scope:?}");
        }
        assert_eq!(
            asked("openid auth identity"),
            Ok(Some(owned(&["auth", "identity"])))
        );
    }

    #[test]
    fn profile_is_a_product_where_it_is_configured_and_openid_is_absent() {
        let lists = ProductLists {
            products: owned(&["auth", "profile"]),
            ..ProductLists::default()
        };
        let of = |scope| narrow(Some(scope), None, &lists);
        assert_eq!(of("profile"), Ok(Some(owned(&["profile"]))));
        assert_eq!(of("email Profile"), Ok(Some(owned(&["profile"]))));
        assert_eq!(of("openid profile"), Ok(None));
        assert_eq!(of("openid profile auth"), Ok(Some(owned(&["auth"]))));
    }

    #[test]
    fn a_scope_of_unknown_names_grants_nothing() {
        for scope in [
            "assets",
            "transaction",
            "read write",
            "openid read",
            "auth+transactions",
            "auth|identity",
        ] {
            assert_eq!(asked(scope), Err(ScopeError::NothingLeft), "{scope:?}");
        }
        assert_eq!(asked("assets read auth"), Ok(Some(owned(&["auth"]))));
        let noted = ignored("openid Assets read auth", None, &lists());
        assert_eq!(noted, owned(&["assets", "read"]));
    }

    #[test]
    fn characters_and_length_have_bounds() {
        for scope in [
            "\"auth\"",
            "[\"auth\"]",
            "auth\\",
            "auth\0",
            "auth é",
            "\u{202e}auth",
        ] {
            assert_eq!(asked(scope), Err(ScopeError::Character), "{scope:?}");
        }
        let long = "auth ".repeat(300);
        assert_eq!(asked(&long), Err(ScopeError::TooLong));
        assert_eq!(
            asked(long.get(..MAX_SCOPE).unwrap_or_default()),
            Ok(Some(owned(&["auth"])))
        );
    }

    #[test]
    fn a_client_is_kept_to_its_own_products() {
        let own = owned(&["auth"]);
        let of = |scope| narrow(scope, Some(&own), &lists());
        assert_eq!(of(None), Ok(Some(own.clone())));
        assert_eq!(of(Some("openid")), Ok(Some(own.clone())));
        assert_eq!(of(Some("transactions,auth")), Ok(Some(own.clone())));
        assert_eq!(of(Some("transactions")), Err(ScopeError::NothingLeft));
        assert_eq!(
            ignored("transactions auth", Some(&own), &lists()),
            owned(&["transactions"])
        );
    }

    /// Names as clients write them: of configured products, of convention, and others.
    fn word() -> impl Strategy<Value = String> {
        let known = prop::sample::select(vec![
            "auth",
            "Transactions",
            "IDENTITY",
            "openid",
            "email",
            "profile",
            "offline_access",
            "assets",
            "read",
        ]);
        prop_oneof![known.prop_map(str::to_owned), "[!-~]{1,12}", any::<String>()]
    }

    proptest! {
        /// Whatever is sent: what is granted was named, and everything is granted only where nothing but convention was.
        #[test]
        fn a_scope_grants_nothing_that_it_does_not_name(
            words in prop::collection::vec((word(), "[ ,;\t\n]{1,3}"), 0..12),
        ) {
            let scope: String = words.iter().flat_map(|(word, after)| [word.as_str(), after]).collect();
            let separator = |c: char| c.is_whitespace() || c == ',' || c == ';';
            let sent: Vec<String> = scope
                .split(separator)
                .filter(|word| !word.is_empty())
                .map(str::to_ascii_lowercase)
                .collect();
            let conventional = |word: &String| CONVENTIONAL.contains(&word.as_str()) || word == "profile";
            match asked(&scope) {
                Ok(None) => prop_assert!(sent.iter().all(conventional), "{scope:?}"),
                Ok(Some(granted)) => {
                    prop_assert!(!granted.is_empty());
                    prop_assert!(granted.iter().all(|name| sent.contains(name)), "{scope:?}: {granted:?}");
                    let named = names(&lists()).into_iter().filter(|name| sent.contains(name));
                    prop_assert_eq!(named.collect::<Vec<_>>(), granted);
                }
                Err(error) => {
                    prop_assert!(!sent.iter().all(conventional), "{scope:?}");
                    let known = names(&lists()).iter().any(|name| sent.contains(name));
                    prop_assert!(!known || error != ScopeError::NothingLeft, "{scope:?}");
                }
            }
        }
    }
}
