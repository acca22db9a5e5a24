//! Grants, the cache, renewal before expiry and after a 401.

use std::fs;
use std::path::{Path, PathBuf};

use plaidcloud::conf::Connection;
use plaidcloud::{Call, Client, Error, Kind, Secret, TokenError, TokenSource};
use tempfile::TempDir;

use crate::server::{Request, Server, response, result};
use crate::{Hands, NOW, options};

/// A directory with a `plaid.conf`, the place of the cache, and both servers.
struct Setting {
    home: TempDir,
    keycloak: Server,
    rpc: Server,
    hands: Hands,
}

/// A token server that numbers its tokens.
fn keycloak(refuses_refresh: bool) -> Server {
    Server::start(move |number, request| {
        if refuses_refresh && request.body.contains("grant_type=refresh_token") {
            return response(
                400,
                "",
                "{\"error\":\"invalid_grant\",\"error_description\":\"Token is not active\"}",
            );
        }
        let refresh = if request.body.contains("grant_type=client_credentials") {
            String::new()
        } else {
            format!(",\"refresh_token\":\"refresh-s3cr3t-{number}\"")
        };
        let token = format!(
            "{{\"access_token\":\"access-s3cr3t-{number}\",\"expires_in\":300,\"scope\":\"analyze\"{refresh}}}"
        );
        response(200, "", &token)
    })
}

impl Setting {
    fn new(more: &str, keycloak: Server, rpc: Server) -> Self {
        let home = TempDir::new().unwrap();
        let auth = keycloak.url("/auth");
        let text = format!(
            "user_id: 7\nclient_id: the client\nclient_secret: 's3cr3t+&'\nhostname: localhost\nrealm: Plaid Cloud\n\
             workspace_uuid: w\nauth_uri: {auth}\n{more}"
        );
        fs::write(home.path().join("plaid.conf"), text).unwrap();
        let hands = Hands::new();
        Self {
            home,
            keycloak,
            rpc,
            hands,
        }
    }

    fn cache(&self) -> PathBuf {
        self.home.path().join("cache")
    }

    fn client(&self) -> Client {
        let mut connection = Connection::from_directory(self.home.path()).unwrap();
        connection.rpc_uri = self.rpc.url("/json-rpc/").parse().unwrap();
        Client::new(connection, options(Some(self.cache()), self.hands.clock())).unwrap()
    }

    fn kept_files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.cache()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .collect()
    }
}

async fn call(client: &Client) -> Result<String, Error> {
    let call = Call::new("identity/me/scopes").unwrap();
    client.call(&call).await.map(|json| json.get().to_owned())
}

fn works() -> Server {
    Server::start(|_, _| result("1"))
}

fn bearer(request: &Request) -> &str {
    request
        .header("authorization")
        .unwrap()
        .strip_prefix("Bearer ")
        .unwrap()
}

#[tokio::test]
async fn client_credentials_are_a_form_and_the_token_is_kept() {
    let setting = Setting::new("grant_type: client_credentials\n", keycloak(false), works());
    let before = fs::read(setting.home.path().join("plaid.conf")).unwrap();
    for _ in 0..3 {
        assert_eq!(call(&setting.client()).await.unwrap(), "1");
    }
    let requests = setting.keycloak.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!(
        request.line,
        "POST /auth/realms/Plaid%20Cloud/protocol/openid-connect/token HTTP/1.1"
    );
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(
        request.body,
        "grant_type=client_credentials&client_id=the+client&client_secret=s3cr3t%2B%26"
    );
    assert_eq!(bearer(&setting.rpc.requests()[2]), "access-s3cr3t-0");
    assert_eq!(
        fs::read(setting.home.path().join("plaid.conf")).unwrap(),
        before,
        "plaid.conf stays"
    );
    assert_eq!(setting.kept_files().len(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&setting.kept_files()[0]), 0o600);
        assert_eq!(mode(&setting.cache()), 0o700);
    }
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires() {
    let setting = Setting::new("grant_type: client_credentials\n", keycloak(false), works());
    let client = setting.client();
    call(&client).await.unwrap();
    setting.hands.forward(265);
    call(&client).await.unwrap();
    assert_eq!(setting.keycloak.requests().len(), 1);
    setting.hands.forward(10);
    call(&client).await.unwrap();
    assert_eq!(setting.keycloak.requests().len(), 2);
    assert_eq!(bearer(&setting.rpc.requests()[2]), "access-s3cr3t-1");
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let picky = Server::start(|_, request| match bearer(request) {
        "access-s3cr3t-1" => result("1"),
        _ => response(401, "", ""),
    });
    let setting = Setting::new("grant_type: client_credentials\n", keycloak(false), picky);
    assert_eq!(call(&setting.client()).await.unwrap(), "1");
    assert_eq!(setting.rpc.requests().len(), 2);
    let never = Server::start(|_, _| response(401, "", ""));
    let setting = Setting::new("grant_type: client_credentials\n", keycloak(false), never);
    let error = call(&setting.client()).await.unwrap_err();
    assert!(error.to_string().contains("refuses the token (401)"), "{error}");
    assert_eq!(
        (setting.rpc.requests().len(), setting.keycloak.requests().len()),
        (2, 2)
    );
}

#[tokio::test]
async fn a_code_is_redeemed_once_with_its_redirect_uri_and_then_refreshed() {
    let more = "auth_code: c0de\nredirect_uri: http://localhost:8080/\n";
    let setting = Setting::new(more, keycloak(false), works());
    call(&setting.client()).await.unwrap();
    setting.hands.forward(1000);
    call(&setting.client()).await.unwrap();
    let requests = setting.keycloak.requests();
    assert_eq!(
        requests[0].body,
        "grant_type=authorization_code&client_id=the+client&client_secret=s3cr3t%2B%26&code=c0de&\
         redirect_uri=http%3A%2F%2Flocalhost%3A8080%2F"
    );
    assert_eq!(
        requests[1].body,
        "grant_type=refresh_token&client_id=the+client&client_secret=s3cr3t%2B%26&refresh_token=refresh-s3cr3t-0"
    );
    assert_eq!(bearer(&setting.rpc.requests()[1]), "access-s3cr3t-1");
}

#[tokio::test]
async fn without_a_code_or_with_a_used_one_a_login_is_needed() {
    let setting = Setting::new("", keycloak(false), works());
    let error = call(&setting.client()).await.unwrap_err();
    assert!(matches!(error, Error::Token(TokenError::LoginRequired)));
    assert_eq!(error.kind(), Kind::Configuration);
    let setting = Setting::new("auth_code: c0de\n", keycloak(true), works());
    call(&setting.client()).await.unwrap();
    setting.hands.forward(1000);
    let error = call(&setting.client()).await.unwrap_err();
    assert!(matches!(error, Error::Token(TokenError::LoginRequired)));
    let forms: Vec<String> = setting
        .keycloak
        .requests()
        .into_iter()
        .map(|request| request.body)
        .collect();
    assert_eq!(forms.len(), 2, "the code is not sent again: {forms:?}");
}

#[tokio::test]
async fn a_login_goes_to_the_authorization_endpoint_and_is_redeemed_with_its_verifier() {
    let setting = Setting::new(
        "redirect_uri: http://localhost:8080/x\n",
        keycloak(false),
        works(),
    );
    let client = setting.client();
    let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let url = client.authorization_url("the-state", &verifier).unwrap();
    assert_eq!(
        url.path(),
        "/auth/realms/Plaid%20Cloud/protocol/openid-connect/auth"
    );
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let expected = [
        ("response_type", "code"),
        ("client_id", "the client"),
        ("redirect_uri", "http://localhost:8080/x"),
        ("scope", "analyze document identity"),
        ("state", "the-state"),
        // RFC 7636, appendix B.
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];
    assert_eq!(
        pairs,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let token = client.redeem(&Secret::new("c0de"), &verifier).await.unwrap();
    assert_eq!(
        (token.source, token.expires_at),
        (TokenSource::Granted, Some(NOW + 300))
    );
    let form = &setting.keycloak.requests()[0].body;
    assert!(
        form.contains("redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fx&code_verifier=dBjft"),
        "{form}"
    );
    call(&setting.client()).await.unwrap();
    assert_eq!(setting.keycloak.requests().len(), 1, "the token is kept");
    client.forget_token().unwrap();
    assert!(matches!(
        call(&setting.client()).await,
        Err(Error::Token(TokenError::LoginRequired))
    ));
}

#[tokio::test]
async fn what_the_token_server_refuses_is_explained_without_secrets() {
    for (status, body, words) in [
        (
            401,
            "{\"error\":\"invalid_client\",\"error_description\":\"not s3cr3t+&\"}",
            "Check client_id and client_secret",
        ),
        (404, "{\"error\":\"Realm does not exist\"}", "Check realm"),
        (404, "<html>s3cr3t", "Are auth_uri and realm correct?"),
        (200, "{\"token\":\"s3cr3t\"}", "not a token response"),
        (302, "", "status 302"),
    ] {
        let keycloak = Server::start(move |_, _| response(status, "location: http://127.0.0.1:1/\r\n", body));
        let setting = Setting::new("grant_type: client_credentials\n", keycloak, works());
        let error = call(&setting.client()).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(words) && !text.contains("s3cr3t"), "{text}");
        assert_eq!(error.kind(), Kind::Server);
        assert!(setting.kept_files().is_empty(), "nothing is kept");
    }
}

#[tokio::test]
async fn a_file_without_realm_works_with_its_own_token_alone() {
    let setting = Setting::new("grant_type: client_credentials\n", keycloak(false), works());
    let path = setting.home.path().join("plaid.conf");
    let old = fs::read_to_string(&path)
        .unwrap()
        .replace("realm: Plaid Cloud\n", "");
    fs::write(&path, &old).unwrap();
    let error = call(&setting.client()).await.unwrap_err();
    assert!(error.to_string().contains("realm is missing"), "{error}");
    fs::write(&path, format!("{old}auth_token: of-the-file\n")).unwrap();
    call(&setting.client()).await.unwrap();
    assert_eq!(bearer(&setting.rpc.requests()[0]), "of-the-file");
}

#[tokio::test]
async fn each_configuration_has_a_token_of_its_own() {
    let setting = Setting::new("grant_type: client_credentials\n", keycloak(false), works());
    call(&setting.client()).await.unwrap();
    let path = setting.home.path().join("plaid.conf");
    let text = fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("the client", "another"),
        ("Plaid Cloud", "Other"),
        ("user_id: 7", "user_id: 8"),
    ] {
        fs::write(&path, text.replace(from, to)).unwrap();
        call(&setting.client()).await.unwrap();
    }
    assert_eq!(
        (setting.keycloak.requests().len(), setting.kept_files().len()),
        (4, 4)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_at_once_request_one_token_and_leave_a_sound_cache() {
    let setting = Setting::new("grant_type: client_credentials\n", keycloak(false), works());
    let calls = (0..16).map(|_| {
        let client = setting.client();
        tokio::spawn(async move { call(&client).await })
    });
    for outcome in calls.collect::<Vec<_>>() {
        assert_eq!(outcome.await.unwrap().unwrap(), "1");
    }
    assert_eq!(setting.keycloak.requests().len(), 1);
    assert_eq!(setting.kept_files().len(), 1);
    call(&setting.client()).await.unwrap();
    assert_eq!(setting.keycloak.requests().len(), 1);
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_is_named_before_a_code_is_spent() {
    let setting = Setting::new("auth_code: c0de\n", keycloak(false), works());
    fs::write(setting.cache(), "a file").unwrap();
    let error = call(&setting.client()).await.unwrap_err();
    assert!(error.to_string().contains("token cache"), "{error}");
    assert_eq!(error.kind(), Kind::Local);
    assert!(setting.keycloak.requests().is_empty());
}
