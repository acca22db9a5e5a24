//! The authorization endpoint: what a client's developer gets wrong, and what an attacker tries.

use plaid_token_broker::simulator;

use crate::harness::{Answer, Browser, CALLBACK, TestBroker, encode, query_value};

/// RFC 7636, appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

async fn ask(broker: &TestBroker, query: &str) -> Answer {
    Answer::of(broker.get(&format!("/?{query}"))).await
}

/// A page that refuses, and never a redirect.
#[track_caller]
fn refused_on_a_page(answer: &Answer) {
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(answer.header("location"), None);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(answer.headers.get("set-cookie").is_none());
    let id = answer.header("x-request-id").unwrap();
    assert!(!id.is_empty() && answer.body.contains(id), "{}", answer.body);
}

/// An error that went to the client (RFC 6749 4.1.2.1, RFC 9207), which is given back.
#[track_caller]
fn refused_at_the_client(broker: &TestBroker, answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert!(answer.headers.get("set-cookie").is_none());
    // The empty fragment is the last of it: see the attacks on redirects.
    let location = answer
        .header("location")
        .unwrap()
        .strip_suffix('#')
        .unwrap()
        .to_owned();
    assert!(location.starts_with(&format!("{CALLBACK}?error=")), "{location}");
    assert_eq!(query_value(&location, "iss").unwrap(), broker.app.public_url);
    assert_eq!(query_value(&location, "code"), None);
    let description = query_value(&location, "error_description").unwrap();
    let allowed = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    assert!(
        !description.is_empty() && description.chars().all(allowed),
        "{description:?}"
    );
    assert!(description.len() < 200, "{description}");
    (query_value(&location, "error").unwrap(), location)
}

#[tokio::test]
async fn every_missing_parameter_has_a_meaning() {
    let broker = TestBroker::start().await;
    for query in [
        String::new(),
        "response_type=code".to_owned(),
        format!("client_id={}", simulator::CLIENT_ID),
        encode(&[("redirect_uri", CALLBACK)]),
        "state=".to_owned(),
        "scope=".to_owned(),
    ] {
        let answer = Answer::of(broker.get(&format!("/oauth/authorize?{query}"))).await;
        let browser = Browser::show(&broker, answer);
        let completed = browser.complete(&broker.public_token().await).await;
        let redirect_to = completed.text("redirect_to");
        assert!(
            redirect_to.starts_with(&format!("{CALLBACK}?code=")),
            "{query}: {redirect_to}"
        );
        assert_eq!(query_value(&redirect_to, "state"), None, "{query}");
    }
}

#[tokio::test]
async fn identical_duplicates_are_one_and_differing_ones_are_refused() {
    let broker = TestBroker::start().await;
    let callback = encode(&[("redirect_uri", CALLBACK)]);
    let twice = format!("state=s&response_type=code&{callback}&state=s&response_type=code&{callback}");
    assert_eq!(ask(&broker, &twice).await.status, 200);

    for query in [
        format!("{callback}&redirect_uri=https%3A%2F%2Fevil.example%2F"),
        format!("redirect_uri=https%3A%2F%2Fevil.example%2F&{callback}"),
        format!("client_id={}&client_id=other", simulator::CLIENT_ID),
        format!("scope=auth&scope=identity&{callback}&redirect_uri=x"),
    ] {
        refused_on_a_page(&ask(&broker, &query).await);
    }
    for (query, state) in [
        ("response_type=code&response_type=token&state=s", Some("s")),
        ("scope=auth&scope=identity&state=s", Some("s")),
        ("code_challenge=a&code_challenge=b&state=s", Some("s")),
        // Which of the two would be right is not for us to say.
        ("state=a&state=b", None),
        ("scope=auth&scope=identity&state=a&state=b", None),
    ] {
        let answer = ask(&broker, query).await;
        let (error, location) = refused_at_the_client(&broker, &answer);
        assert_eq!(error, "invalid_request", "{query}");
        assert_eq!(query_value(&location, "state").as_deref(), state, "{query}");
    }
    // Parameters that nobody knows are ignored (RFC 6749 3.1), whatever they are.
    let unknown = ask(
        &broker,
        "state=s&resource=a&resource=b&%22%5C%C3%A9%0A=1&%22%5C%C3%A9%0A=2",
    )
    .await;
    assert_eq!(unknown.status, 200);
    let long = "x".repeat(9000);
    refused_on_a_page(&ask(&broker, &format!("state={long}")).await);
    let many: Vec<String> = (0..100).map(|n| format!("p{n}=1")).collect();
    refused_on_a_page(&ask(&broker, &format!("state=s&{}", many.join("&"))).await);
}

#[tokio::test]
async fn a_redirect_uri_that_is_not_on_the_list_gets_a_page_that_names_the_nearest() {
    let listed =
        "https://idp.kore.com:8443/workflows/callback?env=1,https://jp-bots-idp.kore.ai/workflows/callback/";
    let broker = TestBroker::start_with(&[("PLAID_REDIRECT_URI", listed)]).await;
    let (first, second) = listed.split_once(',').unwrap();
    for (sent, nearest) in [
        ("https://jp-bots-idp.kore.ai/workflows/callback", second),
        ("https://JP-bots-idp.kore.ai/workflows/callback/", second),
        ("https://jp-bots-idp.kore.ai/Workflows/callback/", second),
        ("https://jp-bots-idp.kore.ai/workflows/callback/?x=1", second),
        ("https://jp-bots-idp.kore.ai/workflows/callback/?", second),
        ("https://jp-bots-idp.kore.ai/workflows/callback/#", second),
        ("https://jp-bots-idp.kore.ai:443/workflows/callback/", second),
        (
            "https://jp-bots-idp.kore.ai/workflows/../workflows/callback/",
            second,
        ),
        ("https://jp-bots-idp.kore.ai/workflows%2Fcallback/", second),
        ("http://jp-bots-idp.kore.ai/workflows/callback/", second),
        ("https://idp.kore.com/workflows/callback?env=1", first),
        ("https://idp.kore.com:8444/workflows/callback?env=1", first),
        ("https://idp.kore.com:8443/workflows/callback", first),
        ("https://idp.kore.com:8443/workflows/callback?env=2", first),
        (" https://idp.kore.com:8443/workflows/callback?env=1", first),
    ] {
        let answer = ask(&broker, &encode(&[("redirect_uri", sent), ("state", "s")])).await;
        refused_on_a_page(&answer);
        assert!(
            answer.body.contains(&format!("callback URL is {nearest}<")),
            "{sent}: {}",
            answer.body
        );
    }
    let far = ask(&broker, &encode(&[("redirect_uri", "https://evil.example/")])).await;
    refused_on_a_page(&far);
    assert!(!far.body.contains("kore"), "{}", far.body);

    for listed in [first, second] {
        let browser = Browser::open(&broker, &format!("?{}", encode(&[("redirect_uri", listed)]))).await;
        let completed = browser.complete(&broker.public_token().await).await;
        let redirect_to = completed.text("redirect_to");
        let joined = if listed == first { "&code=" } else { "?code=" };
        assert!(
            redirect_to.starts_with(&format!("{listed}{joined}")),
            "{redirect_to}"
        );
    }
    let unnamed = ask(&broker, "state=s").await;
    refused_on_a_page(&unnamed);
    assert!(unnamed.body.contains("redirect_uri"), "{}", unnamed.body);
}

#[tokio::test]
async fn an_unlisted_simulator_returns_to_loopback_alone() {
    let broker = TestBroker::start_with(&[("PLAID_REDIRECT_URI", "")]).await;
    for fine in [
        "http://localhost:4000/cb",
        "http://127.0.0.1:1/",
        "http://[::1]/x?y=z",
    ] {
        assert_eq!(
            ask(&broker, &encode(&[("redirect_uri", fine)])).await.status,
            200,
            "{fine}"
        );
    }
    for bad in [
        "https://evil.example/",
        "http://localhost.evil.example/",
        "http://localhost@evil.example/",
        "http://evil.example\\@localhost/",
        "javascript:alert(1)//localhost",
        "http://localhost/#fragment",
        "//localhost/",
        "/cb",
    ] {
        refused_on_a_page(&ask(&broker, &encode(&[("redirect_uri", bad)])).await);
    }
    let unnamed = Answer::of(broker.get("/oauth/authorize")).await;
    refused_on_a_page(&unnamed);
    assert!(
        !unnamed.body.contains("several"),
        "none is registered: {}",
        unnamed.body
    );
}

#[tokio::test]
async fn unknown_clients_get_a_page() {
    let broker = TestBroker::start().await;
    let callback = encode(&[("redirect_uri", CALLBACK)]);
    for id in [
        "nobody".to_owned(),
        simulator::CLIENT_ID.to_uppercase(),
        format!("{}%00", simulator::CLIENT_ID),
    ] {
        refused_on_a_page(&ask(&broker, &format!("client_id={id}&{callback}")).await);
    }
}

#[tokio::test]
async fn hostile_values_are_escaped_on_the_page() {
    let broker = TestBroker::start().await;
    for attack in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'-alert(1)-'",
    ] {
        let url = format!("https://evil.example/{attack}");
        for name in ["redirect_uri", "client_id"] {
            let answer = ask(&broker, &encode(&[(name, &url)])).await;
            refused_on_a_page(&answer);
            assert!(!answer.body.contains(attack), "{}", answer.body);
        }
    }
    let long = format!("https://evil.example/{}", "x".repeat(20_000));
    let answer = ask(&broker, &encode(&[("redirect_uri", &long)])).await;
    refused_on_a_page(&answer);
    assert!(answer.body.len() < 5_000, "{}", answer.body.len());
}

#[tokio::test]
async fn errors_after_the_redirect_uri_go_to_the_client_with_state_and_issuer() {
    let broker = TestBroker::start().await;
    for (query, expected) in [
        ("response_type=token".to_owned(), "unsupported_response_type"),
        (
            "response_type=code+id_token".to_owned(),
            "unsupported_response_type",
        ),
        ("response_type=CODE".to_owned(), "unsupported_response_type"),
        (
            format!("code_challenge={CHALLENGE}&code_challenge_method=plain"),
            "invalid_request",
        ),
        // RFC 7636 4.3: without a method it is "plain".
        (format!("code_challenge={CHALLENGE}"), "invalid_request"),
        (
            "code_challenge=short&code_challenge_method=S256".to_owned(),
            "invalid_request",
        ),
        ("code_challenge_method=S256".to_owned(), "invalid_request"),
        (
            format!("code_challenge={CHALLENGE}A&code_challenge_method=S256"),
            "invalid_request",
        ),
        ("scope=assets".to_owned(), "invalid_scope"),
        ("scope=transaction".to_owned(), "invalid_scope"),
        ("scope=read+write".to_owned(), "invalid_scope"),
        ("scope=openid+read".to_owned(), "invalid_scope"),
        ("scope=%22auth%22".to_owned(), "invalid_scope"),
        (format!("scope={}", "auth+".repeat(300)), "invalid_scope"),
        ("response_mode=fragment".to_owned(), "invalid_request"),
        ("response_mode=form_post".to_owned(), "invalid_request"),
        ("response_mode=query.jwt".to_owned(), "invalid_request"),
        ("request=e30.e30.".to_owned(), "request_not_supported"),
        (
            "request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A1".to_owned(),
            "request_uri_not_supported",
        ),
    ] {
        let answer = ask(&broker, &format!("{query}&state=x%2By")).await;
        let (error, location) = refused_at_the_client(&broker, &answer);
        assert_eq!(error, expected, "{query}");
        assert!(location.ends_with("&state=x%2By"), "{location}");
    }
    assert_eq!(broker.simulator.count("/link/token/create"), 0);
}

#[tokio::test]
async fn the_issuer_can_be_left_out() {
    let broker = TestBroker::start_with(&[("OAUTH_SEND_ISS", "off")]).await;
    let refused = ask(&broker, "response_type=token").await;
    assert_eq!(query_value(refused.header("location").unwrap(), "iss"), None);
    let browser = Browser::open(&broker, "?state=s").await;
    let cancelled = browser.cancel().await.text("redirect_to");
    assert_eq!(query_value(&cancelled, "iss"), None);
}

#[tokio::test]
async fn state_comes_back_byte_for_byte() {
    let broker = TestBroker::start().await;
    let long = "s".repeat(2048);
    for state in [
        "a+b",
        "a%2Bb",
        "a%20b",
        "%ff%FE",
        "%",
        "a=b==",
        "{}%7B%7d|^`",
        "?/:@!$'()*,;",
        "%0d%0aSet-Cookie:x=1",
        &long,
    ] {
        let expected = state.replace('{', "%7B").replace('}', "%7D").replace('|', "%7C");
        let expected = expected.replace('^', "%5E").replace('`', "%60");
        let answer = raw_get(&broker, &format!("/?state={state}")).await;
        let browser = Browser::show(&broker, answer);
        let completed = browser.complete(&broker.public_token().await).await;
        let redirect_to = completed.text("redirect_to");
        assert!(
            redirect_to.ends_with(&format!("&state={expected}")),
            "{state}: {redirect_to}"
        );
        let refused = raw_get(&broker, &format!("/?response_type=x&state={state}")).await;
        let location = refused.header("location").unwrap();
        assert!(location.ends_with(&format!("&state={expected}#")), "{location}");
    }
}

/// A request whose target is sent as it is; URL libraries would tidy it.
async fn raw_get(broker: &TestBroker, target: &str) -> Answer {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let address = broker.url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status: u16 = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut response = http::Response::builder().status(status);
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        response = response.header(name, value);
    }
    Answer::read(response.body(body.to_owned()).unwrap().into()).await
}
