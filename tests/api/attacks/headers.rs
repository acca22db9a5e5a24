//! Forged, doubled and oddly spelt headers and parameters.

use base64::Engine as _;
use plaid_token_broker::simulator::{CLIENT_ID, SECRET};

use super::{EVIL, raw_request};
use serde_json::json;

use crate::harness::{Answer, Browser, TestBroker, encode};
use crate::token::{SECOND, with_clients};

/// What proxies and frameworks have been fooled with.
fn forged() -> Vec<(&'static str, String)> {
    let mut all: Vec<_> = [
        "host",
        "x-forwarded-host",
        "x-forwarded-server",
        "x-host",
        "x-http-host-override",
        "x-original-host",
    ]
    .map(|name| (name, EVIL.to_owned()))
    .to_vec();
    all.extend([
        ("forwarded", format!("for=1.2.3.4;host={EVIL};proto=https")),
        ("x-forwarded-prefix", format!("//{EVIL}")),
        ("x-forwarded-port", "6666".to_owned()),
        ("x-original-url", format!("https://{EVIL}/explorer")),
        ("x-rewrite-url", format!("//{EVIL}/")),
        ("x-forwarded-uri", format!("//{EVIL}/")),
        ("origin", format!("https://{EVIL}")),
        ("referer", format!("https://{EVIL}/callback")),
        ("x-http-method-override", "DELETE".to_owned()),
    ]);
    all
}

#[tokio::test]
async fn nothing_handed_out_is_made_of_a_forged_header() {
    let settings = [
        ("PUBLIC_URL", "https://broker.example"),
        ("PLAID_LINK_REDIRECT_URI", "https://broker.example/link/return"),
    ];
    let broker = TestBroker::start_with(&settings).await;
    let with_forged = |mut request: reqwest::RequestBuilder| {
        for (name, value) in forged() {
            request = request.header(name, value);
        }
        request
    };
    let mut answers = Vec::new();
    for path in [
        "/.well-known/oauth-authorization-server",
        "/",
        "/?response_type=token&state=s",
        "/?client_id=nobody",
        "/nothing",
        "/link/return",
        "/explorer",
    ] {
        let request = broker.get(path).header("accept", "text/html");
        answers.push(Answer::of(with_forged(request)).await);
    }
    let opened = Answer::of(with_forged(broker.get("/?state=s"))).await;
    let cookies: Vec<_> = opened.headers.get_all("set-cookie").iter().cloned().collect();
    assert!(!format!("{cookies:?}").contains(EVIL));
    let browser = Browser::show(&broker, opened);
    let sealed = json!({ "request": browser.request });
    answers.push(Answer::of(with_forged(browser.call("/api/create_link_token").json(&sealed))).await);
    let body = crate::harness::success(&broker.public_token().await);
    let completed = Answer::of(with_forged(browser.call("/api/set_access_token").json(&body))).await;
    let code = crate::harness::query_value(&completed.text("redirect_to"), "code").unwrap();
    answers.push(completed);
    answers.push(Answer::of(with_forged(broker.token_request(&[("code", &code)]))).await);
    answers.push(Answer::of(with_forged(broker.token_request(&[("code", &code)]))).await);
    for answer in &answers {
        assert!(
            !answer.body.contains(EVIL) && !answer.body.contains("6666"),
            "{}",
            answer.body
        );
        assert!(
            !format!("{:?}", answer.headers).contains(EVIL),
            "{:?}",
            answer.headers
        );
    }
    assert_eq!(answers[0].text("issuer"), "https://broker.example");
    // Plaid is told nothing of them either.
    for request in broker.simulator.requests() {
        assert!(!request.body.to_string().contains(EVIL), "{}", request.path);
    }
}

#[tokio::test]
async fn a_forged_address_does_not_lift_a_limit() {
    let broker = TestBroker::start_with(&[("BROKER_TRUSTED_PROXIES", "none")]).await;
    let mut refused = 0;
    for n in 0..500_u32 {
        let request = broker
            .token_request(&[("refresh_token", "x"), ("client_secret", "guess")])
            .header("x-forwarded-for", format!("198.51.{}.{}", n / 250, n % 250))
            .header("forwarded", format!("for=198.51.100.{}", n % 250))
            .header("x-real-ip", format!("203.0.113.{}", n % 250));
        refused += u32::from(Answer::of(request).await.status == 429);
    }
    assert!(refused > 50, "{refused} of 500 guesses were slowed down");
}

#[tokio::test]
async fn a_header_that_comes_twice_is_no_way_around() {
    let broker = TestBroker::start_with(&[("OAUTH_CLIENT_AUTH", "required")]).await;
    let code = broker.code().await;
    let basic = |secret: &str| {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT_ID}:{secret}"));
        format!("Authorization: Basic {pair}")
    };
    let form = "Content-Type: application/x-www-form-urlencoded";
    let body = encode(&[("code", &code)]);
    let with_secret = encode(&[("code", &code), ("client_secret", SECRET)]);
    let (right, wrong) = (basic(SECRET), basic("wrong"));
    let secret = format!("PLAID-SECRET: {SECRET}");
    for (headers, body, status) in [
        (&[form, &right, &wrong][..], &body, 401),
        (&[form, &wrong, &right], &body, 401),
        (&[form, &right, &right], &body, 401),
        (&[form, &right, "Authorization: Bearer x"], &body, 401),
        (&[form, &secret, "PLAID-SECRET: wrong"], &body, 400),
        // Whoever reads the other one would read another request.
        (&[form, "Content-Type: application/json"], &with_secret, 415),
        (&["Content-Type: application/json", form], &with_secret, 415),
        (&[form, form], &with_secret, 415),
    ] {
        let text = raw_request(&broker, "POST /oauth/token", headers, body).await;
        assert!(
            text.starts_with(&format!("HTTP/1.1 {status} ")),
            "{headers:?}: {text}"
        );
    }
    // Two lengths, or a length beside chunks, is how requests are smuggled.
    for headers in [
        &[form, "Content-Length: 1"][..],
        &[form, "Transfer-Encoding: identity"],
        &[form, "Transfer-Encoding: chunked, identity"],
    ] {
        let text = raw_request(&broker, "POST /oauth/token", headers, &with_secret).await;
        assert!(text.starts_with("HTTP/1.1 400 "), "{headers:?}: {text}");
    }
    let text = raw_request(&broker, "POST /oauth/token", &[form, &right], &body).await;
    assert!(
        text.starts_with("HTTP/1.1 200 "),
        "the code was good all the time: {text}"
    );
}

#[tokio::test]
async fn underscores_are_no_hyphens() {
    let settings = [("OAUTH_CLIENT_AUTH", "required")];
    let broker = TestBroker::start_with(&settings).await;
    let code = broker.code().await;
    let body = encode(&[("code", &code)]);
    let form = "Content-Type: application/x-www-form-urlencoded";
    let secret = format!("PLAID_SECRET: {SECRET}");
    let text = raw_request(&broker, "POST /oauth/token", &[form, &secret], &body).await;
    assert!(text.starts_with("HTTP/1.1 401 "), "{text}");

    let browser = Browser::open(&broker, "?state=s").await;
    let handle = format!("X_Broker_Handle: {}", browser.handle);
    let cookie = format!("Cookie: {}", browser.cookie_header());
    let line = "POST /api/create_link_token";
    let sealed = json!({ "request": browser.request }).to_string();
    let text = raw_request(&broker, line, &[&handle, &cookie], &sealed).await;
    assert!(text.starts_with("HTTP/1.1 403 "), "{text}");

    let text = raw_request(&broker, "GET /?state=s", &["X_Forwarded_Proto: https"], "").await;
    assert!(text.contains("\r\nset-cookie: ptb_tx_"), "{text}");
}

#[tokio::test]
async fn parameters_of_the_address_and_of_the_body_do_not_mix() {
    let broker = with_clients(&[("OAUTH_CLIENT_AUTH", "required")]).await;
    let code = broker.code().await;
    let form = "Content-Type: application/x-www-form-urlencoded";
    let secret = encode(&[("client_id", CLIENT_ID), ("client_secret", SECRET)]);
    let json = "Content-Type: application/json";
    for (query, headers, body) in [
        // A secret in an address would stand in logs; the one in the body counts alone.
        (secret.clone(), &[form][..], encode(&[("code", &code)])),
        (format!("code={code}"), &[form], secret.clone()),
        (
            String::new(),
            &[form],
            format!("code={code}&{secret}&client_secret=x"),
        ),
        (
            String::new(),
            &[form],
            format!("code={code}&{secret}&client_id={}", SECOND.0),
        ),
        (String::new(), &[form], format!("code={code}&{secret}&code=x")),
        (
            String::new(),
            &[form],
            format!("code={code};{}", secret.replace('&', ";")),
        ),
        (String::new(), &[form], format!("code[]={code}&{secret}")),
        (
            String::new(),
            &[json],
            format!(r#"{{"code":"{code}","client_secret":"{SECRET}","client_secret":"x"}}"#),
        ),
        (
            String::new(),
            &[json],
            format!(r#"{{"code":["{code}"],"client_secret":"{SECRET}"}}"#),
        ),
        (
            String::new(),
            &[json],
            format!(r#"{{"code":"{code}","client_secret":{{"$ne":""}}}}"#),
        ),
    ] {
        let line = format!("POST /oauth/token?{query}");
        let text = raw_request(&broker, &line, headers, &body).await;
        assert!(text.starts_with("HTTP/1.1 4"), "{line} {body}: {text}");
    }
    // What the address adds is not even looked at.
    let line = "POST /oauth/token?grant_type=password&code=x&client_secret=x";
    let text = raw_request(&broker, line, &[form], &format!("code={code}&{secret}")).await;
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
}
