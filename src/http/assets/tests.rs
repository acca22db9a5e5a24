#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::io::Read as _;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use flate2::read::GzDecoder;
use tower::ServiceExt as _;

use super::*;

async fn ask(path: &str, accept_encoding: Option<&str>) -> Response {
    let mut request = Request::get(format!("/{path}"));
    if let Some(value) = accept_encoding {
        request = request.header(ACCEPT_ENCODING, value);
    }
    axum::Router::new()
        .route("/static/{file}", axum::routing::get(serve))
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn assets_are_cached_for_good_under_the_hash_of_their_content() {
    for asset in ALL {
        let response = ask(asset.path(), None).await;
        assert_eq!(response.status(), StatusCode::OK, "{}", asset.path());
        assert_eq!(
            response.headers()[CACHE_CONTROL],
            "public, max-age=31536000, immutable"
        );
        assert_eq!(response.headers()[CONTENT_TYPE], asset.content_type);
        assert_eq!(response.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(response.headers()[VARY], "Accept-Encoding");
        assert!(!response.headers().contains_key(CONTENT_ENCODING));
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert_eq!(body, asset.plain);
        assert_eq!(asset.path().split('.').nth(1), Some(hash(&body).as_str()));
        assert_eq!(hash(&body).len(), 10);
    }
}

#[tokio::test]
async fn who_accepts_gzip_gets_the_same_content_in_it() {
    let response = ask(PAGE_CSS.path(), Some("gzip, deflate, br")).await;
    assert_eq!(response.headers()[CONTENT_ENCODING], "gzip");
    assert_eq!(response.headers()[VARY], "Accept-Encoding");
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let mut plain = Vec::new();
    GzDecoder::new(body.as_ref()).read_to_end(&mut plain).unwrap();
    assert_eq!(plain, PAGE_CSS.plain);
}

#[tokio::test]
async fn an_unknown_name_or_hash_is_not_found_and_not_remembered() {
    for path in [
        "static/page.0000000000.css",
        "static/page.css",
        "static/..%2FCargo.toml",
        "static/",
    ] {
        let response = ask(path, None).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        let cached = response.headers().get(CACHE_CONTROL);
        assert!(cached.is_none_or(|value| value == "no-store"), "{path}");
    }
}

#[test]
fn accept_encoding_is_read_as_rfc_9110_says() {
    let accepts = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, value.parse().unwrap());
        accepts_gzip(&headers)
    };
    for value in [
        "gzip",
        "br, GZIP",
        "gzip;q=0.5",
        "*",
        "deflate, *;q=0.1",
        "*;q=0, gzip;q=1",
    ] {
        assert!(accepts(value), "{value}");
    }
    for value in [
        "",
        "br",
        "gzip;q=0",
        "gzip; q=0.000",
        "*;q=0",
        "gzip;q=0, *",
        "identity",
        "xgzip",
    ] {
        assert!(!accepts(value), "{value}");
    }
    assert!(!accepts_gzip(&HeaderMap::new()));
}

#[test]
fn all_assets_of_the_link_page_fit_into_30_kilobytes() {
    let sizes: Vec<usize> = ALL.iter().map(|asset| asset.gzip.len()).collect();
    assert!(sizes.iter().all(|size| *size > 0), "{sizes:?}");
    assert!(sizes.iter().sum::<usize>() < 30_000, "{sizes:?}");
}
