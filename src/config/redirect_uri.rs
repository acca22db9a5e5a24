//! What may be a redirect URI of a client.

use url::Url;

use super::address;
use super::client::ClientKind;

/// RFC 6749 3.1.2: absolute and without a fragment; RFC 9700 2.1: compared exactly, so no wildcards. The error says
/// what to write instead.
pub(super) fn redirect_uri(text: &str) -> Result<Url, String> {
    without_wildcard_and_quotes(text)?;
    address::secure_url(text)
}

/// The same for a client of this kind: a public one may also have a private-use scheme in reverse-domain form (RFC 8252,
/// 7.1), such as `com.example.app:/callback`. Its dot keeps out every scheme that a browser gives a meaning to.
pub fn redirect_uri_of(kind: &ClientKind, text: &str) -> Result<Url, String> {
    match (kind, text.split_once(':')) {
        (ClientKind::Public, Some((scheme, rest))) if !is_http(scheme) => {
            without_wildcard_and_quotes(text)?;
            private_use_url(text, scheme, rest)
        }
        _ => redirect_uri(text),
    }
}

fn is_http(scheme: &str) -> bool {
    ["http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
}

fn private_use_url(text: &str, scheme: &str, rest: &str) -> Result<Url, String> {
    let mut labels = scheme.split('.');
    // The top-level domain: it has letters alone.
    let is_domain = labels
        .next()
        .is_some_and(|first| first.len() >= 2 && first.bytes().all(|b| b.is_ascii_lowercase()));
    let is_label = |label: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !label.is_empty() && label.bytes().all(plain)
    };
    if !is_domain || !scheme.contains('.') || !labels.all(is_label) || !rest.starts_with('/') {
        return Err(
            "begin it with https:// (or http:// on this machine), or with a scheme that is a domain name of the app's \
             maker in reverse and in lower case, such as com.example.app:/callback"
                .to_owned(),
        );
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return Err("remove the spaces, backslashes and characters that are not ASCII".to_owned());
    }
    if text.contains(['#', '@']) {
        return Err("remove the # and the @: an app's callback has no fragment, user or password".to_owned());
    }
    Url::parse(text).map_err(|error| format!("write a whole address ({error})"))
}

fn without_wildcard_and_quotes(text: &str) -> Result<(), String> {
    if text.contains('*') {
        return Err(
            "write each callback URL out: they are compared exactly, so * is not understood".to_owned(),
        );
    }
    if text.contains(['"', '\'', '`', '“', '”', '‘', '’']) {
        return Err("remove the quotes".to_owned());
    }
    Ok(())
}
