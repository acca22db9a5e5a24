//! The Dashboard's list of allowed redirect URIs: <https://plaid.com/docs/link/oauth/#create-and-register-a-redirect-uri>.

use crate::spec::Guesses;
use crate::spec::guesses::ListWildcards;

/// Whether an entry of the list allows this address: it is the same, or has `*` in place of a subdomain.
pub(crate) fn allows(list: &[String], uri: &str, guesses: &Guesses) -> bool {
    list.iter()
        .any(|entry| entry == uri || by_wildcard(entry, uri, guesses.list_wildcards))
}

fn by_wildcard(entry: &str, uri: &str, wildcards: ListWildcards) -> bool {
    let Some((scheme, rest)) = entry.split_once("://*") else {
        return false;
    };
    let subdomain = uri
        .strip_prefix(scheme)
        .and_then(|uri| uri.strip_prefix("://"))
        .and_then(|uri| uri.strip_suffix(rest))
        .filter(|_| rest.starts_with('.'));
    let Some(subdomain) = subdomain else {
        return false;
    };
    // Nothing but a name: what begins a path, a port or a user would lead to another host.
    let mut labels = subdomain.split('.');
    let named = labels.clone().all(|label| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    });
    named && (wildcards == ListWildcards::AnyLabels || labels.nth(1).is_none())
}
