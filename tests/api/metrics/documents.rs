//! docs/metrics.md and docs/grafana-dashboard.json name what is measured, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{promtool, scrape, text::Metrics, traffic};
use crate::harness::TestBroker;

const DOCUMENT: &str = include_str!("../../../docs/metrics.md");
const DASHBOARD: &str = include_str!("../../../docs/grafana-dashboard.json");

/// Labels that Prometheus adds, or that histograms have.
const ADDED: [&str; 3] = ["instance", "job", "le"];

fn dashboard() -> Value {
    serde_json::from_str(DASHBOARD).expect("docs/grafana-dashboard.json is JSON")
}

fn panels(dashboard: &Value) -> &Vec<Value> {
    dashboard["panels"].as_array().expect("panels")
}

/// Every query with the title of its panel.
fn queries(dashboard: &Value) -> Vec<(String, String)> {
    let mut queries = Vec::new();
    for panel in panels(dashboard).iter().filter(|panel| panel["type"] != "row") {
        let title = panel["title"].as_str().unwrap();
        for target in panel["targets"].as_array().expect("targets") {
            queries.push((
                title.to_owned(),
                target["expr"].as_str().expect("expr").to_owned(),
            ));
        }
    }
    queries
}

/// The queries of the table of alerts.
fn alerts() -> Vec<(String, String)> {
    let (_, section) = DOCUMENT.split_once("## What to be woken for\n").unwrap();
    let rows = section
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains('`'));
    let alert = |row: &str| {
        // A bar inside of a cell is written as \|.
        let row = row.replace("\\|", "\u{1}");
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        (
            cells[1].to_owned(),
            cells[2].trim_matches('`').replace('\u{1}', "|"),
        )
    };
    rows.map(alert).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
}

/// The metrics of a query, each with the labels of its own selector.
fn selectors(query: &str) -> Vec<(&str, Vec<&str>)> {
    let mut found = Vec::new();
    for name in words(query) {
        if !["ptb_", "process_"].iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        let after = &query[name.as_ptr() as usize - query.as_ptr() as usize + name.len()..];
        let labels = after.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let labels = labels.map(|(labels, _)| labels).unwrap_or_default();
        let named = labels
            .split(',')
            .filter_map(|label| label.split(['=', '!']).next());
        found.push((
            name,
            named.map(str::trim).filter(|label| !label.is_empty()).collect(),
        ));
    }
    found
}

/// The labels that a query groups by.
fn groups(query: &str) -> Vec<&str> {
    let parts = query.split("by (").skip(1);
    parts
        .flat_map(|part| words(part.split(')').next().unwrap()))
        .collect()
}

#[track_caller]
fn holds(metrics: &Metrics, whose: &str, query: &str) {
    let selectors = selectors(query);
    assert!(!selectors.is_empty(), "{whose}: no metric in {query}");
    let names = metrics.names();
    let mut all_labels = BTreeSet::new();
    for (name, labels) in &selectors {
        assert!(names.contains(*name), "{whose}: there is no {name}");
        let known = metrics.labels_of(name);
        for label in labels {
            assert!(
                known.contains(*label) || ADDED.contains(label),
                "{whose}: {name} has no {label}"
            );
        }
        all_labels.extend(known);
    }
    for label in groups(query) {
        assert!(
            all_labels.contains(label) || ADDED.contains(&label),
            "{whose}: nothing has {label}"
        );
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn every_query_names_what_is_measured() {
    let broker = TestBroker::start().await;
    traffic(&broker).await;
    let metrics = scrape(&broker).await;
    let dashboard = dashboard();
    let mut asked = String::new();
    for (whose, query) in queries(&dashboard).into_iter().chain(alerts()) {
        holds(&metrics, &whose, &query);
        asked.push_str(&query);
        asked.push(' ');
    }
    let asked: BTreeSet<&str> = words(&asked).collect();
    for family in metrics.families().keys().filter(|name| name.starts_with("ptb_")) {
        let shown = asked.iter().any(|word| word.starts_with(family.as_str()));
        assert!(shown, "no panel shows {family}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_table_has_each_metric_with_its_type_and_labels() {
    let broker = TestBroker::start().await;
    traffic(&broker).await;
    let metrics = scrape(&broker).await;
    let mut told = BTreeMap::new();
    for row in DOCUMENT.lines().filter(|line| line.starts_with("| `p")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let labels: BTreeSet<String> = words(cells[3]).map(str::to_owned).collect();
        told.insert(
            cells[1].trim_matches('`').to_owned(),
            (cells[2].to_owned(), labels),
        );
    }
    assert_eq!(told, metrics.families());
}

#[test]
fn the_queries_are_promql() {
    let dashboard = dashboard();
    let every = queries(&dashboard).into_iter().chain(alerts());
    let rules: Vec<Value> = every
        .enumerate()
        .map(|(n, (_, query))| {
            let query = query.replace("$__rate_interval", "5m").replace("$instance", ".*");
            json!({ "record": format!("rule_{n}"), "expr": query })
        })
        .collect();
    assert!(rules.len() > 30, "{}", rules.len());
    // YAML is a superset of JSON.
    let file = tempfile::NamedTempFile::new().unwrap();
    let groups = json!({ "groups": [{ "name": "all", "rules": rules }] });
    std::fs::write(file.path(), groups.to_string()).unwrap();
    if let Some((good, said)) = promtool(&["check", "rules", file.path().to_str().unwrap()], "") {
        assert!(good, "{said}");
    }
}

#[test]
fn the_dashboard_can_be_imported() {
    let dashboard = dashboard();
    for name in ["title", "uid", "schemaVersion", "templating", "time", "panels"] {
        assert!(!dashboard[name].is_null(), "no {name}");
    }
    // Whose it is decides the importing Grafana: neither an id nor a data source of somebody else's.
    assert!(dashboard.get("id").is_none());
    let variables: Vec<&str> = dashboard["templating"]["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variable| variable["name"].as_str().unwrap())
        .collect();
    assert_eq!(variables, ["datasource", "instance"]);
    let mut ids = BTreeSet::new();
    let mut cells = BTreeSet::new();
    for panel in panels(&dashboard) {
        let title = panel["title"].as_str().expect("a title");
        assert!(
            ids.insert(panel["id"].as_u64().expect("an id")),
            "{title}: the id is another's"
        );
        let at = |name: &str| panel["gridPos"][name].as_u64().expect(name);
        assert!(
            at("w") > 0 && at("h") > 0 && at("x") + at("w") <= 24,
            "{title}: off the grid"
        );
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(cells.insert((x, y)), "{title} lies over another panel");
            }
        }
        if panel["type"] == "row" {
            continue;
        }
        assert!(
            ["stat", "timeseries"].contains(&panel["type"].as_str().unwrap()),
            "{title}"
        );
        assert!(
            !panel["description"].as_str().expect("a description").is_empty(),
            "{title}"
        );
        assert!(
            panel["fieldConfig"]["defaults"]["unit"].is_string(),
            "{title} has no unit"
        );
        let source = json!({ "type": "prometheus", "uid": "${datasource}" });
        assert_eq!(panel["datasource"], source, "{title}");
        let mut refs = BTreeSet::new();
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"], source, "{title}");
            assert!(refs.insert(target["refId"].as_str().unwrap()), "{title}: refId");
        }
    }
}
