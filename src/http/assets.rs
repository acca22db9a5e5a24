//! The pages' own assets: embedded in the binary, named by their content, cached for good.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::Routes;

macro_rules! assets {
    ($($name:ident = $stem:literal, $extension:literal, $content_type:literal;)*) => {
        $(pub static $name: LazyLock<Asset> = LazyLock::new(|| Asset::new($stem, $extension, $content_type,
            include_bytes!(concat!("../../static/", $stem, ".", $extension))));)*
        static ALL: &[&LazyLock<Asset>] = &[$(&$name),*];
    };
}

assets! {
    PAGE_CSS = "page", "css", "text/css; charset=utf-8";
    LINK_JS = "link", "js", "text/javascript; charset=utf-8";
    COPY_JS = "copy", "js", "text/javascript; charset=utf-8";
    FAVICON = "favicon", "svg", "image/svg+xml";
    SETUP_CSS = "setup", "css", "text/css; charset=utf-8";
    SETUP_JS = "setup", "js", "text/javascript; charset=utf-8";
    SETUP_RECORD_JS = "setup-record", "js", "text/javascript; charset=utf-8";
    SETUP_FINDINGS_JS = "setup-findings", "js", "text/javascript; charset=utf-8";
}

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
        let headers = [
            (CONTENT_TYPE, self.content_type),
            (CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (VARY, "Accept-Encoding"),
        ];
        if gzip {
            (headers, [(CONTENT_ENCODING, "gzip")], self.gzip.clone()).into_response()
        } else {
            (headers, self.plain.clone()).into_response()
        }
    }
}

/// Serves `GET /static/<stem>.<hash>.<extension>`; any other name under `/static/` is 404.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Routes<S> {
    Routes::default().get("/static/{file}", serve)
}

/// A name that is not even UTF-8 is not found either.
async fn serve(file: Result<Path<String>, PathRejection>, headers: HeaderMap) -> Response {
    let found = file.ok().and_then(|Path(name)| {
        ALL.iter()
            .find(|asset| asset.path.strip_prefix("static/") == Some(name.as_str()))
    });
    let Some(asset) = found else {
        // An old page may ask for a hash that this version no longer has; the refusal must not be cached.
        let headers = [(CACHE_CONTROL, "no-store")];
        return (StatusCode::NOT_FOUND, headers, "Not found\n").into_response();
    };
    asset.response(accepts_gzip(&headers))
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

/// The first ten hex digits of the SHA-256.
fn hash(content: &[u8]) -> String {
    let digest = <[u8; 32]>::from(Sha256::digest(content));
    let mut hex: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    hex.truncate(5);
    hex.concat()
}

/// The content in gzip form, made once per process. Writing to a `Vec` cannot fail.
fn compress(content: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let _ = encoder.write_all(content);
    encoder.finish().unwrap_or_default().into()
}

#[cfg(test)]
mod tests;
