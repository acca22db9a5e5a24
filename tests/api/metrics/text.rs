//! Reads Prometheus's text format 0.0.4 and holds it against its rules
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>, <https://prometheus.io/docs/practices/naming/>).

use std::collections::{BTreeMap, BTreeSet};

/// One scrape.
pub struct Metrics {
    pub text: String,
    families: BTreeMap<String, Family>,
    /// In the order they came: name with its labels, and the value.
    samples: Vec<(Series, f64)>,
}

#[derive(Debug, Default)]
struct Family {
    kind: String,
    help: String,
}

/// A name with its labels, sorted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    pub name: String,
    pub labels: BTreeMap<String, String>,
}

impl Metrics {
    #[track_caller]
    pub fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line has to end");
        let mut metrics = Self {
            text: text.to_owned(),
            families: BTreeMap::new(),
            samples: Vec::new(),
        };
        for line in text.lines() {
            metrics.line(line);
        }
        metrics
    }

    fn line(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap_or_else(|| panic!("no help: {line}"));
            let family = self.families.entry(name.to_owned()).or_default();
            assert!(family.help.is_empty(), "helped twice: {line}");
            help.clone_into(&mut family.help);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or_else(|| panic!("no type: {line}"));
            let family = self.families.entry(name.to_owned()).or_default();
            assert!(family.kind.is_empty(), "typed twice: {line}");
            kind.clone_into(&mut family.kind);
        } else {
            assert!(!line.starts_with('#'), "a comment: {line}");
            let (series, value) = sample(line);
            assert!(self.family_of(&series.name).is_some(), "typed too late: {line}");
            self.samples.push((series, value));
        }
    }

    /// The family that a sample belongs to; a histogram's samples have endings of their own.
    fn family_of(&self, sample: &str) -> Option<(&str, &Family)> {
        let own = self.families.get_key_value(sample);
        let of_histogram = || {
            let base = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|ending| sample.strip_suffix(ending))?;
            let found = self.families.get_key_value(base)?;
            (found.1.kind == "histogram").then_some(found)
        };
        own.or_else(of_histogram)
            .map(|(name, family)| (name.as_str(), family))
    }

    /// Every name that a query may use.
    pub fn names(&self) -> BTreeSet<String> {
        self.samples
            .iter()
            .map(|(series, _)| series.name.clone())
            .collect()
    }

    /// Every metric with its type and its labels.
    pub fn families(&self) -> BTreeMap<String, (String, BTreeSet<String>)> {
        let family = |(name, family): (&String, &Family)| {
            let samples = self.samples.iter().filter(|(series, _)| self.is_of(series, name));
            let mut labels: BTreeSet<String> = samples
                .flat_map(|(series, _)| series.labels.keys().cloned())
                .collect();
            labels.remove("le");
            (name.clone(), (family.kind.clone(), labels))
        };
        self.families.iter().map(family).collect()
    }

    /// The labels of all samples of this name.
    pub fn labels_of(&self, name: &str) -> BTreeSet<String> {
        let samples = self.samples.iter().filter(|(series, _)| series.name == name);
        samples
            .flat_map(|(series, _)| series.labels.keys().cloned())
            .collect()
    }

    /// The one value of this name with exactly these labels.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let wanted = Series {
            name: name.to_owned(),
            labels: labels
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        self.samples
            .iter()
            .find(|(series, _)| *series == wanted)
            .map(|(_, value)| *value)
    }

    /// All that is told, without the values.
    pub fn series(&self) -> BTreeSet<Series> {
        self.samples.iter().map(|(series, _)| series.clone()).collect()
    }

    /// What breaks Prometheus's rules, each in words.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, family) in &self.families {
            problems.extend(problems_of_family(name, family));
            if !self.samples.iter().any(|(series, _)| self.is_of(series, name)) {
                problems.push(format!("{name} has no sample"));
            }
            if family.kind == "histogram" {
                problems.extend(self.problems_of_histogram(name));
            }
        }
        if self.series().len() != self.samples.len() {
            problems.push("a series is told twice".to_owned());
        }
        for (series, value) in &self.samples {
            if series
                .labels
                .keys()
                .any(|label| !is_name(label) || label.starts_with("__"))
            {
                problems.push(format!("{series:?} has a label of a wrong form"));
            }
            if !value.is_finite() {
                problems.push(format!("{series:?} is {value}"));
            }
        }
        problems
    }

    fn is_of(&self, series: &Series, family: &str) -> bool {
        self.family_of(&series.name)
            .is_some_and(|(name, _)| name == family)
    }

    /// Buckets go up, end with all, and are as many as are counted.
    fn problems_of_histogram(&self, name: &str) -> Vec<String> {
        let mut problems = Vec::new();
        let mut buckets: BTreeMap<BTreeMap<String, String>, Vec<(f64, f64)>> = BTreeMap::new();
        for (series, value) in &self.samples {
            if series.name != format!("{name}_bucket") {
                continue;
            }
            let mut labels = series.labels.clone();
            let le = labels.remove("le").unwrap_or_default().replace("+Inf", "inf");
            let le = le.parse().unwrap_or(f64::NAN);
            buckets.entry(labels).or_default().push((le, *value));
        }
        for (labels, buckets) in buckets {
            let wanted: Vec<(&str, &str)> = labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            let count = self.value(&format!("{name}_count"), &wanted);
            let sum = self.value(&format!("{name}_sum"), &wanted);
            let goes_up = buckets
                .windows(2)
                .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
            let last = buckets.last().copied().unwrap_or_default();
            if !goes_up || !last.0.is_infinite() || Some(last.1) != count || sum.is_none() {
                problems.push(format!("{name} {labels:?}: its buckets do not add up"));
            }
        }
        problems
    }
}

fn problems_of_family(name: &str, family: &Family) -> Vec<String> {
    let mut problems = Vec::new();
    let mut expect = |holds: bool, problem: &str| {
        if !holds {
            problems.push(format!("{name} {problem}"));
        }
    };
    expect(is_name(name), "is no name");
    expect(!family.help.trim().is_empty(), "has no help");
    expect(
        ["counter", "gauge", "histogram"].contains(&family.kind.as_str()),
        "has no type of ours",
    );
    expect(
        (family.kind == "counter") == name.ends_with("_total"),
        "ends with _total or is a counter, but not both",
    );
    for ending in ["_bucket", "_count", "_sum"] {
        expect(!name.ends_with(ending), "has an ending of histograms");
    }
    // Base units alone, and as the last word before _total.
    let words: Vec<&str> = name.trim_end_matches("_total").split('_').collect();
    for unit in [
        "milliseconds",
        "ms",
        "microseconds",
        "minutes",
        "hours",
        "days",
        "kilobytes",
        "megabytes",
        "kb",
        "mb",
        "percent",
        "millis",
        "nanoseconds",
    ] {
        expect(!words.contains(&unit), "is in no base unit");
    }
    for unit in ["seconds", "bytes", "ratio"] {
        if let Some(at) = words.iter().position(|word| *word == unit) {
            expect(at + 1 == words.len(), "has its unit in the middle");
        }
    }
    for kind in ["counter", "gauge", "histogram", "summary"] {
        expect(!words.contains(&kind), "names its type");
    }
    expect(
        !name.contains("__") && name.to_lowercase() == name,
        "is not in snake case",
    );
    problems
}

fn is_name(text: &str) -> bool {
    let first = text
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    first && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// `name{label="value",…} number`.
fn sample(line: &str) -> (Series, f64) {
    let (series, value) = line
        .rsplit_once(' ')
        .unwrap_or_else(|| panic!("no sample: {line}"));
    let value = value
        .replace("+Inf", "inf")
        .parse()
        .unwrap_or_else(|_| panic!("no number: {line}"));
    let Some((name, labels)) = series.split_once('{') else {
        let labels = BTreeMap::new();
        return (
            Series {
                name: series.to_owned(),
                labels,
            },
            value,
        );
    };
    let mut rest = labels
        .strip_suffix('}')
        .unwrap_or_else(|| panic!("open labels: {line}"));
    let mut labels = BTreeMap::new();
    while !rest.is_empty() {
        let (label, after) = rest
            .split_once("=\"")
            .unwrap_or_else(|| panic!("no label: {line}"));
        let (value, after) = quoted(after).unwrap_or_else(|| panic!("an open label: {line}"));
        assert!(
            labels.insert(label.to_owned(), value).is_none(),
            "a label twice: {line}"
        );
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    (
        Series {
            name: name.to_owned(),
            labels,
        },
        value,
    )
}

/// The text up to its closing quote, and what comes after.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                escaped => value.push(escaped),
            },
            plain => value.push(plain),
        }
    }
    None
}

#[test]
fn the_lint_finds_what_is_wrong() {
    let good = "# HELP a_total It counts.\n# TYPE a_total counter\na_total{x=\"1\"} 1\n";
    assert_eq!(Metrics::read(good).problems(), Vec::<String>::new());
    for (wrong, word) in [
        ("# HELP a It counts.\n# TYPE a counter\na 1\n", "_total"),
        ("# HELP a_total It.\n# TYPE a_total gauge\na_total 1\n", "_total"),
        ("# TYPE a gauge\na 1\n", "no help"),
        ("# HELP a It.\n# TYPE a untyped\na 1\n", "no type"),
        ("# HELP a_ms It.\n# TYPE a_ms gauge\na_ms 1\n", "base unit"),
        (
            "# HELP a_seconds_age It.\n# TYPE a_seconds_age gauge\na_seconds_age 1\n",
            "middle",
        ),
        ("# HELP aB It.\n# TYPE aB gauge\naB 1\n", "snake"),
        ("# HELP a It.\n# TYPE a gauge\na 1\na 2\n", "twice"),
        ("# HELP a It.\n# TYPE a gauge\n", "no sample"),
        (
            "# HELP a It.\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n",
            "add up",
        ),
        (
            "# HELP a It.\n# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n",
            "add up",
        ),
    ] {
        let problems = Metrics::read(wrong).problems();
        assert!(
            problems.iter().any(|problem| problem.contains(word)),
            "{wrong}: {problems:?}"
        );
    }
}
