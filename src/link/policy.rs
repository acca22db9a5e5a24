//! The Link page's Content-Security-Policy, after <https://plaid.com/docs/link/web/#content-security-policy-csp>:
//! Link's script and frame come from `cdn.plaid.com` alone, and in the simulator everything comes from ourselves.

use crate::http::pages::PageEnvironment;

const CDN: &str = "https://cdn.plaid.com/";

/// The policy of a page that runs Link. `frame-ancestors` stands last (see `middleware::headers`).
pub(super) fn of_link_page(environment: PageEnvironment, nonce: &str) -> String {
    let (default, script, frame, connect) = match environment {
        PageEnvironment::Simulator => ("'none'".to_owned(), String::new(), "'self'", "'self'".to_owned()),
        real => {
            let api = match real {
                PageEnvironment::Production => "https://production.plaid.com/",
                _ => "https://sandbox.plaid.com/",
            };
            (
                CDN.to_owned(),
                format!(" {}", real.link_script()),
                CDN,
                format!("'self' {api}"),
            )
        }
    };
    format!(
        "default-src {default}; base-uri 'none'; form-action 'none'; object-src 'none'; img-src 'self' data:; \
         script-src 'self' 'nonce-{nonce}'{script}; style-src 'self' 'nonce-{nonce}'; style-src-elem 'self' \
         'nonce-{nonce}'; style-src-attr 'unsafe-inline'; frame-src {frame}; connect-src {connect}; \
         frame-ancestors 'none'"
    )
}

/// The policy of the one page that may be framed by anybody: it holds a link and no cookie.
pub(super) const FRAMED_PAGE: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; img-src 'self'; style-src 'self'; frame-ancestors *";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plaid_is_named_in_the_real_environments_alone() {
        assert!(!of_link_page(PageEnvironment::Simulator, "n").contains("plaid.com"));
        let sandbox = of_link_page(PageEnvironment::Sandbox, "n");
        assert!(sandbox.contains("frame-src https://cdn.plaid.com/;"), "{sandbox}");
        assert!(
            sandbox.contains("connect-src 'self' https://sandbox.plaid.com/;"),
            "{sandbox}"
        );
        let production = of_link_page(PageEnvironment::Production, "n");
        assert!(
            production.contains("connect-src 'self' https://production.plaid.com/;"),
            "{production}"
        );
        assert!(
            !production.contains("script-src 'self' 'nonce-n' 'unsafe"),
            "{production}"
        );
    }
}
