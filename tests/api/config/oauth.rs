//! The OAuth client, its redirect URIs, and lifetimes.

use std::time::Duration;

use super::*;
use plaid_token_broker::config::{ClientAuthPolicy, ClientConfig, ClientKind, RedirectUris};
use plaid_token_broker::secret::StoredSecret;

const NAME: &str = "PLAID_REDIRECT_URI";

fn first(config: Config) -> ClientConfig {
    config.oauth.clients.into_iter().next().unwrap()
}

fn secret_of(client: &ClientConfig) -> &str {
    match &client.kind {
        ClientKind::Confidential(StoredSecret::Plain(secret)) => secret.expose(),
        _ => panic!("the first client has a plain secret"),
    }
}

fn listed(value: &str) -> Vec<String> {
    match first(good(&[(NAME, value)])).redirect_uris {
        RedirectUris::Listed(uris) => uris,
        _ => panic!("a list was expected"),
    }
}

#[test]
fn the_first_client_has_plaids_keys_unless_others_are_set() {
    let client = first(with_keys(&[]).unwrap());
    assert_eq!((client.id.as_str(), secret_of(&client)), (ID, SECRET));
    assert!(client.raw_public_tokens && client.send_iss && client.products.is_none());
    let own = [
        ("OAUTH_CLIENT_ID", "kore"),
        ("OAUTH_CLIENT_SECRET", "a secret of its own"),
        ("OAUTH_SEND_ISS", "off"),
    ];
    let client = first(with_keys(&own).unwrap());
    assert_eq!(
        (client.id.as_str(), secret_of(&client), client.send_iss),
        ("kore", "a secret of its own", false)
    );
}

#[test]
fn credentials_fit_a_profile_form() {
    let long = "x".repeat(256);
    refuses("OAUTH_CLIENT_ID", &[(&long, "255 characters"), ("kör", "ASCII")]);
    refuses(
        "OAUTH_CLIENT_SECRET",
        &[(&long, "255 characters"), ("sücret-of-some-length", "ASCII")],
    );
    assert!(!problem(load(&[("OAUTH_CLIENT_SECRET", &long)])).contains("xxx"));
    warns(&good(&[("OAUTH_CLIENT_SECRET", "short")]), "can be guessed");
}

#[test]
fn a_connection_is_not_removed_while_its_code_is_good() {
    let shorter = problem(load(&[
        ("OAUTH_CODE_TTL", "600"),
        ("BROKER_UNREDEEMED_TTL", "599"),
    ]));
    assert!(shorter.contains("BROKER_UNREDEEMED_TTL"), "{shorter}");
    assert_eq!(
        good(&[("OAUTH_CODE_TTL", "600"), ("BROKER_UNREDEEMED_TTL", "600")])
            .oauth
            .unredeemed_ttl
            .as_secs(),
        600
    );
}

#[test]
fn redirect_uris_are_kept_to_the_letter_and_duplicates_collapse() {
    let two = format!("{CALLBACK}, https://IDP.kore.ai/workflows/callback/?a=b,{CALLBACK}");
    assert_eq!(
        listed(&two),
        [CALLBACK, "https://IDP.kore.ai/workflows/callback/?a=b"]
    );
    assert_eq!(listed("http://127.0.0.1:5000/cb"), ["http://127.0.0.1:5000/cb"]);
}

#[test]
fn what_is_no_redirect_uri_is_refused() {
    refuses(
        NAME,
        &[
            ("idp.kore.com/workflows/callback", "https://"),
            ("not a url", "spaces"),
            ("myapp://callback", "https://"),
            ("https://idp.kore.com/callback#here", "remove the #"),
            ("https://me:hush@idp.kore.com/callback", "password"),
            ("https://*.kore.com/callback", "* is not understood"),
            ("http://idp.kore.com/callback", "use https"),
            ("https://idp.kore.com/\"callback\"", "quotes"),
            ("“https://idp.kore.com/callback”", "remove the quotes"),
            (",", "at least one address"),
        ],
    );
    let one_of_two = problem(load(&[(NAME, &format!("{CALLBACK},http://idp.kore.com/"))]));
    assert!(
        one_of_two.ends_with("(found `http://idp.kore.com/`)"),
        "{one_of_two}"
    );
}

#[test]
fn without_a_redirect_uri_the_simulator_takes_loopback_and_the_others_take_none() {
    assert_eq!(first(good(&[])).redirect_uris, RedirectUris::AnyLoopback);
    let sandbox = load(&[("PLAID_CLIENT_ID", ID), ("PLAID_SECRET", SECRET)]).unwrap();
    // Callbacks can be allowed on the set-up page too, so what it means that none is set is reported once the store is open.
    assert_eq!(sandbox.warnings, [""; 0]);
    assert_eq!(first(sandbox).redirect_uris, RedirectUris::Listed(Vec::new()));
}

#[test]
fn plaids_redirect_uri_in_place_of_the_callback_is_explained() {
    for env in [
        &[(NAME, "http://localhost:3000/")][..],
        &[(NAME, "http://localhost:3000")],
        &[(NAME, "http://localhost:8000/link/return")],
        &[
            ("PUBLIC_URL", "https://bank.example.com"),
            (NAME, "https://bank.example.com/link/return"),
        ],
    ] {
        warns(&good(env), "not the redirect URI registered at Plaid");
    }
    assert_eq!(good(&[(NAME, CALLBACK)]).warnings, Vec::<String>::new());
}

#[test]
fn the_policy_is_auto_or_required() {
    assert_eq!(good(&[]).oauth.client_auth, ClientAuthPolicy::Auto);
    assert_eq!(
        good(&[("OAUTH_CLIENT_AUTH", "REQUIRED")]).oauth.client_auth,
        ClientAuthPolicy::Required
    );
    refuses("OAUTH_CLIENT_AUTH", &[("none", "auto or required")]);
    refuses("OAUTH_SEND_ISS", &[("maybe", "on or off")]);
}

#[test]
fn lifetimes_have_bounds() {
    let oauth = good(&[]).oauth;
    assert_eq!(
        (oauth.code_ttl, oauth.expires_in, oauth.unredeemed_ttl),
        (Duration::from_mins(5), None, Duration::from_hours(1))
    );
    let oauth = good(&[
        ("OAUTH_CODE_TTL", "10"),
        ("OAUTH_EXPIRES_IN", "60"),
        ("BROKER_UNREDEEMED_TTL", "604800"),
    ])
    .oauth;
    assert_eq!(
        (oauth.code_ttl, oauth.expires_in, oauth.unredeemed_ttl),
        (Duration::from_secs(10), Some(60), Duration::from_hours(168))
    );
    refuses(
        "OAUTH_CODE_TTL",
        &[
            ("9", "from 10 to 600"),
            ("601", "from 10 to 600"),
            ("5m", "from 10 to 600"),
        ],
    );
    refuses(
        "OAUTH_EXPIRES_IN",
        &[
            ("59", "from 60"),
            ("2147483648", "to 2147483647"),
            ("-1", "from 60"),
        ],
    );
    refuses(
        "BROKER_UNREDEEMED_TTL",
        &[("59", "from 60 to 604800"), ("604801", "from 60 to 604800")],
    );
}
