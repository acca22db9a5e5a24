#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;
use crate::config::RedirectUris;

fn client(id: &str, kind: ClientKind) -> ClientConfig {
    ClientConfig {
        id: id.to_owned(),
        name: None,
        kind,
        redirect_uris: RedirectUris::Listed(vec![]),
        products: None,
        raw_public_tokens: true,
        refresh_lifetime: None,
        send_iss: true,
    }
}

fn clients() -> Vec<ClientConfig> {
    vec![
        client(
            "first",
            ClientKind::Confidential(ClientSecret::new("p+s/w=%41").into()),
        ),
        client(
            "second",
            ClientKind::Confidential(ClientSecret::new("other").into()),
        ),
        client("app", ClientKind::Public),
    ]
}

fn attempt(
    headers: &[(&'static str, String)],
    body: &str,
    policy: ClientAuthPolicy,
    environment: Environment,
) -> Result<(String, bool, Method), ClientAuthError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, value.parse().unwrap());
    }
    let presented = presented(&map, &Params::from_form(body.as_bytes()).unwrap())?;
    let clients = clients();
    let believed = authenticate(&presented, &clients, policy, environment)?;
    Ok((believed.client.id.clone(), believed.proven, believed.method))
}

fn in_production(
    headers: &[(&'static str, String)],
    body: &str,
) -> Result<(String, bool, Method), ClientAuthError> {
    attempt(headers, body, ClientAuthPolicy::Auto, Environment::Production)
}

fn basic_header(id: &str, secret: &str) -> (&'static str, String) {
    (
        "authorization",
        format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))),
    )
}

fn body(secret: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("client_secret", secret)
        .finish()
}

#[test]
fn basic_is_form_decoded_and_a_client_that_does_not_encode_is_understood_too() {
    let first = Ok(("first".to_owned(), true, Method::Basic));
    assert_eq!(
        in_production(&[basic_header("first", "p%2Bs%2Fw%3D%2541")], ""),
        first
    );
    assert_eq!(in_production(&[basic_header("first", "p+s/w=%41")], ""), first);
    assert_eq!(
        in_production(&[basic_header("first", "p s/w=A")], ""),
        Err(ClientAuthError::WrongSecret)
    );
}

#[test]
fn body_and_plaid_headers() {
    assert_eq!(
        in_production(&[], &body("p+s/w=%41")),
        Ok(("first".to_owned(), true, Method::Body))
    );
    let plaid = [
        ("plaid-client-id", "second".to_owned()),
        ("plaid-secret", "other".to_owned()),
    ];
    assert_eq!(
        in_production(&plaid, ""),
        Ok(("second".to_owned(), true, Method::PlaidHeaders))
    );
    assert_eq!(
        in_production(&plaid, "client_id=second"),
        Ok(("second".to_owned(), true, Method::PlaidHeaders))
    );
}

#[test]
fn beside_a_standard_method_plaids_headers_are_ignored() {
    let headers = [
        basic_header("second", "other"),
        ("plaid-client-id", "x".to_owned()),
        ("plaid-secret", "y".to_owned()),
    ];
    assert_eq!(
        in_production(&headers, ""),
        Ok(("second".to_owned(), true, Method::Basic))
    );
}

#[test]
fn odd_combinations_are_refused() {
    assert_eq!(
        in_production(&[basic_header("second", "other")], "client_secret=other"),
        Err(ClientAuthError::TwoMethods)
    );
    assert_eq!(
        in_production(&[basic_header("second", "other")], "client_id=first"),
        Err(ClientAuthError::IdsDiffer)
    );
    assert_eq!(
        in_production(
            &[basic_header("second", "other"), basic_header("second", "other")],
            ""
        ),
        Err(ClientAuthError::Malformed)
    );
    for value in ["Basic", "Basic !!", "Bearer abc", "Basic Og=="] {
        assert_eq!(
            in_production(&[("authorization", value.to_owned())], ""),
            Err(ClientAuthError::Malformed),
            "{value}"
        );
    }
    assert_eq!(
        in_production(&[], "client_id=nobody&client_secret=x"),
        Err(ClientAuthError::Unknown)
    );
    assert_eq!(
        in_production(&[], "client_id=app&client_secret=x"),
        Err(ClientAuthError::WrongSecret)
    );
}

#[test]
fn without_a_secret_only_the_first_client_and_only_outside_production() {
    use ClientAuthPolicy::{Auto, Required};
    use Environment::{Production, Sandbox, Simulator};
    let none = |id: &str| Ok((id.to_owned(), false, Method::None));
    let missing = Err(ClientAuthError::SecretMissing);
    assert_eq!(attempt(&[], "", Auto, Simulator), none("first"));
    assert_eq!(attempt(&[], "client_id=first", Auto, Sandbox), none("first"));
    assert_eq!(attempt(&[], "client_id=first", Auto, Production), missing);
    assert_eq!(attempt(&[], "client_id=first", Required, Simulator), missing);
    assert_eq!(attempt(&[], "client_id=second", Auto, Simulator), missing);
    assert_eq!(attempt(&[], "client_id=app", Auto, Production), none("app"));
    assert_eq!(
        attempt(&[basic_header("app", "")], "", Auto, Production),
        none("app")
    );
    assert_eq!(
        attempt(&[], "client_id=first&client_secret=wrong", Auto, Simulator),
        Err(ClientAuthError::WrongSecret)
    );
}
