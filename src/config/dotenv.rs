//! `.env`: found in the working directory, read through dotenvy without touching the process environment.

use std::io::ErrorKind;
use std::path::Path;

use zeroize::Zeroizing;

use super::problem::Problem;

/// A quoted value may run over lines; further than this nobody looks for the closing quote.
const LONGEST_VALUE_LINES: usize = 64;

/// The content of `.env` in this directory alone: parents are not searched, so that a file which somebody
/// forgot further up cannot decide which bank data is opened. `Ok(None)` when there is none.
///
/// A file that is there and cannot be read is a [`Problem`] and never an absent one: starting without it would
/// start the simulator in place of the account that the operator meant.
pub fn read_dotenv(dir: &Path) -> Result<Option<String>, Problem> {
    let path = dir.join(".env");
    let problem = |expected: &str| Problem {
        variable: ".env".to_owned(),
        found: Some(path.display().to_string().escape_debug().to_string()),
        expected: expected.to_owned(),
    };
    let kind = match path.symlink_metadata() {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(problem(&format!(
                "cannot be looked at ({error}): correct the rights of its folder"
            )));
        }
    };
    match std::fs::read(&path) {
        Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| {
            problem("is not UTF-8 text: save it as UTF-8 (some editors on Windows write UTF-16)")
        }),
        Err(error) if error.kind() == ErrorKind::NotFound && kind.is_symlink() => Err(problem(
            "is a link to a file that does not exist: replace it by a copy of your settings file",
        )),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(problem(
            "may not be read by this user: change its owner or its rights (for example `chmod 600`)",
        )),
        Err(error) if error.kind() == ErrorKind::IsADirectory => {
            Err(problem("is a folder: replace it by a file of NAME=value lines"))
        }
        Err(error) => Err(problem(&format!("cannot be read ({error}): repair or remove it"))),
    }
}

/// One assignment of a `.env` file.
pub(super) struct Line {
    /// Where it begins, from 1.
    pub(super) number: usize,
    /// The variable's name.
    pub(super) name: String,
    /// Its value, without quotes.
    pub(super) value: Zeroizing<String>,
    /// Whether the value would be another one than was written, because dotenv replaces `$NAME`.
    pub(super) substituted: bool,
}

/// The lines of a `.env`, and a problem for each that is none. Values are never repeated in a problem: the
/// reader cannot know whether a broken line holds a secret.
pub(super) fn parse(content: &str) -> (Vec<Line>, Vec<Problem>) {
    let lines: Vec<&str> = content
        .strip_prefix('\u{feff}')
        .unwrap_or(content)
        .lines()
        .collect();
    let (mut assignments, mut problems) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(rest) = lines.get(at..).filter(|rest| !rest.is_empty()) {
        let number = at + 1;
        if let Some((length, pairs)) = statement(rest) {
            at += length;
            let text = rest.get(..length).unwrap_or_default().join("\n");
            assignments.extend(pairs.into_iter().map(|(name, value)| Line {
                number,
                name,
                substituted: dollars(before_comment(&text)) > dollars(&value),
                value: Zeroizing::new(value),
            }));
        } else {
            at = number;
            problems.push(Problem {
                variable: format!(".env line {number}"),
                found: None,
                expected:
                    "cannot be read: write NAME=value, and put a value with spaces or quotes into quotes \
                           that are closed on the same line"
                        .to_owned(),
            });
        }
    }
    (assignments, problems)
}

/// The shortest run of lines that dotenvy understands, and what it holds (nothing: a comment or empty line).
fn statement(rest: &[&str]) -> Option<(usize, Vec<(String, String)>)> {
    (1..=rest.len().min(LONGEST_VALUE_LINES)).find_map(|length| {
        let text = Zeroizing::new(rest.get(..length)?.join("\n") + "\n");
        let pairs: Result<Vec<_>, _> = dotenvy::from_read_iter(text.as_bytes()).collect();
        pairs.ok().map(|pairs| (length, pairs))
    })
}

fn before_comment(text: &str) -> &str {
    text.split_once(" #").map_or(text, |(before, _)| before)
}

fn dollars(text: &str) -> usize {
    text.matches('$').count()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn pairs(content: &str) -> Vec<(String, String)> {
        let (lines, problems) = parse(content);
        assert_eq!(problems, []);
        lines
            .into_iter()
            .map(|line| (line.name, line.value.to_string()))
            .collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn quotes_comments_export_and_line_ends_are_understood() {
        let content = "\u{feff}# a comment\r\nA=1\r\nB='two words'\n\nexport C=\"three\" # why\nD=\nE = x  ";
        assert_eq!(
            pairs(content),
            [
                pair("A", "1"),
                pair("B", "two words"),
                pair("C", "three"),
                pair("D", ""),
                pair("E", "x")
            ]
        );
    }

    #[test]
    fn a_quoted_value_may_run_over_lines_and_the_numbers_stay_right() {
        let (lines, problems) = parse("A='one\ntwo'\nnonsense here\nB=2");
        assert_eq!(
            lines
                .iter()
                .map(|line| (line.number, line.name.as_str()))
                .collect::<Vec<_>>(),
            [(1, "A"), (4, "B")]
        );
        assert_eq!(
            problems
                .iter()
                .map(|problem| problem.variable.as_str())
                .collect::<Vec<_>>(),
            [".env line 3"]
        );
    }

    #[test]
    fn a_broken_line_is_named_without_its_content() {
        for broken in [
            "PLAID_SECRET=hush hush",
            "PLAID_SECRET='hush",
            "=hush",
            "hush",
            "PLAID_SECRET=\\hush",
        ] {
            let (lines, problems) = parse(&format!("A=1\n{broken}\nB=2"));
            assert_eq!(lines.len(), 2, "{broken}");
            assert_eq!(problems.len(), 1, "{broken}");
            let text = problems.first().unwrap().to_string();
            assert!(
                text.starts_with(".env line 2: ") && !text.contains("hush"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_dollar_that_would_be_replaced_is_seen() {
        let seen = |content: &str| parse(content).0.first().unwrap().substituted;
        assert!(seen("A=pa$word"));
        assert!(seen("A=\"${NO_SUCH_NAME}\""));
        assert!(!seen("A='pa$word'"));
        assert!(!seen("A=pa\\$word"));
        assert!(!seen("A=5 # costs $5"));
    }

    #[test]
    fn the_file_is_looked_for_in_one_directory_alone() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        std::fs::write(dir.path().join(".env"), "A=1").unwrap();
        assert_eq!(read_dotenv(dir.path()), Ok(Some("A=1".to_owned())));
        assert_eq!(read_dotenv(&inner), Ok(None));
    }

    #[test]
    fn a_file_that_is_there_but_cannot_be_read_is_a_problem() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(".env")).unwrap();
        assert!(
            read_dotenv(dir.path())
                .unwrap_err()
                .to_string()
                .contains("is a folder")
        );

        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(".env"), [0xff, 0xfe, b'A', 0]).unwrap();
        assert!(read_dotenv(dir.path()).unwrap_err().to_string().contains("UTF-8"));
    }

    #[cfg(unix)]
    #[test]
    fn a_dangling_link_is_a_problem() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join(".env")).unwrap();
        assert!(
            read_dotenv(dir.path())
                .unwrap_err()
                .to_string()
                .contains("does not exist")
        );
    }
}
