//! What holds for every request: ids, unknown addresses, proxies, assets, and the operations address.

use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::{Answer, Browser, TestBroker, between};

#[tokio::test]
async fn liveness_and_readiness_have_an_address_of_their_own() {
    let broker = TestBroker::start().await;
    // Not by `Answer::of`, which holds answers against the document of the broker's own address.
    let ask = async |path: &str| {
        let request = broker.http.get(format!("{}{path}", broker.ops_url));
        Answer::read(request.send().await.unwrap()).await
    };
    for path in ["/livez", "/readyz"] {
        let ops = ask(path).await;
        assert_eq!(ops.status, 200, "{path}: {}", ops.body);
        assert_eq!(Answer::of(broker.get(path)).await.status, 404, "{path}");
    }
    for path in ["/", "/oauth/token", "/explorer", "/api/info"] {
        assert_eq!(ask(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn unknown_addresses_get_a_page_or_json() {
    let broker = TestBroker::start().await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for (path, root) in [
        ("/nothing", "./"),
        ("/oauth/nothing?x=1", "../"),
        ("/a/b/c", "../../"),
        ("/a/", "../"),
        ("/explorer/", "../"),
        ("//", "../"),
    ] {
        let answer = Answer::of(broker.get(path).header("accept", browser)).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(
            answer.header("content-type"),
            Some("text/html; charset=utf-8"),
            "{path}"
        );
        assert!(
            answer.body.contains(answer.header("x-request-id").unwrap()),
            "{path}"
        );
        // Relative, so that it also works behind a proxy's path prefix.
        assert!(
            answer.body.contains(&format!("href=\"{root}static/page.")),
            "{path}: {}",
            answer.body
        );
    }
    for (path, accept) in [
        ("/nothing", "application/json"),
        ("/nothing", "*/*"),
        ("/api/nothing", browser),
    ] {
        let answer = Answer::of(broker.get(path).header("accept", accept)).await;
        assert_eq!(answer.oauth_error(), (404, "not_found"), "{path} {accept}");
    }
}

#[tokio::test]
async fn wrong_methods_are_told_the_right_one() {
    let broker = TestBroker::start().await;
    for path in [
        "/api/create_link_token",
        "/api/set_access_token",
        "/api/link_exit",
        "/api/info",
    ] {
        let answer = Answer::of(broker.get(path)).await;
        assert_eq!(answer.oauth_error(), (405, "invalid_request"), "{path}");
        assert_eq!(answer.header("allow"), Some("POST"), "{path}");
        assert!(answer.text("error_description").contains("POST"), "{path}");
    }
    for path in ["/?state=s", "/oauth/authorize?state=s", "/explorer"] {
        let answer = Answer::of(broker.post(path)).await;
        assert_eq!(answer.oauth_error(), (405, "invalid_request"), "{path}");
        assert_eq!(answer.header("allow"), Some("GET,HEAD"), "{path}");
        assert!(answer.headers.get("set-cookie").is_none());
    }
}

#[tokio::test]
async fn people_who_use_an_address_in_a_wrong_way_get_a_page() {
    let broker = TestBroker::start().await;
    for (request, status, allow) in [
        (broker.get("/oauth/token"), 405, Some("POST")),
        (broker.post("/explorer"), 405, Some("GET,HEAD")),
        (broker.get("/nothing"), 404, None),
        (broker.get("/").header("sec-fetch-dest", "image"), 400, None),
        (
            broker.get("/?state=s").header("sec-fetch-dest", "script"),
            400,
            None,
        ),
    ] {
        let answer = Answer::of(request.header("accept", "text/html,*/*;q=0.8")).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(answer.header("allow"), allow);
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        let id = answer.header("x-request-id").unwrap();
        assert!(answer.body.contains(id), "{}", answer.body);
        assert!(answer.headers.get("set-cookie").is_none());
    }
    // The page's own calls are never for people.
    let call = broker.get("/api/info").header("accept", "text/html");
    assert_eq!(Answer::of(call).await.oauth_error(), (405, "invalid_request"));
}

#[tokio::test]
async fn a_name_that_is_no_text_is_not_found() {
    let broker = TestBroker::start().await;
    for path in ["/static/%FF", "/static/nothing.css", "/static/%2e%2e%2fpage.css"] {
        assert_eq!(Answer::of(broker.get(path)).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn every_answer_has_a_request_id_of_our_own() {
    let broker = TestBroker::start().await;
    let mut ids = BTreeSet::new();
    for request in [
        broker.get("/"),
        broker.get("/?response_type=x"),
        broker.get("/nothing"),
        broker.get("/static/nothing.css"),
        broker.get("/_simulator/link/link-initialize.js"),
        broker.get("/oauth/token"),
        broker.post("/oauth/token"),
        broker.post("/api/info"),
        broker.post("/api/link_exit"),
        broker.get("/explorer"),
    ] {
        let answer = Answer::of(request.header("x-request-id", "forged")).await;
        let id = answer.header("x-request-id").unwrap().to_owned();
        assert!(id.len() >= 12 && id != "forged", "{id}");
        assert!(ids.insert(id), "each its own");
    }
}

#[tokio::test]
async fn https_at_a_trusted_proxy_makes_the_cookies_strict() {
    let broker = TestBroker::start().await;
    let page = broker.get("/?state=s").header("x-forwarded-proto", "https");
    let answer = Answer::of(page.header("x-forwarded-for", "203.0.113.9")).await;
    let cookie = answer.header("set-cookie").unwrap().to_owned();
    assert!(cookie.starts_with("__Host-ptb_tx_"), "{cookie}");
    for attribute in [
        "; Path=/",
        "; HttpOnly",
        "; SameSite=Lax",
        "; Secure",
        "; Max-Age=",
    ] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let browser = Browser::show(&broker, answer);
    let over_https = browser
        .call("/api/create_link_token")
        .json(&json!({ "request": browser.request }))
        .header("x-forwarded-proto", "https");
    assert_eq!(Answer::of(over_https).await.status, 200);
    assert_eq!(
        browser.create_link_token().await.status,
        403,
        "not over plain http"
    );
}

/// A proxy that ends TLS and does not say so, or is not trusted, does not cost cookies their `Secure`.
#[tokio::test]
async fn an_https_public_url_makes_the_cookies_strict_for_all() {
    for trusted in ["loopback", "none"] {
        let settings = [
            ("PUBLIC_URL", "https://broker.example"),
            ("BROKER_TRUSTED_PROXIES", trusted),
        ];
        let broker = TestBroker::start_with(&settings).await;
        for proto in [None, Some("http"), Some("https")] {
            let mut request = broker.get("/?state=s");
            if let Some(proto) = proto {
                request = request.header("x-forwarded-proto", proto);
            }
            let answer = Answer::of(request).await;
            let cookie = answer.header("set-cookie").unwrap().to_owned();
            assert!(
                cookie.starts_with("__Host-ptb_tx_") && cookie.contains("; Secure"),
                "{trusted} {proto:?}: {cookie}"
            );
            // A browser that sends it back is known.
            let browser = Browser::show(&broker, answer);
            assert_eq!(browser.create_link_token().await.status, 200);
        }
    }
}

/// RFC 6797 7.2: over plain http it is not sent.
#[tokio::test]
async fn over_https_browsers_are_told_to_stay_there() {
    let broker = TestBroker::start_with(&[("PUBLIC_URL", "https://broker.example")]).await;
    for path in ["/", "/setup/login", "/openapi.json", "/no-such-page"] {
        for (proto, sent) in [("https", Some("max-age=31536000")), ("http", None)] {
            let answer = Answer::of(broker.get(path).header("x-forwarded-proto", proto)).await;
            assert_eq!(answer.header("strict-transport-security"), sent, "{path} {proto}");
        }
    }
    let broker = TestBroker::start_with(&[("BROKER_TRUSTED_PROXIES", "none")]).await;
    let answer = Answer::of(broker.get("/").header("x-forwarded-proto", "https")).await;
    assert_eq!(
        answer.header("strict-transport-security"),
        None,
        "a stranger says so"
    );
}

#[tokio::test]
async fn plain_http_on_loopback_has_plain_cookies() {
    let broker = TestBroker::start().await;
    for proto in [None, Some("http"), Some("https, http"), Some("wss")] {
        let mut request = broker.get("/?state=s");
        if let Some(proto) = proto {
            request = request.header("x-forwarded-proto", proto);
        }
        let answer = Answer::of(request).await;
        let cookie = answer.header("set-cookie").unwrap();
        assert!(
            cookie.starts_with("ptb_tx_") && !cookie.contains("Secure"),
            "{proto:?}: {cookie}"
        );
    }
}

#[tokio::test]
async fn nobody_elses_forwarded_headers_are_believed() {
    for trusted in ["none", "10.0.0.0/8"] {
        let broker = TestBroker::start_with(&[("BROKER_TRUSTED_PROXIES", trusted)]).await;
        let request = broker.get("/?state=s").header("x-forwarded-proto", "https");
        let answer = Answer::of(request).await;
        let cookie = answer.header("set-cookie").unwrap();
        assert!(cookie.starts_with("ptb_tx_"), "{trusted}: {cookie}");
    }
}

#[tokio::test]
async fn the_host_header_decides_nothing() {
    let broker = TestBroker::start_with(&[("PUBLIC_URL", "https://broker.example/")]).await;
    let request = |path: &str| {
        broker
            .get(path)
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
    };
    let refused = Answer::of(request("/?response_type=x")).await;
    let location = refused.header("location").unwrap();
    assert!(
        location.contains("iss=https%3A%2F%2Fbroker.example&")
            || location.ends_with("iss=https%3A%2F%2Fbroker.example#"),
        "{location}"
    );
    for path in ["/?state=s", "/", "/nothing", "/?client_id=x"] {
        let answer = Answer::of(request(path).header("accept", "text/html")).await;
        assert!(!answer.body.contains("evil.example"), "{path}");
    }
}

#[tokio::test]
async fn assets_are_named_by_their_content_cached_for_good_and_compressed() {
    let broker = TestBroker::start().await;
    let page = Browser::open(&broker, "?state=s").await.page;
    let mut compressed = 0;
    let mut found = 0;
    for part in page.split("=\"./static/").skip(1) {
        let name = part.split('"').next().unwrap();
        found += 1;
        let path = format!("/static/{name}");
        let plain = Answer::of(broker.get(&path)).await;
        assert_eq!(plain.status, 200, "{path}");
        assert_eq!(
            plain.header("cache-control"),
            Some("public, max-age=31536000, immutable")
        );
        assert_eq!(plain.header("vary"), Some("Accept-Encoding"));
        assert_eq!(plain.header("content-encoding"), None);
        assert_eq!(plain.header("x-content-type-options"), Some("nosniff"));
        let gzip = broker
            .get(&path)
            .header("accept-encoding", "br, gzip")
            .send()
            .await
            .unwrap();
        assert_eq!(gzip.headers()["content-encoding"], "gzip", "{path}");
        assert_eq!(gzip.headers()["content-type"], plain.headers["content-type"]);
        let bytes = gzip.bytes().await.unwrap();
        assert!(bytes.starts_with(&[0x1f, 0x8b]), "{path}");
        compressed += bytes.len();
        let (stem, hash) = name.split_once('.').unwrap();
        let hash = hash.split('.').next().unwrap();
        let other = path.replace(hash, "0000000000");
        let missing = Answer::of(broker.get(&other)).await;
        assert_eq!(missing.status, 404, "{stem}");
        assert_eq!(missing.header("cache-control"), Some("no-store"), "{stem}");
    }
    assert!(found >= 4, "style, icon and scripts: {page}");
    assert!(compressed < 30_000, "{compressed} bytes");
    assert!(between(&page, "src=\"http", "\"").is_none(), "{page}");
    for path in ["/static/", "/static/..%2fCargo.toml", "/static/link.js"] {
        assert_eq!(Answer::of(broker.get(path)).await.status, 404, "{path}");
    }
}
