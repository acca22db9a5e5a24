//! YAML as a tree of texts. Scalars keep their text, so that `client_id: 007` stays `007`; the reader of a key decides
//! what the text means.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};
use thiserror::Error;

/// Aliases multiply nodes: a small file must not become a large tree.
const MOST_NODES: usize = 10_000;
const DEEPEST: usize = 32;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// Messages hold positions and never content, which may be a secret.
#[derive(Debug, Error, PartialEq)]
pub(crate) enum YamlError {
    #[error("line {line}, column {column}: not valid YAML ({reason})")]
    Syntax {
        line: usize,
        column: usize,
        reason: String,
    },
    #[error("line {line}: a key must be plain text, not a list or a map")]
    Key { line: usize },
    #[error("line {line}: nested too deeply, or too many values")]
    TooLarge { line: usize },
    #[error("line {line}: a second document begins; keep one")]
    SecondDocument { line: usize },
}

impl Node {
    /// The last value of the key, as `PyYAML` reads it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        let found = entries.iter().rev().find(|(name, _)| name == key);
        found.map(|(_, value)| value)
    }
}

struct Open {
    anchor: usize,
    node: Node,
    key: Option<String>,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    anchors: Vec<(usize, Node)>,
    nodes: usize,
}

/// The one document of a text; [`Node::Null`] when there is none.
pub(crate) fn parse(text: &str) -> Result<Node, YamlError> {
    let mut builder = Builder::default();
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| syntax(&error))?;
        let line = span.start.line();
        match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return Err(YamlError::SecondDocument { line });
                }
            }
            Event::Scalar(text, style, anchor, _) => builder.add(scalar(&text, style), anchor, line)?,
            Event::Alias(id) => {
                let found = builder.anchors.iter().rev().find(|(anchor, _)| *anchor == id);
                let node = found.map_or(Node::Null, |(_, node)| node.clone());
                builder.add(node, 0, line)?;
            }
            Event::SequenceStart(anchor, _) => builder.begin(Node::List(Vec::new()), anchor, line)?,
            Event::MappingStart(anchor, _) => builder.begin(Node::Map(Vec::new()), anchor, line)?,
            Event::SequenceEnd | Event::MappingEnd => builder.end(line)?,
            _ => {}
        }
    }
    Ok(builder.root.unwrap_or(Node::Null))
}

fn syntax(error: &ScanError) -> YamlError {
    let marker = error.marker();
    // The one message with a character of the text in it puts it between these quotes.
    let reason = error.info().split(": `").next().unwrap_or_default().to_owned();
    YamlError::Syntax {
        line: marker.line(),
        column: marker.col() + 1,
        reason,
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Node {
    let is_null = matches!(text, "" | "~" | "null" | "Null" | "NULL");
    if is_null && style == ScalarStyle::Plain {
        Node::Null
    } else {
        Node::Scalar(text.to_owned())
    }
}

impl Builder {
    fn begin(&mut self, node: Node, anchor: usize, line: usize) -> Result<(), YamlError> {
        if self.open.len() >= DEEPEST {
            return Err(YamlError::TooLarge { line });
        }
        let key = None;
        self.open.push(Open { anchor, node, key });
        Ok(())
    }

    fn end(&mut self, line: usize) -> Result<(), YamlError> {
        match self.open.pop() {
            Some(open) => self.add(open.node, open.anchor, line),
            None => Ok(()),
        }
    }

    fn add(&mut self, node: Node, anchor: usize, line: usize) -> Result<(), YamlError> {
        self.nodes = self.nodes.saturating_add(size(&node));
        if self.nodes > MOST_NODES {
            return Err(YamlError::TooLarge { line });
        }
        if anchor > 0 {
            self.anchors.push((anchor, node.clone()));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match (&mut open.node, open.key.take()) {
            (Node::List(items), _) => items.push(node),
            (Node::Map(entries), Some(key)) => entries.push((key, node)),
            (_, None) => {
                open.key = Some(match node {
                    Node::Scalar(key) => key,
                    Node::Null => String::new(),
                    Node::List(_) | Node::Map(_) => return Err(YamlError::Key { line }),
                });
            }
            (_, Some(_)) => {}
        }
        Ok(())
    }
}

fn size(node: &Node) -> usize {
    match node {
        Node::Null | Node::Scalar(_) => 1,
        Node::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Node::Map(entries) => 1 + entries.iter().map(|(_, value)| size(value)).sum::<usize>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Node {
        Node::Scalar(text.to_owned())
    }

    #[test]
    fn scalars_keep_their_text() {
        let node = parse("a: 007\nb: yes\nc: ~\nd: '~'\ne: 1.10\n").unwrap();
        assert_eq!(node.get("a"), Some(&text("007")));
        assert_eq!(node.get("b"), Some(&text("yes")));
        assert_eq!(node.get("c"), Some(&Node::Null));
        assert_eq!(node.get("d"), Some(&text("~")));
        assert_eq!(node.get("e"), Some(&text("1.10")));
    }

    #[test]
    fn json_lists_aliases_and_repeated_keys_are_read() {
        let node = parse("{\"a\": [1, \"x\"], \"a\": &t [2], \"b\": *t}").unwrap();
        let two = Node::List(vec![text("2")]);
        assert_eq!((node.get("a"), node.get("b")), (Some(&two), Some(&two)));
        assert_eq!(parse("").unwrap(), Node::Null);
        assert_eq!(parse("# nothing\n").unwrap(), Node::Null);
    }

    #[test]
    fn what_is_no_yaml_is_refused_by_its_place_without_its_content() {
        for bad in [
            "a: [s3cr3t",
            "a: 's3cr3t",
            "s3cr3t\nb: c: d",
            "a: @s3cr3t",
            "a:\n\t- s3cr3t",
        ] {
            let error = parse(bad).unwrap_err().to_string();
            assert!(error.starts_with("line "), "{bad:?}: {error}");
            assert!(!error.contains("s3cr3t"), "{bad:?}: {error}");
        }
        assert_eq!(
            parse("a: 1\n---\nb: 2\n"),
            Err(YamlError::SecondDocument { line: 2 })
        );
        assert_eq!(parse("[a, b]: c"), Err(YamlError::Key { line: 1 }));
    }

    #[test]
    fn a_small_text_cannot_become_a_large_tree() {
        let levels = "bcdefg".chars().zip("abcdef".chars());
        let lines = levels.map(|(name, before)| {
            let aliases = vec![format!("*{before}"); 10].join(", ");
            format!("{name}: &{name} [{aliases}]\n")
        });
        let lines: Vec<String> = lines.collect();
        let bomb = format!("a: &a [x, x, x, x, x, x, x, x, x, x]\n{}", lines.concat());
        assert!(matches!(parse(&bomb), Err(YamlError::TooLarge { .. })));
        let deep = "[".repeat(100) + &"]".repeat(100);
        assert!(parse(&deep).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(?s)[ \\t\\na-c:\\-\\[\\]{}&*'\"#|>!%@`,?~]{0,60}|\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
