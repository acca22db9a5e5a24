//! The tables of `docs/security.md` name files and tests; this keeps them from naming what is gone.

use std::collections::BTreeSet;
use std::path::Path;

const DOCUMENT: &str = include_str!("../../docs/security.md");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every function that is a test, in `src/`, `crates/` and `tests/`.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root().join("src"), root().join("crates"), root().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("node_modules") {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                tests_of(&std::fs::read_to_string(path).unwrap(), &mut found);
            }
        }
    }
    found
}

fn tests_of(text: &str, found: &mut BTreeSet<String>) {
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        let declared = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        if let Some(declared) = declared {
            let name = declared.split(['(', '<']).next().unwrap();
            if is_test {
                found.insert(name.to_owned());
            }
            is_test = false;
        } else if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        }
    }
}

/// The rows of the tables below "Requirement by requirement", as cells.
fn rows() -> Vec<Vec<&'static str>> {
    let section = DOCUMENT.split("\n## Requirement by requirement").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let lines = section.lines().filter(|line| line.starts_with("| "));
    lines
        .filter(|line| !line.starts_with("| ---") && !line.contains("| Where it is met |"))
        .filter(|line| !line.starts_with("| Attack |"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_file_and_test_of_the_security_tables_exists() {
    let tests = tests();
    let rows = rows();
    assert!(
        tests.len() > 300 && rows.len() > 70,
        "{} {}",
        tests.len(),
        rows.len()
    );
    let reasons = [
        "Not met",
        "In part",
        "Client's",
        "Plaid's",
        "None here",
        "There is one",
        "No OpenID",
    ];
    for row in rows {
        let [requirement, place, proof] = row[..] else {
            panic!("three cells: {row:?}")
        };
        let files = quoted(place);
        assert!(!files.is_empty(), "{requirement}: no file");
        for file in files {
            assert!(root().join(file).is_file(), "{requirement}: {file}");
        }
        // A test's name has several words; settings, parameters and branches have fewer.
        let named: Vec<_> = quoted(proof)
            .into_iter()
            .filter(|name| name.matches('_').count() > 1 && !name.contains(|c: char| c.is_uppercase()))
            .collect();
        let reasoned = reasons.iter().any(|reason| proof.starts_with(reason));
        assert!(
            reasoned || !named.is_empty(),
            "{requirement}: neither test nor reason"
        );
        for name in named {
            assert!(tests.contains(name), "{requirement}: there is no test {name}");
        }
    }
}

#[test]
fn every_requirement_has_its_row() {
    let rows = rows();
    let has = |number: &str| {
        let begins = |row: &Vec<&str>| row[0].split(' ').next() == Some(number);
        rows.iter().any(begins)
    };
    for number in [
        "2.1", "2.1.1", "2.1.2", "2.2.1", "2.2.2", "2.3", "2.4", "2.5", "2.6",
    ] {
        assert!(has(number), "RFC 9700, {number}");
    }
    let asvs = [(1, 2), (2, 3), (4, 16), (6, 2), (7, 3)];
    for (section, count) in asvs {
        for n in 1..=count {
            assert!(has(&format!("10.{section}.{n}")), "ASVS 10.{section}.{n}");
        }
    }
    assert!(has("10.3.1–10.3.5") && has("10.5.1–10.5.5"));
}
