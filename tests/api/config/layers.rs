//! Where values come from: environment, `.env`, files of secrets; quotes, empty values and unknown names.

use std::fs;

use super::*;
use plaid_token_broker::config::Environment;

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
        plaid_token_broker::config::KeySource::Given(_)
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
        plaid_token_broker::config::ClientKind::Confidential(secret) if secret.matches("a-token-of-enough-length ")
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
fn a_file_of_a_secret_that_cannot_be_used_is_reported_once() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing").to_str().unwrap().to_owned();
    let message = problem(load(&[("PLAID_CLIENT_ID", ID), ("PLAID_SECRET_FILE", &missing)]));
    assert!(
        message.starts_with("PLAID_SECRET_FILE: the file /") && message.contains("cannot be read"),
        "{message}"
    );
    let message = problem(load(&[("PLAID_CLIENT_ID", ID), ("PLAID_SECRET_FILE", SECRET)]));
    assert!(
        message.contains("the file it names cannot be read") && !message.contains(SECRET),
        "{message}"
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
fn a_known_alias_is_refused_unless_the_setting_is_there_as_well() {
    for (name, value, meant) in [
        ("PLAID_CLIENT_SECRET", SECRET, "PLAID_SECRET"),
        ("PLAID_SECRET_SANDBOX", SECRET, "PLAID_SECRET"),
        ("PLAID_PRODUCTION_SECRET", SECRET, "PLAID_SECRET"),
        ("NEXT_PUBLIC_PLAID_SECRET", SECRET, "PLAID_SECRET"),
        ("PLAID_ENVIRONMENT", "production", "PLAID_ENV"),
        ("PLAID_COUNTRIES", "US", "PLAID_COUNTRY_CODES"),
        ("NEXT_PUBLIC_PLAID_ENV", "production", "PLAID_ENV"),
    ] {
        let line = format!("{name}={value}");
        for (message, place) in [
            (problem(load(&[(name, value)])), "the environment"),
            (problem(layered(&[], &line)), ".env"),
        ] {
            assert_eq!(
                message,
                format!("{name}: is no setting ({place} has it): rename it to {meant}")
            );
        }
        // Beside the right one it is only warned of.
        let right = if value == "production" { "sandbox" } else { value };
        let beside = with_keys(&[(meant, right), (name, value)]).unwrap();
        warns(
            &beside,
            &format!("{name}, which is no setting and is ignored: {meant} counts"),
        );
        assert!(!beside.warnings.concat().contains(SECRET));
    }
    let file = with_keys(&[("PLAID_CLIENT_SECRET_FILE", "/no/such/file")]).unwrap();
    warns(
        &file,
        "PLAID_CLIENT_SECRET_FILE, which is no setting and is ignored: PLAID_SECRET counts",
    );
    let by_file = layered(
        &[("PLAID_SECRET_FILE", "/no/such/file"), ("PLAID_CLIENT_ID", ID)],
        "PLAID_CLIENT_SECRET=x",
    );
    assert!(
        problem(by_file).starts_with("PLAID_SECRET_FILE: "),
        "the setting is given"
    );
}

#[test]
fn a_name_of_a_secret_is_never_led_to_a_setting_that_is_shown() {
    for name in [
        "PLAID_TOKEN",
        "PLAID_KEY",
        "PLAID_ENV_KEY",
        "OAUTH_CLIENT_KEY",
        "PLAID_ENV_TOKEN",
        "BROKER_BIND_KEY",
    ] {
        let config = good(&[(name, SECRET)]);
        warns(
            &config,
            &format!("sets {name}, which is no setting and is ignored"),
        );
        let suggested = config.warnings.concat();
        for shown in plaid_token_broker::config::known()
            .iter()
            .filter(|variable| !variable.secret)
        {
            assert!(
                !suggested.contains(&format!("did you mean {}?", shown.name)),
                "{suggested}"
            );
        }
        assert!(!suggested.contains(SECRET));
    }
    let far = good(&[("PLAID_SOMETHING_ELSE", "x")]);
    assert!(
        !far.warnings.concat().contains("did you mean"),
        "{:?}",
        far.warnings
    );
    // A secret that was pasted into a setting that is shown.
    let pasted = problem(load(&[("PLAID_PRODUCTS", SECRET)]));
    assert!(
        pasted.contains("may be a secret") && !pasted.contains(SECRET),
        "{pasted}"
    );
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
fn all_problems_are_reported_at_once() {
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
