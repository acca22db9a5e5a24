//! `paths.yaml`: named places for local data, beside `plaid.conf`.

mod template;

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::conf::{decode, nearest, read_bounded};
use crate::yaml::{self, Node};

pub use template::{Expanded, TemplateError};
use template::{expand, normalize};

/// The names that every `paths` map has.
pub const NAMES: [&str; 4] = ["PROJECT_ROOT", "LOCAL_STORAGE", "DEBUG", "REPORTS"];
const WORKING_USER: &str = "WORKING_USER";
/// What a text may refer to, as PlaidCloud's own client has it: not `REPORTS`.
const PLACEHOLDERS: [&str; 4] = [WORKING_USER, "PROJECT_ROOT", "LOCAL_STORAGE", "DEBUG"];

/// The resolved `paths` of all YAML files beside a `plaid.conf`.
#[derive(Clone, Debug)]
pub struct Paths {
    working_user: String,
    /// The four names in the order of [`NAMES`].
    four: [String; 4],
    /// Further names of the map, as they are written.
    others: Vec<(String, String)>,
    create: Vec<String>,
    /// How user code should treat local data.
    pub local: Local,
    /// Remarks for the user.
    pub notes: Vec<String>,
}

/// The top-level `local` map, for programs that call this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are the keys of the file")]
pub struct Local {
    /// Default: true.
    pub debug: bool,
    /// Default: true.
    pub fetch: bool,
    /// Default: false.
    pub cache_locally: bool,
    /// Default: false.
    pub write_from_local: bool,
}

/// Why there are no paths.
#[derive(Debug, Error)]
pub enum PathsError {
    /// A file or directory cannot be read.
    #[error("{} cannot be read: {cause}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said, or where the text is wrong.
        cause: String,
    },
    /// The map is not as it must be.
    #[error("paths in {}: {reason}", folder.display())]
    Map {
        /// The directory of the YAML files.
        folder: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A name's text cannot be resolved.
    #[error("{name}: {reason}")]
    Entry {
        /// The name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no such name.
    #[error("there is no path named {name:?}{hint}; a text with placeholders needs a / or a brace in it")]
    UnknownName {
        /// The name.
        name: String,
        /// The nearest name there is, as a question.
        hint: String,
    },
    /// A directory cannot be made.
    #[error("the directory {path} cannot be made: {cause}")]
    Create {
        /// The directory.
        path: String,
        /// What the system said.
        cause: String,
    },
}

impl Paths {
    /// Reads all non-hidden `*.yaml` of a directory, in the order of their names, and merges them at top level.
    /// `None`: they have no `paths`. `working_user`: the home directory, for `{WORKING_USER}`.
    pub fn load(folder: &Path, working_user: &str) -> Result<Option<Self>, PathsError> {
        let mut merged = Vec::new();
        for file in yaml_files(folder)? {
            let unreadable = |cause: String| PathsError::Read {
                path: file.clone(),
                cause,
            };
            let bytes = read_bounded(&file).map_err(|error| unreadable(error.to_string()))?;
            let text = decode(&bytes).map_err(|problems| unreadable(problems.0.join("; ")))?;
            match yaml::parse(&text).map_err(|error| unreadable(error.to_string()))? {
                Node::Map(entries) => merged.extend(entries),
                Node::Null => {}
                _ => return Err(unreadable("the text is not a map of keys".to_owned())),
            }
        }
        let root = Node::Map(merged);
        let map_error = |reason: &str| PathsError::Map {
            folder: folder.to_owned(),
            reason: reason.to_owned(),
        };
        let local = local(root.get("local"))?;
        match root.get("paths") {
            None => Ok(None),
            Some(paths @ Node::Map(_)) => Self::resolve(paths, working_user, local, map_error).map(Some),
            Some(_) => Err(map_error("this must be a map of names")),
        }
    }

    fn resolve(
        map: &Node,
        working_user: &str,
        local: Local,
        map_error: impl Fn(&str) -> PathsError,
    ) -> Result<Self, PathsError> {
        let Node::Map(entries) = map else {
            return Err(map_error("this must be a map of names"));
        };
        let missing: Vec<&str> = NAMES
            .into_iter()
            .filter(|name| !matches!(map.get(name), Some(Node::Scalar(_))))
            .collect();
        if !missing.is_empty() {
            let reason = format!("{} must be there, each with one text", missing.join(", "));
            return Err(map_error(&reason));
        }
        let text = |name: &str| match map.get(name) {
            Some(Node::Scalar(text)) => text.as_str(),
            _ => "",
        };
        let [root_name, storage, debug, reports] = NAMES;
        let root = definition(root_name, text(root_name), WORKING_USER, working_user)?;
        let below = |name: &str| definition(name, text(name), "PROJECT_ROOT", &root);
        let four = [root.clone(), below(storage)?, below(debug)?, below(reports)?];
        let create = match map.get("create") {
            None | Some(Node::Null) => Vec::new(),
            Some(Node::List(items)) => {
                let items = items.iter().map(|item| match item {
                    Node::Scalar(text) => definition("create", text, "PROJECT_ROOT", &root),
                    _ => Err(map_error("create must be a list of texts")),
                });
                items.collect::<Result<_, _>>()?
            }
            Some(_) => return Err(map_error("create must be a list of texts")),
        };
        let is_other = |name: &str| !NAMES.contains(&name) && name != "create" && name != "local";
        let others = entries.iter().filter_map(|(name, node)| match node {
            Node::Scalar(text) if is_other(name) => Some((name.clone(), text.clone())),
            _ => None,
        });
        let others = others.collect();
        let mut notes = Vec::new();
        if map.get("local").is_some() {
            notes.push("`local` under `paths` has no effect; move it to the top level".to_owned());
        }
        Ok(Self {
            working_user: working_user.to_owned(),
            four,
            others,
            create,
            local,
            notes,
        })
    }

    /// The path of one of the four names.
    fn of(&self, name: &str) -> Option<&str> {
        let mut pairs = NAMES.iter().zip(&self.four);
        pairs
            .find(|(known, _)| **known == name)
            .map(|(_, path)| path.as_str())
    }

    /// `LOCAL_STORAGE`, where data is read and written.
    #[must_use]
    pub fn local_storage(&self) -> PathBuf {
        let [_, storage, ..] = &self.four;
        normalize(storage).into()
    }

    /// `REPORTS`.
    #[must_use]
    pub fn reports(&self) -> PathBuf {
        let [.., reports] = &self.four;
        normalize(reports).into()
    }

    /// The four names with their paths.
    #[must_use]
    pub fn all(&self) -> Vec<(&'static str, String)> {
        let pairs = NAMES.iter().zip(&self.four);
        pairs.map(|(name, path)| (*name, normalize(path))).collect()
    }

    /// Resolves a name of the map, or a text with placeholders. Unknown placeholders stay and are listed.
    pub fn lookup(&self, name_or_text: &str) -> Result<Expanded, PathsError> {
        if let Some(path) = self.of(name_or_text) {
            let text = normalize(path);
            return Ok(Expanded {
                text,
                unknown: Vec::new(),
            });
        }
        let other = self.others.iter().rev().find(|(name, _)| name == name_or_text);
        if let Some((_, text)) = other {
            return self.expand(text);
        }
        if name_or_text.contains(['/', '{', '}']) {
            return self.expand(name_or_text);
        }
        let names = NAMES
            .into_iter()
            .chain(self.others.iter().map(|(name, _)| name.as_str()));
        let hint =
            nearest(name_or_text, names).map_or(String::new(), |name| format!(" (did you mean {name}?)"));
        let name = name_or_text.to_owned();
        Err(PathsError::UnknownName { name, hint })
    }

    /// Replaces `{WORKING_USER}`, `{PROJECT_ROOT}`, `{LOCAL_STORAGE}` and `{DEBUG}`, and normalizes.
    pub fn expand(&self, text: &str) -> Result<Expanded, PathsError> {
        let value_of = |name: &str| match name {
            WORKING_USER => Some(self.working_user.as_str()),
            name if PLACEHOLDERS.contains(&name) => self.of(name),
            _ => None,
        };
        let expanded = expand(text, value_of).map_err(|error| entry(text, &error.to_string()))?;
        Ok(Expanded {
            text: normalize(&expanded.text),
            ..expanded
        })
    }

    /// Makes the four directories and those of `create`. Returns all of them.
    pub fn create(&self) -> Result<Vec<String>, PathsError> {
        let wanted = self.four.iter().chain(&self.create).map(|path| normalize(path));
        let mut made: Vec<String> = Vec::new();
        for path in wanted {
            if made.contains(&path) {
                continue;
            }
            std::fs::create_dir_all(&path).map_err(|error| PathsError::Create {
                path: path.clone(),
                cause: error.to_string(),
            })?;
            made.push(path);
        }
        Ok(made)
    }
}

fn entry(name: &str, reason: &str) -> PathsError {
    PathsError::Entry {
        name: name.to_owned(),
        reason: reason.to_owned(),
    }
}

/// A text in which only one placeholder is allowed.
fn definition(name: &str, text: &str, allowed: &str, value: &str) -> Result<String, PathsError> {
    let expanded = expand(text, |placeholder| (placeholder == allowed).then_some(value))
        .map_err(|error| entry(name, &error.to_string()))?;
    match expanded.unknown.first() {
        None => Ok(expanded.text),
        Some(unknown) => Err(entry(
            name,
            &format!("the placeholder {{{unknown}}} is not known here; only {{{allowed}}} is"),
        )),
    }
}

fn local(node: Option<&Node>) -> Result<Local, PathsError> {
    let flag = |key: &str, default: bool| match node.and_then(|node| node.get(key)) {
        None | Some(Node::Null) => Ok(default),
        Some(Node::Scalar(text)) if ["true", "yes", "on"].contains(&text.to_lowercase().as_str()) => Ok(true),
        Some(Node::Scalar(text)) if ["false", "no", "off"].contains(&text.to_lowercase().as_str()) => {
            Ok(false)
        }
        Some(_) => Err(entry(&format!("local.{key}"), "this must be true or false")),
    };
    Ok(Local {
        debug: flag("debug", true)?,
        fetch: flag("fetch", true)?,
        cache_locally: flag("cache_locally", false)?,
        write_from_local: flag("write_from_local", false)?,
    })
}

fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>, PathsError> {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(|error| PathsError::Read {
        path: folder.to_owned(),
        cause: error.to_string(),
    })?;
    let is_yaml = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".yaml") && !name.starts_with('.')
    };
    let mut files: Vec<PathBuf> = entries
        .into_iter()
        .map(|entry| entry.path())
        .filter(is_yaml)
        .collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests;
