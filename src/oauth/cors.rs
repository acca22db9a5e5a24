//! CORS for public clients that are web pages: at the token and revocation endpoints only, for the origins of the client's own
//! redirect URIs. The authorization endpoint has none (RFC 9700 2.6).
//!
//! CORS alone only hides a response: a form or a simple `fetch` of any site still reaches the endpoint. So a request that a
//! browser sends from another origin is refused before it redeems anything. Servers may send `Origin` as well; only a
//! browser sends `Sec-Fetch-Site`.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::Url;

use super::redirect::any_port_origin;
use crate::app::App;
use crate::config::{ClientConfig, ClientKind};

const ENDPOINTS: [&str; 3] = ["/oauth/token", "/api/send_the_access_token_AUTH", "/oauth/revoke"];

/// Answers preflight requests, and lets pages of registered origins read every response of these endpoints, errors too.
/// Never with credentials: no cookie counts here.
pub async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    if !ENDPOINTS.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let registered = |origin: &&HeaderValue| {
        let is_own = |client| origin.to_str().is_ok_and(|origin| has_origin(client, origin));
        app.clients().as_slice().iter().any(is_own)
    };
    let origin = origin(request.headers()).filter(registered).cloned();
    let asks = request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if request.method() == Method::OPTIONS && asks && origin.is_some() {
        preflight()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let exposed = HeaderValue::from_static("Retry-After, WWW-Authenticate, X-Request-Id");
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    response
}

fn preflight() -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type"),
        (ACCESS_CONTROL_MAX_AGE, "300"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Whether a browser says (Fetch Metadata) that it sent the request for a web page, and the page is not this client's.
pub(super) fn is_of_another_page(headers: &HeaderMap, client: &ClientConfig) -> bool {
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => false,
        Some(_) => {
            let origin = origin(headers).and_then(|origin| origin.to_str().ok());
            !origin.is_some_and(|origin| has_origin(client, origin))
        }
    }
}

/// The one `Origin` of a request.
fn origin(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut values = headers.get_all(ORIGIN).iter();
    values.next().filter(|_| values.next().is_none())
}

/// Whether this is the origin of one of a public client's redirect URIs.
fn has_origin(client: &ClientConfig, origin: &str) -> bool {
    matches!(client.kind, ClientKind::Public)
        && client.redirect_uris.listed().iter().any(|uri| {
            any_port_origin(uri, origin).unwrap_or_else(|| {
                // An app's own scheme has an opaque origin, which is written "null", as is that of a sandboxed frame.
                let own = Url::parse(uri).map(|url| url.origin());
                own.is_ok_and(|own| own.is_tuple() && own.ascii_serialization() == origin)
            })
        })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::config::RedirectUris;
    use crate::secret::ClientSecret;

    fn client(kind: ClientKind, uris: &[&str]) -> ClientConfig {
        ClientConfig {
            id: "app".to_owned(),
            name: None,
            kind,
            redirect_uris: RedirectUris::Native(uris.iter().map(|&uri| uri.to_owned()).collect()),
            products: None,
            raw_public_tokens: false,
            refresh_lifetime: None,
            expires_in: None,
            send_iss: true,
        }
    }

    const URIS: [&str; 4] = [
        "https://App.example:443/cb?x=1",
        "https://other.example:8443/cb",
        "http://localhost/cb",
        "com.example.app:/cb",
    ];

    #[test]
    fn the_origins_of_a_public_client_are_those_of_its_redirect_uris() {
        let app = client(ClientKind::Public, &URIS);
        for own in [
            "https://app.example",
            "https://other.example:8443",
            "http://localhost",
            "http://localhost:5173",
        ] {
            assert!(has_origin(&app, own), "{own}");
        }
        for other in [
            "null",
            "",
            "*",
            "http://app.example",
            "https://app.example:8443",
            "https://app.example.evil.example",
            "https://app.example/",
            "https://other.example",
            "http://localhost:5173/cb",
            "http://localhost:",
            "http://localhost:5173@evil.example",
            "https://localhost:5173",
            "http://127.0.0.1:5173",
            "com.example.app:",
            "com.example.app://",
        ] {
            assert!(!has_origin(&app, other), "{other}");
        }
        let secret = ClientKind::Confidential(ClientSecret::new("s").into());
        assert!(!has_origin(&client(secret, &URIS), "https://app.example"));
    }

    #[test]
    fn only_a_browser_names_the_site_of_a_request() {
        let page = |headers: &[(&'static str, &str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, value.parse().unwrap());
            }
            is_of_another_page(&map, &client(ClientKind::Public, &URIS))
        };
        let own = ("origin", "https://app.example");
        assert!(!page(&[]));
        assert!(
            !page(&[("origin", "https://evil.example")]),
            "servers send it too"
        );
        for site in ["same-origin", "none"] {
            assert!(!page(&[("sec-fetch-site", site)]), "{site}");
        }
        for site in ["cross-site", "same-site", "anything"] {
            assert!(!page(&[("sec-fetch-site", site), own]), "{site}");
            assert!(page(&[("sec-fetch-site", site)]), "{site}");
            assert!(page(&[("sec-fetch-site", site), own, own]), "{site}");
            let null = ("origin", "null");
            assert!(page(&[("sec-fetch-site", site), null]), "{site}");
        }
    }
}
