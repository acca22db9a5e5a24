//! Further clients, from a real file: each has its own secret, addresses and products, and the file can change.

use plaid_token_broker::secret::{ClientSecret, SecretHash};
use plaid_token_broker::simulator;
use tempfile::TempDir;

use crate::harness::{Answer, Browser, CALLBACK, TestBroker, query_value};

/// The pair of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const SECRET: &str = "a secret of the shop, long enough to be hashed";
const SHOP_CALLBACK: &str = "https://shop.example/oauth/callback";

fn hash_line() -> String {
    SecretHash::of(&ClientSecret::new(SECRET), [7; 16]).line()
}

fn shop() -> String {
    format!(
        "[[client]]\nid = 'shop'\nname = 'The shop & more'\nsecret_hash = '{}'\nredirect_uris = ['{SHOP_CALLBACK}']\n\
         products = ['auth']\nsend_iss = false\n",
        hash_line()
    )
}

fn native() -> String {
    "[[client]]\nid = 'native'\npublic = true\nredirect_uris = ['http://127.0.0.1/cb']\n".to_owned()
}

/// A broker and the directory with its clients file.
struct Served {
    broker: TestBroker,
    home: TempDir,
}

impl Served {
    async fn start() -> Self {
        let home = TempDir::new().unwrap();
        let path = home.path().join("clients.toml");
        std::fs::write(&path, shop() + &native()).unwrap();
        let broker = TestBroker::start_with(&[("OAUTH_CLIENTS_FILE", path.to_str().unwrap())]).await;
        Self { broker, home }
    }

    fn write(&self, text: &str) {
        std::fs::write(self.home.path().join("clients.toml"), text).unwrap();
    }

    /// The shop's whole flow up to the tokens.
    async fn shop_tokens(&self) -> Answer {
        let code = self.broker.code_of("?client_id=shop&state=s").await;
        let answer = self.broker.token(&as_shop(&[("code", &code)])).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer
    }
}

fn as_shop<'a>(form: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [form, &[("client_id", "shop"), ("client_secret", SECRET)]].concat()
}

#[tokio::test]
async fn a_confidential_client_has_its_own_name_address_products_and_secret() {
    let served = Served::start().await;
    let broker = &served.broker;
    let browser = Browser::open(broker, "?client_id=shop&state=s").await;
    assert!(browser.page.contains("The shop &#38; more"), "{}", browser.page);
    let landed = browser.complete(&broker.public_token().await).await;
    let redirect_to = landed.text("redirect_to");
    assert!(
        redirect_to.starts_with(&format!("{SHOP_CALLBACK}?code=")),
        "{redirect_to}"
    );
    assert_eq!(
        query_value(&redirect_to, "iss"),
        None,
        "it is not sent to this one"
    );
    let code = query_value(&redirect_to, "code").unwrap();

    // Its secret alone opens the code: not none, not the hash, not the first client's.
    for (id, secret) in [
        ("shop", None),
        ("shop", Some("a secret of the shop, long enough to be hashed ")),
        ("shop", Some(hash_line().as_str())),
        ("shop", Some(simulator::SECRET)),
        ("nobody", Some(SECRET)),
    ] {
        let mut form = vec![("code", code.as_str()), ("client_id", id)];
        form.extend(secret.map(|secret| ("client_secret", secret)));
        assert_eq!(broker.token(&form).await.oauth_error(), (401, "invalid_client"));
    }
    assert_eq!(
        broker.token(&[("code", &code)]).await.oauth_error(),
        (400, "invalid_grant")
    );
    let tokens = broker.token(&as_shop(&[("code", &code)])).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(tokens.text("scope"), "auth");

    let refresh_token = tokens.text("refresh_token");
    let form = as_shop(&[("refresh_token", &refresh_token)]);
    assert_eq!(
        broker.token(&form).await.text("access_token"),
        tokens.text("access_token")
    );
    // It may not bring Plaid's own tokens, and nobody else's addresses are its own.
    let public_token = broker.public_token().await;
    let form = as_shop(&[("code", &public_token)]);
    assert_eq!(
        broker.token(&form).await.oauth_error(),
        (400, "unauthorized_client")
    );
    let query = url::form_urlencoded::byte_serialize(CALLBACK.as_bytes()).collect::<String>();
    let foreign = Answer::of(broker.get(&format!("/?client_id=shop&redirect_uri={query}"))).await;
    assert_eq!(foreign.status, 400, "{}", foreign.body);
    let beyond = Answer::of(broker.get("/?client_id=shop&scope=transactions")).await;
    assert!(beyond.header("location").unwrap().contains("error=invalid_scope"));
}

#[tokio::test]
async fn a_native_app_returns_to_any_port_and_needs_pkce() {
    let served = Served::start().await;
    let broker = &served.broker;
    let uri = "http://127.0.0.1:49152/cb";
    let encoded: String = url::form_urlencoded::byte_serialize(uri.as_bytes()).collect();
    let query = format!("?client_id=native&state=s&redirect_uri={encoded}");
    let refused = Answer::of(broker.get(&format!("/{query}"))).await;
    let location = refused.header("location").unwrap();
    assert!(
        location.starts_with(&format!("{uri}?error=invalid_request")),
        "{location}"
    );

    let query = format!("{query}&code_challenge={CHALLENGE}&code_challenge_method=S256");
    let browser = Browser::open(broker, &query).await;
    let landed = browser.complete(&broker.public_token().await).await;
    let redirect_to = landed.text("redirect_to");
    assert!(redirect_to.starts_with(&format!("{uri}?code=")), "{redirect_to}");
    let code = query_value(&redirect_to, "code").unwrap();
    let form = [
        ("code", code.as_str()),
        ("client_id", "native"),
        ("code_verifier", VERIFIER),
    ];
    let other_port = [&form[..], &[("redirect_uri", "http://127.0.0.1:49153/cb")]].concat();
    assert_eq!(
        broker.token(&other_port).await.oauth_error(),
        (400, "invalid_grant")
    );
    let same = [&form[..], &[("redirect_uri", uri)]].concat();
    assert_eq!(broker.token(&same).await.status, 200);

    // The public client's leave to come without a secret is nobody else's.
    let elsewhere = Answer::of(broker.get("/?client_id=native&redirect_uri=http://localhost:49152/cb")).await;
    assert_eq!(elsewhere.status, 400, "{}", elsewhere.body);
}

#[tokio::test]
async fn the_first_client_is_as_it_was() {
    let served = Served::start().await;
    let tokens = served.broker.tokens().await;
    assert!(tokens.text("scope").starts_with("transactions auth"));
    let raw = served.broker.public_token().await;
    let form = [
        ("code", raw.as_str()),
        ("client_id", simulator::CLIENT_ID),
        ("client_secret", simulator::SECRET),
    ];
    assert_eq!(served.broker.token(&form).await.status, 200);
}

#[tokio::test]
async fn a_client_that_may_bring_plaids_tokens_is_granted_its_own_products() {
    let served = Served::start().await;
    served.write(&(shop() + "raw_public_tokens = true\n"));
    assert_eq!(served.broker.app.reload_clients(), Ok(2));
    let public_token = served.broker.public_token().await;
    let answer = served.broker.token(&as_shop(&[("code", &public_token)])).await;
    assert_eq!(answer.text("scope"), "auth");
}

#[tokio::test]
async fn a_client_that_was_removed_is_unknown_and_nothing_is_sent_to_it() {
    let served = Served::start().await;
    let broker = &served.broker;
    let refresh_token = served.shop_tokens().await.text("refresh_token");
    let code = broker.code_of("?client_id=shop&state=s").await;
    let waiting = Browser::open(broker, "?client_id=shop&state=s").await;
    waiting.start().await;
    let leaving = Browser::open(broker, "?client_id=shop&state=s").await;

    served.write(&native());
    assert_eq!(broker.app.reload_clients(), Ok(2));
    let completed = waiting.complete(&broker.public_token().await).await;
    for answer in [completed, leaving.cancel().await] {
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (403, "callback_removed")
        );
        assert!(!answer.body.contains(SHOP_CALLBACK), "{}", answer.body);
    }
    for presented in [("code", code.as_str()), ("refresh_token", &refresh_token)] {
        let answer = broker.token(&as_shop(&[presented])).await;
        assert_eq!(answer.oauth_error(), (401, "invalid_client"));
        // Nor do they fall to somebody else.
        let answer = broker.token(&[presented]).await;
        assert_eq!(answer.oauth_error(), (400, "invalid_grant"));
    }
    assert_eq!(Answer::of(broker.get("/?client_id=shop")).await.status, 400);

    // Put back, it goes on where it was.
    served.write(&(native() + &shop()));
    assert_eq!(broker.app.reload_clients(), Ok(3));
    for presented in [("code", code.as_str()), ("refresh_token", &refresh_token)] {
        assert_eq!(broker.token(&as_shop(&[presented])).await.status, 200);
    }
}

#[tokio::test]
async fn a_file_with_a_mistake_changes_nothing() {
    let served = Served::start().await;
    let broker = &served.broker;
    let refresh_token = served.shop_tokens().await.text("refresh_token");
    let mistake = native() + "send_iss = 'off'\nnmae = 'x'\n";
    for (text, count) in [(mistake.as_str(), 2), ("", 1), ("[[client", 1)] {
        served.write(text);
        assert_eq!(broker.app.reload_clients().unwrap_err().0.len(), count, "{text}");
        let form = as_shop(&[("refresh_token", &refresh_token)]);
        assert_eq!(broker.token(&form).await.status, 200);
    }
    std::fs::remove_file(served.home.path().join("clients.toml")).unwrap();
    assert!(broker.app.reload_clients().is_err());
    let form = as_shop(&[("refresh_token", &refresh_token)]);
    assert_eq!(broker.token(&form).await.status, 200);
}
