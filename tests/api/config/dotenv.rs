//! `.env`, and the same lines through `docker run --env-file`: values are read as they are written, or refused.

use super::*;
use plaid_token_broker::config::Environment;

#[test]
fn one_pair_of_quotes_is_removed_in_dotenv_and_in_the_environment() {
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
    for name in ["'Acme Bank Bot'", "\"Acme Bank Bot\"", "Acme Bank Bot"] {
        let in_file = layered(&[], &format!("PLAID_CLIENT_NAME={name}")).unwrap();
        let outside = good(&[("PLAID_CLIENT_NAME", name)]);
        assert_eq!(in_file.link.client_name, "Acme Bank Bot");
        assert_eq!(outside.link.client_name, "Acme Bank Bot");
    }
    for value in ["“sandbox”", "'\"sandbox\"'", "`sandbox`"] {
        let problem = problem(with_keys(&[("PLAID_ENV", value)]));
        assert!(problem.starts_with("PLAID_ENV: remove the quotes"), "{problem}");
    }
    assert!(problem(layered(&[], "PLAID_ENV='\"sandbox\"'")).contains("remove the quotes"));
    let quoted = problem(load(&[
        ("PLAID_CLIENT_ID", ID),
        ("PLAID_SECRET", "''hush-hush-hush''"),
    ]));
    assert!(
        quoted.starts_with("PLAID_SECRET: remove the quotes") && !quoted.contains("hush"),
        "{quoted}"
    );
}

#[test]
fn a_value_that_readers_change_is_refused_with_the_line_to_write() {
    for (value, advice) in [
        ("abcdef\"gh\"ij", "write OAUTH_CLIENT_SECRET='…'"),
        ("abc'def", "write OAUTH_CLIENT_SECRET=\"…\""),
        ("abc\\def", "write OAUTH_CLIENT_SECRET='…'"),
        ("abc$def", "write OAUTH_CLIENT_SECRET='…'"),
        ("abc'def\"ghi", "OAUTH_CLIENT_SECRET_FILE"),
    ] {
        let message = problem(layered(&[], &format!("# why\nOAUTH_CLIENT_SECRET={value}")));
        assert!(
            message.starts_with(".env line 2: ") && message.contains(advice),
            "{message}"
        );
        assert!(!message.contains("abc"), "{message}");
        let single = !value.contains('\'');
        let written = if single {
            format!("'{value}'")
        } else {
            format!("\"{value}\"")
        };
        if !advice.ends_with("_FILE") {
            let config = layered(&[], &format!("OAUTH_CLIENT_SECRET={written}")).unwrap();
            assert!(client_secret_is(&config, value), "{written}");
        }
    }
}

fn client_secret_is(config: &Config, secret: &str) -> bool {
    matches!(
        &config.oauth.clients.first().unwrap().kind,
        plaid_token_broker::config::ClientKind::Confidential(own) if own.matches(secret)
    )
}

/// What a person may mean by these characters behind the `=`: them, without spaces around, without one pair of quotes,
/// without a comment.
fn spellings(text: &str) -> Vec<String> {
    let comments = text
        .match_indices('#')
        .map(|(index, _)| text.get(..index).unwrap());
    let without = comments.filter(|before| before.ends_with(char::is_whitespace));
    let mut all = Vec::new();
    for text in without.chain([text]).map(str::trim) {
        all.push(text.to_owned());
        for quote in ['"', '\''] {
            let inner = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
            all.extend(inner.map(str::to_owned));
        }
    }
    all
}

proptest::proptest! {
    #[test]
    fn a_value_is_read_as_it_is_spelled_or_refused(
        text in proptest::prop_oneof!["[ -~äß€]{0,24}", "[ab'\"\\\\$# ]{0,12}", "['\"][ -~]{0,12}['\"]( #[ -~]{0,6})?"],
    ) {
        let line = format!("OAUTH_CLIENT_SECRET={text}");
        let read = layered(&[], &line);
        if let Ok(config) = &read {
            let meant = spellings(&text);
            // An empty value is an unset one, and then the secret is Plaid's.
            let own = meant.iter().any(|meant| {
                client_secret_is(config, if meant.trim().is_empty() { plaid_token_broker::config::SIMULATOR_SECRET } else { meant })
            });
            proptest::prop_assert!(own, "{line}");
            // The same line through `docker run --env-file`, which knows no comments.
            if !text.contains('#') {
                let outside = load(&[("OAUTH_CLIENT_SECRET", &text)]);
                let same = meant.iter().any(|meant| {
                    client_secret_is(config, meant) && outside.as_ref().is_ok_and(|outside| client_secret_is(outside, meant))
                });
                let unset = outside.as_ref().is_ok_and(|outside| client_secret_is(outside, plaid_token_broker::config::SIMULATOR_SECRET));
                proptest::prop_assert!(same || unset, "{line}");
            }
        }
    }

    #[test]
    fn a_value_in_the_advised_quotes_is_read_whole(value in "[!-~]([ -~]{0,20}[!-~])?") {
        let quote = if value.contains('\'') { '"' } else { '\'' };
        proptest::prop_assume!(quote == '\'' || !value.contains(['"', '\\', '$', '`']));
        let quoted_again = value.len() > 1 && value.starts_with(['"', '\'', '`']) && value.ends_with(['"', '\'', '`']);
        proptest::prop_assume!(!quoted_again);
        let config = layered(&[], &format!("OAUTH_CLIENT_SECRET={quote}{value}{quote} # why"));
        proptest::prop_assert!(client_secret_is(&config.unwrap(), &value));
    }
}

#[test]
fn broken_lines_of_dotenv_are_reported_beside_the_other_problems() {
    let problems = layered(&[], "APP_PORT=eighty\nPLAID_CLIENT_NAME='My Bot\n")
        .unwrap_err()
        .to_string();
    assert!(
        problems.starts_with("2 problems in the settings:\n"),
        "{problems}"
    );
    assert!(
        problems.contains("\n  - .env line 2: PLAID_CLIENT_NAME: close the quote")
            && !problems.contains("My Bot"),
        "{problems}"
    );
    assert!(
        problems.contains("\n  - APP_PORT: write a number from 0 to 65535 (found `eighty`)"),
        "{problems}"
    );
}

#[test]
fn lines_of_others_are_warned_of_at_most() {
    let config = layered(
        &[],
        "PLAID_CLIENT_NAME='a$b'\nFOO=a$b\nBAR='two\nlines'\nhush hush\n=hush\nOAUTH_HUSH=\"a$b\"\nAPP_PORT=1",
    )
    .unwrap();
    assert_eq!((config.link.client_name.as_str(), config.http.port), ("a$b", 1));
    for line in [5, 6] {
        warns(&config, &format!(".env line {line} is no NAME=value"));
    }
    warns(&config, ".env sets OAUTH_HUSH, which is no setting");
    assert_eq!(config.warnings.len(), 3, "{:?}", config.warnings);
    assert!(!config.warnings.concat().contains("hush"));
    for ours in [
        "BROKER_ADMIN_TOKEN hush",
        "BROKER_ADMIN_TOKEN: hush",
        "export BROKER_ADMIN_TOKEN",
    ] {
        let message = problem(layered(&[], ours));
        assert!(
            message.starts_with(".env line 1: write BROKER_ADMIN_TOKEN=…") && !message.contains("hush"),
            "{message}"
        );
    }
}
