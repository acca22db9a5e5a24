//! Open redirects, response splitting, and what a redirect carries along.

use std::collections::BTreeSet;

use super::{EVIL, KORE, ask, raw_request};
use crate::harness::{Answer, Browser, CALLBACK, TestBroker, encode, query_value};

#[track_caller]
fn stays_here(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {}", answer.body);
    assert_eq!(answer.header("location"), None, "{what}");
    assert_eq!(answer.header("refresh"), None, "{what}");
    assert!(answer.headers.get("set-cookie").is_none(), "{what}");
    assert!(!answer.body.contains("http-equiv"), "{what}");
}

/// A broker whose one callback is outside, and that does not count how often it is asked.
async fn broker() -> TestBroker {
    TestBroker::start_with(&[("PLAID_REDIRECT_URI", KORE), ("BROKER_RATE_LIMIT", "off")]).await
}

#[tokio::test]
async fn every_one_byte_change_of_a_redirect_uri_stays_on_our_page() {
    let broker = broker().await;
    let mut changed: BTreeSet<Vec<u8>> = BTreeSet::new();
    for at in 0..KORE.len() {
        let bytes = KORE.as_bytes();
        // Another letter case, the next letter, one less, one twice.
        for byte in [bytes[at] ^ 0x20, bytes[at].wrapping_add(1)] {
            let mut replaced = bytes.to_vec();
            replaced[at] = byte;
            changed.insert(replaced);
        }
        changed.insert([&bytes[..at], &bytes[at + 1..]].concat());
        changed.insert([&bytes[..at], &bytes[at..=at], &bytes[at..]].concat());
    }
    for end in [b'/', b'?', b'#', b'&', b';', b'.', b' ', b'\t', b'\n', 0] {
        changed.insert([KORE.as_bytes(), &[end]].concat());
        changed.insert([&[end], KORE.as_bytes()].concat());
    }
    assert!(changed.len() > 150, "{}", changed.len());
    for uri in changed {
        let encoded: String = url::form_urlencoded::byte_serialize(&uri).collect();
        let answer = ask(&broker, &format!("state=s&redirect_uri={encoded}")).await;
        stays_here(&answer, &encoded);
    }
    let right = ask(&broker, &encode(&[("redirect_uri", KORE)])).await;
    assert_eq!(right.status, 200, "{}", right.body);
}

#[tokio::test]
async fn what_url_parsers_disagree_on_opens_no_redirect() {
    let broker = broker().await;
    let host = "idp.kore.com";
    for uri in [
        format!("https://{EVIL}/"),
        format!("//{EVIL}/"),
        format!("https://{host}@{EVIL}/workflows/callback"),
        format!("https://{host}:443/workflows/callback"),
        format!("https://{host}./workflows/callback"),
        format!("https://{host}.{EVIL}/workflows/callback"),
        format!("https://{EVIL}\\@{host}/workflows/callback"),
        format!("https://{host}/workflows/../workflows/callback"),
        format!("https://{host}/workflows/%63allback"),
        format!("https://{host}/workflows/callback/../../redirect?to=https://{EVIL}"),
        format!("https://{host}/workflows/callback?next=https://{EVIL}"),
        format!("https://{host}/workflows/callback#@{EVIL}"),
        format!("https://{host}/workflows/callback;x"),
        format!("https:{host}/workflows/callback"),
        format!("https:///{host}/workflows/callback"),
        format!("HTTPS://{host}/workflows/callback"),
        format!("https://{host}/workflows/callback\r\nLocation: https://{EVIL}"),
        "https://idp.kore.com\u{ff0f}workflows/callback".to_owned(),
        "https://\u{456}dp.kore.com/workflows/callback".to_owned(),
        format!("{KORE},https://{EVIL}"),
        "javascript:alert(1)".to_owned(),
        "data:text/html,x".to_owned(),
        "com.example.app:/callback".to_owned(),
        "http://127.0.0.1/workflows/callback".to_owned(),
    ] {
        for path in ["/", "/oauth/authorize"] {
            let query = encode(&[("redirect_uri", &uri), ("state", "s")]);
            let answer = Answer::of(broker.get(&format!("{path}?{query}"))).await;
            stays_here(&answer, &uri);
        }
    }
}

#[tokio::test]
async fn no_answer_redirects_by_307_or_anywhere_but_to_the_callback() {
    let broker = TestBroker::start().await;
    let mut redirects = 0;
    let next = encode(&[
        ("next", "https://evil.example"),
        ("url", "//evil.example"),
        ("return_to", "/\\evil.example"),
    ]);
    for path in [
        "/?response_type=token&state=s",
        "/oauth/authorize?scope=assets",
        "/?code_challenge=x&code_challenge_method=plain",
        "/?state=a&state=b",
        "/?state=s",
        "/link/return?oauth_state_id=x",
        "/explorer",
        "/static/",
        "//evil.example/%2f..",
        "/https://evil.example",
        "/nothing",
        "/oauth/token",
        "/_simulator/link/",
        "/.well-known/oauth-authorization-server",
    ] {
        let separator = if path.contains('?') { '&' } else { '?' };
        let answer = Answer::of(broker.get(&format!("{path}{separator}{next}"))).await;
        match answer.header("location") {
            Some(location) => {
                redirects += 1;
                assert_eq!(answer.status, 303, "{path}");
                assert!(location.starts_with(&format!("{CALLBACK}?error=")), "{location}");
                assert!(!location.contains(EVIL), "{location}");
            }
            None => assert!(!(300..400).contains(&answer.status), "{path}: {}", answer.status),
        }
    }
    assert_eq!(redirects, 4);
}

#[tokio::test]
async fn a_fragment_does_not_travel_with_a_redirect() {
    let broker = TestBroker::start().await;
    // A browser gives the fragment of the address it asked for to where it is sent, unless there is one already.
    for query in ["response_type=token&state=s", "scope=assets"] {
        let answer = ask(&broker, query).await;
        let location = answer.header("location").unwrap();
        assert!(location.ends_with('#'), "{location}");
        assert_eq!(location.matches('#').count(), 1, "{location}");
    }
}

#[tokio::test]
async fn an_answer_cannot_be_split() {
    let broker = TestBroker::start().await;
    let attack = "%0d%0aX-Evil:%20yes%0d%0a%0d%0a<script>";
    for line in [
        format!("GET /?response_type=token&state={attack}"),
        format!("GET /?response_type={attack}&state=s"),
        format!("GET /?redirect_uri={attack}"),
        format!("GET /?redirect_uri=http://127.0.0.1:9/callback{attack}&state=s"),
        format!("GET /?client_id={attack}"),
        format!("GET /{attack}"),
        format!("GET /oauth/authorize?scope={attack}&code_challenge={attack}"),
    ] {
        let text = raw_request(&broker, &line, &[], "").await;
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        for name in head.lines().skip(1).filter_map(|line| line.split_once(':')) {
            assert!(!name.0.eq_ignore_ascii_case("x-evil"), "{head}");
        }
        assert!(!body.contains("<script>"), "{line}: {body}");
    }
    // Unencoded control characters are no HTTP at all.
    for line in [
        "GET /?state=a\rb",
        "GET /?state=a\nX-Evil: yes",
        "GET /?state=a\0b",
    ] {
        let text = raw_request(&broker, line, &[], "").await;
        assert!(text.starts_with("HTTP/1.1 400 ") || text.is_empty(), "{text}");
    }
}

#[tokio::test]
async fn every_authorization_response_names_the_issuer_of_the_metadata() {
    let broker = TestBroker::start_with(&[("PUBLIC_URL", "https://broker.example")]).await;
    let metadata = Answer::of(broker.get("/.well-known/oauth-authorization-server")).await;
    let issuer = metadata.text("issuer");
    assert_eq!(
        metadata.json["authorization_response_iss_parameter_supported"],
        true
    );
    let success = Browser::open(&broker, "?state=s").await;
    let success = success.complete(&broker.public_token().await).await;
    let cancelled = Browser::open(&broker, "?state=s").await.cancel().await;
    let refused = ask(&broker, "response_type=token&state=s").await;
    for response in [
        success.text("redirect_to"),
        cancelled.text("redirect_to"),
        refused.header("location").unwrap().to_owned(),
    ] {
        assert_eq!(query_value(&response, "iss"), Some(issuer.clone()), "{response}");
        assert_eq!(response.matches("iss=").count(), 1, "{response}");
    }
}
