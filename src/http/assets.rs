//! The pages' own assets: embedded in the binary, named by their content, cached for good.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::LazyLock;

use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::Routes;

/// How many hex digits of its SHA-256 stand in an asset's name.
const HASH_DIGITS: usize = 10;

/// The style of every page.
pub static PAGE_CSS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "page",
        "css",
        "text/css; charset=utf-8",
        include_bytes!("../../static/page.css"),
    )
});
/// The Link page's flow.
pub static LINK_JS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "link",
        "js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../static/link.js"),
    )
});
/// "Copy" buttons for the test login.
pub static COPY_JS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "copy",
        "js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../static/copy.js"),
    )
});
/// The icon in the browser's tab.
pub static FAVICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "favicon",
        "svg",
        "image/svg+xml",
        include_bytes!("../../static/favicon.svg"),
    )
});

/// The set-up page's own style.
pub static SETUP_CSS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "setup",
        "css",
        "text/css; charset=utf-8",
        include_bytes!("../../static/setup.css"),
    )
});
/// The set-up page's "Copy" buttons and times.
pub static SETUP_JS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "setup",
        "js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../static/setup.js"),
    )
});
/// The requests on the set-up page, as they come.
pub static SETUP_RECORD_JS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "setup-record",
        "js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../static/setup-record.js"),
    )
});
/// The checks and the rehearsal on the set-up page.
pub static SETUP_FINDINGS_JS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "setup-findings",
        "js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../static/setup-findings.js"),
    )
});

/// Everything that [`router`] serves.
static ALL: [&LazyLock<Asset>; 8] = [
    &PAGE_CSS,
    &LINK_JS,
    &COPY_JS,
    &FAVICON,
    &SETUP_CSS,
    &SETUP_JS,
    &SETUP_RECORD_JS,
    &SETUP_FINDINGS_JS,
];

/// A file of `static/`, ready to be sent.
#[derive(Debug)]
pub struct Asset {
    path: String,
    content_type: &'static str,
    plain: Bytes,
    gzip: Bytes,
}

impl Asset {
    fn new(stem: &str, extension: &str, content_type: &'static str, plain: &'static [u8]) -> Self {
        let path = format!("static/{stem}.{}.{extension}", hash(plain));
        Self {
            path,
            content_type,
            plain: Bytes::from_static(plain),
            gzip: compress(plain),
        }
    }

    /// Where it is, relative to the root of the site: `static/<stem>.<hash>.<extension>`. Another content
    /// has another path, so that it can be cached for good.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    fn response(&self, gzip: bool) -> Response {
        let mut response = if gzip { &self.gzip } else { &self.plain }
            .clone()
            .into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        );
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        if gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

/// Serves `GET /static/<stem>.<hash>.<extension>`; any other name under `/static/` is 404.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Routes<S> {
    Routes::default().get("/static/{file}", serve)
}

/// A name that is not even UTF-8 is not found either.
async fn serve(file: Result<Path<String>, PathRejection>, headers: HeaderMap) -> Response {
    let file = file.ok();
    let name = file.as_ref().map(|Path(name)| name.as_str());
    let found = name.and_then(|name| {
        ALL.iter()
            .find(|asset| asset.path.strip_prefix("static/") == Some(name))
    });
    match found {
        Some(asset) => asset.response(accepts_gzip(&headers)),
        // An old page may ask for a hash that this version no longer has; nobody is to remember the refusal.
        None => (
            StatusCode::NOT_FOUND,
            [(CACHE_CONTROL, "no-store")],
            "Not found\n",
        )
            .into_response(),
    }
}

/// Whether gzip is acceptable (RFC 9110 12.5.3): named, or covered by `*`, and not with weight 0. A client
/// that sends no `Accept-Encoding` gets the plain form, which everybody can read.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut any = false;
    for value in headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
    {
        for coding in value.split(',') {
            let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
            match name.trim() {
                name if name.eq_ignore_ascii_case("gzip") => return !is_refused(parameters),
                "*" => any = !is_refused(parameters),
                _ => {}
            }
        }
    }
    any
}

/// Whether the parameters of a coding say `q=0`.
fn is_refused(parameters: &str) -> bool {
    let weight = parameters
        .trim()
        .strip_prefix(['q', 'Q'])
        .and_then(|rest| rest.trim_start().strip_prefix('='));
    weight
        .and_then(|weight| weight.trim().parse::<f32>().ok())
        .is_some_and(|weight| weight <= 0.0)
}

fn hash(content: &[u8]) -> String {
    let mut hex = String::with_capacity(2 * HASH_DIGITS);
    for byte in Sha256::digest(content).iter().take(HASH_DIGITS / 2) {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// The content in gzip form, made once per process. Writing to a `Vec` cannot fail.
fn compress(content: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let _ = encoder.write_all(content);
    encoder.finish().unwrap_or_default().into()
}

#[cfg(test)]
mod tests;
