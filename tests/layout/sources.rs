//! What the sources of a crate import, read from their text.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A crate's sources: the path of each module (`link::page`, the root is empty) and its text without tests.
pub(crate) struct Sources(pub(crate) BTreeMap<Vec<String>, String>);

impl Sources {
    /// Reads all files below a crate's `src`.
    pub(crate) fn read(src: &Path) -> Self {
        let mut modules = BTreeMap::new();
        let mut folders = vec![src.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let relative = path.strip_prefix(src).unwrap().with_extension("");
                    let mut module: Vec<String> = relative
                        .iter()
                        .map(|part| part.to_str().unwrap().to_owned())
                        .collect();
                    if module
                        .last()
                        .is_some_and(|last| matches!(last.as_str(), "lib" | "mod"))
                    {
                        module.pop();
                    }
                    modules.insert(module, std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        // A binary of the crate is a root of its own, above everything.
        modules.remove(&vec!["main".to_owned()]);
        Self::new(modules)
    }

    /// Sources from texts, without the modules that are compiled for tests alone.
    pub(crate) fn new(modules: BTreeMap<Vec<String>, String>) -> Self {
        let mut tests = BTreeSet::new();
        let mut stripped = BTreeMap::new();
        for (module, text) in modules {
            let (text, declared) = without_tests(&without_comments_and_strings(&text));
            tests.extend(declared.into_iter().map(|name| child(&module, &name)));
            stripped.insert(module, text);
        }
        stripped.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
        Self(stripped)
    }

    /// The modules that the root declares.
    pub(crate) fn top(&self) -> BTreeSet<String> {
        self.0
            .keys()
            .filter_map(|module| module.first().cloned())
            .collect()
    }

    /// Every import as a pair: the module it is in, and the module that it reaches (the longest part of the path that
    /// names one; what a module re-exports from another counts as that other one).
    pub(crate) fn imports(&self) -> BTreeSet<(Vec<String>, Vec<String>)> {
        let mut imports = BTreeSet::new();
        for (module, text) in &self.0 {
            for path in paths(module, text) {
                let target = self.resolve(&path, 4);
                if !target.is_empty() {
                    imports.insert((module.clone(), target));
                }
            }
        }
        imports
    }

    fn resolve(&self, path: &[String], depth: usize) -> Vec<String> {
        let known = (0..=path.len())
            .rev()
            .find(|length| self.0.contains_key(&path[..*length]))
            .unwrap_or(0);
        let (module, rest) = path.split_at(known);
        let Some(name) = rest.first().filter(|_| depth > 0) else {
            return module.to_vec();
        };
        let exported = paths(module, &exports(&self.0[module]))
            .into_iter()
            .find(|path| path.last() == Some(name) && path[..path.len() - 1] != *module);
        match exported {
            Some(path) => self.resolve(&path, depth - 1),
            None => module.to_vec(),
        }
    }
}

fn child(module: &[String], name: &str) -> Vec<String> {
    let mut path = module.to_vec();
    path.push(name.to_owned());
    path
}

/// The `pub use` lines of a module; a path that begins with one of its own modules gets `self::` before it.
fn exports(text: &str) -> String {
    let lines = text.split(';').filter_map(|statement| {
        let at = statement
            .find("pub use ")
            .or_else(|| statement.find("pub(crate) use "))?;
        let path = statement[at..].split_once("use ")?.1.trim();
        let is_anchored = ["crate::", "self::", "super::"]
            .iter()
            .any(|start| path.starts_with(start));
        Some(format!("use {}{path};", if is_anchored { "" } else { "self::" }))
    });
    lines.collect()
}

/// All paths in a text that begin with `crate`, `self` or `super`, from the crate's root.
fn paths(module: &[String], text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("::") {
        let start = text[..at]
            .rfind(|c: char| !c.is_alphanumeric() && c != '_')
            .map_or(0, |i| i + 1);
        let is_continued = text[..start].ends_with("::");
        let base = match &text[start..at] {
            "crate" if !is_continued => Vec::new(),
            "self" if !is_continued => module.to_vec(),
            "super" if !is_continued => parent(module),
            _ => continue,
        };
        tree(base, &text[at + 2..], &mut found);
    }
    found
}

fn parent(module: &[String]) -> Vec<String> {
    module[..module.len().saturating_sub(1)].to_vec()
}

/// Reads what follows a `::`: a path, or a group of them in braces. Returns how much was read.
fn tree(mut base: Vec<String>, text: &str, found: &mut Vec<Vec<String>>) -> usize {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        if rest.starts_with('{') {
            at += 1;
            loop {
                at += text[at..].len() - text[at..].trim_start_matches([' ', '\n', ',']).len();
                if at >= text.len() || text[at..].starts_with('}') {
                    return at + 1;
                }
                let read = tree(base.clone(), &text[at..], found);
                if read == 0 {
                    return at;
                }
                at += read;
                at += text[at..].find([',', '}']).unwrap_or(text.len() - at);
            }
        }
        let length = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        match &rest[..length] {
            "" => {
                found.push(base);
                return at.max(usize::from(rest.starts_with('*')));
            }
            "super" => base = parent(&base),
            "self" => {}
            name => base.push(name.to_owned()),
        }
        at += length;
        if !text[at..].starts_with("::") {
            found.push(base);
            return at;
        }
        at += 2;
    }
}

fn without_comments_and_strings(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let line = line.split_once("//").map_or(line, |(code, _)| code);
        let mut in_string = false;
        let mut last = ' ';
        for c in line.chars() {
            if c == '"' && last != '\\' && last != '\'' {
                in_string = !in_string;
            } else if !in_string {
                out.push(c);
            }
            last = c;
        }
        out.push('\n');
    }
    out
}

/// The text without items under `#[cfg(test)]`, and the names of the modules in other files among them.
fn without_tests(text: &str) -> (String, Vec<String>) {
    let mut out = String::new();
    let mut declared = Vec::new();
    let mut rest = text;
    while let Some(at) = ["#[cfg(test)]", "#[cfg(all(test"]
        .iter()
        .filter_map(|mark| rest.find(mark))
        .min()
    {
        out.push_str(&rest[..at]);
        let item = &rest[at..];
        let semicolon = item.find(';').unwrap_or(item.len() - 1);
        let brace = item.find('{').unwrap_or(item.len());
        if semicolon < brace {
            let name = item[..semicolon]
                .split_once("mod ")
                .map(|(_, name)| name.trim().to_owned());
            declared.extend(name);
            rest = &item[semicolon + 1..];
        } else {
            let mut depth = 0_usize;
            let end = item[brace..].char_indices().find_map(|(at, c)| {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                (depth == 0).then_some(brace + at + 1)
            });
            rest = &item[end.unwrap_or(item.len())..];
        }
    }
    out.push_str(rest);
    (out, declared)
}
