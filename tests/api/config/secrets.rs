//! Whatever is given: loading ends, and no secret is repeated.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use plaid_token_broker::config::known;

/// Text that no message has by itself, so that finding it means that it leaked.
fn secret_text() -> impl Strategy<Value = String> {
    "[\"' ]?ZQ[A-Za-z0-9+/=:_@?#$,%-]{10,40}[\"' ]?"
}

fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        "(https?|sqlite|postgres)://[a-z:@.*#?/\"]{0,20}",
        "[0-9]{0,7}",
        Just("on".to_owned()),
        Just("production".to_owned()),
        Just("simulator".to_owned()),
        "(auth|balance|identity|payment_initiation|,){0,6}",
    ]
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (0..known().len(), prop_oneof![3 => Just(""), 1 => Just("_FILE")])
            .prop_map(|(index, end)| format!("{}{end}", known().get(index).map_or("", |variable| variable.name))),
        1 => "(PLAID|OAUTH|BROKER)_[A-Z_]{0,12}",
    ]
}

fn is_secret(name: &str) -> bool {
    known()
        .iter()
        .any(|variable| variable.secret && variable.name == name.trim_end_matches("_FILE"))
}

/// The runs of a secret by which it would be recognised.
fn parts(secret: &str) -> impl Iterator<Item = &str> {
    secret
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| part.len() >= 8)
}

fn messages(outcome: &Result<Config, Problems>) -> String {
    match outcome {
        Ok(config) => format!("{:?}\n{config:?}", config.warnings),
        Err(problems) => problems.to_string(),
    }
}

proptest! {
    #[test]
    fn loading_never_panics_and_no_secret_is_shown(
        given in vec((any_name(), any_value(), secret_text()), 0..12),
        inside in vec((any_name(), any_value(), secret_text()), 0..6),
        noise in ".{0,60}",
    ) {
        let pairs = |list: Vec<(String, String, String)>| -> Vec<(String, String)> {
            list.into_iter().map(|(name, value, secret)| {
                let value = if is_secret(&name) { secret } else { value };
                (name, value)
            }).collect()
        };
        let (env, lines) = (pairs(given), pairs(inside));
        let mut assignments: Vec<String> = lines.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assignments.push(noise);
        let dotenv = assignments.join("\n");
        let secrets: Vec<String> =
            env.iter().chain(&lines).filter(|(name, _)| is_secret(name)).map(|(_, value)| value.clone()).collect();
        let messages = messages(&Config::load(env, Some(&dotenv), LoadOptions::default()));
        for secret in &secrets {
            for part in parts(secret) {
                prop_assert!(!messages.contains(part), "{part} of {secret} in {messages}");
            }
        }
    }

    #[test]
    fn a_secret_pasted_into_another_variable_is_kept_back(index in 0..known().len(), secret in "ZQ[a-z0-9]{20,28}") {
        let name = known().get(index).map_or("", |variable| variable.name);
        let outcome = load(&[("PLAID_CLIENT_ID", ID), ("PLAID_SECRET", &secret), (name, &secret)]);
        if let Err(problems) = &outcome {
            prop_assert!(!problems.to_string().contains(&secret), "{problems}");
        }
        if let Ok(config) = &outcome {
            prop_assert!(!config.warnings.concat().contains(&secret), "{:?}", config.warnings);
        }
    }
}
