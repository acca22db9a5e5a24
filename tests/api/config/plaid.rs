//! The environment and the keys.

use super::*;
use plaid_token_broker::config::{Environment, SIMULATOR_CLIENT_ID, SIMULATOR_SECRET};

#[test]
fn the_environment_follows_from_the_keys_unless_it_is_named() {
    assert_eq!(good(&[]).plaid.environment, Environment::Simulator);
    assert_eq!(with_keys(&[]).unwrap().plaid.environment, Environment::Sandbox);
    let production = with_keys(&[
        ("PLAID_ENV", "Production"),
        ("PLAID_PRODUCTS", "auth"),
        ("PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS", "none"),
    ])
    .unwrap();
    assert_eq!(production.plaid.environment, Environment::Production);
    assert_eq!(
        (
            production.plaid.client_id.as_str(),
            production.plaid.secret.expose()
        ),
        (ID, SECRET)
    );
}

#[test]
fn unknown_environments_are_refused_and_development_is_reported_as_retired() {
    assert_eq!(
        problem(with_keys(&[("PLAID_ENV", "staging")])),
        "PLAID_ENV: choose simulator, sandbox or production (found `staging`)"
    );
    assert!(problem(with_keys(&[("PLAID_ENV", "development")])).contains("use sandbox: Plaid retired"));
}

#[test]
fn both_keys_go_together() {
    for (name, value, missing) in [
        ("PLAID_CLIENT_ID", ID, "PLAID_SECRET"),
        ("PLAID_SECRET", SECRET, "PLAID_CLIENT_ID"),
    ] {
        let problem = problem(load(&[(name, value)]));
        assert!(
            problem.starts_with(&format!("{missing}: is missing")),
            "{problem}"
        );
    }
    let Problems(problems) = load(&[("PLAID_ENV", "sandbox")]).unwrap_err();
    assert_eq!(problems.len(), 2);
    assert!(
        problems
            .iter()
            .all(|problem| problem.expected.contains("leave PLAID_ENV empty"))
    );
}

#[test]
fn the_simulator_takes_its_own_keys_alone() {
    let own = [
        ("PLAID_ENV", "simulator"),
        ("PLAID_CLIENT_ID", SIMULATOR_CLIENT_ID),
        ("PLAID_SECRET", SIMULATOR_SECRET),
    ];
    for config in [good(&[]), good(&own)] {
        assert_eq!(config.plaid.client_id, SIMULATOR_CLIENT_ID);
        assert_eq!(config.plaid.secret.expose(), SIMULATOR_SECRET);
        assert_eq!(config.warnings, Vec::<String>::new());
    }
    assert!(
        problem(with_keys(&[("PLAID_ENV", "simulator")]))
            .contains("the simulator does not accept Plaid's keys")
    );
}

#[test]
fn the_simulators_keys_reach_another_simulator_and_are_warned_of_at_plaid() {
    let own = [
        ("PLAID_CLIENT_ID", SIMULATOR_CLIENT_ID),
        ("PLAID_SECRET", SIMULATOR_SECRET),
        ("PLAID_REDIRECT_URI", CALLBACK),
    ];
    warns(&good(&own), "which Plaid does not know");
    let elsewhere = good(&[&own[..], &[("PLAID_BASE_URL", "http://127.0.0.1:9400")]].concat());
    assert_eq!(elsewhere.warnings, Vec::<String>::new());
    assert_eq!(
        elsewhere.plaid.base_url.unwrap().as_str(),
        "http://127.0.0.1:9400/"
    );
    warns(
        &good(&[("PLAID_BASE_URL", "http://127.0.0.1:9400")]),
        "PLAID_BASE_URL is set although",
    );
}

#[test]
fn keys_of_another_shape_are_warned_of_and_never_shown() {
    let odd = load(&[
        ("PLAID_CLIENT_ID", "short-id"),
        ("PLAID_SECRET", "short-secret"),
        ("PLAID_REDIRECT_URI", CALLBACK),
    ])
    .unwrap();
    warns(&odd, "PLAID_CLIENT_ID does not look like Plaid's, which are 24");
    warns(&odd, "PLAID_SECRET does not look like Plaid's, which are 30");
    let swapped = load(&[
        ("PLAID_CLIENT_ID", SECRET),
        ("PLAID_SECRET", ID),
        ("PLAID_REDIRECT_URI", CALLBACK),
    ])
    .unwrap();
    assert_eq!(
        swapped.warnings,
        ["PLAID_CLIENT_ID and PLAID_SECRET look swapped."]
    );
    let spaced = problem(load(&[("PLAID_CLIENT_ID", ID), ("PLAID_SECRET", "hush hush")]));
    assert!(
        spaced.starts_with("PLAID_SECRET: has characters") && !spaced.contains("hush"),
        "{spaced}"
    );
}

#[test]
fn the_base_url_is_an_address_without_user_or_query() {
    refuses(
        "PLAID_BASE_URL",
        &[
            ("sandbox.plaid.com", "https://"),
            ("http://plaid.example.com", "use https"),
            ("https://me:hush@plaid.example.com", "password"),
            ("https://plaid.example.com/?a=b", "remove the ?"),
        ],
    );
    let with_path = with_keys(&[("PLAID_BASE_URL", "https://proxy.example.com/plaid/")]).unwrap();
    assert_eq!(with_path.plaid.base_url.unwrap().path(), "/plaid/");
}

#[test]
fn the_simulator_stays_on_this_machine() {
    assert_eq!(good(&[]).plaid.simulator_bind.to_string(), "127.0.0.1:9400");
    assert_eq!(
        good(&[("BROKER_SIMULATOR_BIND", "[::1]:0")])
            .plaid
            .simulator_bind
            .to_string(),
        "[::1]:0"
    );
    refuses(
        "BROKER_SIMULATOR_BIND",
        &[
            ("0.0.0.0:9400", "stays on this machine"),
            ("9400", "for example"),
            ("localhost:1", "for example"),
        ],
    );
}

#[test]
fn the_rate_of_removals_is_below_plaids_limit_for_the_environment() {
    assert_eq!(good(&[]).plaid.removal_rate, 150);
    let production = with_keys(&[
        ("PLAID_ENV", "production"),
        ("PLAID_PRODUCTS", "auth"),
        ("PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS", "identity"),
    ]);
    assert_eq!(production.unwrap().plaid.removal_rate, 600);
    assert_eq!(
        good(&[("BROKER_REMOVAL_RATE", "60000")]).plaid.removal_rate,
        60_000
    );
    refuses(
        "BROKER_REMOVAL_RATE",
        &[
            ("0", "from 1 to 60000"),
            ("60001", "from 1 to 60000"),
            ("fast", "from 1 to 60000"),
        ],
    );
}
