//! Content-Security-Policies of pages without Link. `frame-ancestors` comes last (see `headers`).

/// The policy of a page without Link: our own style, script and images.
#[must_use]
pub fn plain_page() -> &'static str {
    "default-src 'none'; base-uri 'none'; form-action 'none'; img-src 'self'; script-src 'self'; style-src 'self'; \
     frame-ancestors 'none'"
}

/// The policy of an administration page: also its own forms, and its script's calls to ourselves.
#[must_use]
pub fn form_page() -> &'static str {
    "default-src 'none'; base-uri 'none'; form-action 'self'; connect-src 'self'; img-src 'self'; script-src 'self'; \
     style-src 'self'; frame-ancestors 'none'"
}
