//! The record of requests: each outcome is named with its cause, and no value that was sent is kept.

mod values;

use std::sync::Arc;
use std::time::Duration;

use plaid_token_broker::request_log::{Endpoint, Entry, Outcome, Update};
use plaid_token_broker::secret::{ClientSecret, SecretHash};
use plaid_token_broker::simulator::{CLIENT_ID, SECRET};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::code::VERIFIER;
use crate::harness::{Answer, Browser, CALLBACK, TestBroker, encode};

/// A client beside the first one.
fn other_client() -> String {
    let hash = SecretHash::of(&ClientSecret::new(OTHER_SECRET), [7; 16]).line();
    format!("[[client]]\nid = 'other-client'\nsecret_hash = '{hash}'\nredirect_uris = ['{CALLBACK}']\n")
}

const OTHER_SECRET: &str = "a-secret-of-the-other-client-0123";

/// The entry that was written last, as words, remarks and fix.
fn last(broker: &TestBroker) -> Arc<Entry> {
    broker.request_log.entries().pop().expect("an entry")
}

fn told(entry: &Entry) -> String {
    format!(
        "{} | {} | {}",
        entry.words,
        entry.remarks.join(", "),
        entry.fix.unwrap_or("-")
    )
}

/// Opens the authorization endpoint; gives what the record says of it.
async fn authorization(broker: &TestBroker, query: &[(&str, &str)]) -> Arc<Entry> {
    Answer::of(broker.get(&format!("/oauth/authorize?{}", encode(query)))).await;
    last(broker)
}

/// Sends a token request; gives what the record says of it.
async fn token(broker: &TestBroker, form: &[(&str, &str)], headers: &[(&str, &str)]) -> Arc<Entry> {
    let mut request = broker.token_request(form);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request).await;
    last(broker)
}

#[tokio::test]
async fn the_whole_flow_is_told() {
    let broker = TestBroker::start().await;
    let tokens = broker.tokens().await;
    broker.refresh(&tokens.text("refresh_token")).await;
    let body = encode(&[("token", &tokens.text("refresh_token"))]);
    let basic = |path: &str| {
        let request = broker
            .post(path)
            .basic_auth(CLIENT_ID, Some(SECRET))
            .body(body.clone());
        request.header("content-type", "application/x-www-form-urlencoded")
    };
    Answer::of(basic("/oauth/introspect")).await;
    Answer::of(basic("/oauth/revoke")).await;
    let entries = broker.request_log.entries();
    let seen: Vec<_> = entries.iter().map(|e| (e.endpoint, e.proven, e.status)).collect();
    assert_eq!(
        seen,
        [
            (Endpoint::Authorization, false, Some(200)),
            (Endpoint::Completion, false, Some(200)),
            (Endpoint::Token, true, Some(200)),
            (Endpoint::Token, true, Some(200)),
            (Endpoint::Introspection, true, Some(200)),
            (Endpoint::Revocation, true, Some(200)),
        ]
    );
    for entry in &entries {
        assert_eq!(entry.client.as_deref(), Some(CLIENT_ID));
        assert_eq!(entry.outcome, Outcome::Good);
        assert!(!entry.request_id.is_empty());
    }
    let redeemed = &entries[2];
    assert_eq!(redeemed.parameters, ["code"]);
    assert_eq!(redeemed.content_type, Some("application/x-www-form-urlencoded"));
    assert!(
        told(redeemed).contains("production will refuse"),
        "{}",
        told(redeemed)
    );
    assert_eq!(entries[3].grant_type, Some("refresh_token"));
    assert_eq!(entries[4].authentication, Some("client_secret_basic"));
}

#[tokio::test]
async fn a_cancelled_flow_is_told() {
    let broker = TestBroker::start().await;
    let browser = Browser::open(&broker, "?state=s").await;
    browser.cancel().await;
    assert_eq!(last(&broker).endpoint, Endpoint::Cancel);
    assert_eq!(last(&broker).outcome, Outcome::Good);
    let public_token = broker.public_token().await;
    browser.complete(&public_token).await;
    let late = last(&broker);
    assert_eq!(
        (late.endpoint, late.outcome),
        (Endpoint::Completion, Outcome::Refused)
    );
    assert!(told(&late).contains("authorization is over"), "{}", told(&late));
}

#[tokio::test]
async fn each_mistake_at_the_authorization_url_is_named() {
    let broker =
        TestBroker::start_with(&[("PLAID_REDIRECT_URI", "https://idp.kore.ai/workflows/callback/")]).await;
    let with = |uri: &'static str| [("client_id", CLIENT_ID), ("redirect_uri", uri)];
    for (uri, words) in [
        (
            "https://idp.kore.ai/workflows/callback",
            "without the slash that the one on the list has",
        ),
        (
            "http://idp.kore.ai/workflows/callback/",
            "http: and not with https:",
        ),
        (
            "https://idp.kore.com/workflows/callback/",
            "host idp.kore.com and not idp.kore.ai",
        ),
        ("https://somewhere.example/else", "no listed one is similar"),
    ] {
        let entry = authorization(&broker, &with(uri)).await;
        assert!(told(&entry).contains(words), "{uri}: {}", told(&entry));
        assert_eq!(entry.redirect_uri.as_deref(), Some(uri));
        assert_eq!(entry.client.as_deref(), Some(CLIENT_ID));
    }
    let refused: Vec<_> = broker.request_log.refused_callbacks();
    assert_eq!(refused.len(), 4);
    for (query, words) in [
        (
            &[("client_id", "0123456789abcdef01234567")][..],
            "client id of another Plaid account",
        ),
        (&[("client_id", SECRET)], "this broker's Plaid secret"),
        (&[("client_id", " 5a11ced0c0ffee0000000001")], "has a blank"),
        (&[("client_id", "my-bot")], "is not one of this broker"),
        (&[("response_type", "token")], "response_type was token"),
        (&[("response_type", "surprise")], "response_type was another"),
        (
            &[("state", "one"), ("state", "two")],
            "'state' was sent more than once with different values",
        ),
        (
            &[("client_id", "a"), ("client_id", "b")],
            "'client_id' was sent more than once",
        ),
        (
            &[("scope", "assets")],
            "scope names no Plaid product that is configured",
        ),
        (&[("scope", "assets")], "assets (not configured for this client)"),
        (&[("scope", "transaction")], "a name that resembles transactions"),
        (&[("scope", "read,write,read")], "3 that are no products"),
        (
            &[("scope", "\"auth\"")],
            "a character that RFC 6749 3.3 does not allow",
        ),
        (&[("response_mode", "fragment")], "only response_mode=query"),
        (&[("request", "e30.e30.")], "request is not supported"),
        (&[("request_uri", "urn:x")], "request_uri is not supported"),
    ] {
        let entry = authorization(&broker, query).await;
        assert!(told(&entry).contains(words), "{query:?}: {}", told(&entry));
        assert!(entry.fix.is_some(), "{query:?}: no fix");
    }
}

/// Form fields, headers, and what the record says of them.
type Mistake<'a> = (&'a [(&'a str, &'a str)], &'a [(&'a str, &'a str)], &'a str);

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of mistakes")]
async fn each_mistake_at_the_token_url_is_named() {
    let dir = Arc::new(tempfile::TempDir::new().unwrap());
    let file = dir.path().join("clients.toml");
    std::fs::write(&file, other_client()).unwrap();
    let settings = [
        ("OAUTH_CLIENTS_FILE", file.to_str().unwrap()),
        ("OAUTH_CLIENT_AUTH", "required"),
    ];
    let broker = TestBroker::start_in(dir.clone(), &settings).await;
    let code = broker.code().await;
    let good = ("client_secret", SECRET);
    let id = ("client_id", CLIENT_ID);
    let blank = format!("{SECRET} ");
    let cases: &[Mistake<'_>] = &[
        (&[("code", &code)], &[], "client authentication is required"),
        (
            &[("code", &code), id, ("client_secret", "wrong")],
            &[],
            "the client secret was wrong",
        ),
        (
            &[("code", &code), id, ("client_secret", &blank)],
            &[],
            "blank at its beginning or end",
        ),
        (
            &[("code", &code), id, ("client_secret", CLIENT_ID)],
            &[],
            "it is the client id",
        ),
        (
            &[
                ("code", &code),
                id,
                ("client_secret", "0123456789abcdef0123456789abcd"),
            ],
            &[],
            "looks like a Plaid secret, perhaps that of another environment",
        ),
        (
            &[("code", &code), ("client_id", "nobody"), good],
            &[],
            "client_id is not one of this broker",
        ),
        (
            &[("code", &code), id],
            &[("plaid-secret", "wrong")],
            "the secret in the header PLAID-SECRET was wrong",
        ),
        (
            &[("code", &code), id, good],
            &[("authorization", "Basic YTpi")],
            "two different client secrets were sent",
        ),
        (
            &[("code", &code), id],
            &[("authorization", "Bearer abc")],
            "empty or not Basic",
        ),
        (
            &[("code", "x"), id, good],
            &[("authorization", "Bearer abc")],
            "its Authorization header is empty or not Basic and was ignored",
        ),
        (
            &[("code", &code), id, good],
            &[
                ("sec-fetch-site", "cross-site"),
                ("origin", "https://page.example"),
            ],
            "a web page of an origin that is not registered",
        ),
        (
            &[("code", "ptb_ac_short"), id, good],
            &[],
            "cut short, changed, or of a broker with another key",
        ),
        (
            &[("code", "{{code}}"), id, good],
            &[],
            "a placeholder that nobody filled in",
        ),
        (
            &[("refresh_token", "access-sandbox-x"), id, good],
            &[],
            "refresh_token is an access token of Plaid",
        ),
        (
            &[("grant_type", "client_credentials"), id, good],
            &[],
            "use grant_type=authorization_code",
        ),
        (
            &[("grant_type", "authorization_code"), id, good],
            &[],
            "code is missing",
        ),
        (
            &[("code", &code), ("code", "b"), id, good],
            &[],
            "'code' was sent more than once",
        ),
        (
            &[
                ("code", &code),
                ("redirect_uri", "https://else.example/"),
                id,
                good,
            ],
            &[],
            "redirect_uri is not the one that the code was asked for with",
        ),
        (
            &[
                ("code", &code),
                ("client_id", "other-client"),
                ("client_secret", OTHER_SECRET),
            ],
            &[],
            "the code was issued to another client",
        ),
        (
            &[("code", &code), ("code_verifier", VERIFIER), id, good],
            &[],
            "code_verifier was sent",
        ),
        (
            &[("code", &code), ("code_verifier", "x"), id, good],
            &[],
            "code_verifier must be 43 to 128 characters long",
        ),
    ];
    for (form, headers, words) in cases {
        let entry = token(&broker, form, headers).await;
        assert!(told(&entry).contains(words), "{words}: {}", told(&entry));
        assert_eq!(entry.outcome, Outcome::Refused);
        assert!(entry.fix.is_some(), "{words}: no fix");
    }
    // What is odd and does not decide stands beside a good outcome.
    let entry = token(
        &broker,
        &[("code", &code), id, good, ("extra", "1")],
        &[("plaid-secret", "other")],
    )
    .await;
    assert_eq!(entry.outcome, Outcome::Good);
    assert!(
        told(&entry).contains("PLAID-SECRET contradicts"),
        "{}",
        told(&entry)
    );
    assert_eq!(entry.others, 1);
    let entry = token(&broker, &[("code", &code), id, good], &[]).await;
    assert!(told(&entry).contains("used before"), "{}", told(&entry));

    let late = broker.code().await;
    broker.clock.advance(Duration::from_secs(301));
    let entry = token(&broker, &[("code", &late), id, good], &[]).await;
    assert!(told(&entry).contains("the code has expired"), "{}", told(&entry));
}

#[tokio::test]
async fn another_method_or_kind_of_body_is_named() {
    let broker = TestBroker::start().await;
    Answer::of(broker.get("/oauth/token?grant_type=authorization_code")).await;
    let entry = last(&broker);
    assert!(
        told(&entry).contains("called by GET, and takes POST"),
        "{}",
        told(&entry)
    );
    let request = broker
        .post("/oauth/token")
        .header("content-type", "application/xml");
    Answer::of(request.body("<code>1</code>")).await;
    let entry = last(&broker);
    assert_eq!(
        (entry.status, entry.content_type),
        (Some(415), Some("application/xml"))
    );
    assert!(
        told(&entry).contains("send the parameters as"),
        "{}",
        told(&entry)
    );
}

#[tokio::test]
async fn plaids_refusal_of_the_keys_is_told_here_and_not_to_the_client() {
    let broker = TestBroker::start_as(crate::harness::Setup {
        plaid: Some(plaid_token_broker::simulator::Options::default()),
        settings: &[
            ("PLAID_SECRET", "0123456789abcdef0123456789abcd"),
            ("PLAID_REDIRECT_URI", CALLBACK),
        ],
        ..Default::default()
    })
    .await;
    let browser = Browser::open(&broker, "?state=s").await;
    let answer = browser.create_link_token().await;
    assert_eq!(answer.status, 500);
    let entry = last(&broker);
    assert_eq!(entry.endpoint, Endpoint::LinkToken);
    assert!(told(&entry).contains("INVALID_API_KEYS"), "{}", told(&entry));
    assert!(told(&entry).contains("PLAID_SECRET"), "{}", told(&entry));
}

#[tokio::test]
async fn a_caller_that_hangs_up_has_its_entry() {
    let broker = TestBroker::start().await;
    let mut stream = TcpStream::connect(broker.url.trim_start_matches("http://"))
        .await
        .unwrap();
    let head = "POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    drop(stream);
    let mut listener = broker.request_log.listen().unwrap();
    let entry = loop {
        match listener.next().await.unwrap() {
            Update::Entry(entry) => break entry,
            Update::Reset => {}
        }
    };
    let words = told(&entry);
    assert!(
        words.contains("went away") || words.contains("incomplete"),
        "{words}"
    );
}

#[tokio::test]
async fn switched_off_nothing_is_kept() {
    let broker = TestBroker::start_with(&[("BROKER_REQUEST_RECORD", "off")]).await;
    broker.tokens().await;
    authorization_is_refused(&broker).await;
    assert!(broker.request_log.entries().is_empty());
}

async fn authorization_is_refused(broker: &TestBroker) {
    let answer = Answer::of(broker.get("/oauth/authorize?redirect_uri=https%3A%2F%2Felse.example")).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn an_address_that_was_mistyped_is_named() {
    let broker = TestBroker::start().await;
    let form = [("grant_type", "authorization_code"), ("code", "x")];
    let mistyped = "/api/send_the_access_token";
    let answer = Answer::of(broker.post(mistyped).body(encode(&form))).await;
    assert_eq!(answer.status, 404);
    assert!(
        answer
            .text("error_description")
            .contains("/api/send_the_access_token_AUTH?"),
        "{}",
        answer.body
    );
    let entry = last(&broker);
    assert_eq!((entry.endpoint, entry.status), (Endpoint::Token, Some(404)));
    assert!(
        told(&entry).contains("/api/send_the_access_token_AUTH was probably meant"),
        "{}",
        told(&entry)
    );
    assert!(entry.fix.is_some());

    Answer::of(broker.get("/oauth/authorise?state=s")).await;
    assert_eq!(last(&broker).endpoint, Endpoint::Authorization);

    Answer::of(broker.post("/").body(encode(&form))).await;
    let entry = last(&broker);
    assert_eq!((entry.endpoint, entry.status), (Endpoint::Token, Some(405)));
    assert!(
        told(&entry).contains("posted to the Authorization URL"),
        "{}",
        told(&entry)
    );

    // A browser that posts is no token request.
    let posted = broker
        .post("/oauth/authorize")
        .header("accept", "text/html")
        .body(encode(&form));
    Answer::of(posted).await;
    assert_eq!(last(&broker).endpoint, Endpoint::Authorization);

    // Strangers push nothing of a client out, whatever they vary.
    let named = broker
        .post("/oauth/tokens")
        .basic_auth(CLIENT_ID, Some(SECRET))
        .body(encode(&form));
    Answer::of(named).await;
    for n in 0..60 {
        let kind = ["text/plain", "application/json", "x/y"][n % 3];
        let path = ["/oauth/tokens", "/oauth/tokenz", "/", "/oauth/authorise"][n % 4];
        Answer::of(broker.post(path).header("content-type", kind).body("a=1")).await;
    }
    let entries = broker.request_log.entries();
    assert!(
        entries
            .iter()
            .any(|entry| entry.client.as_deref() == Some(CLIENT_ID))
    );

    // What scanners try is nobody's profile.
    let before = broker.request_log.entries().len();
    Answer::of(broker.get("/wp-login.php")).await;
    assert_eq!(broker.request_log.entries().len(), before);
}

#[tokio::test]
async fn what_to_do_fits_what_was_sent() {
    let broker = TestBroker::start().await;
    let (id, good) = (("client_id", CLIENT_ID), ("client_secret", SECRET));
    for (form, words) in [
        (
            &[("code", "{{code}}"), id, good][..],
            "Take the field out of its Additional Fields",
        ),
        (
            &[("refresh_token", "access-sandbox-x"), id, good],
            "refresh_token of the last token answer",
        ),
        (&[("code", "ptb_ac_short"), id, good], "Authorize once more"),
    ] {
        let entry = token(&broker, form, &[]).await;
        assert!(told(&entry).contains(words), "{words}: {}", told(&entry));
    }
    // A known cause stands alone.
    let entry = token(&broker, &[("code", "abc"), id, ("client_secret", "wrong")], &[]).await;
    assert!(!told(&entry).contains("never made"), "{}", told(&entry));
    // An Authorization URL in the place of the Token URL, and the other way round.
    Answer::of(broker.get("/oauth/token?response_type=code&state=s")).await;
    assert!(
        told(&last(&broker)).contains("Swap the Authorization URL"),
        "{}",
        told(&last(&broker))
    );
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_its_clients_by_the_headers() {
    let broker = TestBroker::start().await;
    for (kind, body) in [
        ("text/plain", "code=x"),
        ("application/json", "{"),
        ("application/x-www-form-urlencoded", "code=a&code=b"),
    ] {
        let request = broker
            .post("/oauth/token")
            .basic_auth(CLIENT_ID, Some(SECRET))
            .header("content-type", kind)
            .body(body);
        Answer::of(request).await;
        let entry = last(&broker);
        assert_eq!(
            entry.client.as_deref(),
            Some(CLIENT_ID),
            "{kind}: {}",
            told(&entry)
        );
        assert!(!entry.proven, "{kind}");
    }
}

#[tokio::test]
async fn names_that_a_scope_has_beside_known_ones_are_noted_without_their_values() {
    let broker = TestBroker::start().await;
    let entry = authorization(&broker, &[("scope", "auth,transaction;ASSETS my-secret openid")]).await;
    assert_eq!(entry.outcome, Outcome::Good);
    let words = "names in scope were ignored: a name that resembles transactions, assets (not configured for this client), \
                 1 that are no products";
    assert_eq!(entry.remarks, [words]);
    let entry = authorization(&broker, &[("scope", "openid profile email")]).await;
    assert!(entry.remarks.is_empty(), "{:?}", entry.remarks);
}
