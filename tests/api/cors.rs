//! Web pages as public clients: which origins may read a token response, and which must not even redeem a code.

use plaid_token_broker::secret::{ClientSecret, SecretHash};
use reqwest::RequestBuilder;
use tempfile::TempDir;

use crate::code::{CHALLENGE, VERIFIER};
use crate::harness::{Answer, Browser, TestBroker, query_value};

const SPA: &str = "https://spa.example";
const OTHER: &str = "https://other-spa.example";
const SHOP: &str = "https://shop.example";
const SHOP_SECRET: &str = "a secret of the shop, long enough to be hashed";
/// The endpoints that pages call.
const PATHS: [&str; 3] = ["/oauth/token", "/api/send_the_access_token_AUTH", "/oauth/revoke"];

/// Two pages, an app with a scheme of its own, and a shop with a secret.
async fn start() -> (TestBroker, TempDir) {
    let home = TempDir::new().unwrap();
    let path = home.path().join("clients.toml");
    let hash = SecretHash::of(&ClientSecret::new(SHOP_SECRET), [7; 16]).line();
    let public = |id: &str, uris: &str| {
        format!("[[client]]\nid = '{id}'\npublic = true\nexpires_in = 900\nredirect_uris = [{uris}]\n")
    };
    let text = public("spa", &format!("'{SPA}/callback', 'http://localhost/callback'"))
        + &public("other", &format!("'{OTHER}/callback'"))
        + &public("app", "'com.example.app:/callback'")
        + &format!("[[client]]\nid = 'shop'\nsecret_hash = '{hash}'\nredirect_uris = ['{SHOP}/callback']\n");
    std::fs::write(&path, text).unwrap();
    let broker = TestBroker::start_with(&[("OAUTH_CLIENTS_FILE", path.to_str().unwrap())]).await;
    (broker, home)
}

/// A whole flow up to the code of a public client.
async fn code(broker: &TestBroker, client: &str, callback: &str) -> String {
    let query = format!(
        "?client_id={client}&redirect_uri={callback}&code_challenge={CHALLENGE}&code_challenge_method=S256"
    );
    broker.code_of(&query).await
}

/// As a browser sends it for a page of this origin.
fn from_page(request: RequestBuilder, site: &str, origin: &str) -> RequestBuilder {
    let request = request.header("sec-fetch-site", site).header("origin", origin);
    request
        .header("sec-fetch-mode", "cors")
        .header("sec-fetch-dest", "empty")
}

/// The origin that may read the answer.
#[track_caller]
fn readable_by(answer: &Answer) -> Option<&str> {
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    assert_eq!(answer.header("vary"), Some("Origin"), "{}", answer.body);
    answer.header("access-control-allow-origin")
}

#[tokio::test]
async fn a_page_of_a_public_clients_own_origin_redeems_refreshes_and_revokes() {
    let (broker, _home) = start().await;
    for (site, origin, callback) in [
        ("cross-site", SPA, format!("{SPA}/callback")),
        (
            "same-site",
            "http://localhost:5173",
            "http://localhost:5173/callback".to_owned(),
        ),
    ] {
        let code = code(&broker, "spa", &callback).await;
        let form = [
            ("client_id", "spa"),
            ("code", code.as_str()),
            ("code_verifier", VERIFIER),
        ];
        let tokens = Answer::of(from_page(broker.token_request(&form), site, origin)).await;
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        assert_eq!(readable_by(&tokens), Some(origin));
        assert_eq!(tokens.json["expires_in"], 900);
        let refresh_token = tokens.text("refresh_token");
        let form = [("client_id", "spa"), ("refresh_token", refresh_token.as_str())];
        let refreshed = Answer::of(from_page(broker.token_request(&form), site, origin)).await;
        assert_eq!((refreshed.status, readable_by(&refreshed)), (200, Some(origin)));
        let body = serde_json::json!({ "client_id": "spa", "token": refreshed.text("refresh_token") });
        let revoked = Answer::of(from_page(broker.post("/oauth/revoke").json(&body), site, origin)).await;
        assert_eq!(
            (revoked.status, readable_by(&revoked)),
            (200, Some(origin)),
            "{}",
            revoked.body
        );
        // A page has to read what went wrong, too.
        let again = Answer::of(from_page(broker.token_request(&form), site, origin)).await;
        assert_eq!(again.oauth_error(), (400, "invalid_grant"));
        assert_eq!(readable_by(&again), Some(origin));
    }
    for (request, status) in [
        (
            broker.post("/oauth/token").header("content-type", "text/plain"),
            415,
        ),
        (broker.post("/oauth/token").body("x".repeat(70_000)), 413),
        (broker.get("/oauth/token"), 405),
    ] {
        let refused = Answer::of(from_page(request, "cross-site", SPA)).await;
        assert_eq!((refused.status, readable_by(&refused)), (status, Some(SPA)));
    }
}

#[tokio::test]
async fn a_page_of_any_other_origin_is_refused_before_the_code_is_redeemed() {
    let (broker, _home) = start().await;
    let callback = format!("{SPA}/callback");
    let code = code(&broker, "spa", &callback).await;
    let form = [
        ("client_id", "spa"),
        ("code", code.as_str()),
        ("code_verifier", VERIFIER),
    ];
    for site in ["cross-site", "same-site"] {
        for (origin, readable) in [
            ("https://evil.example", None),
            ("null", None),
            ("http://spa.example", None),
            (SHOP, None),
            // Another client's page may read answers, but has nothing of this client.
            (OTHER, Some(OTHER)),
        ] {
            let refused = Answer::of(from_page(broker.token_request(&form), site, origin)).await;
            assert_eq!(refused.oauth_error(), (400, "invalid_request"), "{origin}");
            assert!(
                refused.text("error_description").contains("origin"),
                "{}",
                refused.body
            );
            assert_eq!(readable_by(&refused), readable, "{origin}");
        }
        let without_origin = broker.token_request(&form).header("sec-fetch-site", site);
        assert_eq!(
            Answer::of(without_origin).await.oauth_error(),
            (400, "invalid_request")
        );
        let two = from_page(broker.token_request(&form), site, SPA).header("origin", SPA);
        let two = Answer::of(two).await;
        assert_eq!((two.status, readable_by(&two)), (400, None));
    }
    // A server names no site, whatever Origin it sends.
    let server = broker
        .token_request(&form)
        .header("origin", "https://evil.example");
    let answer = Answer::of(server).await;
    assert_eq!(
        (answer.status, readable_by(&answer)),
        (200, None),
        "{}",
        answer.body
    );

    // Nor may a page end a grant of another page's client.
    let refresh_token = answer.text("refresh_token");
    let body = serde_json::json!({ "client_id": "spa", "token": refresh_token });
    let request = broker.post("/oauth/revoke").json(&body);
    let refused = Answer::of(from_page(request, "cross-site", "https://evil.example")).await;
    assert_eq!(refused.oauth_error(), (400, "invalid_request"));
    let form = [("client_id", "spa"), ("refresh_token", refresh_token.as_str())];
    assert_eq!(broker.token(&form).await.status, 200);
}

#[tokio::test]
async fn a_client_with_a_secret_has_no_page_of_its_own() {
    let (broker, _home) = start().await;
    let code = broker.code_of("?client_id=shop&state=s").await;
    let form = [
        ("client_id", "shop"),
        ("client_secret", SHOP_SECRET),
        ("code", code.as_str()),
    ];
    for origin in [SHOP, SPA] {
        let refused = Answer::of(from_page(broker.token_request(&form), "cross-site", origin)).await;
        assert_eq!(refused.oauth_error(), (400, "invalid_request"), "{origin}");
    }
    // The client of the settings may leave its secret out here, but no page sends that request for it.
    let first = broker.code().await;
    let request = broker.token_request(&[("code", &first)]);
    let refused = Answer::of(from_page(request, "cross-site", SPA)).await;
    assert_eq!(refused.oauth_error(), (400, "invalid_request"));
    assert_eq!(broker.token(&[("code", &first)]).await.status, 200);
    let tokens = broker.token(&form).await;
    assert_eq!(
        tokens.status, 200,
        "the code was good all the time: {}",
        tokens.body
    );
    let body = serde_json::json!({
        "client_id": "shop", "client_secret": SHOP_SECRET, "token": tokens.text("refresh_token"),
    });
    let request = from_page(broker.post("/oauth/introspect").json(&body), "cross-site", SHOP);
    assert_eq!(Answer::of(request).await.oauth_error(), (400, "invalid_request"));
}

#[tokio::test]
async fn only_pages_of_public_clients_pass_the_preflight() {
    let (broker, _home) = start().await;
    let preflight = |path: &str, origin: &str| {
        let request = broker
            .http
            .request(http::Method::OPTIONS, format!("{}{path}", broker.url));
        let request = request
            .header("origin", origin)
            .header("access-control-request-method", "POST");
        request.header("access-control-request-headers", "content-type")
    };
    for path in PATHS {
        for origin in [SPA, OTHER, "http://localhost", "http://localhost:5173"] {
            let answer = Answer::of(preflight(path, origin)).await;
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (204, ""),
                "{path} {origin}"
            );
            assert_eq!(readable_by(&answer), Some(origin));
            assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
            let headers = answer
                .header("access-control-allow-headers")
                .unwrap()
                .to_ascii_lowercase();
            assert!(
                headers.contains("content-type") && headers.contains("authorization"),
                "{headers}"
            );
            assert!(answer.header("x-request-id").is_some());
        }
        // The app's own scheme has the same origin as every sandboxed frame: none.
        for origin in [
            "null",
            SHOP,
            "https://evil.example",
            "http://127.0.0.1:5173",
            "com.example.app:",
        ] {
            let answer = Answer::of(preflight(path, origin)).await;
            assert_eq!(
                (answer.status, readable_by(&answer)),
                (405, None),
                "{path} {origin}"
            );
        }
        // Without the question it is no preflight.
        let request = broker
            .http
            .request(http::Method::OPTIONS, format!("{}{path}", broker.url));
        assert_eq!(Answer::of(request.header("origin", SPA)).await.status, 405);
    }
    let entry = broker.request_log.entries();
    let noted = |words: &str| {
        entry
            .iter()
            .any(|entry| entry.words.contains(words) && entry.fix.is_some())
    };
    assert!(
        noted("no public client"),
        "a page whose origin is not registered is in the record"
    );
}

#[tokio::test]
async fn no_other_address_has_cors_for_a_public_clients_page() {
    let (broker, _home) = start().await;
    for path in [
        "/",
        "/?client_id=spa",
        "/oauth/authorize?client_id=spa",
        "/oauth/introspect",
        "/api/info",
        "/api/set_access_token",
        "/explorer",
        "/setup",
        "/oauth/token/",
        "/nothing",
    ] {
        for method in [http::Method::OPTIONS, http::Method::GET, http::Method::POST] {
            let request = broker
                .http
                .request(method.clone(), format!("{}{path}", broker.url));
            let request =
                from_page(request, "cross-site", SPA).header("access-control-request-method", "POST");
            let answer = Answer::of(request).await;
            let cors = answer
                .headers
                .keys()
                .any(|name| name.as_str().starts_with("access-control-"));
            assert!(!cors, "{method} {path}: {:?}", answer.headers);
        }
    }
}

#[tokio::test]
async fn an_app_with_a_scheme_of_its_own_comes_all_the_way() {
    let (broker, _home) = start().await;
    let query = format!("?client_id=app&state=s&code_challenge={CHALLENGE}&code_challenge_method=S256");
    let browser = Browser::open(&broker, &query).await;
    assert!(browser.page.contains("com.example.app"), "{}", browser.page);
    let landed = browser
        .complete(&broker.public_token().await)
        .await
        .text("redirect_to");
    assert!(landed.starts_with("com.example.app:/callback?code="), "{landed}");
    let code = query_value(&landed, "code").unwrap();
    let form = [
        ("client_id", "app"),
        ("code", code.as_str()),
        ("code_verifier", VERIFIER),
    ];
    let mismatched = [&form[..], &[("redirect_uri", "com.example.app:/other")]].concat();
    assert_eq!(
        broker.token(&mismatched).await.oauth_error(),
        (400, "invalid_grant")
    );
    let right = [&form[..], &[("redirect_uri", "com.example.app:/callback")]].concat();
    assert_eq!(broker.token(&right).await.status, 200);

    let cancelled = Browser::open(&broker, &query)
        .await
        .cancel()
        .await
        .text("redirect_to");
    assert!(
        cancelled.starts_with("com.example.app:/callback?error=access_denied"),
        "{cancelled}"
    );
    let refused = Answer::of(broker.get("/?client_id=app&state=s")).await;
    let location = refused.header("location").unwrap();
    assert!(
        location.starts_with("com.example.app:/callback?error=invalid_request"),
        "{location}"
    );
}
