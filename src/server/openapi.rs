//! The `OpenAPI` document: what this broker answers, for programs and for people's tools.

use axum::body::Bytes;
use axum::response::IntoResponse;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};

use crate::app::App;
use crate::app::Routes;

/// As it lies in the repository: its one server is the broker as it starts without settings.
const DOCUMENT: &str = include_str!("../../static/openapi.json");
const SERVER: &str = "\"http://localhost:8000\"";

/// `GET /openapi.json`. It has this broker's public URL, and is made once.
#[must_use]
pub fn routes(app: &App) -> Routes {
    let document = Bytes::from(with_server(&app.public_url));
    Routes::default().get("/openapi.json", async move || answer(document.clone()))
}

fn with_server(url: &str) -> String {
    DOCUMENT.replacen(SERVER, &serde_json::Value::from(url).to_string(), 1)
}

fn answer(document: Bytes) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "public, max-age=300"),
        // Public, and the same for everybody: tools that run in a browser read it too.
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, document)
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]
    use super::*;

    #[test]
    fn the_document_names_this_version_and_this_broker() {
        let url = "https://broker.example";
        let document: serde_json::Value = serde_json::from_str(&with_server(url)).unwrap();
        assert_eq!(document["servers"], serde_json::json!([{ "url": url }]));
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(DOCUMENT.matches(SERVER).count(), 1);
    }
}
