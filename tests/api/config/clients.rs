//! The clients file: what it may hold, and every problem of it.

mod properties;
mod schemes;

use std::fmt::Write as _;
use std::time::Duration;

use super::*;
use plaid_token_broker::config::{ClientConfig, ClientKind, RedirectUris};

/// A hash in the right form, of nothing that anybody knows.
const HASH: &str = "hmac-sha256:c2FsdHNhbHRzYWx0c2FsdA:ZGlnZXN0ZGlnZXN0ZGlnZXN0ZGlnZXN0ZGlnZXN0MTI";
const DOCS: &str = include_str!("../../../docs/clients.md");
const EXAMPLE: &str = include_str!("../../../docs/clients.example.toml");

/// The clients of a file with this text, or its problems.
fn read(text: &str) -> Result<Vec<ClientConfig>, Vec<String>> {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("clients.toml");
    std::fs::write(&path, text).unwrap();
    let settings = [
        ("OAUTH_CLIENT_ID", "first"),
        ("OAUTH_CLIENT_SECRET", "the secret of the settings"),
        ("OAUTH_CLIENTS_FILE", path.to_str().unwrap()),
        ("PLAID_PRODUCTS", "auth,transactions"),
        ("PLAID_OPTIONAL_PRODUCTS", "identity"),
        ("PUBLIC_URL", "https://bank.example.com"),
    ];
    match load(&settings) {
        Ok(config) => Ok(config.oauth.clients.into_iter().skip(1).collect()),
        Err(Problems(problems)) => Err(problems.iter().map(ToString::to_string).collect()),
    }
}

/// The problems of a file, none of which may show the hash.
fn problems(text: &str) -> Vec<String> {
    let problems = read(text).unwrap_err();
    for part in HASH.split(':').chain(["the secret of the settings"]) {
        assert!(!problems.concat().contains(part), "{problems:?}");
    }
    problems
}

/// A whole client, with these lines in place of (or beside) the usual ones.
fn with(lines: &str) -> String {
    let replaced = |key: &str| lines.lines().any(|line| line.starts_with(&format!("{key} = ")));
    let usual = [
        ("id", "'app'".to_owned()),
        ("secret_hash", format!("'{HASH}'")),
        ("redirect_uris", "['https://app.example/cb']".to_owned()),
    ];
    let mut text = "[[client]]\n".to_owned();
    for (key, value) in usual {
        if !replaced(key) {
            let _ = writeln!(text, "{key} = {value}");
        }
    }
    text + lines
}

/// Without a line that [`with`] writes.
fn without(key: &str) -> String {
    let lines: Vec<String> = with("")
        .lines()
        .filter(|line| !line.starts_with(key))
        .map(str::to_owned)
        .collect();
    lines.join("\n")
}

#[test]
fn the_example_of_the_documentation_is_good_as_it_is() {
    let clients = read(EXAMPLE).unwrap();
    let [shop, app] = clients.as_slice() else {
        panic!("two clients were expected: {clients:?}");
    };
    assert!(matches!(shop.kind, ClientKind::Confidential(_)) && shop.name.is_some());
    assert!(matches!(app.kind, ClientKind::Public));
    assert!(shop.refresh_lifetime.is_none() && app.refresh_lifetime.is_some());
}

#[test]
fn the_documentation_has_a_row_for_every_key_and_no_other() {
    let row = |line: &'static str| line.strip_prefix("| `")?.split_once('`').map(|(key, _)| key);
    let documented: Vec<&str> = DOCS.lines().filter_map(row).collect();
    let keys = problems(&with("nonsense = 1")).concat();
    assert!(
        keys.ends_with(&format!("there are {}", documented.join(", "))),
        "{keys}"
    );
}

#[test]
fn what_is_left_out_has_a_default() {
    let clients = read(&with("")).unwrap();
    let [client] = clients.as_slice() else {
        panic!("one client was expected")
    };
    assert_eq!((client.id.as_str(), &client.name), ("app", &None));
    assert_eq!(
        client.redirect_uris,
        RedirectUris::Listed(vec!["https://app.example/cb".to_owned()])
    );
    assert!(client.products.is_none() && client.refresh_lifetime.is_none());
    assert!(!client.raw_public_tokens && client.send_iss);
}

#[test]
fn every_key_is_read() {
    let text = with(
        "name = 'The shop'\nproducts = ['AUTH', 'identity']\nraw_public_tokens = true\nsend_iss = false\n\
         refresh_lifetime = 60\nexpires_in = 900\npublic = false\n",
    ) + "[[client]]\nid = 'native'\npublic = true\nredirect_uris = ['http://127.0.0.1/cb', 'http://[::1]/cb']\n";
    let clients = read(&text).unwrap();
    let [shop, native] = clients.as_slice() else {
        panic!("two clients were expected")
    };
    assert_eq!(shop.name.as_deref(), Some("The shop"));
    assert_eq!(
        shop.products,
        Some(vec!["auth".to_owned(), "identity".to_owned()])
    );
    assert!(shop.raw_public_tokens && !shop.send_iss);
    assert_eq!(shop.refresh_lifetime, Some(Duration::from_mins(1)));
    assert_eq!((shop.expires_in, native.expires_in), (Some(900), None));
    assert!(matches!(native.kind, ClientKind::Public));
    assert!(matches!(&native.redirect_uris, RedirectUris::Native(uris) if uris.len() == 2));
}

/// Fails unless each text has exactly one problem, with this key and this word.
#[track_caller]
fn each_has_one_problem(texts: &[(String, &str, &str)]) {
    for (text, key, word) in texts {
        let problems = problems(text);
        let [problem] = problems.as_slice() else {
            panic!("one problem was expected of {text}: {problems:?}")
        };
        let (place, rest) = problem.split_once(": ").unwrap();
        assert!(place.starts_with("OAUTH_CLIENTS_FILE, client 1"), "{problem}");
        assert!(place.ends_with(key), "{key}: {problem}");
        assert!(rest.contains(word), "{word}: {problem}");
        assert!(
            !problem.contains("plain secret") && problem.len() < 400,
            "{problem}"
        );
    }
}

#[test]
fn each_problem_of_who_a_client_is_names_the_client_and_the_key() {
    let long = "x".repeat(256);
    each_has_one_problem(&[
        (without("id"), "client 1, id", "is missing"),
        (with("id = ''"), "client 1, id", "client_id"),
        (with("id = 7"), "client 1, id", "in quotes"),
        (with("id = 'kör'"), "client 1 (kör), id", "ASCII"),
        (with(&format!("id = '{long}'")), "id", "255 characters"),
        (
            with("id = 'first'"),
            "client 1 (first), id",
            "client of the settings",
        ),
        (with("name = ' '"), "client 1 (app), name", "the name that people"),
        (with("name = \"a\\nb\""), "client 1 (app), name", "on one line"),
        (with(&format!("name = '{long}'")), "name", "60 characters"),
        (without("secret_hash"), "secret_hash", "is missing"),
        (
            without("secret_hash") + "\npublic = false",
            "secret_hash",
            "is missing",
        ),
        (
            without("secret_hash") + "\npublic = 'yes'",
            "public",
            "true or false",
        ),
        (
            with("secret_hash = 'a plain secret of some length'"),
            "secret_hash",
            "is not a hash",
        ),
        (with("secret_hash = 1"), "secret_hash", "in quotes"),
        (with("public = true"), "public", "not both"),
        (
            with("secret = 'a plain secret of some length'"),
            "secret",
            "remove it",
        ),
    ]);
}

#[test]
fn each_problem_of_what_a_client_may_names_the_client_and_the_key() {
    each_has_one_problem(&[
        (without("redirect_uris"), "redirect_uris", "is missing"),
        (with("redirect_uris = []"), "redirect_uris", "at least one"),
        (
            with("redirect_uris = 'https://app.example/cb'"),
            "redirect_uris",
            "a list",
        ),
        (with("redirect_uris = [1]"), "redirect_uris", "a list"),
        (
            with("redirect_uris = ['http://app.example/cb']"),
            "redirect_uris",
            "use https",
        ),
        (
            with("redirect_uris = ['https://app.example/#x']"),
            "redirect_uris",
            "remove the #",
        ),
        (
            with("redirect_uris = ['https://*.example/']"),
            "redirect_uris",
            "* is not",
        ),
        (
            with("redirect_uris = ['myapp://cb']"),
            "redirect_uris",
            "https://",
        ),
        (
            with("redirect_uris = ['https://a.example/', 'https://a.example/']"),
            "redirect_uris",
            "duplicate",
        ),
        (
            with("redirect_uris = ['https://bank.example.com/link/return']"),
            "redirect_uris",
            "the broker itself",
        ),
        (with("products = []"), "products", "at least one"),
        (with("products = ['assets']"), "products", "is not configured"),
        (with("products = ['auth', 'auth']"), "products", "duplicate"),
        (with("products = 'auth'"), "products", "a list"),
        (
            with("raw_public_tokens = 1"),
            "raw_public_tokens",
            "true or false",
        ),
        (with("send_iss = 'on'"), "send_iss", "true or false"),
        (with("refresh_lifetime = 59"), "refresh_lifetime", "from 60"),
        (with("refresh_lifetime = '1h'"), "refresh_lifetime", "seconds"),
        (with("expires_in = 59"), "expires_in", "from 60"),
        (with("expires_in = 2147483648"), "expires_in", "to 2147483647"),
        (with("expires_in = -900"), "expires_in", "from 60"),
        (with("expires_in = '900'"), "expires_in", "without quotes"),
        (
            with("redirect_uri = ['https://a.example/']"),
            "redirect_uri",
            "did you mean redirect_uris?",
        ),
        (
            without("secret_hash") + "\npublic = true\nraw_public_tokens = true",
            "raw_public_tokens",
            "with a secret",
        ),
    ]);
}

#[test]
fn all_problems_are_reported_at_once() {
    let text = with("send_iss = 1\nnmae = 'x'\n") + &with("") + "[[client]]\nid = 'third'\n";
    let problems = problems(&text);
    for (problem, place) in problems.iter().zip([
        "client 1 (app), send_iss: ",
        "client 1 (app), nmae: is no key of a client; did you mean name?",
        "client 2 (app), id: choose another: a client before it",
        "client 3 (third), secret_hash: is missing",
        "client 3 (third), redirect_uris: is missing",
    ]) {
        assert!(problem.contains(place), "{place}: {problem}");
    }
    assert_eq!(problems.len(), 5, "{problems:?}");
}

#[test]
fn what_is_no_list_of_clients_is_refused() {
    for (text, place, word) in [
        (String::new(), "OAUTH_CLIENTS_FILE: ", "has no client"),
        ("# later".to_owned(), "OAUTH_CLIENTS_FILE: ", "has no client"),
        ("client = []".to_owned(), "OAUTH_CLIENTS_FILE: ", "has no client"),
        (
            with("").replace("[[client]]", "[client]"),
            ", client: ",
            "two brackets",
        ),
        (
            with("").replace("[[client]]", "[[clients]]"),
            ", clients: ",
            "below its line",
        ),
        ("client = 'app'".to_owned(), ", client: ", "[[client]] tables"),
        ("client = ['app']".to_owned(), ", client 1: ", "[[client]] table"),
        (format!("id = '{HASH}'\n{}", with("")), ", id: ", "below its line"),
        (with(&format!("name = '{HASH}")), ", line 5: ", "is not TOML"),
        (with("id = 'a'\nid = 'b'"), ", line 5: ", "duplicate key"),
    ] {
        let problems = problems(&text);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        let problem = problems.concat();
        assert!(
            problem.contains(place) && problem.contains(word),
            "{text}: {problem}"
        );
    }
}

#[test]
fn a_hash_in_the_wrong_place_is_not_repeated() {
    for line in [
        format!("id = '{HASH}'\nsend_iss = 1"),
        format!("redirect_uris = ['{HASH}']"),
        format!("products = ['{HASH}']"),
        format!("\"{HASH}\" = 1"),
        format!("secret_hash = '{HASH}x'"),
        format!("client_secret = '{HASH}'"),
        "id = 'the secret of the settings'\nname = ''".to_owned(),
        format!("secret_hash = {HASH}"),
        format!("products = ['{}']", HASH.rsplit(':').next().unwrap()),
    ] {
        assert!(!problems(&with(&line)).is_empty(), "{line}");
    }
}

#[test]
fn the_clients_of_the_file_come_after_the_one_of_the_settings() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("clients.toml");
    let path = path.to_str().unwrap();
    std::fs::write(path, with("")).unwrap();
    let config = good(&[("OAUTH_CLIENTS_FILE", path)]);
    let ids: Vec<&str> = config
        .oauth
        .clients
        .iter()
        .map(|client| client.id.as_str())
        .collect();
    assert_eq!(ids, [plaid_token_broker::simulator::CLIENT_ID, "app"]);

    // The id of the first client is taken, whatever it is.
    let taken = problem(load(&[("OAUTH_CLIENTS_FILE", path), ("OAUTH_CLIENT_ID", "app")]));
    assert!(taken.contains("client of the settings"), "{taken}");

    // Problems of the file are reported with those of the settings.
    std::fs::write(path, with("send_iss = 1")).unwrap();
    let message = load(&[("OAUTH_CLIENTS_FILE", path), ("APP_PORT", "eighty")]).unwrap_err();
    assert!(message.to_string().starts_with("2 problems"), "{message}");
    assert!(config.reread_clients().is_err());
    std::fs::write(path, with("") + &with("id = 'third'")).unwrap();
    assert_eq!(config.reread_clients().unwrap().as_slice().len(), 3);

    // A command that serves no client does not need it.
    std::fs::remove_file(path).unwrap();
    let env = [("OAUTH_CLIENTS_FILE", path)];
    let options = LoadOptions {
        without_clients: true,
        ..LoadOptions::default()
    };
    assert!(Config::load(owned(&env), None, options).is_ok());
}

#[test]
fn a_file_that_cannot_be_read_is_reported() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().to_str().unwrap();
    let binary = home.path().join("binary");
    std::fs::write(&binary, b"\xff\xfe").unwrap();
    let large = home.path().join("large");
    std::fs::write(&large, vec![b'#'; 1_100_000]).unwrap();
    refuses(
        "OAUTH_CLIENTS_FILE",
        &[
            ("/nowhere/clients.toml", "cannot be read"),
            (directory, "is no file"),
            (binary.to_str().unwrap(), "UTF-8"),
            (large.to_str().unwrap(), "larger than 1 MiB"),
        ],
    );
}
