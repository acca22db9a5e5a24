//! The settings, rule by rule: [`Config::load`] alone, without a broker.

mod clients;
mod documents;
mod dotenv;
mod http;
mod layers;
mod link;
mod oauth;
mod plaid;
mod secrets;
mod store_and_log;

use plaid_token_broker::config::{Config, LoadOptions, Problems};

const ID: &str = "0123456789abcdef01234567";
const SECRET: &str = "fedcba9876543210fedcba98765432";
const CALLBACK: &str = "https://idp.kore.com/workflows/callback";

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn load(env: &[(&str, &str)]) -> Result<Config, Problems> {
    Config::load(owned(env), None, LoadOptions::default())
}

/// Loads these settings and this `.env`.
fn layered(env: &[(&str, &str)], dotenv: &str) -> Result<Config, Problems> {
    Config::load(owned(env), Some(dotenv), LoadOptions::default())
}

/// Loads these settings in the simulator, and fails the test when there is a problem.
fn good(env: &[(&str, &str)]) -> Config {
    load(env).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Loads these settings with keys and a callback, so in the sandbox unless they say otherwise.
fn with_keys(env: &[(&str, &str)]) -> Result<Config, Problems> {
    let keys = [
        ("PLAID_CLIENT_ID", ID),
        ("PLAID_SECRET", SECRET),
        ("PLAID_REDIRECT_URI", CALLBACK),
    ];
    load(&[&keys, env].concat())
}

/// The one problem that these settings have.
fn problem(outcome: Result<Config, Problems>) -> String {
    match outcome {
        Err(Problems(problems)) => match problems.as_slice() {
            [problem] => problem.to_string(),
            several => panic!("one problem was expected: {several:?}"),
        },
        Ok(_) => panic!("a problem was expected"),
    }
}

/// Fails unless setting `name` to each value is one problem that begins with the name and has the word.
fn refuses(name: &str, values_and_words: &[(&str, &str)]) {
    for (value, word) in values_and_words {
        let problem = problem(load(&[(name, value)]));
        assert!(problem.starts_with(&format!("{name}: ")), "{value}: {problem}");
        assert!(problem.contains(word), "{value}: {problem}");
    }
}

/// Fails unless exactly one warning has the word.
fn warns(config: &Config, word: &str) {
    let count = config
        .warnings
        .iter()
        .filter(|warning| warning.contains(word))
        .count();
    assert_eq!(count, 1, "{word}: {:?}", config.warnings);
}
