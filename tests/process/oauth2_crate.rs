//! The `oauth2` crate as a client: authorization, token, refresh, revocation and errors, as its own types tell them.
//!
//! The crate revokes over https alone (RFC 7009 section 2), so the broker has an https address here, and the function
//! that carries the crate's requests stands for the proxy that ends TLS before it.

use std::io;

use oauth2::basic::{BasicClient, BasicErrorResponseType, BasicTokenResponse, BasicTokenType};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError,
    RevocationUrl, Scope, StandardRevocableToken, TokenResponse as _, TokenUrl,
};
use plaid_token_broker::simulator;
use tempfile::TempDir;
use url::Url;

use crate::flow::{Broker, CALLBACK, Plaid};
use crate::harness::{directory, write};
use crate::web::send;

const ISSUER: &str = "https://broker.example";
/// An app on people's own machines: it has no secret, and its port is the system's choice (RFC 8252 7.3).
const CLIENTS: &str = r#"
    [[client]]
    id = "native-app"
    public = true
    redirect_uris = ["http://127.0.0.1/callback", "http://[::1]/callback"]
"#;

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointSet, EndpointSet>;

/// A client of the broker, as the README tells people to set one up.
fn client(id: &str, callback: &str) -> Client {
    let at = |path: &str| format!("{ISSUER}{path}");
    BasicClient::new(ClientId::new(id.to_owned()))
        .set_auth_uri(AuthUrl::new(at("/oauth/authorize")).unwrap())
        .set_token_uri(TokenUrl::new(at("/oauth/token")).unwrap())
        .set_revocation_url(RevocationUrl::new(at("/oauth/revoke")).unwrap())
        .set_redirect_uri(RedirectUrl::new(callback.to_owned()).unwrap())
}

fn confidential(secret: &str) -> Client {
    client(simulator::CLIENT_ID, CALLBACK).set_client_secret(ClientSecret::new(secret.to_owned()))
}

/// Carries the crate's requests to the broker.
fn carrier(broker: &Broker) -> impl Fn(HttpRequest) -> io::Result<HttpResponse> {
    |request| {
        let url = request.uri().to_string();
        let path = url.strip_prefix(ISSUER).expect("a request to the broker");
        let headers: Vec<_> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        let body = std::str::from_utf8(request.body()).unwrap();
        let reply = send(&broker.url, request.method().as_str(), path, &headers, body)?.reply()?;
        let mut response = http::Response::builder().status(reply.status);
        for value in reply.headers("content-type") {
            response = response.header("content-type", value);
        }
        Ok(response.body(reply.body.into_bytes()).unwrap())
    }
}

/// The person's part, from the crate's authorization URL to a code, and what the client must check on the way.
fn connect(broker: &Broker, plaid: &Plaid, client: &Client) -> (AuthorizationCode, PkceCodeVerifier) {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state) = client
        .authorize_url(CsrfToken::new_random)
        .add_scope(Scope::new("transactions".to_owned()))
        .set_pkce_challenge(challenge)
        .url();
    let path = url.as_str().strip_prefix(ISSUER).expect("the broker's endpoint");
    let tab = broker.open_at(path).unwrap();
    let landed = broker.complete(&tab, &plaid.public_token()).unwrap();
    let target = Url::parse(&landed.reply().unwrap().text("redirect_to")).unwrap();
    let value = |name: &str| {
        let found = target.query_pairs().find(|(key, _)| key == name);
        found
            .unwrap_or_else(|| panic!("no {name} in the answer"))
            .1
            .into_owned()
    };
    assert_eq!(&value("state"), state.secret());
    assert_eq!(value("iss"), ISSUER);
    (AuthorizationCode::new(value("code")), verifier)
}

fn tokens(broker: &Broker, plaid: &Plaid, client: &Client) -> BasicTokenResponse {
    let (code, verifier) = connect(broker, plaid, client);
    client
        .exchange_code(code)
        .set_pkce_verifier(verifier)
        .request(&carrier(broker))
        .expect("tokens")
}

fn refresh(broker: &Broker, client: &Client, token: &RefreshToken) -> Result<BasicTokenResponse, String> {
    client
        .exchange_refresh_token(token)
        .request(&carrier(broker))
        .map_err(told)
}

fn revoke(broker: &Broker, client: &Client, token: &RefreshToken) {
    client
        .revoke_token(StandardRevocableToken::RefreshToken(token.clone()))
        .expect("an https address")
        .request(&carrier(broker))
        .expect("a revocation");
}

/// The crate's error, when it is one that the broker told.
fn told<E: std::error::Error>(
    error: RequestTokenError<E, oauth2::StandardErrorResponse<BasicErrorResponseType>>,
) -> String {
    match error {
        RequestTokenError::ServerResponse(response) => {
            assert!(response.error_description().is_some(), "an error explains itself");
            response.error().to_string()
        }
        other => panic!("not an error response: {other}"),
    }
}

fn start() -> (TempDir, Plaid, Broker) {
    let home = directory();
    write(&home, "clients.toml", CLIENTS);
    let plaid = Plaid::start(&home);
    let start = plaid
        .broker(&home)
        .set("PUBLIC_URL", ISSUER)
        .set("OAUTH_CLIENT_AUTH", "required")
        .set("OAUTH_CLIENTS_FILE", "clients.toml");
    let broker = Broker::of(start);
    (home, plaid, broker)
}

#[test]
fn a_confidential_client_comes_all_the_way() {
    let (_home, plaid, broker) = start();
    let client = confidential(simulator::SECRET);
    let first = tokens(&broker, &plaid, &client);
    assert_eq!(first.token_type(), &BasicTokenType::Bearer);
    assert_eq!(first.scopes(), Some(&vec![Scope::new("transactions".to_owned())]));
    let refresh_token = first.refresh_token().expect("a refresh token").clone();

    let second = refresh(&broker, &client, &refresh_token).unwrap();
    assert!(second.access_token().secret() == first.access_token().secret());
    let kept = second.refresh_token().expect("a refresh token");
    assert!(kept.secret() == refresh_token.secret());

    revoke(&broker, &client, &refresh_token);
    plaid.called("/item/remove", 1);
    assert_eq!(
        refresh(&broker, &client, &refresh_token).unwrap_err(),
        "invalid_grant"
    );
}

#[test]
fn a_wrong_secret_and_a_used_code_are_the_errors_of_the_rfc() {
    let (_home, plaid, broker) = start();
    let (code, verifier) = connect(&broker, &plaid, &confidential(simulator::SECRET));
    let redeem = |secret: &str| {
        confidential(secret)
            .exchange_code(code.clone())
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.secret().clone()))
            .request(&carrier(&broker))
            .map_err(told)
    };
    assert_eq!(redeem("wrong").unwrap_err(), "invalid_client");
    assert!(redeem(simulator::SECRET).is_ok());
    assert_eq!(redeem(simulator::SECRET).unwrap_err(), "invalid_grant");
}

#[test]
fn a_public_client_rotates_its_refresh_token_and_an_old_one_ends_them_all() {
    let (_home, plaid, broker) = start();
    let client = client("native-app", "http://127.0.0.1:54321/callback");
    let first = tokens(&broker, &plaid, &client);
    let mut line = vec![first.refresh_token().expect("a refresh token").clone()];
    for _ in 0..2 {
        let next = refresh(&broker, &client, line.last().unwrap()).unwrap();
        assert!(next.access_token().secret() == first.access_token().secret());
        let token = next.refresh_token().expect("a refresh token");
        assert!(line.iter().all(|earlier| earlier.secret() != token.secret()));
        line.push(token.clone());
    }
    for token in [&line[0], &line[2]] {
        assert_eq!(refresh(&broker, &client, token).unwrap_err(), "invalid_grant");
    }
    plaid.called("/item/remove", 1);
}

#[test]
fn a_public_client_revokes() {
    let (_home, plaid, broker) = start();
    let client = client("native-app", "http://[::1]:54321/callback");
    let token = tokens(&broker, &plaid, &client)
        .refresh_token()
        .expect("a refresh token")
        .clone();
    revoke(&broker, &client, &token);
    plaid.called("/item/remove", 1);
    assert_eq!(refresh(&broker, &client, &token).unwrap_err(), "invalid_grant");
}
