//! Where values come from: environment, `.env`, files of secrets; quotes, empty values and unknown names.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;

use super::*;
use crate::config::Environment;

fn layered(env: &[(&str, &str)], dotenv: &str) -> Result<Config, Problems> {
    Config::load(owned(env), Some(dotenv), LoadOptions::default())
}

#[test]
fn nothing_at_all_is_the_simulator_without_a_word_of_warning() {
    let config = good(&[]);
    assert_eq!(config.plaid.environment, Environment::Simulator);
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn the_environment_wins_over_dotenv_and_empty_is_unset() {
    let config = layered(&[("APP_PORT", "1")], "APP_PORT=2\nPLAID_LANGUAGE=fr").unwrap();
    assert_eq!((config.http.port, config.link.language.as_str()), (1, "fr"));
    let config = layered(&[("APP_PORT", "")], "APP_PORT=2\nPLAID_ENV=\n").unwrap();
    assert_eq!(
        (config.http.port, config.plaid.environment),
        (2, Environment::Simulator)
    );
    assert_eq!(good(&[("PLAID_LANGUAGE", " de ")]).link.language, "de");
}

#[test]
fn quotes_are_syntax_in_dotenv_and_a_mistake_in_the_environment() {
    for line in [
        "PLAID_ENV='simulator'",
        "PLAID_ENV=\"simulator\"",
        "export PLAID_ENV=simulator # why",
    ] {
        assert_eq!(
            layered(&[], line).unwrap().plaid.environment,
            Environment::Simulator
        );
    }
    for value in ["\"sandbox\"", "'sandbox'", "“sandbox”"] {
        let problem = problem(with_keys(&[("PLAID_ENV", value)]));
        assert!(
            problem.starts_with("PLAID_ENV: remove the quotes") && problem.contains("--env-file"),
            "{problem}"
        );
    }
    assert!(problem(layered(&[], "PLAID_ENV='\"sandbox\"'")).contains("one pair is enough"));
    let quoted = problem(load(&[
        ("PLAID_CLIENT_ID", ID),
        ("PLAID_SECRET", "'hush-hush-hush'"),
    ]));
    assert!(
        quoted.starts_with("PLAID_SECRET: remove the quotes") && !quoted.contains("hush"),
        "{quoted}"
    );
}

#[test]
fn broken_lines_of_dotenv_are_told_beside_the_other_problems() {
    let problems = layered(&[], "APP_PORT=eighty\nPLAID_CLIENT_NAME=My Bot\n")
        .unwrap_err()
        .to_string();
    assert!(
        problems.starts_with("2 problems in the settings:\n"),
        "{problems}"
    );
    assert!(
        problems.contains("\n  - .env line 2: ") && !problems.contains("My Bot"),
        "{problems}"
    );
    assert!(
        problems.contains("\n  - APP_PORT: write a number from 0 to 65535 (found `eighty`)"),
        "{problems}"
    );
}

#[test]
fn a_dollar_or_a_line_break_in_a_setting_is_told_and_elsewhere_is_not_our_business() {
    assert!(
        problem(layered(&[], "PLAID_CLIENT_NAME=a$b"))
            .starts_with(".env line 1: put the value into single quotes")
    );
    assert!(layered(&[], "PLAID_CLIENT_NAME='a$b'\nFOO=a$b\nBAR='two\nlines'").is_ok());
    let problems = layered(&[], "PLAID_CLIENT_NAME='a\nAPP_PORT=1\nBROKER_LOG='text'").unwrap_err();
    assert!(problems.to_string().contains(".env line 1: "), "{problems}");
}

#[test]
fn a_name_set_twice_in_dotenv_is_warned_of_and_the_last_counts() {
    let config = layered(&[], "APP_PORT=1\n\nAPP_PORT=2").unwrap();
    assert_eq!(config.http.port, 2);
    warns(&config, ".env sets APP_PORT on line 1 and again on line 3");
}

#[test]
fn each_secret_can_come_from_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    let at = path.to_str().unwrap();
    for content in [format!("{SECRET}\n"), format!("{SECRET}\r\n"), SECRET.to_owned()] {
        fs::write(&path, content).unwrap();
        let config = load(&[("PLAID_CLIENT_ID", ID), ("PLAID_SECRET_FILE", at)]).unwrap();
        assert_eq!(config.plaid.secret.expose(), SECRET);
    }
    fs::write(&path, "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").unwrap();
    assert!(matches!(
        good(&[("BROKER_KEYS_FILE", at)]).store.keys,
        crate::config::KeySource::Given(_)
    ));
    fs::write(&path, "a-token-of-enough-length ").unwrap();
    assert_eq!(
        good(&[("BROKER_ADMIN_TOKEN_FILE", at)])
            .http
            .admin_token
            .unwrap()
            .expose(),
        "a-token-of-enough-length "
    );
    assert!(matches!(
        &good(&[("OAUTH_CLIENT_SECRET_FILE", at)]).oauth.clients.first().unwrap().kind,
        crate::config::ClientKind::Confidential(secret) if secret.matches("a-token-of-enough-length ")
    ));
}

#[test]
fn a_secret_and_its_file_at_once_are_refused_but_the_environment_wins_as_a_whole() {
    let both = [
        ("BROKER_ADMIN_TOKEN", "a-token-of-enough-length"),
        ("BROKER_ADMIN_TOKEN_FILE", "/token"),
    ];
    assert_eq!(
        problem(load(&both)),
        "BROKER_ADMIN_TOKEN: set either BROKER_ADMIN_TOKEN or BROKER_ADMIN_TOKEN_FILE, not both"
    );
    assert!(layered(&both[..1], "BROKER_ADMIN_TOKEN_FILE=/no/such/file").is_ok());
}

#[test]
fn a_file_of_a_secret_that_cannot_be_used_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing").to_str().unwrap().to_owned();
    let told = problem(load(&[("PLAID_CLIENT_ID", ID), ("PLAID_SECRET_FILE", &missing)]));
    assert!(
        told.starts_with("PLAID_SECRET_FILE: the file /") && told.contains("cannot be read"),
        "{told}"
    );
    let told = problem(load(&[("PLAID_CLIENT_ID", ID), ("PLAID_SECRET_FILE", SECRET)]));
    assert!(
        told.contains("the file it names cannot be read") && !told.contains(SECRET),
        "{told}"
    );
    let empty = dir.path().join("empty");
    fs::write(&empty, "\n").unwrap();
    assert!(problem(load(&[("BROKER_ADMIN_TOKEN_FILE", empty.to_str().unwrap())])).contains("is empty"));
}

#[test]
fn a_misspelt_name_stands_beside_what_is_missing() {
    let text = layered(
        &[("PLAID_CLIENT_IDD", ID)],
        &format!("PLAID_SECRET={SECRET}\nPLAID_PRODCUTS=auth"),
    )
    .unwrap_err()
    .to_string();
    assert!(text.contains("PLAID_CLIENT_ID: is missing"), "{text}");
    for (name, meant) in [
        ("PLAID_CLIENT_IDD", "PLAID_CLIENT_ID"),
        ("PLAID_PRODCUTS", "PLAID_PRODUCTS"),
    ] {
        assert!(text.contains(&format!("{name}: is no setting")), "{text}");
        assert!(text.contains(&format!("did you mean {meant}?")), "{text}");
    }
}

#[test]
fn unknown_names_are_warned_of_with_the_nearest_known_one() {
    let config = layered(
        &[("PLAID_PRODUCT", "x"), ("OAUTH_CLIENT", "hush")],
        "BROKER_KEYS_FIEL=x\nOTHER_NAME=1",
    )
    .unwrap();
    warns(
        &config,
        "the environment sets PLAID_PRODUCT, which is no setting and is ignored; did you mean PLAID_PRODUCTS?",
    );
    warns(
        &config,
        "OAUTH_CLIENT, which is no setting and is ignored; did you mean OAUTH_CLIENT_ID?",
    );
    warns(
        &config,
        ".env sets BROKER_KEYS_FIEL, which is no setting and is ignored; did you mean BROKER_KEYS_FILE?",
    );
    assert_eq!(config.warnings.len(), 3);
    assert!(!config.warnings.concat().contains("hush"));
}

#[test]
fn what_kubernetes_sets_for_a_service_named_broker_is_no_typo() {
    let config = good(&[
        ("BROKER_SERVICE_HOST", "10.0.0.1"),
        ("BROKER_PORT", "tcp://10.0.0.1:80"),
        ("BROKER_PORT_80_TCP_PORT", "80"),
    ]);
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn the_quickstarts_own_dotenv_starts_unchanged_once_the_keys_are_filled_in() {
    let content = format!(
        "# keys\nPLAID_CLIENT_ID={ID}\nPLAID_SECRET={SECRET}\nPLAID_ENV=sandbox\nPLAID_PRODUCTS=auth,transactions,signal\n\
         PLAID_COUNTRY_CODES=US,CA\nPLAID_REDIRECT_URI=\nSIGNAL_RULESET_KEY=\n"
    );
    let config = layered(&[], &content).unwrap();
    assert_eq!(config.link.products.products, ["auth", "transactions", "signal"]);
    assert_eq!(config.link.country_codes, ["US", "CA"]);
    assert_eq!(config.warnings, [""; 0]);
    let with_redirect = content.replace("PLAID_REDIRECT_URI=", "PLAID_REDIRECT_URI=http://localhost:3000/");
    warns(&layered(&[], &with_redirect).unwrap(), "PLAID_LINK_REDIRECT_URI");
}

#[test]
fn all_problems_are_told_at_once() {
    let Problems(problems) = load(&[
        ("PLAID_ENV", "staging"),
        ("PLAID_CLIENT_ID", ID),
        ("PLAID_PRODUCTS", "auth,auth,nonsense"),
        ("PUBLIC_URL", "bank.example.com"),
        ("APP_PORT", "70000"),
    ])
    .unwrap_err();
    let names: Vec<_> = problems.iter().map(|problem| problem.variable.as_str()).collect();
    assert_eq!(
        names,
        [
            "PLAID_ENV",
            "PLAID_SECRET",
            "APP_PORT",
            "PUBLIC_URL",
            "PLAID_PRODUCTS",
            "PLAID_PRODUCTS"
        ]
    );
}
