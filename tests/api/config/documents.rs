//! `.env.example` and the tables of `docs/settings.md` are made of the list of settings.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use plaid_token_broker::config::{Environment, Variable, known};

use super::*;

const EXAMPLE: &str = ".env.example";
/// What most users fill in first. The other lines are comments.
const FILL_IN: [&str; 2] = ["PLAID_CLIENT_ID", "PLAID_SECRET"];
const COLUMNS: usize = 115;

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Fails unless the file is as it is generated around its own text. With `UPDATE` in the environment, writes it so.
fn is_generated(path: &str, generate: fn(&str) -> String) {
    let text = text(path);
    let generated = generate(&text);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(path), generated).unwrap();
    } else {
        assert!(
            text == generated,
            "{path} differs from src/config/settings.rs: run `UPDATE=1 cargo test --test api config::documents`"
        );
    }
}

fn groups() -> Vec<(&'static str, Vec<&'static Variable>)> {
    let mut groups: Vec<(&str, Vec<&Variable>)> = Vec::new();
    for variable in known() {
        match groups.last_mut() {
            Some((group, variables)) if *group == variable.group => variables.push(variable),
            _ => groups.push((variable.group, vec![variable])),
        }
    }
    groups
}

/// The text as lines of comments.
fn comment(text: &str) -> String {
    let mut lines = String::new();
    let mut line = "#".to_owned();
    for word in text.split_whitespace() {
        if line.len() + 1 + word.len() > COLUMNS {
            lines += &line;
            lines.push('\n');
            "#".clone_into(&mut line);
        }
        line.push(' ');
        line += word;
    }
    lines + &line + "\n"
}

/// The text before the first group is written by hand.
fn example(text: &str) -> String {
    let (head, _) = text.split_once("\n# --- ").unwrap();
    let mut made = head.trim_end().to_owned() + "\n";
    for (group, variables) in groups() {
        let heading = format!("# --- {group} ");
        let _ = write!(made, "\n\n{heading:-<COLUMNS$}\n");
        for variable in variables {
            let unset = match variable.unset {
                "" => String::new(),
                unset => format!(" Unset: {unset}."),
            };
            let _ = write!(made, "\n{}", comment(&(variable.help.concat() + &unset)));
            let mark = if FILL_IN.contains(&variable.name) { "" } else { "#" };
            let value = [variable.default, variable.example].concat();
            let quote = if value.contains(' ') { "'" } else { "" };
            let _ = writeln!(made, "{mark}{}={quote}{value}{quote}", variable.name);
        }
    }
    made
}

/// The text around the tables is written by hand.
fn docs(text: &str) -> String {
    let mut made = text.to_owned();
    for (group, variables) in groups() {
        let mut table = "| variable | default | meaning |\n|---|---|---|\n".to_owned();
        for variable in variables {
            let default = match [variable.default, variable.unset].concat() {
                default if default.is_empty() => "–".to_owned(),
                default => default,
            };
            let help = variable.help.concat();
            let secret = if variable.secret { " Secret." } else { "" };
            let _ = writeln!(table, "| `{}` | {default} |{help}{secret} |", variable.name);
        }
        let heading = format!("\n## {group}\n\n");
        let start = made.find(&heading).unwrap() + heading.len();
        let end = start + made[start..].find("\n\n").unwrap() + 1;
        made.replace_range(start..end, &table);
    }
    made
}

#[test]
fn the_example_is_made_of_the_list() {
    is_generated(EXAMPLE, example);
}

#[test]
fn the_documentation_is_made_of_the_list() {
    is_generated("docs/settings.md", docs);
}

#[test]
fn the_example_starts_the_simulator_as_it_is() {
    let config = layered(&[], &text(EXAMPLE)).unwrap();
    assert_eq!(config.plaid.environment, Environment::Simulator);
    assert_eq!(config.link.products, load(&[]).unwrap().link.products);
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn every_value_that_the_example_suggests_is_a_good_one() {
    let example = text(EXAMPLE).replace("\n#", "\n");
    let mut lines: Vec<String> = known()
        .iter()
        .filter(|variable| variable.name != "OAUTH_CLIENTS_FILE")
        .map(|variable| {
            let line = |line: &&str| line.starts_with(&format!("{}=", variable.name));
            example.lines().find(line).unwrap().to_owned()
        })
        .collect();
    lines.push(format!("PLAID_CLIENT_ID={ID}\nPLAID_SECRET={SECRET}"));
    let config = layered(&[], &lines.join("\n")).unwrap();
    assert_eq!(config.plaid.environment, Environment::Sandbox);
}

#[test]
fn the_example_holds_no_secret() {
    let secrets = known().iter().filter(|variable| variable.secret);
    for variable in secrets {
        assert_eq!(
            (variable.default, variable.example),
            ("", ""),
            "{}",
            variable.name
        );
    }
}
