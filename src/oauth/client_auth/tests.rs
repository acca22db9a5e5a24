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
        expires_in: None,
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
    let credentials = credentials(&map, &Params::from_form(body.as_bytes()).unwrap())?;
    let clients = clients();
    let believed = authenticate(&credentials, &clients, policy, environment)?;
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
    for different in [
        "client_secret=Other",
        "client_secret=othe",
        "client_secret=p%2Bs%2Fw%3D%2541",
    ] {
        assert_eq!(
            in_production(&[basic_header("second", "other")], different),
            Err(ClientAuthError::TwoMethods),
            "{different}"
        );
    }
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
    for body in ["", "client_secret=other&client_id=second"] {
        assert_eq!(
            in_production(&[("authorization", "Basic !!".to_owned())], body),
            Err(ClientAuthError::Malformed)
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

#[test]
fn the_same_credentials_in_two_places_count_once() {
    let second = Ok(("second".to_owned(), true, Method::Basic));
    for body in ["client_secret=other", "client_id=second&client_secret=other"] {
        assert_eq!(
            in_production(&[basic_header("second", "other")], body),
            second,
            "{body}"
        );
    }
    // Either reading of Basic is the same secret as the one in the body.
    let first = Ok(("first".to_owned(), true, Method::Basic));
    for sent in ["p%2Bs%2Fw%3D%2541", "p+s/w=%41"] {
        assert_eq!(
            in_production(&[basic_header("first", sent)], &body("p+s/w=%41")),
            first,
            "{sent}"
        );
    }
    assert_eq!(
        in_production(&[basic_header("second", "wrong")], "client_secret=wrong"),
        Err(ClientAuthError::WrongSecret)
    );
    assert_eq!(
        in_production(
            &[basic_header("second", "other")],
            "client_id=first&client_secret=other"
        ),
        Err(ClientAuthError::IdsDiffer)
    );
}

#[test]
fn a_header_that_is_not_basic_is_ignored_where_something_else_authenticates() {
    let plaid = |name, value: &str| (name, value.to_owned());
    for value in [
        "",
        " ",
        "Basic",
        "Basic ",
        "Basic Og==",
        "Bearer abc",
        "Digest username=\"second\"",
        "abc",
    ] {
        let header = ("authorization", value.to_owned());
        let headers = [header.clone()];
        assert_eq!(
            in_production(&headers, "client_id=second&client_secret=other"),
            Ok(("second".to_owned(), true, Method::Body)),
            "{value:?}"
        );
        let with_plaids = [
            header,
            plaid("plaid-client-id", "second"),
            plaid("plaid-secret", "other"),
        ];
        assert_eq!(
            in_production(&with_plaids, ""),
            Ok(("second".to_owned(), true, Method::PlaidHeaders)),
            "{value:?}"
        );
        assert_eq!(
            in_production(&headers, "client_id=app"),
            Ok(("app".to_owned(), false, Method::None)),
            "{value:?}"
        );
        assert_eq!(
            in_production(&headers, "client_id=second&client_secret=wrong"),
            Err(ClientAuthError::WrongSecret),
            "{value:?}"
        );
        for body in ["", "client_id=first"] {
            for environment in [Environment::Simulator, Environment::Production] {
                let unproven = attempt(&headers, body, ClientAuthPolicy::Auto, environment);
                assert_eq!(unproven, Err(ClientAuthError::NotBasic), "{value:?} {body}");
            }
        }
    }
}

#[test]
fn an_id_with_a_plus_or_a_percent_sign_is_found_in_either_reading_of_basic() {
    let confidential =
        |id: &str, secret: &str| client(id, ClientKind::Confidential(ClientSecret::new(secret).into()));
    let clients = vec![
        confidential("first", "s0"),
        confidential("shop+a%2F", "s1"),
        // What the raw spelling of the other one decodes to.
        confidential("shop a/", "s2"),
        client("app+1", ClientKind::Public),
    ];
    let of = |id: &str, secret: &str, body: &str| {
        let (name, value) = basic_header(id, secret);
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        let credentials = credentials(&headers, &Params::from_form(body.as_bytes()).unwrap())?;
        let client = authenticate(
            &credentials,
            &clients,
            ClientAuthPolicy::Required,
            Environment::Production,
        )?;
        Ok(client.client.id.clone())
    };
    assert_eq!(of("shop+a%2F", "s1", ""), Ok("shop+a%2F".to_owned()));
    assert_eq!(of("shop%2Ba%252F", "s1", ""), Ok("shop+a%2F".to_owned()));
    assert_eq!(
        of("shop+a%2F", "s2", ""),
        Ok("shop a/".to_owned()),
        "the secret decides"
    );
    assert_eq!(of("shop a/", "s2", ""), Ok("shop a/".to_owned()));
    assert_eq!(
        of("shop+a%2F", "s1", "client_id=shop%2Ba%252F"),
        Ok("shop+a%2F".to_owned())
    );
    assert_eq!(
        of("shop+a%2F", "s2", "client_id=shop%2Ba%252F"),
        Err(ClientAuthError::WrongSecret)
    );
    assert_eq!(of("shop+a%2F", "s0", ""), Err(ClientAuthError::WrongSecret));
    assert_eq!(of("app+1", "", ""), Ok("app+1".to_owned()));
    assert_eq!(of("nobody+1", "s1", ""), Err(ClientAuthError::Unknown));
}
