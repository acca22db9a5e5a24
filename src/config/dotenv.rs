//! `.env`: found in the working directory, and read by one rule: a value is what is written, without one pair of outer
//! quotes and without a comment. Values that other readers of such files would change are refused: the same file goes to
//! `docker run --env-file`, to compose, and to shells.

use std::io::ErrorKind;
use std::path::Path;

use zeroize::Zeroizing;

use super::problem::Problem;

/// A quoted value of another program may span lines; the closing quote is looked for no further than this.
const MAX_VALUE_LINES: usize = 64;
/// Names that people, and editors that hide endings, give to the file.
const MISNAMED: [&str; 3] = [".env.txt", ".env.local", "env.txt"];

/// The content of `.env` in this directory alone: parents are not searched, so that a file which somebody
/// forgot further up cannot decide which bank data is opened. `Ok(None)` when there is none.
///
/// A file that is there and cannot be read is a [`Problem`] and never an absent one: starting without it would
/// start the simulator in place of the account that the operator meant.
pub(super) fn read_dotenv(dir: &Path) -> Result<Option<String>, Problem> {
    let path = dir.join(".env");
    let shown = path.display().to_string().escape_debug().to_string();
    let problem = |expected: &str| Problem::new(".env", expected).with(shown.clone());
    let error = match std::fs::read(&path) {
        Ok(bytes) => {
            let expected = "is not UTF-8 text: save it as UTF-8 (some editors on Windows write UTF-16)";
            return String::from_utf8(bytes).map(Some).map_err(|_| problem(expected));
        }
        Err(error) => error,
    };
    Err(match error.kind() {
        ErrorKind::NotFound if !path.is_symlink() => return Ok(None),
        ErrorKind::NotFound => {
            problem("is a link to a file that does not exist: replace it by a copy of your settings file")
        }
        ErrorKind::PermissionDenied => problem(
            "may not be read by this user: change its owner or its rights (for example `chmod 600`), or those of its folder",
        ),
        ErrorKind::IsADirectory => problem("is a folder: replace it by a file of NAME=value lines"),
        _ => problem(&format!("cannot be read ({error}): repair or remove it")),
    })
}

/// A file beside a missing `.env` that was probably meant to be it.
pub(super) fn misnamed_dotenv(dir: &Path) -> Option<&'static str> {
    MISNAMED.into_iter().find(|name| dir.join(name).is_file())
}

/// One assignment of a `.env` file.
pub(super) struct Line {
    /// Its number, from 1.
    pub(super) number: usize,
    /// The variable's name.
    pub(super) name: String,
    /// Its value, or what to do about it, with `{name}` for the name. The value is not repeated there: it may be a secret.
    pub(super) value: Result<Zeroizing<String>, &'static str>,
}

/// The assignments of a `.env`, and the numbers of the lines that are none. `is_ours`: whether a name is one of ours.
pub(super) fn parse(content: &str, is_ours: impl Fn(&str) -> bool) -> (Vec<Line>, Vec<usize>) {
    let content = content.strip_prefix('\u{feff}').unwrap_or(content);
    let lines: Vec<&str> = content.lines().collect();
    let (mut assignments, mut unreadable) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line
            .strip_prefix("export")
            .filter(|rest| rest.starts_with(char::is_whitespace))
            .map_or(line, str::trim_start);
        let (before, text) = line.split_once('=').unwrap_or((line, ""));
        let named = before.trim();
        let is_assignment = line.contains('=') && !named.is_empty() && named.chars().all(is_name_char);
        let (name, value) = if !is_assignment {
            let Some(name) = before.split(|c| !is_name_char(c)).find(|name| is_ours(name)) else {
                unreadable.push(at);
                continue;
            };
            (name, Err("write {name}=… and nothing before the name"))
        } else if is_ours(named) {
            (
                named,
                value_of(text).map(|value| Zeroizing::new(value.to_owned())),
            )
        } else {
            at += others_lines(text, lines.get(at..).unwrap_or_default(), &is_ours);
            continue;
        };
        assignments.push(Line {
            number: at,
            name: name.to_owned(),
            value,
        });
    }
    (assignments, unreadable)
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

/// How many further lines belong to another program's quoted value: none of them is a setting of ours.
/// A line that sets one of ours ends them: the quote was not meant to swallow it.
fn others_lines(text: &str, rest: &[&str], is_ours: impl Fn(&str) -> bool) -> usize {
    let text = text.trim();
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return 0;
    };
    if text.chars().skip(1).any(|c| c == quote) {
        return 0;
    }
    let sets_ours = |line: &&&str| line.split_once('=').is_some_and(|(name, _)| is_ours(name.trim()));
    let rest = rest
        .iter()
        .take(MAX_VALUE_LINES)
        .take_while(|line| !sets_ours(line));
    // One that is never closed is only this line.
    rest.clone()
        .position(|line| line.contains(quote))
        .map_or(0, |index| index + 1)
}

/// The value that is written behind the `=`.
fn value_of(text: &str) -> Result<&str, &'static str> {
    // ASCII alone: a no-break space may belong to a secret, and is refused as part of the value.
    let trimmed = text.trim_ascii();
    match trimmed.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted(trimmed.get(1..).unwrap_or_default(), quote),
        // `A= # why` is a comment, `A=#x` is for some readers and a value for others.
        Some('#') if text.starts_with('#') => Err(advice(trimmed)),
        _ => bare(trimmed),
    }
}

/// What is between quotes is the value, letter by letter.
fn quoted(rest: &str, quote: char) -> Result<&str, &'static str> {
    let closes = |(index, _): &(usize, &str)| {
        let behind = rest.get(index + 1..).unwrap_or_default();
        let trimmed = behind.trim_start();
        trimmed.is_empty() || (trimmed.starts_with('#') && trimmed.len() < behind.len())
    };
    let Some((end, _)) = rest.match_indices(quote).find(closes) else {
        return Err(
            "{name}: close the quote on the line where it opens, with nothing but a comment behind it",
        );
    };
    let value = rest.get(..end).unwrap_or_default();
    if value.contains(quote) || (quote == '"' && value.contains(SPECIAL)) {
        return Err(advice(value));
    }
    Ok(value)
}

/// What readers of such files treat in different ways outside of single quotes.
const SPECIAL: [char; 4] = ['"', '\\', '$', '`'];

/// How to write a value so that all readers see it as it is.
fn advice(value: &str) -> &'static str {
    if !value.contains('\'') {
        "write {name}='…', with the value in single quotes: it has a quote, \\, $, ` or # that other readers of the file \
         change"
    } else if !value.contains(SPECIAL) {
        "write {name}=\"…\", with the value in double quotes: it has a single quote in it"
    } else {
        "set {name} in the environment, or a secret by {name}_FILE, and remove this line: no quotes keep this value as it is \
         for every reader of such files"
    }
}

/// Without quotes, the value ends at the end of the line or before a comment.
fn bare(text: &str) -> Result<&str, &'static str> {
    let comment = text.match_indices('#').find(|(index, _)| {
        text.get(..*index)
            .is_some_and(|before| before.is_empty() || before.ends_with(char::is_whitespace))
    });
    let value = comment
        .map_or(text, |(index, _)| text.get(..index).unwrap_or_default())
        .trim_ascii_end();
    if value.contains('\'') || value.contains(SPECIAL) {
        return Err(advice(value));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn lines(content: &str) -> Vec<(usize, String, Result<String, &'static str>)> {
        let (lines, unreadable) = parse(content, |name| name.len() == 1);
        assert_eq!(unreadable, [0; 0]);
        let value = |line: Line| line.value.map(|value| value.to_string());
        lines
            .into_iter()
            .map(|line| (line.number, line.name.clone(), value(line)))
            .collect()
    }

    #[test]
    fn an_unclosed_quote_of_another_program_swallows_no_setting() {
        for content in ["NOTE='tis\nA=1\nB='x'", "GREETING=\"Hello\nA=1\nB=\"x\""] {
            let read = lines(content);
            let read: Vec<_> = read
                .iter()
                .map(|(_, name, value)| (&**name, value.as_deref()))
                .collect();
            assert_eq!(read, [("A", Ok("1")), ("B", Ok("x"))], "{content}");
        }
        // A quote that is closed further down ends there, where nothing of ours is between.
        let (read, unreadable) = parse("KEY='-----\nabc\n-----'\nA=1", |name| name.len() == 1);
        assert_eq!((read.len(), unreadable), (1, vec![]));
    }

    #[test]
    fn a_setting_behind_another_shells_word_is_named() {
        let (read, _) = parse("set A=1\n- B=2\nexport\tC=3", |name| {
            ["A", "B", "C"].contains(&name)
        });
        let read: Vec<_> = read
            .iter()
            .map(|line| (&*line.name, line.value.is_ok()))
            .collect();
        assert_eq!(read, [("A", false), ("B", false), ("C", true)]);
    }

    #[test]
    fn a_no_break_space_is_part_of_a_value() {
        assert_eq!(one("\u{a0}x"), Ok("\u{a0}x".to_owned()));
    }

    fn one(text: &str) -> Result<String, &'static str> {
        lines(&format!("A={text}")).remove(0).2
    }

    #[test]
    fn quotes_comments_export_and_line_ends_are_understood() {
        let content = "\u{feff}# a comment\r\nA=1\r\nB='two words'\n\nexport C=\"three\" # why\nD=\nE = x  ";
        let expected = [
            (2, "A", "1"),
            (3, "B", "two words"),
            (5, "C", "three"),
            (6, "D", ""),
            (7, "E", "x"),
        ];
        let expected = expected.map(|(number, name, value)| (number, name.to_owned(), Ok(value.to_owned())));
        assert_eq!(lines(content), expected);
    }

    #[test]
    fn a_value_is_what_is_written() {
        for (text, value) in [
            ("Acme Bank Bot", "Acme Bank Bot"),
            ("'Acme Bank Bot'", "Acme Bank Bot"),
            ("  spaces around  ", "spaces around"),
            ("' kept '", " kept "),
            ("a#b", "a#b"),
            ("a # b", "a"),
            (" # b", ""),
            ("'a # b'", "a # b"),
            ("'a' # it's", "a"),
            (r#"'a"b\c$d`e'"#, r#"a"b\c$d`e"#),
            ("\"it's\"", "it's"),
            ("a=b", "a=b"),
            ("''", ""),
        ] {
            assert_eq!(one(text), Ok(value.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_readers_understand_differently_is_refused_with_the_quotes_to_use() {
        let (single, double) = ("in single quotes", "in double quotes");
        for (text, advice) in [
            (r#"abcdef"gh"ij"#, single),
            (r"a\b", single),
            ("a$b", single),
            ("${B}", single),
            ("a`b`", single),
            ("#a", single),
            (r#""a\nb""#, single),
            (r#""a$b""#, single),
            (r#""a"b""#, single),
            ("it's", double),
            ("'it's'", double),
            (r#"it's "b""#, "_FILE"),
            (r#"'it's "b"'"#, "_FILE"),
            (r#""it's $5""#, "_FILE"),
            ("'it's $5'", "_FILE"),
            ("'open", "close the quote"),
            ("'a' b", "close the quote"),
            ("'a'#b", "close the quote"),
        ] {
            let message = one(text).unwrap_err();
            assert!(message.contains(advice), "{text}: {message}");
        }
    }

    #[test]
    fn other_programs_lines_are_not_ours_to_judge() {
        let content = "KEY=\"-----BEGIN\nA=1\n-----END\"\nB=2\nOPEN='\nC=3\nWORD=a\"b$c\n";
        let (read, unreadable) = parse(content, |name| name.len() == 1);
        let read: Vec<_> = read.iter().map(|line| (line.number, &*line.name)).collect();
        // What looks like a setting of ours counts, also between another program's quotes.
        assert_eq!((read, unreadable), (vec![(2, "A"), (4, "B"), (6, "C")], vec![3]));
        let (read, unreadable) = parse("nonsense here\n=x\n\nA: 1\nB\n", |name| name.len() == 1);
        assert_eq!(unreadable, [1, 2]);
        let ours: Vec<_> = read
            .iter()
            .map(|line| (line.number, line.value.is_err()))
            .collect();
        assert_eq!(ours, [(4, true), (5, true)]);
    }

    #[test]
    fn a_misnamed_file_is_found() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(misnamed_dotenv(dir.path()), None);
        std::fs::write(dir.path().join(".env.txt"), "A=1").unwrap();
        assert_eq!(misnamed_dotenv(dir.path()), Some(".env.txt"));
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
