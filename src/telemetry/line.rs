//! One event, one line: what others said is in some of them (Plaid's error messages, a library's), and none of it may
//! begin a line of its own or speak to the terminal that shows it.

use std::fmt::Write as _;
use std::io::{self, Write};

pub(super) struct Line<W> {
    inner: W,
    /// Whether colours are ours to keep. What others say has lost its own before it comes here.
    colours: bool,
}

impl<W> Line<W> {
    pub(super) fn new(inner: W, colours: bool) -> Self {
        Self { inner, colours }
    }
}

impl<W: Write> Write for Line<W> {
    /// The subscriber hands over each event whole.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        self.inner
            .write_all(printable(&text, self.colours).as_bytes())
            .map(|()| event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The event with everything unprintable as `\uXXXX`, which is right inside of a JSON string too.
fn printable(event: &str, colours: bool) -> String {
    let (text, end) = event.strip_suffix('\n').map_or((event, ""), |text| (text, "\n"));
    let mut line = String::with_capacity(event.len());
    for character in text.chars() {
        if is_printable(character) || (colours && character == '\u{1b}') {
            line.push(character);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(line, "\\u{:04x}", u32::from(character));
        }
    }
    line + end
}

/// Neither a control character (C1's as well), nor a line separator, nor one that turns the direction of writing.
fn is_printable(character: char) -> bool {
    let turns =
        matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !character.is_control() && !matches!(character, '\u{2028}' | '\u{2029}') && !turns
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn written(event: &str, colours: bool) -> String {
        let mut bytes = Vec::new();
        Line::new(&mut bytes, colours)
            .write_all(event.as_bytes())
            .unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn an_event_is_one_printable_line() {
        assert_eq!(written("plain é – 口\n", false), "plain é – 口\n");
        assert_eq!(
            written("a\nb\r\u{1b}[2J\u{9b}\u{85}\u{2028}\u{202e}\0\n", false),
            "a\\u000ab\\u000d\\u001b[2J\\u009b\\u0085\\u2028\\u202e\\u0000\n"
        );
        assert_eq!(written("\u{1b}[2ma\u{1b}[0m\n", true), "\u{1b}[2ma\u{1b}[0m\n");
    }

    #[test]
    fn json_stays_json() {
        let line = written("{\"message\":\"a\u{9b}\u{2028}b\"}\n", false);
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read.get("message").unwrap(), "a\u{9b}\u{2028}b");
        assert!(line.is_ascii());
    }
}
