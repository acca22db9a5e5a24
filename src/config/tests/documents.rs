//! `.env.example` and `docs/settings.md` say what the list of settings says.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;
use crate::config::{Environment, known};

const EXAMPLE: &str = include_str!("../../../.env.example");
const DOCS: &str = include_str!("../../../docs/settings.md");

/// The assignments of the example: the name, the value, and whether the line is commented out.
fn assignments() -> Vec<(&'static str, &'static str, bool)> {
    let is_name =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    EXAMPLE
        .lines()
        .filter_map(|line| {
            let (name, value) = line.trim_start_matches('#').split_once('=')?;
            is_name(name).then_some((name, value, line.starts_with('#')))
        })
        .collect()
}

#[test]
fn the_example_has_every_setting_once_and_no_other() {
    let mut in_example: Vec<_> = assignments().iter().map(|(name, ..)| *name).collect();
    let mut in_list: Vec<_> = known().iter().map(|variable| variable.name).collect();
    in_example.sort_unstable();
    in_list.sort_unstable();
    assert_eq!(in_example, in_list);
}

#[test]
fn the_example_starts_the_simulator_as_it_is() {
    let config = Config::load([], Some(EXAMPLE), LoadOptions::default()).unwrap();
    assert_eq!(config.plaid.environment, Environment::Simulator);
    assert_eq!(config.link.products, load(&[]).unwrap().link.products);
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn every_value_that_the_example_suggests_is_a_good_one() {
    let mut lines: Vec<String> = assignments()
        .iter()
        .filter(|(name, ..)| *name != "OAUTH_CLIENTS_FILE")
        .map(|(name, value, _)| format!("{name}={value}"))
        .collect();
    lines.push(format!("PLAID_CLIENT_ID={ID}\nPLAID_SECRET={SECRET}"));
    let config = Config::load([], Some(&lines.join("\n")), LoadOptions::default()).unwrap();
    assert_eq!(config.plaid.environment, Environment::Sandbox);
}

#[test]
fn the_example_holds_no_secret() {
    for (name, value, _) in assignments() {
        assert!(
            value.is_empty()
                || !known()
                    .iter()
                    .any(|variable| variable.secret && variable.name == name),
            "{name}"
        );
    }
}

#[test]
fn the_documentation_has_a_row_for_every_setting_and_no_other() {
    let rows = known().iter().map(|variable| {
        let default = if variable.default.is_empty() {
            "–"
        } else {
            variable.default
        };
        let secret = if variable.secret { " Secret." } else { "" };
        format!("| `{}` | {default} | {}{secret} |", variable.name, variable.help)
    });
    let documented: Vec<&str> = DOCS.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(documented, rows.collect::<Vec<_>>());
    for variable in known() {
        assert!(
            DOCS.contains(&format!("\n## {}\n", variable.group)),
            "{}",
            variable.group
        );
    }
}
