//! Where a request comes from, by the browser's own word (Fetch Metadata).

use http::{HeaderMap, HeaderValue};
use thiserror::Error;

/// Another site's page sent the request, or another port's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the request came from another site")]
pub struct CrossSite;

/// A page's own calls and forms come from our own origin alone. Browsers say so on https and on loopback; where they say
/// nothing, the caller's token of its page is what proves it.
pub fn refuse_cross_site(headers: &HeaderMap) -> Result<(), CrossSite> {
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        None | Some(b"same-origin") => Ok(()),
        Some(_) => Err(CrossSite),
    }
}
