//! The code: good once, for a while, and for what it was asked for with alone.

use std::time::{Duration, Instant};

use plaid_token_broker::store::TokenKind;
use plaid_token_broker::store::model::{AuthorizationId, Stage};

use crate::binding::changes;
use crate::harness::{Answer, CALLBACK, TestBroker, encode};
use crate::token::{SECOND, with_clients};

/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

#[tokio::test]
async fn a_code_is_good_once_and_its_grant_lives_on() {
    let broker = TestBroker::start().await;
    let code = broker.code().await;
    let first = broker.token(&[("code", &code)]).await;
    assert_eq!(first.status, 200);
    for _ in 0..2 {
        let again = broker.token(&[("code", &code)]).await;
        assert_eq!(again.oauth_error(), (400, "invalid_grant"));
        assert!(!again.body.contains("access-sandbox"));
    }
    // A confidential client may simply have sent it twice.
    assert_eq!(broker.refresh(&first.text("refresh_token")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_concurrent_redemptions_one_wins() {
    let broker = TestBroker::start().await;
    let code = broker.code().await;
    let requests: Vec<_> = (0..64)
        .map(|_| tokio::spawn(broker.token_request(&[("code", &code)]).send()))
        .collect();
    let mut won = 0;
    for request in requests {
        let answer = Answer::read(request.await.unwrap().unwrap()).await;
        if answer.status == 200 {
            won += 1;
        } else {
            assert_eq!(answer.oauth_error(), (400, "invalid_grant"));
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_code_expires() {
    let broker = TestBroker::start_with(&[("OAUTH_CODE_TTL", "60")]).await;
    let (early, late) = (broker.code().await, broker.code().await);
    broker.clock.advance(Duration::from_millis(59_999));
    assert_eq!(broker.token(&[("code", &early)]).await.status, 200);
    broker.clock.advance(Duration::from_millis(1));
    assert_eq!(
        broker.token(&[("code", &late)]).await.oauth_error(),
        (400, "invalid_grant")
    );
}

#[tokio::test]
async fn a_code_that_comes_too_late_is_counted() {
    let broker = TestBroker::start().await;
    let code = broker.code().await;
    broker.clock.advance(Duration::from_secs(300));
    for count in [1, 2] {
        assert_eq!(broker.token(&[("code", &code)]).await.error(), "invalid_grant");
        let metrics = broker.http.get(format!("{}/metrics", broker.ops_url));
        let text = Answer::read(metrics.send().await.unwrap()).await.body;
        for line in [
            format!("ptb_codes_total{{event=\"expired\"}} {count}"),
            "ptb_codes_total{event=\"redeemed\"} 0".to_owned(),
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
        }
    }
}

#[tokio::test]
async fn a_changed_code_is_not_valid_and_costs_nothing() {
    let broker = TestBroker::start().await;
    let code = broker.code().await;
    let other = broker.code().await;
    let parts = |code: &str| code.rsplitn(2, '_').map(str::to_owned).collect::<Vec<_>>();
    let ([secret, id], [other_secret, other_id]) = (&parts(&code)[..], &parts(&other)[..]) else {
        panic!()
    };
    let mut wrong = changes(&code, 60);
    wrong.extend([
        format!("{id}_{other_secret}"),
        format!("{other_id}_{secret}"),
        code.replace("ptb_ac_", "ptb_rt_"),
        code.to_uppercase(),
        code[..code.len() - 1].to_owned(),
        format!("{code}A"),
        format!("{code}\0"),
        "ptb_ac_".to_owned(),
        "x".repeat(5000),
        "é\u{202e}".to_owned(),
    ]);
    for wrong in wrong {
        assert_eq!(
            broker.token(&[("code", &wrong)]).await.oauth_error(),
            (400, "invalid_grant"),
            "{wrong}"
        );
    }
    assert_eq!(broker.token(&[("code", &code)]).await.status, 200);
}

#[tokio::test]
async fn the_redirect_uri_is_compared_when_it_is_sent() {
    let broker = TestBroker::start().await;
    for query in [
        "?state=s".to_owned(),
        format!("?{}", encode(&[("redirect_uri", CALLBACK)])),
    ] {
        let code = broker.code_of(&query).await;
        for wrong in [
            &format!("{CALLBACK}/"),
            "https://evil.example/",
            "http://127.0.0.1:9/Callback",
        ] {
            let answer = broker.token(&[("code", &code), ("redirect_uri", wrong)]).await;
            assert_eq!(answer.oauth_error(), (400, "invalid_grant"), "{wrong}");
        }
        let answer = broker.token(&[("code", &code), ("redirect_uri", CALLBACK)]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let code = broker
        .code_of(&format!("?{}", encode(&[("redirect_uri", CALLBACK)])))
        .await;
    assert_eq!(
        broker.token(&[("code", &code)]).await.status,
        200,
        "not sent, not compared"
    );
}

#[tokio::test]
async fn the_four_cells_of_pkce() {
    let broker = TestBroker::start().await;
    let with_challenge = format!("?code_challenge={CHALLENGE}&code_challenge_method=S256");
    let without = broker.code().await;
    let downgraded = broker
        .token(&[("code", &without), ("code_verifier", VERIFIER)])
        .await;
    assert_eq!(downgraded.oauth_error(), (400, "invalid_grant"));
    assert_eq!(broker.token(&[("code", &without)]).await.status, 200);

    let with = broker.code_of(&with_challenge).await;
    assert_eq!(
        broker.token(&[("code", &with)]).await.oauth_error(),
        (400, "invalid_grant")
    );
    for wrong in [CHALLENGE, &VERIFIER.to_lowercase(), &format!("{VERIFIER}A")] {
        let answer = broker.token(&[("code", &with), ("code_verifier", wrong)]).await;
        assert_eq!(answer.oauth_error(), (400, "invalid_grant"), "{wrong}");
    }
    let answer = broker
        .token(&[("code", &with), ("code_verifier", VERIFIER)])
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// RFC 7636 4.1. A short verifier can be guessed from its challenge, so even the right one is refused.
#[tokio::test]
async fn a_verifier_of_another_length_is_refused_and_costs_no_code() {
    use base64::Engine as _;
    use sha2::Digest as _;
    let broker = TestBroker::start().await;
    let ask = |verifier: &str| {
        let digest = sha2::Sha256::digest(verifier);
        let challenge = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest);
        format!("?code_challenge={challenge}&code_challenge_method=S256")
    };
    for (length, status) in [(1, 400), (42, 400), (43, 200), (128, 200), (129, 400)] {
        let verifier = "v".repeat(length);
        let code = broker.code_of(&ask(&verifier)).await;
        let answer = broker
            .token(&[("code", &code), ("code_verifier", &verifier)])
            .await;
        assert_eq!(answer.status, status, "{length}: {}", answer.body);
        if status == 400 {
            assert_eq!(answer.error(), "invalid_request", "{length}");
            assert!(
                answer.text("error_description").contains("43 to 128"),
                "{}",
                answer.body
            );
        }
    }
    let code = broker.code_of(&ask(VERIFIER)).await;
    for wrong in ["x", &"v".repeat(42), &"v".repeat(129)] {
        let answer = broker.token(&[("code", &code), ("code_verifier", wrong)]).await;
        assert_eq!(answer.oauth_error(), (400, "invalid_request"));
    }
    let right = broker
        .token(&[("code", &code), ("code_verifier", VERIFIER)])
        .await;
    assert_eq!(right.status, 200, "{}", right.body);
}

#[tokio::test]
async fn a_code_belongs_to_its_client() {
    let broker = with_clients(&[]).await;
    let public = format!("?client_id=app&code_challenge={CHALLENGE}&code_challenge_method=S256");
    let second = format!("?client_id={}", SECOND.0);
    let (first, second, public) = (
        broker.code().await,
        broker.code_of(&second).await,
        broker.code_of(&public).await,
    );
    let own = [("client_id", SECOND.0), ("client_secret", SECOND.1)];
    for (code, client) in [
        (&first, &own[..]),
        (&second, &[][..]),
        (&public, &[("code_verifier", VERIFIER)][..]),
        (&public, &[own[0], own[1], ("code_verifier", VERIFIER)][..]),
        (&second, &[("client_id", "app")][..]),
    ] {
        let form = [&[("code", code.as_str())], client].concat();
        assert_eq!(
            broker.token(&form).await.oauth_error(),
            (400, "invalid_grant"),
            "{form:?}"
        );
    }
    for (code, client) in [
        (&first, &[][..]),
        (&second, &own[..]),
        (&public, &[("client_id", "app"), ("code_verifier", VERIFIER)][..]),
    ] {
        let form = [&[("code", code.as_str())], client].concat();
        let answer = broker.token(&form).await;
        assert_eq!(answer.status, 200, "{form:?}: {}", answer.body);
    }
}

/// The client gives up while the store is busy; its redemption is committed all the same, and the repeat gets the tokens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_hung_up_during_its_redemption_may_repeat_it() {
    given_up(1).await;
}

/// One of its redemptions is committed, whichever ended last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_gave_up_several_redemptions_at_once_may_repeat_one() {
    given_up(3).await;
}

async fn given_up(at_once: usize) {
    let broker = TestBroker::start().await;
    let code = broker.code().await;
    let id = broker
        .app
        .store
        .tokens()
        .parse(TokenKind::Code, &code)
        .unwrap()
        .id();
    let busy = rusqlite::Connection::open(broker.dir.path().join("data/test.db")).unwrap();
    busy.execute_batch("BEGIN IMMEDIATE").unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while broker.app.connections.unconfirmed_redemptions() == 0 {
        assert!(Instant::now() < deadline, "the redemption did not begin");
        let requests: Vec<_> = (1..=at_once)
            .map(|n| {
                let request = broker.token_request(&[("code", &code)]);
                let timeout = Duration::from_millis(300 + 100 * n as u64);
                tokio::spawn(request.timeout(timeout).send())
            })
            .collect();
        for request in requests {
            request.await.unwrap().unwrap_err();
        }
    }
    busy.execute_batch("COMMIT").unwrap();
    let redeemed = || async {
        let found = broker.app.store.authorization(AuthorizationId(id)).await.unwrap();
        matches!(found.unwrap().stage, Stage::Redeemed { .. })
    };
    while !redeemed().await {
        assert!(Instant::now() < deadline, "the redemption was not committed");
    }
    let tokens = broker.token(&[("code", &code)]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(broker.refresh(&tokens.text("refresh_token")).await.status, 200);
    let third = broker.token(&[("code", &code)]).await;
    assert_eq!(third.oauth_error(), (400, "invalid_grant"));
}
