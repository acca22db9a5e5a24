//! Text with placeholders in braces, as Python's `str.format` reads them: `{NAME}`, and `{{` and `}}` for braces.

use thiserror::Error;

/// A text whose known placeholders are replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expanded {
    /// The text; unknown placeholders stay as they are.
    pub text: String,
    /// The names of the unknown placeholders.
    pub unknown: Vec<String>,
}

/// Why a text cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TemplateError {
    /// A `{` without its `}`.
    #[error("there is a {{ without its }}; write {{{{ for a brace itself")]
    Unclosed,
    /// A `}` without its `{`.
    #[error("there is a }} without its {{; write }}}} for a brace itself")]
    Unopened,
    /// Python's positions, conversions, formats, attributes and indexes.
    #[error("`{{{0}}}` is not a placeholder; only names in braces are, such as {{PROJECT_ROOT}}")]
    NoName(String),
}

/// Replaces every placeholder that `value_of` knows.
pub(crate) fn expand<'v>(
    template: &str,
    value_of: impl Fn(&str) -> Option<&'v str>,
) -> Result<Expanded, TemplateError> {
    let mut expanded = Expanded::default();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        expanded.text.push_str(before);
        if let Some(after) = from.strip_prefix("{{") {
            expanded.text.push('{');
            rest = after;
        } else if let Some(after) = from.strip_prefix("}}") {
            expanded.text.push('}');
            rest = after;
        } else if let Some(inside) = from.strip_prefix('{') {
            let (name, after) = inside.split_once('}').ok_or(TemplateError::Unclosed)?;
            if name.contains('{') {
                return Err(TemplateError::Unclosed);
            }
            if name.is_empty() || name.contains(['!', ':', '.', '[']) || name.parse::<u64>().is_ok() {
                return Err(TemplateError::NoName(name.to_owned()));
            }
            if let Some(value) = value_of(name) {
                expanded.text.push_str(value);
            } else {
                expanded.text.extend(["{", name, "}"]);
                expanded.unknown.push(name.to_owned());
            }
            rest = after;
        } else {
            return Err(TemplateError::Unopened);
        }
    }
    expanded.text.push_str(rest);
    Ok(expanded)
}

/// Removes `.`, `..` and repeated separators from a path's text, without looking at the file system.
pub(crate) fn normalize(path: &str) -> String {
    // POSIX leaves the meaning of exactly two leading slashes open, and Python keeps them.
    let root = match path.len() - path.trim_start_matches('/').len() {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if !root.is_empty() => {}
            part => parts.push(part),
        }
    }
    let joined = format!("{root}{}", parts.join("/"));
    if joined.is_empty() { ".".to_owned() } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_root(template: &str) -> Result<Expanded, TemplateError> {
        expand(template, |name| (name == "PROJECT_ROOT").then_some("/h"))
    }

    #[test]
    fn known_names_are_replaced_and_others_stay() {
        let expanded = with_root("{PROJECT_ROOT}/{{x}}/{NOPE}/é").unwrap();
        assert_eq!(expanded.text, "/h/{x}/{NOPE}/é");
        assert_eq!(expanded.unknown, ["NOPE"]);
    }

    #[test]
    fn unbalanced_braces_and_other_formats_are_errors() {
        for bad in ["{", "a{b", "{a{b}}", "{PROJECT_ROOT"] {
            assert_eq!(with_root(bad), Err(TemplateError::Unclosed), "{bad}");
        }
        for bad in ["}", "a}b", "{PROJECT_ROOT}}"] {
            assert_eq!(with_root(bad), Err(TemplateError::Unopened), "{bad}");
        }
        for bad in ["{}", "{0}", "{a.b}", "{a!r}", "{a:>3}", "{a[0]}"] {
            assert!(matches!(with_root(bad), Err(TemplateError::NoName(_))), "{bad}");
        }
    }

    #[test]
    fn paths_are_normalized_as_python_does() {
        for (path, expected) in [
            ("", "."),
            ("/", "/"),
            ("//a", "//a"),
            ("///a//b/", "/a/b"),
            ("a/./b/../c", "a/c"),
            ("../../a/..", "../.."),
            ("/../a", "/a"),
            ("a/..", "."),
        ] {
            assert_eq!(normalize(path), expected, "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[{}A-Z_/.!:é0]{0,30}|\\PC{0,30}") {
            let _ = with_root(&text);
            normalize(&text);
        }

        #[test]
        fn text_without_braces_stays_and_escaped_braces_come_back(text in "[^{}]{0,20}", inner in "[^{}]{0,20}") {
            let escaped = format!("{text}{{{{{inner}}}}}");
            proptest::prop_assert_eq!(with_root(&escaped).unwrap().text, format!("{text}{{{inner}}}"));
        }

        #[test]
        fn normalizing_twice_changes_nothing(path in "[a./]{0,20}") {
            let once = normalize(&path);
            proptest::prop_assert_eq!(normalize(&once), once);
        }
    }
}
