//! The order of the modules: each crate's `lib.rs` lists them from top to bottom, and a module uses only modules below
//! it. Inside a module, the files of one folder do not import each other in a circle.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sources::Sources;

/// The most modules that the broker may have at the top.
const MOST_MODULES: usize = 14;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The broker's `src` and those of the crates.
fn crates() -> Vec<PathBuf> {
    let mut found = vec![root().join("src")];
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        found.push(entry.unwrap().path().join("src"));
    }
    found
}

/// The modules as the crate documentation lists them: "- [`name`] …", from top to bottom.
fn listed(src: &Path) -> Vec<String> {
    let lib = std::fs::read_to_string(src.join("lib.rs")).unwrap();
    let items = lib.lines().filter_map(|line| line.strip_prefix("//! - "));
    items
        .filter_map(|item| {
            Some(
                item.trim_start_matches('[')
                    .strip_prefix('`')?
                    .split_once('`')?
                    .0
                    .to_owned(),
            )
        })
        .collect()
}

/// Every import of a module that is not below the importing one, and every module that the list lacks.
fn out_of_order(sources: &Sources, order: &[String]) -> BTreeSet<String> {
    let place = |name: &String| order.iter().position(|listed| listed == name);
    let mut problems = BTreeSet::new();
    for name in sources.top() {
        if place(&name).is_none() {
            problems.insert(format!("{name} is not in the list of modules in lib.rs"));
        }
    }
    for (module, target) in sources.imports() {
        let (Some(from), Some(to)) = (module.first(), target.first()) else {
            continue;
        };
        if from != to && place(from) >= place(to) {
            problems.insert(format!(
                "{} imports {}, which is above it",
                module.join("::"),
                target.join("::")
            ));
        }
    }
    problems
}

/// The circles among the children of each module.
fn circles(sources: &Sources) -> BTreeSet<String> {
    let mut siblings: BTreeMap<Vec<String>, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (module, target) in sources.imports() {
        let common = module.iter().zip(&target).take_while(|(a, b)| a == b).count();
        if common > 0 && common < module.len() && common < target.len() {
            let folder = siblings.entry(module[..common].to_vec()).or_default();
            folder
                .entry(module[common].clone())
                .or_default()
                .insert(target[common].clone());
        }
    }
    let mut problems = BTreeSet::new();
    for (folder, edges) in siblings {
        for start in edges.keys() {
            if let Some(circle) = circle(start, &edges) {
                let first = circle.iter().min() == Some(start);
                if first {
                    problems.insert(format!(
                        "{}: {} -> {start}",
                        folder.join("::"),
                        circle.join(" -> ")
                    ));
                }
            }
        }
    }
    problems
}

/// The shortest way from a module back to itself.
fn circle(start: &String, edges: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut ways = std::collections::VecDeque::from([vec![start.clone()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in edges.get(way.last()?).into_iter().flatten() {
            if next == start {
                return Some(way);
            }
            if seen.insert(next.clone()) {
                let mut longer = way.clone();
                longer.push(next.clone());
                ways.push_back(longer);
            }
        }
    }
    None
}

#[test]
fn every_module_uses_only_modules_below_it() {
    for src in crates() {
        let order = listed(&src);
        let sources = Sources::read(&src);
        assert_eq!(
            out_of_order(&sources, &order),
            BTreeSet::new(),
            "in {}",
            src.display()
        );
    }
    assert!(listed(&root().join("src")).len() <= MOST_MODULES);
}

#[test]
fn no_files_of_a_folder_import_each_other_in_a_circle() {
    for src in crates() {
        assert_eq!(
            circles(&Sources::read(&src)),
            BTreeSet::new(),
            "in {}",
            src.display()
        );
    }
}

fn planted(modules: &[(&str, &str)]) -> Sources {
    let modules = modules.iter().map(|(path, text)| {
        let path = path
            .split("::")
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        (path, (*text).to_owned())
    });
    Sources::new(modules.collect())
}

#[test]
fn a_planted_fault_is_found_however_it_is_written() {
    let order = ["high", "low"].map(str::to_owned);
    for import in [
        "use crate::high::Thing;",
        "use crate::{\n    high::{self, Thing},\n};",
        "fn f() -> crate::high::Thing { loop {} }",
        "use super::high;",
        "use crate::Exported;",
    ] {
        let sources = planted(&[("", "pub use high::Exported;"), ("high", ""), ("low", import)]);
        assert_eq!(out_of_order(&sources, &order).len(), 1, "{import}");
    }
    for fine in [
        "use crate::low::a;",
        "// use crate::high;\n",
        "#[cfg(test)]\nmod tests { use crate::high; }",
    ] {
        let sources = planted(&[("", ""), ("high", "use crate::low;"), ("low", fine)]);
        assert_eq!(out_of_order(&sources, &order), BTreeSet::new(), "{fine}");
    }
    let unlisted = planted(&[("", ""), ("high", ""), ("low", ""), ("other", "")]);
    assert_eq!(out_of_order(&unlisted, &order).len(), 1);
}

#[test]
fn a_planted_circle_is_found() {
    let circle = [
        ("m::a", "use super::b;"),
        ("m::b", "use crate::m::c::{x, Y};"),
        ("m::c", "use super::{a::Z};"),
    ];
    let sources = planted(&[&[("m", "mod a;"), ("", "")], &circle[..]].concat());
    assert_eq!(
        circles(&sources),
        BTreeSet::from(["m: a -> b -> c -> a".to_owned()])
    );
    let line = planted(&[("", ""), ("m", ""), circle[0], circle[1], ("m::c", "")]);
    assert_eq!(circles(&line), BTreeSet::new());
}
