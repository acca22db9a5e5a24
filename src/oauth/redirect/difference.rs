//! In which way two redirect URIs differ, in words: the usual mistakes by their names.

use url::Url;

/// How `sent` differs from `listed`, as the end of a sentence that begins with "the redirect URI".
#[must_use]
pub fn difference(sent: &str, listed: &str) -> String {
    if sent.strip_suffix('/') == Some(listed) {
        return "ended with a slash that the one on the list does not have".to_owned();
    }
    if listed.strip_suffix('/') == Some(sent) {
        return "ended without the slash that the one on the list has".to_owned();
    }
    if sent.trim() != sent {
        return "has a blank at its beginning or end".to_owned();
    }
    let (Ok(a), Ok(b)) = (Url::parse(sent), Url::parse(listed)) else {
        return "is no complete address".to_owned();
    };
    let mut parts: Vec<String> = Vec::new();
    if a.scheme() != b.scheme() {
        parts.push(format!(
            "begins with {}: and not with {}:",
            a.scheme(),
            b.scheme()
        ));
    }
    if a.host_str() != b.host_str() {
        let host = |url: &Url| url.host_str().unwrap_or("nothing").to_owned();
        // It has a callback host for each of its regions.
        let why = if is_kore(&a) && is_kore(&b) {
            " (Kore.ai has one for each region)"
        } else {
            ""
        };
        parts.push(format!("has the host {} and not {}{why}", host(&a), host(&b)));
    } else if a.scheme() == b.scheme() && a.port_or_known_default() != b.port_or_known_default() {
        parts.push("has another port".to_owned());
    }
    if a.path() != b.path() {
        let text = if a.path().eq_ignore_ascii_case(b.path()) {
            "has its path in other upper and lower case"
        } else if a.path().trim_end_matches('/') == b.path().trim_end_matches('/') {
            "differs in the slash at its end"
        } else {
            "has another path"
        };
        parts.push(text.to_owned());
    }
    if a.query() != b.query() {
        parts.push("has another query (what follows the question mark)".to_owned());
    }
    if a.fragment().is_some() {
        parts.push("has a fragment (#)".to_owned());
    }
    if parts.is_empty() {
        // The same address, spelt otherwise.
        parts.push("is written in another way (upper and lower case, a port, or %-escapes)".to_owned());
    }
    parts.join(", and ")
}

/// Whether this is an address of Kore.ai.
#[must_use]
pub fn is_kore(url: &Url) -> bool {
    url.domain().is_some_and(|host| {
        ["kore.ai", "kore.com"]
            .iter()
            .any(|domain| host == *domain || host.strip_suffix(domain).is_some_and(|sub| sub.ends_with('.')))
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    const LISTED: &str = "https://idp.kore.com/workflows/callback";

    #[test]
    fn each_usual_mistake_has_its_words() {
        for (sent, words) in [
            ("https://idp.kore.com/workflows/callback/", "ended with a slash"),
            (
                "http://idp.kore.com/workflows/callback",
                "begins with http: and not with https:",
            ),
            (
                "https://idp.kore.ai/workflows/callback",
                "has the host idp.kore.ai and not idp.kore.com (Kore.ai",
            ),
            (
                "https://de-bots-idp.kore.ai/workflows/callback",
                "one for each region",
            ),
            ("https://idp.kore.com/Workflows/callback", "upper and lower case"),
            ("https://idp.kore.com/workflows", "has another path"),
            ("https://idp.kore.com/workflows/callback?x=1", "has another query"),
            ("https://idp.kore.com:8443/workflows/callback", "has another port"),
            (
                "https://IDP.kore.com/workflows/callback",
                "is written in another way",
            ),
            ("https://idp.kore.com/workflows/callback#top", "has a fragment"),
            (" https://idp.kore.com/workflows/callback", "has a blank"),
            ("idp.kore.com/workflows/callback", "is no complete address"),
            (
                "http://evil.example/",
                "begins with http: and not with https:, and has the host evil.example",
            ),
        ] {
            let told = difference(sent, LISTED);
            assert!(told.contains(words), "{sent}: {told}");
        }
        let told = difference(LISTED, "https://idp.kore.com/workflows/callback/");
        assert_eq!(told, "ended without the slash that the one on the list has");
    }

    #[test]
    fn only_kore_is_kore() {
        let is = |text: &str| is_kore(&Url::parse(text).unwrap());
        assert!(is("https://idp.kore.com/x") && is("https://kore.ai/"));
        assert!(
            !is("https://kore.ai.evil.example/") && !is("https://evilkore.ai/") && !is("https://10.0.0.1/")
        );
    }
}
