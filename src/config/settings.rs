//! The values as they were given: environment and `.env` laid over each other, secrets fetched from their files,
//! and every problem and warning gathered instead of stopping at the first.

use std::collections::{BTreeMap, BTreeSet};

use zeroize::Zeroizing;

use super::alias;
use super::dotenv;
use super::problem::Problem;
use super::secret_file::read_secret_file;
use super::shown;
use super::variable::{self, Variable};
use crate::nearest::nearest;

/// Names with these beginnings are ours or Plaid's, so an unknown one is probably a typo.
const OUR_PREFIXES: [&str; 3] = ["PLAID_", "OAUTH_", "BROKER_"];

/// One source of values. Empty values are left out: an empty value is an unset one.
type Layer = BTreeMap<String, Zeroizing<String>>;

/// The values of all known variables, and what was found wrong so far.
pub(super) struct Settings {
    values: BTreeMap<&'static str, Zeroizing<String>>,
    /// Variables that were given, but in a way that cannot be used; their problem has been told.
    refused: BTreeSet<&'static str>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<String>,
    /// Names that are no settings: a warning each, and, when anything is missing or wrong, perhaps its cause.
    pub(super) unknown: Vec<Problem>,
}

impl Settings {
    pub(super) fn collect(env: impl IntoIterator<Item = (String, String)>, dotenv: Option<&str>) -> Self {
        let mut settings = Self {
            values: BTreeMap::new(),
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
        let inner = settings.dotenv_layer(dotenv.unwrap_or_default());
        for variable in variable::known() {
            // A secret and its file are one setting: when the environment gives either, `.env` is not asked.
            if !settings.take(variable, &outer) {
                settings.take(variable, &inner);
            }
        }
        settings.judge_unknown(&outer, "the environment");
        settings.judge_unknown(&inner, ".env");
        settings
    }

    fn dotenv_layer(&mut self, content: &str) -> Layer {
        let (lines, unreadable) =
            dotenv::parse(content, |name| is_ours(name) || alias::meant(name).is_some());
        for number in unreadable {
            self.warn(format!(".env line {number} is no NAME=value and is ignored."));
        }
        let mut layer = Layer::new();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for line in lines {
            let value = match line.value {
                Ok(value) => value,
                // It is only warned of, as a name that is no setting.
                Err(_) if !is_known(&line.name) && alias::meant(&line.name).is_none() => {
                    Zeroizing::new("…".to_owned())
                }
                Err(advice) => {
                    if let Some(variable) = variable::find(&line.name) {
                        self.refused.insert(variable.name);
                    }
                    let advice = advice.replace("{name}", &line.name);
                    self.push(format!(".env line {}", line.number), None, &advice);
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

    /// Takes the variable's value from this layer, and says whether the layer gave one.
    fn take(&mut self, variable: &'static Variable, layer: &Layer) -> bool {
        let name = variable.name;
        let twin = format!("{name}_FILE");
        let file = layer.get(&twin).filter(|_| variable.secret);
        let value = match (layer.get(name), file) {
            (None, None) => return false,
            (Some(_), Some(_)) => {
                self.refuse(
                    variable,
                    name.to_owned(),
                    &format!("set either {name} or {twin}, not both"),
                );
                return true;
            }
            (None, Some(path)) => match read_secret_file(path) {
                Ok(secret) => secret,
                Err(expected) => {
                    self.refuse(variable, twin, &expected);
                    return true;
                }
            },
            (Some(value), None) => value.clone(),
        };
        if is_quoted(&value) {
            let why = "remove the quotes around the value: of .env and of the environment one pair of straight quotes is \
                 removed, of a file none";
            self.refuse(variable, name.to_owned(), why);
            return true;
        }
        self.values.insert(name, value);
        true
    }

    fn refuse(&mut self, variable: &'static Variable, place: String, expected: &str) {
        self.refused.insert(variable.name);
        self.push(place, None, expected);
    }

    /// Names that are no settings: of a known alias the setting is required, all others are warned of.
    fn judge_unknown(&mut self, layer: &Layer, place: &str) {
        for (name, value) in layer {
            let alias = alias::meant(name).or_else(|| alias::meant_file(name));
            let is_unknown = alias.is_some() || is_ours(name);
            if !is_unknown || is_known(name) || is_made_by_kubernetes(name, value) {
                continue;
            }
            let shown = self.shown(name);
            match alias.or_else(|| likely(name)) {
                Some(meant) if alias.is_some() && !self.is_given(meant) => self.push(
                    shown,
                    None,
                    &format!("is no setting ({place} has it): rename it to {meant}"),
                ),
                Some(meant) if alias.is_some() => self.warn(format!(
                    "{place} sets {shown}, which is no setting and is ignored: {meant} counts, which is set as well."
                )),
                meant => {
                    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
                    self.warn(format!("{place} sets {shown}, which is no setting and is ignored{meant}"));
                    self.unknown.push(Problem {
                        variable: shown,
                        found: None,
                        expected: format!("is no setting ({place} has it){meant}"),
                    });
                }
            }
        }
    }

    /// The variable's value, when it was given and can be used.
    pub(super) fn text(&self, name: &'static str) -> Option<&str> {
        debug_assert!(
            variable::find(name).is_some(),
            "{name} is not in the list of settings"
        );
        self.values.get(name).map(|value| value.as_str())
    }

    /// Whether somebody meant to set this, even if the value had to be refused.
    pub(super) fn is_given(&self, name: &'static str) -> bool {
        self.text(name).is_some() || self.refused.contains(name)
    }

    /// The value as `parse` understands it. When that fails its error, an instruction, becomes a problem.
    pub(super) fn parsed<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(self.text(name)?) {
            Ok(value) => Some(value),
            Err(expected) => {
                self.problem(name, &expected);
                None
            }
        }
    }

    /// A problem with the whole value of a variable, which is shown unless it is a secret.
    pub(super) fn problem(&mut self, name: &'static str, expected: &str) {
        let secret = variable::find(name).is_none_or(|variable| variable.secret);
        let found = self.text(name).filter(|_| !secret).map(|value| self.shown(value));
        self.push(name.to_owned(), found, expected);
    }

    /// A problem with a part of a value that is no secret.
    pub(super) fn problem_with(&mut self, name: &'static str, part: &str, expected: &str) {
        let found = Some(self.shown(part));
        self.push(name.to_owned(), found, expected);
    }

    /// A problem whose value is kept back.
    pub(super) fn problem_unshown(&mut self, name: &'static str, expected: &str) {
        self.push(name.to_owned(), None, expected);
    }

    fn push(&mut self, variable: String, found: Option<String>, expected: &str) {
        self.problems.push(Problem {
            variable,
            found,
            expected: expected.to_owned(),
        });
    }

    /// Something odd that stops nothing. Values in it must have gone through [`Settings::shown`].
    pub(super) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// The text made fit to be told, see [`shown::shown`].
    pub(super) fn shown(&self, text: &str) -> String {
        shown::shown(text, self.secrets())
    }

    /// The values of all secrets.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        let is_secret = |name: &str| variable::find(name).is_some_and(|known| known.secret);
        let secrets = self.values.iter().filter(move |(name, _)| is_secret(name));
        secrets.map(|(_, secret)| shown::telling(secret))
    }
}

/// Names that are read here: the list and the twins of its secrets.
fn is_known(name: &str) -> bool {
    variable::find(name).is_some() || variable::twin_of(name).is_some()
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

/// The setting that this name is probably a typo of. A name of a secret is never led to a setting whose value is shown.
fn likely(name: &str) -> Option<&'static str> {
    let is_secret = ["SECRET", "TOKEN", "KEY", "PASSWORD"]
        .iter()
        .any(|word| name.contains(word));
    let known = variable::known()
        .iter()
        .filter(|variable| variable.secret || !is_secret);
    let twins = variable::twins().iter().map(String::as_str);
    nearest(name, known.map(|variable| variable.name).chain(twins))
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
