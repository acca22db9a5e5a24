//! The pages around the authorization: framed or not, in each environment, and what their headers allow.

use plaid_token_broker::simulator;

use crate::harness::{Answer, CALLBACK, Setup, TestBroker, between, query_value};

async fn ask(broker: &TestBroker, query: &str) -> Answer {
    Answer::of(broker.get(&format!("/?{query}"))).await
}

#[tokio::test]
async fn inside_a_frame_there_is_one_link_and_no_cookie() {
    let broker = TestBroker::start().await;
    for (path, query) in [
        ("/", "?state=%22%3E%3Cb&redirect_uri=x"),
        ("/oauth/authorize", "?a=b"),
        ("/", ""),
    ] {
        for dest in ["iframe", "frame", "embed", "object", "fencedframe"] {
            let request = broker
                .get(&format!("{path}{query}"))
                .header("sec-fetch-dest", dest);
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, 200);
            assert!(answer.headers.get("set-cookie").is_none());
            assert_eq!(answer.header("x-frame-options"), None);
            let policy = answer.header("content-security-policy").unwrap();
            assert!(policy.ends_with("frame-ancestors *"), "{policy}");
            assert!(!policy.contains("script-src"), "{policy}");
            assert_eq!(answer.body.matches("<a ").count(), 1, "{}", answer.body);
            assert!(
                answer.body.contains("Continue in a new window"),
                "{}",
                answer.body
            );
            assert!(!answer.body.contains("\"><b"), "{}", answer.body);
        }
    }
    let top = broker.get("/?state=s").header("sec-fetch-dest", "document");
    assert!(Answer::of(top).await.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn head_opens_nothing() {
    let broker = TestBroker::start().await;
    for path in ["/", "/?state=s", "/oauth/authorize?state=s"] {
        let answer = Answer::of(broker.http.head(format!("{}{path}", broker.url))).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.headers.get("set-cookie").is_none(), "{path}");
        assert_eq!(answer.body, "");
    }
}

#[tokio::test]
async fn only_oauth_parameters_or_the_path_make_a_request_oauth() {
    let broker = TestBroker::start().await;
    for (path, is_oauth) in [
        ("/", false),
        ("/?utm_source=mail", false),
        ("/?utm_source=mail&utm_source=chat", false),
        ("/?state=s", true),
        ("/?response_type=code", true),
        ("/oauth/authorize", true),
        ("/oauth/authorize?utm_source=mail", true),
    ] {
        let answer = Answer::of(broker.get(path)).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.body.contains("id=\"cancel\""), is_oauth, "{path}");
        let root = if path.starts_with("/oauth/") { "../" } else { "./" };
        assert!(answer.body.contains(&format!("data-root=\"{root}\"")), "{path}");
    }
}

/// The environments with a Plaid outside of the broker.
async fn real(settings: &[(&str, &str)]) -> TestBroker {
    TestBroker::start_as(Setup {
        settings,
        plaid: Some(simulator::Options::default()),
        ..Setup::default()
    })
    .await
}

const PRODUCTION: [(&str, &str); 5] = [
    ("PLAID_ENV", "production"),
    ("PLAID_PRODUCTS", "auth"),
    ("PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS", "none"),
    ("PUBLIC_URL", "https://broker.example"),
    ("PLAID_REDIRECT_URI", "https://idp.kore.com/workflows/callback"),
];

#[tokio::test]
async fn in_production_a_visit_without_parameters_makes_nothing() {
    let broker = real(&PRODUCTION).await;
    let about = Answer::of(broker.get("/")).await;
    assert_eq!(about.status, 200);
    assert!(about.headers.get("set-cookie").is_none());
    assert!(!about.body.contains("data-handle"), "{}", about.body);
    assert!(about.body.contains("Authorization URL"), "{}", about.body);

    let link = ask(&broker, "state=s").await;
    let policy = link.header("content-security-policy").unwrap();
    assert!(policy.contains("https://production.plaid.com/"), "{policy}");
    assert!(!policy.contains("sandbox"), "{policy}");
    assert!(!link.body.contains("user_good"), "no test login in production");
    let refused = ask(&broker, "response_type=token").await;
    let location = refused.header("location").unwrap();
    assert_eq!(
        query_value(location, "iss").as_deref(),
        Some("https://broker.example")
    );
}

#[tokio::test]
async fn pages_say_which_world_they_belong_to_and_load_nothing_else() {
    let simulator = TestBroker::start().await;
    let sandbox = real(&[]).await;
    for (broker, script, plaid) in [
        (&simulator, "_simulator/link/link-initialize.js", false),
        (
            &sandbox,
            "https://cdn.plaid.com/link/v2/stable/link-initialize.js",
            true,
        ),
    ] {
        let answer = ask(broker, "state=s").await;
        assert!(answer.body.contains(&format!("data-script=\"{script}\"")));
        assert!(answer.body.contains("user_good"), "{}", answer.body);
        let policy = answer.header("content-security-policy").unwrap();
        assert_eq!(policy.contains("https://cdn.plaid.com/"), plaid, "{policy}");
        assert!(!policy.contains("'unsafe-eval'"), "{policy}");
        let scripts = policy
            .split("; ")
            .find(|part| part.starts_with("script-src"))
            .unwrap();
        assert!(!scripts.contains("unsafe"), "{scripts}");
        let nonce = between(policy, "'nonce-", "'").unwrap().to_owned();
        assert!(
            answer.body.contains(&format!("nonce=\"{nonce}\"")),
            "{}",
            answer.body
        );
        let again = ask(broker, "state=s").await;
        assert!(!again.header("content-security-policy").unwrap().contains(&nonce));
    }
    let own = Answer::of(simulator.get("/_simulator/link/link-initialize.js")).await;
    assert_eq!(own.status, 200);
    let absent = Answer::of(sandbox.get("/_simulator/link/link-initialize.js")).await;
    assert_eq!(absent.status, 404);
}

#[tokio::test]
async fn no_page_is_framed_cached_sniffed_or_cut_from_its_opener() {
    let broker = TestBroker::start().await;
    for path in ["/", "/?state=s", "/?client_id=nobody", "/explorer", "/nothing"] {
        let answer = Answer::of(broker.get(path).header("accept", "text/html")).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.ends_with("frame-ancestors 'none'"), "{path}: {policy}");
        for (name, value) in [
            ("x-frame-options", Some("DENY")),
            ("cache-control", Some("no-store")),
            ("x-content-type-options", Some("nosniff")),
            ("referrer-policy", Some("no-referrer")),
            ("cross-origin-opener-policy", None),
        ] {
            assert_eq!(answer.header(name), value, "{path}: {name}");
        }
    }
}

#[tokio::test]
async fn a_client_without_a_name_is_called_as_link_calls_it() {
    let broker = TestBroker::start_with(&[("PLAID_CLIENT_NAME", "Acme Bank Bot")]).await;
    let page = ask(&broker, "state=s").await.body;
    let host = url::Url::parse(CALLBACK).unwrap().host_str().unwrap().to_owned();
    assert!(
        page.contains("<strong class=\"name\">Acme Bank Bot</strong> asks to connect"),
        "{page}"
    );
    assert!(
        page.contains(&format!("you return to <strong class=\"name\">{host}</strong>")),
        "{page}"
    );
    assert!(page.contains("data-client=\"Acme Bank Bot\""), "{page}");
}
