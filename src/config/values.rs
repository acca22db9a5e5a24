//! The values as they were given: environment and `.env` laid over each other, secrets read from their files, and every
//! problem and warning gathered instead of stopping at the first.

use std::collections::{BTreeMap, BTreeSet};

use zeroize::Zeroizing;

use super::dotenv;
use super::nearest::nearest;
use super::problem::Problem;
use super::redact::{redact, secret_part};
use super::secret_file::read_secret_file;
use super::settings::{find, find_by_file, find_by_wrong_name, known};
use super::variable::{Setting, Variable};

/// Names with these beginnings are ours or Plaid's, so an unknown one is probably a typo.
const OUR_PREFIXES: [&str; 3] = ["PLAID_", "OAUTH_", "BROKER_"];

/// One source of values. Empty values are left out: an empty value is an unset one.
type Layer = BTreeMap<String, Zeroizing<String>>;

/// The values of all settings, and what was found wrong so far.
pub(super) struct Values {
    given: BTreeMap<&'static str, Zeroizing<String>>,
    /// Settings that were given, but in a way that cannot be used; their problem has been reported.
    refused: BTreeSet<&'static str>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<String>,
    /// Names that are no settings: a warning each, and, when anything is missing or wrong, perhaps its cause.
    pub(super) unknown: Vec<Problem>,
}

impl Values {
    pub(super) fn collect(env: impl IntoIterator<Item = (String, String)>, dotenv: Option<&str>) -> Self {
        let mut values = Self {
            given: BTreeMap::new(),
            refused: BTreeSet::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
            unknown: Vec::new(),
        };
        let mut outer = Layer::new();
        for (name, value) in env {
            let value = Zeroizing::new(value);
            add(&mut outer, name, Zeroizing::new(unquoted(&value).to_owned()));
        }
        let inner = values.dotenv_layer(dotenv.unwrap_or_default());
        for &variable in known() {
            // A secret and its file are one setting: when the environment gives either, `.env` is not asked.
            if !values.take_from(&outer, variable) {
                values.take_from(&inner, variable);
            }
        }
        values.check_unknown(&outer, "the environment");
        values.check_unknown(&inner, ".env");
        values
    }

    fn dotenv_layer(&mut self, content: &str) -> Layer {
        let (lines, unreadable) = dotenv::parse(content, |name| {
            is_ours(name) || find_by_wrong_name(name).is_some()
        });
        for number in unreadable {
            self.warn(format!(".env line {number} is no NAME=value and is ignored."));
        }
        let mut layer = Layer::new();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for line in lines {
            let value = match line.value {
                Ok(value) => value,
                // It only gets a warning, as a name that is no setting.
                Err(_) if !is_known(&line.name) && find_by_wrong_name(&line.name).is_none() => {
                    Zeroizing::new("…".to_owned())
                }
                Err(advice) => {
                    if let Some(variable) = find(&line.name) {
                        self.refused.insert(variable.name);
                    }
                    let advice = advice.replace("{name}", &line.name);
                    let place = format!(".env line {}", line.number);
                    self.problems.push(Problem::new(place, advice));
                    continue;
                }
            };
            if let Some(first) = seen.insert(line.name.clone(), line.number) {
                let (name, number) = (&line.name, line.number);
                self.warn(format!(
                    ".env sets {name} on line {first} and again on line {number}; the last one counts."
                ));
                layer.remove(&line.name);
            }
            add(&mut layer, line.name, value);
        }
        layer
    }

    /// Takes the setting's value from this layer. Returns whether the layer has one.
    fn take_from(&mut self, layer: &Layer, variable: &'static Variable) -> bool {
        let (name, file) = (variable.name, variable.file_name);
        let path = layer.get(file).filter(|_| variable.secret);
        let value = match (layer.get(name), path) {
            (None, None) => return false,
            (Some(_), Some(_)) => {
                self.refuse(variable, name, &format!("set either {name} or {file}, not both"));
                return true;
            }
            (None, Some(path)) => match read_secret_file(path) {
                Ok(secret) => secret,
                Err(expected) => {
                    self.refuse(variable, file, &expected);
                    return true;
                }
            },
            (Some(value), None) => value.clone(),
        };
        if is_quoted(&value) {
            let why = "remove the quotes around the value: of .env and of the environment one pair of straight quotes is \
                 removed, of a file none";
            self.refuse(variable, name, why);
            return true;
        }
        self.given.insert(name, value);
        true
    }

    fn refuse(&mut self, variable: &'static Variable, place: &str, expected: &str) {
        self.refused.insert(variable.name);
        self.problems.push(Problem::new(place, expected));
    }

    /// Names that are no settings. Where one is a known wrong name, the right one is required; all others get a warning.
    fn check_unknown(&mut self, layer: &Layer, place: &str) {
        for (name, value) in layer {
            let right = find_by_wrong_name(name);
            if is_known(name) || (right.is_none() && !is_ours(name)) || is_made_by_kubernetes(name, value) {
                continue;
            }
            let name = self.redact(name);
            if let Some((variable, right)) = right {
                if self.is_given(variable) {
                    self.warn(format!(
                        "{place} sets {name}, which is no setting and is ignored: {} counts, which is set as well.",
                        variable.name
                    ));
                } else {
                    let expected = format!("is no setting ({place} has it): rename it to {right}");
                    self.problems.push(Problem::new(name, expected));
                }
                continue;
            }
            let meant = likely(&name).map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
            self.warn(format!(
                "{place} sets {name}, which is no setting and is ignored{meant}"
            ));
            self.unknown.push(Problem::new(
                name,
                format!("is no setting ({place} has it){meant}"),
            ));
        }
    }

    /// The value as it was written, if there is one that can be used.
    pub(super) fn text(&self, variable: &Variable) -> Option<&str> {
        self.given.get(variable.name).map(|value| value.as_str())
    }

    /// Whether a value was meant to be set, even if it had to be refused.
    pub(super) fn is_given(&self, variable: &Variable) -> bool {
        self.text(variable).is_some() || self.refused.contains(variable.name)
    }

    /// The value, or the default. What is wrong with it becomes a problem; so each setting is read once.
    pub(super) fn get<T>(&mut self, setting: &Setting<T>) -> T {
        self.optional(setting).unwrap_or_else(|| setting.default())
    }

    /// The value, for a setting without a single default.
    pub(super) fn optional<T>(&mut self, setting: &Setting<T>) -> Option<T> {
        match (setting.parse)(self.text(setting)?) {
            Ok(value) => Some(value),
            Err(expected) => {
                self.problem(setting, &expected);
                None
            }
        }
    }

    /// The parts of a list that `parse` accepts, each once. The others become problems.
    pub(super) fn each<T: PartialEq>(
        &mut self,
        setting: &Setting<Vec<String>>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let unset = || {
            if setting.variable.default.is_empty() {
                Vec::new()
            } else {
                setting.default()
            }
        };
        let mut values = Vec::new();
        for part in self.optional(setting).unwrap_or_else(unset) {
            match parse(&part) {
                Ok(value) if values.contains(&value) => {}
                Ok(value) => values.push(value),
                Err(expected) => self.problem_with(setting, &part, &expected),
            }
        }
        values
    }

    /// A problem with the whole value, which is shown unless it is a secret.
    pub(super) fn problem(&mut self, variable: &Variable, expected: &str) {
        match self
            .text(variable)
            .filter(|_| !variable.secret)
            .map(str::to_owned)
        {
            Some(value) => self.problem_with(variable, &value, expected),
            None => self.problem_hidden(variable, expected),
        }
    }

    /// A problem with a part of a value that is no secret.
    pub(super) fn problem_with(&mut self, variable: &Variable, part: &str, expected: &str) {
        let found = self.redact(part);
        self.problems
            .push(Problem::new(variable.name, expected).with(found));
    }

    /// A problem whose value is not shown.
    pub(super) fn problem_hidden(&mut self, variable: &Variable, expected: &str) {
        self.problems.push(Problem::new(variable.name, expected));
    }

    /// Something odd that stops nothing. Values in it must have gone through [`Values::redact`].
    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// The text made fit for a message.
    pub(super) fn redact(&self, text: &str) -> String {
        redact(text, self.secrets())
    }

    /// The values of all secrets.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        let secrets = known().iter().filter(|variable| variable.secret);
        secrets
            .filter_map(|variable| self.text(variable))
            .map(secret_part)
    }
}

/// Names that are read here: the settings and the files of the secrets.
fn is_known(name: &str) -> bool {
    find(name).is_some() || find_by_file(name).is_some()
}

/// Kubernetes puts variables for each service into every container; for a service `broker` they look like ours.
fn is_made_by_kubernetes(name: &str, value: &str) -> bool {
    let by_name = ["_SERVICE_HOST", "_SERVICE_PORT", "_TCP", "_UDP"]
        .iter()
        .any(|part| name.contains(part));
    by_name || value.starts_with("tcp://") || value.starts_with("udp://")
}

/// Names with our beginnings, and those without one.
fn is_ours(name: &str) -> bool {
    is_known(name) || OUR_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// The setting that this name is probably a typo of. For a name that sounds like a secret it is never one whose value
/// is shown.
fn likely(name: &str) -> Option<&'static str> {
    let is_secret = ["SECRET", "TOKEN", "KEY", "PASSWORD"]
        .iter()
        .any(|word| name.contains(word));
    let candidates = known().iter().filter(|variable| variable.secret || !is_secret);
    let names = candidates.flat_map(|variable| std::iter::once(variable.name).chain(variable.file()));
    nearest(name, names)
}

/// An empty value is an unset one.
fn add(layer: &mut Layer, name: String, value: Zeroizing<String>) {
    if !value.trim().is_empty() {
        layer.insert(name, value);
    }
}

/// A value of the environment without one matching pair of quotes around it: `docker run --env-file` keeps those that
/// `.env` needs.
fn unquoted(value: &str) -> &str {
    let value = value.trim_ascii();
    let inner = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

fn is_quoted(value: &str) -> bool {
    let quote = |c: char| matches!(c, '"' | '\'' | '`' | '“' | '”' | '„' | '‘' | '’');
    value.chars().count() > 1 && value.starts_with(quote) && value.ends_with(quote)
}
